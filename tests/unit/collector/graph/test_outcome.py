"""How a trace ended."""

from collector.core.graph import ExceptionRecord
from collector.core.span import AnyValue, Event, Span, SpanContext, StatusCode
from collector.graph.builder import build
from tests import samples
from tests.unit.collector.graph import workflows


def span(number: int, parent: int | None = None, output: str | None = None, end: int = 50, **fields: object) -> Span:
    context = SpanContext(samples.trace_id(1), samples.span_id(number))
    attributes: dict[str, AnyValue] = {} if output is None else {"opto.output": output}
    parent_id = samples.span_id(parent) if parent is not None else None
    return Span(context, parent_id, "s", number, end, **{"attributes": attributes, **fields})  # type: ignore[arg-type]


def outputs(*spans: Span) -> list[tuple[str, AnyValue]]:
    found = build(samples.trace_id(1), spans, {}, {}).outputs
    return [(output.node.removeprefix("span:").lstrip("0"), output.value) for output in found]


def exceptions(*spans: Span) -> tuple[ExceptionRecord, ...]:
    return build(samples.trace_id(1), spans, {}, {}).exceptions


def test_the_output_of_each_root_is_an_output() -> None:
    assert outputs(span(1, output="1"), span(2, 1, "2", end=99), span(3, output="null")) == [("1", 1), ("3", None)]


def test_a_silent_root_gives_way_to_its_descendant_that_ended_last() -> None:
    assert outputs(span(1), span(2, 1, "2", end=9), span(3, 2, "3", end=8), span(4, 1, end=99)) == [("2", 2)]
    assert outputs(span(1), span(2, 1)) == []


def test_a_fragment_beside_the_root_is_no_output_of_the_trace() -> None:
    fragment = span(5, 77, "5")
    assert outputs(span(1, output="1"), fragment) == [("1", 1)]
    assert outputs(fragment) == [("5", 5)]


def test_where_the_root_is_missing_the_last_to_end_speaks_first() -> None:
    steps = [span(2, 77, '"draft"', end=20), span(3, 77, '"letter"', end=30)]
    assert outputs(*steps) == [("3", "letter"), ("2", "draft")]


def test_the_last_exception_of_a_span_is_recorded_with_its_stack() -> None:
    events = tuple(
        Event("exception", time, {"exception.type": kind, "exception.message": "m", "exception.stacktrace": "at x"})
        for time, kind in enumerate(["Retried", "Final"])
    )
    (record,) = exceptions(span(1), span(2, 1, events=events))
    assert record == ExceptionRecord(samples.span_id(2), "Final", "m", "at x", handled=True)


def test_an_error_status_without_an_exception_speaks_for_itself() -> None:
    failed = span(1, status_code=StatusCode.ERROR, status_message="no route", attributes={"error.type": "timeout"})
    assert exceptions(failed) == (ExceptionRecord(samples.span_id(1), "timeout", "no route"),)


def test_a_state_that_was_told_by_the_way_is_no_output() -> None:
    root = {"changed.old_state": "speaking", "changed.new_states": ["thinking", "listening"]}
    spans = [
        workflows.span(1, None, "session", 0, 9, root),
        workflows.span(2, 1, "turn", 1, 2, {"opto.output": '"It leaves."'}),
        workflows.span(3, 1, "close", 3, 4, {"lk.close_reason": "user_initiated"}),
    ]
    assert workflows.final(workflows.graph_of(spans)) == "It leaves."
