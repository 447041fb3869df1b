"""How good an answer is, as a number and in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .composition import Composed
from .corpus import Corpus, Question
from .extraction import Extraction
from .retrieval import Found, Hit
from .words import tokens


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the steps came to for one question."""

    found: Found
    ranked: Sequence[Hit]
    extraction: Extraction
    composed: Composed


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A score in [0, 1] and the reason for it."""

    score: float
    text: str


class Evaluator:
    """Judges answers to labelled questions about a corpus."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def evaluate(self, question: Question, outcome: Outcome) -> Evaluation:
        """Token F1 between answer and label (Rajpurkar et al. 2016), and the first step that went wrong."""
        answer = outcome.composed.answer
        score = token_f1(answer, question.answer)
        if score == 1.0:
            return Evaluation(score, f"Answered '{answer}', as expected.")
        because = self._reason(question, outcome)
        return Evaluation(score, f"Expected '{question.answer}' but answered '{answer}': {because}.")

    def _reason(self, question: Question, outcome: Outcome) -> str:
        title = self._corpus.passages[question.passage].passage.title
        kept = [hit.passage for hit in outcome.ranked]
        passage = f"the passage '{title}' that holds the answer"
        if question.passage not in kept:
            if question.passage in outcome.found.passed_over:
                place = len(kept) + outcome.found.passed_over.index(question.passage) + 1
                return f"{passage} was found as number {place}, and only {len(kept)} kept"
            return f"{passage} was not found"
        extraction = outcome.extraction
        if question.answer.lower() not in extraction.sentence.lower():
            rank = kept.index(question.passage) + 1
            return f"{passage} was ranked {rank} of {len(kept)} kept, but a sentence of '{extraction.title}' was chosen"
        if token_f1(extraction.answer, question.answer) < 1.0:
            return f"the right sentence was chosen, but '{extraction.answer}' taken from it"
        return f"'{extraction.answer}' was found, and the template added words that are not wanted"


def token_f1(found: str, wanted: str) -> float:
    """Harmonic mean of precision and recall over words without case and punctuation, each as often as it stands."""
    these, those = tokens(found), tokens(wanted)
    shared = (Counter(these) & Counter(those)).total()
    return 2 * shared / (len(these) + len(those)) if shared else 0.0
