"""Step 2: the passages that may hold the answer, by one of three methods."""

from collections import Counter
from dataclasses import dataclass

import otel_opto

from .analysis import Analysis
from .corpus import Corpus
from .parameters import LENGTH_PENALTY, METHOD, TOP_K
from .words import tokens

_K1 = 1.4


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage and how well it matches."""

    passage: str
    title: str
    score: float


class Retriever:
    """Finds passages in a corpus."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    @otel_opto.node
    def retrieve(self, analysis: Analysis) -> list[Hit]:
        """The branch: one of the three ways, whichever is in force; the best passages of it."""
        method = METHOD.value
        if method == "bm25":
            scores = self.score_by_bm25(analysis)
        elif method == "trigram":
            scores = self.score_by_trigrams(analysis)
        else:
            scores = self.score_by_overlap(analysis)
        ordered = sorted(scores, key=lambda passage: (-scores[passage], passage))[: TOP_K.value]
        titles = self._corpus.passages
        return [Hit(passage, titles[passage].title, round(scores[passage], 4)) for passage in ordered]

    @otel_opto.node
    def score_by_overlap(self, analysis: Analysis) -> dict[str, float]:
        """Counts shared words, as they are written and whatever they mean."""
        asked = set(tokens(analysis.question))
        passages = self._corpus.passages.values()
        return _found({passage.id: float(len(asked & set(tokens(passage.text)))) for passage in passages})

    @otel_opto.node
    def score_by_bm25(self, analysis: Analysis) -> dict[str, float]:
        """Okapi BM25 (Robertson and Zaragoza 2009)."""
        penalty, corpus = LENGTH_PENALTY.value, self._corpus
        scores = {}
        for passage, counts in corpus.counts.items():
            norm = _K1 * (1 - penalty + penalty * corpus.lengths[passage] / corpus.mean_length)
            scores[passage] = sum(
                corpus.rarity(word) * counts[word] * (_K1 + 1) / (counts[word] + norm)
                for word in analysis.words
                if counts[word]
            )
        return _found(scores)

    @otel_opto.node
    def score_by_trigrams(self, analysis: Analysis) -> dict[str, float]:
        """Compares groups of three letters, which forgives spelling."""
        asked = _trigrams(" ".join(analysis.words))
        scores = {}
        for passage, counts in self._corpus.counts.items():
            shared = asked & _trigrams(" ".join(counts))
            scores[passage] = sum(shared.values()) / max(sum(asked.values()), 1)
        return _found(scores)


def _found(scores: dict[str, float]) -> dict[str, float]:
    return {passage: score for passage, score in scores.items() if score > 0}


def _trigrams(text: str) -> Counter[str]:
    return Counter(text[i : i + 3] for i in range(len(text) - 2))
