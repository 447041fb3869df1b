"""How a trace ended: its outputs and its exceptions."""

from collections.abc import Mapping

from collector.core.graph import ExceptionRecord, Output
from collector.core.span import Span, StatusCode
from collector.graph.attributes import SpanReading
from collector.graph.forest import Forest
from otel_opto import semconv

ERROR_TYPE = "error.type"
"""Span attribute of the general conventions: what kind of error ended the operation."""


def outputs_of(forest: Forest, readings: Mapping[str, SpanReading]) -> tuple[Output, ...]:
    """Of each top span its output; where it states none, that of its descendant that ended last and states one."""
    found = []
    for top in forest.tops():
        stating = [span_id for span_id in forest.descendants(top) if readings[span_id].has_output]
        if stating:
            chosen = top if stating[0] == top else max(stating, key=lambda span_id: _ended(forest.spans[span_id]))
            found.append(Output(f"span:{chosen}", readings[chosen].output))
    return tuple(found)


def _ended(span: Span) -> tuple[int, int, str]:
    return span.end_time_unix_nano, span.start_time_unix_nano, span.context.span_id


def exceptions_of(forest: Forest) -> tuple[ExceptionRecord, ...]:
    """One for each span with an ``exception`` event or the status ERROR, in order of start.

    Of several exception events the last one counts: it is the nearest to how the operation ended.
    """
    handled = not any(forest.spans[top].status_code == StatusCode.ERROR for top in forest.tops())
    found = []
    for span_id, span in forest.spans.items():
        events = [event for event in span.events if event.name == semconv.EXCEPTION_EVENT]
        if not events and span.status_code != StatusCode.ERROR:
            continue
        said = events[-1].attributes if events else {}
        found.append(
            ExceptionRecord(
                span_id=span_id,
                type=str(said.get(semconv.EXCEPTION_TYPE) or span.attributes.get(ERROR_TYPE) or ""),
                message=str(said.get(semconv.EXCEPTION_MESSAGE) or span.status_message),
                stacktrace=str(said.get(semconv.EXCEPTION_STACKTRACE) or ""),
                handled=handled,
            )
        )
    return tuple(found)
