import json
import random
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean

import pytest
from retrieval_qa import parameters
from retrieval_qa.application import Application

import otel_opto
from otel_opto.testing import SpanCapture

GOOD = {
    "retriever.method": "bm25",
    "retriever.top_k": 8,
    "retriever.length_penalty": 0.3,
    "ranker.title_weight": 2.0,
    "extractor.rank_weight": 1.0,
    "extractor.window": 2,
    "answer.template": "{answer}",
}


def scores(application: Application, values: Mapping[str, object]) -> list[float]:
    with ExitStack() as overrides:
        for parameter in parameters.ALL:
            if parameter.spec.key in values:
                overrides.enter_context(parameter.override(values[parameter.spec.key]))  # type: ignore[arg-type]
        return [application.ask_labelled(question).score or 0.0 for question in application.questions.values()]


def test_a_study_has_something_to_find_on_both_halves(application: Application) -> None:
    before, after = scores(application, {}), scores(application, GOOD)
    order = random.Random(7).sample(range(len(before)), len(before))
    for half in (order[: len(order) // 2], order[len(order) // 2 :]):
        assert 0.15 < fmean(before[i] for i in half) < 0.35
        assert 0.6 < fmean(after[i] for i in half) < 0.85


@pytest.mark.parametrize("key", [key for key in GOOD if key != "retriever.length_penalty"])
def test_each_parameter_matters_beside_good_ones(application: Application, key: str) -> None:
    default = next(parameter.spec.default for parameter in parameters.ALL if parameter.spec.key == key)
    assert fmean(scores(application, {**GOOD, key: default})) < fmean(scores(application, GOOD)) - 0.01


def test_the_length_penalty_changes_what_is_found(application: Application) -> None:
    with parameters.TOP_K.override(10):
        without, full = (scores(application, {"retriever.length_penalty": value}) for value in (0.0, 1.0))
    assert without != full


@pytest.mark.parametrize("question", ["", "?", "xyzzy", "1" * 500, "the of and"])
def test_a_question_that_nothing_matches_is_answered_all_the_same(application: Application, question: str) -> None:
    assert application.ask(question).score is None


@pytest.fixture
def captured(tmp_path: Path) -> Iterator[SpanCapture]:
    capture = SpanCapture()
    otel_opto.configure(
        service_name="retrieval-qa",
        endpoint="http://127.0.0.1:9",
        cache_dir=tmp_path,
        tracer_provider=capture.tracer_provider,
        logger_provider=capture.logger_provider,
    )
    yield capture
    otel_opto.shutdown()
    capture.shutdown()


def test_one_question_is_one_trace_with_its_parameters_and_its_dataflow(
    application: Application, captured: SpanCapture
) -> None:
    with parameters.METHOD.override("bm25"):
        answered = application.ask_labelled(application.questions["q001"], "train")
    spans = {span.name: span for span in captured.spans()}
    assert set(spans) == {
        "answer_question", "analyse_question", "retrieve", "score_by_bm25", "rank", "extract_answer",
        "choose_sentence", "extract_number", "compose_answer",
    }  # fmt: skip
    used = {key for span in captured.spans() for key in span.attributes or {} if key.startswith("opto.param.")}
    assert used == {f"opto.param.{parameter.spec.key}.value" for parameter in parameters.ALL}
    flows = {(spans_by_id(captured)[link.context.span_id], name) for name, span in spans.items() for link in span.links}
    assert flows >= {
        ("analyse_question", "retrieve"), ("retrieve", "rank"), ("rank", "extract_answer"),
        ("choose_sentence", "extract_number"), ("extract_answer", "compose_answer"),
    }  # fmt: skip
    root = spans["answer_question"]
    assert json.loads(str((root.attributes or {})["opto.output"])) == answered.answer
    assert answered.span_id == f"{root.context.span_id:016x}"


def spans_by_id(captured: SpanCapture) -> Mapping[int, str]:
    return {span.context.span_id: span.name for span in captured.spans()}


def test_feedback_goes_to_the_root_with_the_split(application: Application, captured: SpanCapture) -> None:
    answered = application.ask_labelled(application.questions["q001"], "held_out")
    application.ask("How tall is the lighthouse?")
    (read,) = captured.log_records()
    record = read.log_record
    assert f"{record.span_id:016x}" == answered.span_id
    attributes = dict(record.attributes or {})
    explanation = str(attributes.pop("gen_ai.evaluation.explanation"))
    assert explanation.startswith("Expected 'four knots' but answered")
    assert attributes == {
        "gen_ai.evaluation.name": "answer_quality",
        "gen_ai.evaluation.score.value": answered.score,
        "opto.feedback.source": "evaluator",
        "opto.feedback.split": "held_out",
    }
