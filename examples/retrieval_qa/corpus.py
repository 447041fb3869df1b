"""The passages and the labelled questions."""

import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .words import stems

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that may hold the answer."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose answer, and the passage that holds it, are known."""

    id: str
    question: str
    answer: str
    passage: str


class Corpus:
    """All passages with what retrieval needs to know of them."""

    def __init__(self, passages: list[Passage]) -> None:
        self.passages = {passage.id: passage for passage in passages}
        self.counts = {passage.id: Counter(stems(passage.text)) for passage in passages}
        self.lengths = {passage_id: sum(counts.values()) for passage_id, counts in self.counts.items()}
        self.mean_length = sum(self.lengths.values()) / len(self.lengths)
        self._frequencies = Counter(word for counts in self.counts.values() for word in counts)

    def rarity(self, word: str) -> float:
        """Inverse document frequency, as BM25 has it (Robertson and Zaragoza 2009)."""
        frequency = self._frequencies[word]
        return math.log(1 + (len(self.passages) - frequency + 0.5) / (frequency + 0.5))


def load_corpus() -> Corpus:
    """The shipped passages."""
    return Corpus([Passage(**document) for document in _documents("corpus.jsonl")])


def load_questions() -> dict[str, Question]:
    """The shipped questions by id."""
    return {document["id"]: Question(**document) for document in _documents("questions.jsonl")}


def _documents(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (_HERE / name).read_text(encoding="utf-8").splitlines() if line]
