"""Feedback as the standard log event."""

import math

import pytest
from opentelemetry.trace import SpanContext

from tests.unit.otel_opto.conftest import App


def test_feedback_judges_the_current_span(app: App) -> None:
    app.connect()
    with app.span() as span:
        app.sdk.feedback(0.25, "too long", name="quality", label="bad", source="user", attributes={"split": "train"})
    (record,) = app.capture.log_records()
    assert record.log_record.event_name == "gen_ai.evaluation.result"
    assert record.log_record.span_id == span.get_span_context().span_id
    assert record.log_record.trace_id == span.get_span_context().trace_id
    assert dict(record.log_record.attributes or {}) == {
        "gen_ai.evaluation.name": "quality",
        "gen_ai.evaluation.score.value": 0.25,
        "gen_ai.evaluation.score.label": "bad",
        "gen_ai.evaluation.explanation": "too long",
        "opto.feedback.source": "user",
        "opto.feedback.split": "train",
    }


def test_feedback_may_judge_a_span_of_another_process(app: App) -> None:
    app.connect()
    app.sdk.feedback(1.0, target=SpanContext(7, 9, is_remote=True))
    (record,) = app.capture.log_records()
    assert (record.log_record.trace_id, record.log_record.span_id) == (7, 9)


def test_feedback_that_says_nothing_is_counted_and_said_once(app: App, caplog: pytest.LogCaptureFixture) -> None:
    app.connect()
    app.sdk.feedback(1.0)
    with app.span():
        app.sdk.feedback(math.nan)
        app.sdk.feedback("good")  # type: ignore[arg-type]
        app.sdk.feedback(math.inf)
    assert app.capture.log_records() == ()
    assert app.sdk.feedback_events.dropped == 4
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "feedback 'quality' judges nothing",
        "the score of feedback 'quality' is not sent",
    ]
    assert "Traceback" not in caplog.text


def test_a_score_that_is_no_number_does_not_take_the_words_with_it(app: App) -> None:
    app.connect()
    with app.span():
        app.sdk.feedback(math.nan, "too long", label="bad")
    (record,) = app.capture.log_records()
    said = dict(record.log_record.attributes or {})
    assert "gen_ai.evaluation.score.value" not in said
    assert said["gen_ai.evaluation.explanation"] == "too long"
    assert app.sdk.feedback_events.dropped == 1
