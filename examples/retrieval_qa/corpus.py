"""The passages and the labelled questions."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .words import stems, tokens, written_words

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Passage:
    """A text that may hold the answer."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose answer, and the passage that holds it word for word, are known."""

    id: str
    question: str
    answer: str
    passage: str


class Sentence:
    """A sentence of a passage with its words as they are written, and the stems of those that carry meaning."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = written_words(text)
        self.stems = frozenset(stems(text))


class Indexed:
    """A passage with what the steps ask of it again and again.

    Attributes:
        tokens: Every word of the text in lower case.
        counts: How often each meaningful stem stands in the text.
        length: Meaningful words of the text.
        trigrams: How often each run of three letters stands in the text.
        title: The meaningful stems of the title; nothing else looks at the title.
        sentences: In order.
    """

    def __init__(self, passage: Passage) -> None:
        self.passage = passage
        self.tokens = frozenset(tokens(passage.text))
        self.counts = Counter(stems(passage.text))
        self.length = self.counts.total()
        self.trigrams = trigrams(passage.text)
        self.title = frozenset(stems(passage.title))
        self.sentences = tuple(Sentence(text) for text in re.split(r"(?<=[.;]) ", passage.text))


class Corpus:
    """All passages, indexed once."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages: Mapping[str, Indexed] = {passage.id: Indexed(passage) for passage in passages}
        self._mean_length = sum(indexed.length for indexed in self.passages.values()) / len(passages)
        self._frequencies = Counter(word for indexed in self.passages.values() for word in indexed.counts)

    def rarity(self, word: str) -> float:
        """Inverse document frequency, as BM25 has it (Robertson and Zaragoza 2009, section 3.4)."""
        frequency = self._frequencies[word]
        return math.log(1 + (len(self.passages) - frequency + 0.5) / (frequency + 0.5))

    def relative_length(self, indexed: Indexed, penalty: float) -> float:
        """BM25's length normalization: 1 for a passage of average length, and for every one if `penalty` is 0."""
        return 1 - penalty + penalty * indexed.length / self._mean_length


def trigrams(text: str) -> Counter[str]:
    """How often each run of three letters stands in the text; a blank is a letter, so word borders count."""
    spaced = f" {' '.join(tokens(text))} "
    return Counter(spaced[start : start + 3] for start in range(len(spaced) - 2))


def load_corpus() -> Corpus:
    """The shipped passages."""
    return Corpus([Passage(**document) for document in _documents("corpus.jsonl")])


def load_questions() -> dict[str, Question]:
    """The shipped questions by id, in the order of the file."""
    return {document["id"]: Question(**document) for document in _documents("questions.jsonl")}


def _documents(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (_HERE / name).read_text(encoding="utf-8").splitlines() if line]
