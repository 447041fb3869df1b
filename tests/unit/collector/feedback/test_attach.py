"""Feedback finds its span and the release of its trace."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from collector.core.feedback import Attachment, Feedback
from collector.core.span import Span, SpanContext
from collector.feedback.attach import attach
from collector.otlp.decode import spans_of
from tests import samples

TARGET = SpanContext(samples.trace_id(1), samples.span_id(2))
FEEDBACK = Feedback(TARGET, "q", 1.0)


def spans(*messages: SpanMessage) -> list[Span]:
    return spans_of(samples.traces_request(messages))


def release(*messages: SpanMessage) -> int | None:
    found = attach(FEEDBACK, spans(*messages))
    assert found is not None
    return found.release


def test_it_waits_for_its_span() -> None:
    root = samples.span(1, 1)
    assert attach(FEEDBACK, spans(root)) is None
    assert attach(FEEDBACK, spans(root, samples.span(1, 2, 1))) == Attachment(FEEDBACK.id, TARGET, None)


def test_without_a_span_it_judges_the_root_and_waits_for_that() -> None:
    feedback = Feedback(SpanContext(TARGET.trace_id, ""), "q", 1.0)
    child = samples.span(1, 2, 1)
    assert attach(feedback, spans(child)) is None
    found = attach(feedback, spans(child, samples.span(1, 1)))
    assert found == Attachment(feedback.id, SpanContext(TARGET.trace_id, samples.span_id(1)), None)


def test_the_release_is_that_of_the_judged_span_then_of_the_root_then_of_any() -> None:
    judged = samples.span(1, 2, 1, values={"opto.release": 5})
    silent = samples.span(1, 2, 1)
    root = samples.span(1, 1, values={"opto.release": 6})
    other = samples.span(1, 3, 1, values={"opto.release": 7, "opto.param.k.version": 99})
    assert release(other, root, judged) == 5
    assert release(other, root, silent) == 6
    assert release(other, samples.span(1, 1), silent) == 7


def test_else_it_is_the_newest_version_of_a_parameter_in_the_trace() -> None:
    used = samples.span(1, 1, values={"opto.param.a.version": 2, "opto.param.b.version": "11"})
    assert release(used, samples.span(1, 2, 1, values={"opto.param.c.version": 3})) == 11


@pytest.mark.parametrize("said", [0, -1, True, "x", 1.0])
def test_what_is_no_release_number_is_none(said: object) -> None:
    assert release(samples.span(1, 2, values={"opto.release": said, "opto.param.k.version": said})) is None
