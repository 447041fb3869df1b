"""Step 1: what is asked for."""

from dataclasses import dataclass

import otel_opto

from .words import stems, tokens


@dataclass(frozen=True, slots=True)
class Analysis:
    """The words that carry meaning, and the kind of answer that is wanted: number, time, person or phrase."""

    question: str
    words: list[str]
    kind: str


@otel_opto.node
def analyse_question(question: str) -> Analysis:
    """Takes a question apart."""
    return Analysis(question, stems(question), _kind(tokens(question)))


def _kind(asked: list[str]) -> str:
    text = " ".join(asked)
    if text.startswith("who ") or " which poet" in f" {text}" or " which smith" in f" {text}":
        return "person"
    if text.startswith(("when ", "since when")) or "what year" in text or "which year" in text or " hour" in text:
        return "time"
    if (" day" in f" {text}" and "how" not in asked) or "evening" in asked or "what time" in text:
        return "time"
    if text.startswith(
        ("how many", "how long", "how high", "how tall", "how far", "how large", "how fast", "how strong")
    ):
        return "number"
    if "how much" in text or "price" in asked or "cost" in asked or "weight" in asked or "fine" in asked:
        return "number"
    return "phrase"
