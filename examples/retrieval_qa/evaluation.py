"""How good an answer is, as a number and in a sentence."""

from collections import Counter
from dataclasses import dataclass

from .corpus import Question
from .retrieval import Hit
from .words import tokens


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A score in [0, 1] and the reason for it."""

    score: float
    text: str


def evaluate(question: Question, answer: str, ranked: list[Hit]) -> Evaluation:
    """Token F1 between answer and label (Rajpurkar et al. 2016), and what went wrong."""
    score = _f1(tokens(answer), tokens(question.answer))
    places = [hit.passage for hit in ranked]
    if question.passage in places:
        where = f"The right passage was ranked {places.index(question.passage) + 1} of {len(places)} kept."
    else:
        where = f"The right passage was not among the {len(places)} kept."
    return Evaluation(score, f"Expected '{question.answer}' but answered '{answer}'. {where}")


def _f1(found: list[str], wanted: list[str]) -> float:
    shared = sum((Counter(found) & Counter(wanted)).values())
    return 2 * shared / (len(found) + len(wanted)) if shared else 0.0
