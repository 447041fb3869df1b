"""The pipeline: analyse, retrieve, rank, extract, compose; then evaluate."""

from dataclasses import dataclass

from opentelemetry import trace

import otel_opto

from .analysis import analyse_question
from .composition import compose_answer
from .corpus import Corpus, Question
from .evaluation import evaluate
from .extraction import Extractor
from .parameters import TOP_K
from .ranking import rank
from .retrieval import Hit, Retriever

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

    def __init__(self, corpus: Corpus, questions: dict[str, Question]) -> None:
        self._retriever = Retriever(corpus)
        self._extractor = Extractor(corpus)
        self.questions = questions

    def ask(self, question: str) -> Answered:
        """Answers a free question."""
        with otel_opto.start_node("answer_question", {"question": question}) as node:
            answer, _ = self._answer(question)
            node.output(answer)
            return _answered(answer, None)

    def ask_labelled(self, question: Question, split: str) -> Answered:
        """Answers a labelled question and sends the evaluator's feedback on it; `split` goes with the feedback."""
        with otel_opto.start_node("answer_question", {"question": question.question}) as node:
            answer, ranked = self._answer(question.question)
            node.output(answer)
            judged = evaluate(question, answer, ranked)
            otel_opto.feedback(judged.score, judged.text, name=METRIC, source="evaluator", attributes={"split": split})
            return _answered(answer, judged.score)

    def _answer(self, question: str) -> tuple[str, list[Hit]]:
        analysis = analyse_question(question)
        ranked = rank(self._retriever.retrieve(analysis), analysis)
        return compose_answer(self._extractor.extract_answer(ranked, analysis)), ranked


def _answered(answer: str, score: float | None) -> Answered:
    context = trace.get_current_span().get_span_context()
    release = TOP_K.resolve().release
    return Answered(answer, score, f"{context.trace_id:032x}", f"{context.span_id:016x}", release)
