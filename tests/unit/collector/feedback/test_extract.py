"""Feedback out of telemetry."""

import math

import pytest

from collector.core.feedback import Feedback
from collector.core.span import AnyValue, Event, LogRecord, Span, SpanContext
from collector.feedback.extract import from_log_records, from_spans
from collector.otlp.decode import log_records_of
from tests import samples

TARGET = SpanContext(samples.trace_id(1), samples.span_id(2))
NAMED: dict[str, AnyValue] = {"gen_ai.evaluation.name": "q"}


def evaluation(attributes: dict[str, AnyValue], context: SpanContext | None = TARGET) -> LogRecord:
    return LogRecord(1, event_name="gen_ai.evaluation.result", attributes=attributes, context=context)


def test_a_log_event_becomes_feedback() -> None:
    values = {"opto.feedback.source": "user", "opto.feedback.split": "train"}
    record = samples.evaluation(1, 2, 0.25, "too long", values=values, time=3)
    assert from_log_records(log_records_of(samples.logs_request([record]))).feedback == (
        Feedback(TARGET, "quality", 0.25, "", "too long", "user", {"split": "train"}, samples.START + 3),
    )


def test_an_older_event_has_its_name_in_an_attribute() -> None:
    attributes: dict[str, AnyValue] = {**NAMED, "gen_ai.evaluation.score.label": "bad"}
    record = LogRecord(0, 9, attributes={**attributes, "event.name": "gen_ai.evaluation.result"}, context=TARGET)
    assert from_log_records([record]).feedback == (Feedback(TARGET, "q", label="bad", time_unix_nano=9),)


def test_a_span_event_judges_its_own_span() -> None:
    attributes: dict[str, AnyValue] = {**NAMED, "gen_ai.evaluation.score.value": 1}
    events = tuple(Event("gen_ai.evaluation.result", time, attributes) for time in (5, 0))
    span = Span(TARGET, None, "n", 0, 7, events=(*events, Event("other", 6, attributes)))
    assert from_spans([span]).feedback == (
        Feedback(TARGET, "q", 1.0, time_unix_nano=5),
        Feedback(TARGET, "q", 1.0, time_unix_nano=7),
    )


def test_a_record_of_a_trace_without_a_span_judges_the_root() -> None:
    root = SpanContext(TARGET.trace_id, "")
    (feedback,) = from_log_records([evaluation({**NAMED, "gen_ai.evaluation.explanation": "so"}, root)]).feedback
    assert (feedback.target, feedback.text, feedback.score) == (root, "so", None)


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (3, "3"), ("x", "x"), (["a", 1], '["a", 1]'), (None, "")])
def test_further_attributes_are_kept_in_their_string_form(value: AnyValue, text: str) -> None:
    attributes = {**NAMED, "gen_ai.evaluation.score.value": 0, "opto.feedback.x": value, "opto.feedback.": "no name"}
    (feedback,) = from_log_records([evaluation(attributes)]).feedback
    assert feedback.attributes == {"x": text}
    assert feedback.score == 0.0


def test_other_records_are_not_looked_at() -> None:
    extraction = from_log_records([LogRecord(1, event_name="gen_ai.user.message"), LogRecord(1, body="hello")])
    assert (extraction.feedback, extraction.faults) == ((), ())


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"gen_ai.evaluation.score.value": 1}, "gen_ai.evaluation.name is missing; it must be a text"),
        ({"gen_ai.evaluation.name": 5}, "gen_ai.evaluation.name is 5; it must be a text"),
        ({**NAMED, "gen_ai.evaluation.score.value": math.nan}, "metric 'q': gen_ai.evaluation.score.value is nan"),
        ({**NAMED, "gen_ai.evaluation.score.value": -math.inf}, "is -inf (float); allowed is a finite number"),
        ({**NAMED, "gen_ai.evaluation.score.value": [1]}, "is [1] (list); allowed is a finite number"),
        ({**NAMED, "gen_ai.evaluation.score.value": "NaN"}, "is 'NaN' (str); allowed is a finite number"),
        ({**NAMED, "gen_ai.evaluation.score.value": "1" * 900}, "1… (str)"),
        (NAMED, "metric 'q' says nothing; it needs at least one of gen_ai.evaluation.score.value"),
    ],
)
def test_a_fault_says_what_was_found_where_and_what_is_allowed(attributes: dict[str, AnyValue], said: str) -> None:
    extraction = from_log_records([evaluation(attributes)])
    assert extraction.feedback == ()
    (fault,) = extraction.faults
    assert fault.startswith(f"gen_ai.evaluation.result of trace {TARGET.trace_id}, span {TARGET.span_id}: ")
    assert said in fault


@pytest.mark.parametrize(
    ("value", "score"),
    [("10", 10), (" 0.8 ", 0.8), ("1e-3", 0.001), ("-.5", -0.5), ("+3.", 3), (True, 1), (False, 0), ("true", 1),
     ("False", 0), (2**63 - 1, 2.0**63), (-(2**63), -(2.0**63)), ("9" * 300, 1e300)],
)  # fmt: skip
def test_what_is_a_number_beyond_doubt_is_a_score(value: AnyValue, score: float) -> None:
    (feedback,) = from_log_records([evaluation({**NAMED, "gen_ai.evaluation.score.value": value})]).feedback
    assert feedback.score == pytest.approx(score)


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, "nan", "-Infinity", "high", "0,8", "85%", "4/5", "1_000", "0x10", "٣", "1e999", "1 2", "1e",
     [0.5], {"value": 1}, b"1"],
)  # fmt: skip
def test_a_score_that_is_none_does_not_take_label_and_explanation_with_it(value: AnyValue) -> None:
    attributes: dict[str, AnyValue] = {
        **NAMED,
        "gen_ai.evaluation.score.value": value,
        "gen_ai.evaluation.score.label": "pass",
        "gen_ai.evaluation.explanation": "names its source",
    }
    extraction = from_log_records([evaluation(attributes)])
    assert extraction.feedback == (Feedback(TARGET, "q", None, "pass", "names its source", time_unix_nano=1),)
    assert extraction.faults == ()
    (fault,) = extraction.unscored
    assert "metric 'q': gen_ai.evaluation.score.value is" in fault


def test_a_score_in_words_is_a_label_where_there_is_none() -> None:
    extraction = from_log_records([evaluation({**NAMED, "gen_ai.evaluation.score.value": "high"})])
    assert [(one.score, one.label) for one in extraction.feedback] == [(None, "high")]
    assert len(extraction.unscored) == 1


@pytest.mark.parametrize("value", [None, "", "  "])
def test_no_score_is_no_fault(value: AnyValue) -> None:
    said = {**NAMED, "gen_ai.evaluation.score.value": value, "gen_ai.evaluation.score.label": "pass"}
    extraction = from_log_records([evaluation(said)])
    assert (len(extraction.feedback), extraction.unscored) == (1, ())


def test_feedback_on_no_trace_is_a_fault_and_does_not_take_others_with_it() -> None:
    scored: dict[str, AnyValue] = {**NAMED, "gen_ai.evaluation.score.value": 1}
    extraction = from_log_records([evaluation(scored, None), evaluation(scored)])
    assert len(extraction.feedback) == 1
    (fault,) = extraction.faults
    assert "metric 'q' has no trace id" in fault
