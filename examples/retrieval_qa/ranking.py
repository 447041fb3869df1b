"""Step 3: the passages that were found, in a better order."""

from dataclasses import replace

import otel_opto

from .analysis import Analysis
from .corpus import Corpus
from .parameters import TITLE_WEIGHT
from .retrieval import Found, Hit


class Ranker:
    """Orders passages of a corpus."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    @otel_opto.node
    def rank(self, found: Found, analysis: Analysis) -> list[Hit]:
        """Lifts passages whose title has words of the question; afterwards 1 is the best one's score again."""
        weight = TITLE_WEIGHT.value
        lifted = [hit.score + weight * self._share_in_title(hit, analysis) for hit in found.kept]
        best = max(lifted, default=1.0)
        hits = [replace(hit, score=round(score / best, 4)) for hit, score in zip(found.kept, lifted, strict=True)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.passage))

    def _share_in_title(self, hit: Hit, analysis: Analysis) -> float:
        """How much of the question's meaning, by rarity, stands in the title."""
        title = self._corpus.passages[hit.passage].title
        shared = sum(self._corpus.rarity(word) for word in analysis.words if word in title)
        return shared / sum(self._corpus.rarity(word) for word in analysis.words) if shared else 0.0
