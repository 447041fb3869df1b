"""Step 2: the passages that may hold the answer, by one of three methods."""

from collections.abc import Iterable
from dataclasses import dataclass

import otel_opto

from .analysis import Analysis
from .corpus import Corpus, trigrams
from .parameters import LENGTH_PENALTY, METHOD, TOP_K
from .words import tokens

_K1 = 1.4
_PASSED_OVER = 10


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage and how well it matches; 1 is the best one's score."""

    passage: str
    title: str
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that are read on, best first, and the ids of the ten that would have been next."""

    kept: list[Hit]
    passed_over: list[str]


class Retriever:
    """Finds passages in a corpus."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    @otel_opto.node
    def retrieve(self, analysis: Analysis) -> Found:
        """The best passages by the method in force; equally good ones in the order of the corpus."""
        method = METHOD.value
        if method == "bm25":
            scores = self.score_by_bm25(analysis)
        elif method == "trigram":
            scores = self.score_by_trigrams(analysis)
        else:
            scores = self.score_by_overlap(analysis)
        ordered = sorted(scores, key=lambda passage: (-scores[passage], passage))
        top_k = TOP_K.value
        best = scores[ordered[0]] if ordered else 1.0
        kept = [Hit(name, self._title(name), round(scores[name] / best, 4)) for name in ordered[:top_k]]
        return Found(kept, ordered[top_k : top_k + _PASSED_OVER])

    def _title(self, passage: str) -> str:
        return self._corpus.passages[passage].passage.title

    @otel_opto.node
    def score_by_overlap(self, analysis: Analysis) -> dict[str, float]:
        """Counts shared words as they are written, whatever they mean."""
        asked = set(tokens(analysis.question))
        penalty, corpus = LENGTH_PENALTY.value, self._corpus
        return _positive(
            (name, len(asked & indexed.tokens) / corpus.relative_length(indexed, penalty))
            for name, indexed in corpus.passages.items()
        )

    @otel_opto.node
    def score_by_bm25(self, analysis: Analysis) -> dict[str, float]:
        """Okapi BM25 over stems (Robertson and Zaragoza 2009): rare words count more, repetition less and less."""
        penalty, corpus = LENGTH_PENALTY.value, self._corpus
        rarity = {word: corpus.rarity(word) for word in analysis.words}
        scores = {}
        for name, indexed in corpus.passages.items():
            norm = _K1 * corpus.relative_length(indexed, penalty)
            counts = [(weight, indexed.counts[word]) for word, weight in rarity.items()]
            scores[name] = sum(weight * count * (_K1 + 1) / (count + norm) for weight, count in counts)
        return _positive(scores.items())

    @otel_opto.node
    def score_by_trigrams(self, analysis: Analysis) -> dict[str, float]:
        """Counts shared runs of three letters, which forgives endings and spelling."""
        asked = trigrams(" ".join(analysis.words))
        penalty, corpus = LENGTH_PENALTY.value, self._corpus
        return _positive(
            (name, (asked & indexed.trigrams).total() / corpus.relative_length(indexed, penalty))
            for name, indexed in corpus.passages.items()
        )


def _positive(scores: Iterable[tuple[str, float]]) -> dict[str, float]:
    return {name: round(score, 4) for name, score in scores if score > 0}
