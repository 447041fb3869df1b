"""Feedback as the standard log event; settings."""

import math
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanContext

from otel_opto.setup import settings_of
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
    assert app.capture.log_records() == ()
    assert app.sdk.feedback_events.dropped == 2
    assert sum("said once" in message for message in caplog.messages) == 1


def test_a_score_that_is_no_number_does_not_take_the_words_with_it(app: App) -> None:
    app.connect()
    with app.span():
        app.sdk.feedback(math.nan, "too long", label="bad")
    (record,) = app.capture.log_records()
    said = dict(record.log_record.attributes or {})
    assert "gen_ai.evaluation.score.value" not in said
    assert said["gen_ai.evaluation.explanation"] == "too long"
    assert app.sdk.feedback_events.dropped == 1


RESOURCE = Resource({"service.name": "from-resource", "service.instance.id": "i-1"})


def test_argument_beats_environment_beats_default(tmp_path: Path) -> None:
    environment = {
        "OTEL_OPTO_ENDPOINT": "http://env:1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://otlp:2",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_SERVICE_NAME": "from-env",
        "OTEL_OPTO_CACHE_DIR": str(tmp_path),
    }
    given = settings_of({"endpoint": "http://given:3", "service_name": "given"}, environment, RESOURCE)
    assert (given.endpoint, given.service, given.cache_directory) == ("http://given:3", "given", tmp_path)
    from_environment = settings_of({}, environment, RESOURCE)
    assert (from_environment.endpoint, from_environment.service) == ("http://env:1", "from-env")
    del environment["OTEL_OPTO_ENDPOINT"], environment["OTEL_SERVICE_NAME"]
    otlp = settings_of({}, environment, RESOURCE)
    assert (otlp.endpoint, otlp.service, otlp.instance_id) == ("http://otlp:2", "from-resource", "i-1")
    environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf"
    default = settings_of({}, environment, None)
    assert (default.endpoint, default.service, default.disabled) == ("http://127.0.0.1:4317", "unknown_service", False)
    assert settings_of({}, {"OTEL_OPTO_DISABLED": "true"}, None).disabled
