"""The pipeline: analyse, retrieve, rank, extract, compose; then evaluate."""

from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry import trace

import otel_opto

from .analysis import analyse_question
from .composition import compose_answer
from .corpus import Corpus, Question
from .evaluation import Evaluator, Outcome
from .extraction import Extractor
from .parameters import TOP_K
from .ranking import Ranker
from .retrieval import Retriever

METRIC = "answer_quality"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, where it can be looked up, and its score where the question is a labelled one."""

    answer: str
    score: float | None
    trace_id: str
    span_id: str
    release: int | None


class Application:
    """Answers questions about the corpus."""

    def __init__(self, corpus: Corpus, questions: Mapping[str, Question]) -> None:
        self._retriever = Retriever(corpus)
        self._ranker = Ranker(corpus)
        self._extractor = Extractor(corpus)
        self._evaluator = Evaluator(corpus)
        self.questions = questions

    def ask(self, question: str) -> Answered:
        """Answers a free question."""
        with otel_opto.start_node("answer_question", {"question": question}) as node:
            answer = self._answer(question).composed.answer
            node.output(answer)
            return _answered(node.span, answer, None)

    def ask_labelled(self, question: Question, split: str = "") -> Answered:
        """Answers a labelled question and sends the evaluator's feedback on it; `split`, if any, goes with it."""
        with otel_opto.start_node("answer_question", {"question": question.question}) as node:
            outcome = self._answer(question.question)
            node.output(outcome.composed.answer)
            judged = self._evaluator.evaluate(question, outcome)
            otel_opto.feedback(
                judged.score,
                judged.text,
                name=METRIC,
                target=node.span,
                source="evaluator",
                attributes={"split": split} if split else {},
            )
            return _answered(node.span, outcome.composed.answer, judged.score)

    def _answer(self, question: str) -> Outcome:
        analysis = analyse_question(question)
        found = self._retriever.retrieve(analysis)
        ranked = self._ranker.rank(found, analysis)
        extraction = self._extractor.extract_answer(ranked, analysis)
        return Outcome(found, ranked, extraction, compose_answer(extraction))


def _answered(span: trace.Span, answer: str, score: float | None) -> Answered:
    context = span.get_span_context()
    release = TOP_K.resolve().release
    return Answered(answer, score, f"{context.trace_id:032x}", f"{context.span_id:016x}", release)
