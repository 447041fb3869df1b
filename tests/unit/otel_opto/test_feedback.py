"""Feedback as the standard log event."""

import math
import subprocess
import sys
import threading
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
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


HALF = "\ud800"


def test_texts_that_cannot_be_sent_lose_only_themselves(app: App) -> None:
    app.connect()
    with app.span():
        app.sdk.feedback(0.5, f"a{HALF}b", name=f"n{HALF}", label="l\0", attributes={f"k{HALF}": HALF, "n": 3})  # type: ignore[dict-item]
        app.sdk.feedback(text="x" * 10_000_000)
        app.sdk.feedback(Decimal("0.25"))  # type: ignore[arg-type]
    bad, long, number = (dict(record.log_record.attributes or {}) for record in app.capture.log_records())
    assert bad == {
        "gen_ai.evaluation.name": "n\ufffd",
        "gen_ai.evaluation.score.value": 0.5,
        "gen_ai.evaluation.score.label": "l\0",
        "gen_ai.evaluation.explanation": "a\ufffdb",
        "opto.feedback.source": "application",
        "opto.feedback.k\ufffd": "\ufffd",
        "opto.feedback.n": "3",
    }
    assert len(str(long["gen_ai.evaluation.explanation"])) == 65_536
    assert number["gen_ai.evaluation.score.value"] == 0.25


def test_a_span_that_is_never_current_is_judged_as_the_last_that_began_here(app: App) -> None:
    app.connect()
    tracer = app.capture.tracer_provider.get_tracer("as OpenInference's")
    seen: list[tuple[int, int]] = []

    def request() -> None:
        root = tracer.start_span("graph", context=Context())
        inner = tracer.start_span("step", context=trace.set_span_in_context(root, Context()))
        handle = trace.get_current_span().get_span_context()
        assert not handle.is_valid
        inner.end()
        root.end()
        app.sdk.feedback(1.0)
        seen.append((root.get_span_context().trace_id, root.get_span_context().span_id))

    threads = [threading.Thread(target=request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [(record.log_record.trace_id, record.log_record.span_id) for record in app.capture.log_records()]
    assert sorted(found) == sorted(seen)  # type: ignore[type-var]
    app.sdk.feedback(1.0)
    assert app.sdk.feedback_events.dropped == 1  # in this thread nothing has begun


def test_feedback_before_configure_is_said_to_go_nowhere() -> None:
    """In a process of its own: another test's logger provider would stay the global one."""
    program = """
import logging
from opentelemetry.trace import SpanContext
from otel_opto.setup import Sdk
logging.basicConfig()
sdk = Sdk()
sdk.feedback(1.0, target=SpanContext(7, 9, is_remote=True))
print(sdk.status().feedback_dropped)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "configure() was not called" in done.stderr
    assert done.stdout.strip() == "1"


@pytest.mark.parametrize("by", ["session.id", ("session.id",), ("a", "b", "c"), 7])
def test_a_name_that_is_no_pair_is_dropped_and_said(app: App, by: Any, caplog: pytest.LogCaptureFixture) -> None:
    app.connect()
    app.sdk.feedback(1.0, by=by)
    assert app.sdk.status().feedback_dropped == 1
    assert "allowed is a pair" in caplog.text
    assert not app.capture.log_records()
