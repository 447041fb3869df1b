"""Step 4: the sentence that answers, and the words in it that are the answer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import otel_opto

from . import candidates
from .analysis import Analysis, Kind
from .candidates import Span
from .corpus import Corpus
from .parameters import RANK_WEIGHT, WINDOW
from .retrieval import Hit
from .words import stems, written_words

_FITTING = 0.25
"""What words of the wanted kind are worth to a sentence; all words of the question together are worth 1."""

_GRAMMARS: Mapping[Kind, Callable[[list[str]], Iterator[Span]]] = {
    Kind.NUMBER: candidates.numbers,
    Kind.TIME: candidates.times,
    Kind.PERSON: candidates.names,
    Kind.PLACE: candidates.places,
    Kind.PHRASE: candidates.phrases,
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A sentence and the title of its passage."""

    sentence: str
    title: str


@dataclass(frozen=True, slots=True)
class Extraction:
    """The answer, the sentence it stands in, and the title of the passage."""

    answer: str
    sentence: str
    title: str


class Extractor:
    """Finds answers in passages of a corpus."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    @otel_opto.node
    def extract_answer(self, ranked: list[Hit], analysis: Analysis) -> Extraction:
        """The branch on the kind of the question; the whole sentence where nothing in it is of that kind."""
        chosen = self.choose_sentence(ranked, analysis)
        with otel_opto.start_node(f"extract_{analysis.kind}", {"chosen": chosen, "analysis": analysis}) as node:
            answer = self._nearest(chosen.sentence, analysis)
            node.output(answer)
        return Extraction(answer or chosen.sentence, chosen.sentence, chosen.title)

    @otel_opto.node
    def choose_sentence(self, ranked: list[Hit], analysis: Analysis) -> Chosen:
        """The sentence that shares most with the question, the rank of its passage considered; the first of equals."""
        weight, rarity = RANK_WEIGHT.value, self._rarity(analysis)
        total = sum(rarity.values()) or 1.0
        best, best_score = Chosen("", ""), float("-inf")
        for hit in ranked:
            for sentence in self._corpus.passages[hit.passage].sentences:
                score = sum(value for word, value in rarity.items() if word in sentence.stems) / total
                fits = next(_candidates(sentence.words, analysis), None) is not None
                score += weight * hit.score + (_FITTING if fits else 0.0)
                if score > best_score:
                    best, best_score = Chosen(sentence.text, hit.title), score
        return best

    def _nearest(self, sentence: str, analysis: Analysis) -> str:
        """The candidate with most of the question's words, by rarity, in the window around it; the first of equals."""
        window, rarity, words = WINDOW.value, self._rarity(analysis), written_words(sentence)
        best, best_score = "", float("-inf")
        for span in _candidates(words, analysis):
            around = words[max(span.start - window, 0) : span.start] + words[span.end : span.end + window]
            near = set(stems(" ".join(around)))
            score = sum(value for word, value in rarity.items() if word in near)
            if score > best_score:
                best, best_score = " ".join(words[span.start : span.end]), score
        return best

    def _rarity(self, analysis: Analysis) -> Mapping[str, float]:
        return {word: self._corpus.rarity(word) for word in analysis.words}


def _candidates(words: list[str], analysis: Analysis) -> Iterator[Span]:
    """What is of the wanted kind and not just the question's own words again."""
    for span in _GRAMMARS[analysis.kind](words):
        if not set(stems(" ".join(words[span.start : span.end]))) <= set(analysis.words):
            yield span
