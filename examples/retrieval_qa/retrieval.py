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


def retrieve(analysis: Analysis, corpus: Corpus) -> list[Hit]:
    """The branch: one of the three ways, whichever is in force."""
    method = METHOD.value
    if method == "bm25":
        return retrieve_by_bm25(analysis, corpus)
    if method == "trigram":
        return retrieve_by_trigrams(analysis, corpus)
    return retrieve_by_overlap(analysis, corpus)


def _best(scores: dict[str, float], corpus: Corpus) -> list[Hit]:
    ordered = sorted(scores, key=lambda passage: (-scores[passage], passage))[: TOP_K.value]
    return [Hit(passage, corpus.passages[passage].title, round(scores[passage], 4)) for passage in ordered]


def _traced(name: str, analysis: Analysis, scores: dict[str, float], corpus: Corpus) -> list[Hit]:
    with otel_opto.start_node(name, {"analysis": analysis}) as node:
        hits = _best(scores, corpus)
        node.output(hits)
    return hits


def retrieve_by_overlap(analysis: Analysis, corpus: Corpus) -> list[Hit]:
    """Counts shared words, as they are written and whatever they mean."""
    asked = set(tokens(analysis.question))
    scores = {passage.id: float(len(asked & set(tokens(passage.text)))) for passage in corpus.passages.values()}
    return _traced("retrieve_by_overlap", analysis, scores, corpus)


def retrieve_by_bm25(analysis: Analysis, corpus: Corpus) -> list[Hit]:
    """Okapi BM25 (Robertson and Zaragoza 2009)."""
    penalty = LENGTH_PENALTY.value
    scores = {}
    for passage, counts in corpus.counts.items():
        norm = _K1 * (1 - penalty + penalty * corpus.lengths[passage] / corpus.mean_length)
        scores[passage] = sum(
            corpus.rarity(word) * counts[word] * (_K1 + 1) / (counts[word] + norm)
            for word in analysis.words
            if counts[word]
        )
    return _traced("retrieve_by_bm25", analysis, scores, corpus)


def retrieve_by_trigrams(analysis: Analysis, corpus: Corpus) -> list[Hit]:
    """Compares groups of three letters, which forgives spelling."""
    asked = _trigrams(" ".join(analysis.words))
    scores = {}
    for passage, counts in corpus.counts.items():
        shared = asked & _trigrams(" ".join(counts))
        scores[passage] = sum(shared.values()) / max(sum(asked.values()), 1)
    return _traced("retrieve_by_trigrams", analysis, scores, corpus)


def _trigrams(text: str) -> Counter[str]:
    return Counter(text[i : i + 3] for i in range(len(text) - 2))
