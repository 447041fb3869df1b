"""Traces for tests, a line for each span, and their graphs in a form that is easy to compare."""

from collections.abc import Mapping, Sequence

from collector.core.graph import EdgeOrigin, NodeKind, TraceGraph
from collector.core.span import AnyValue, Event, Link, LogRecord, Resource, Scope, Span, SpanContext, StatusCode
from collector.graph.builder import build
from tests import samples

TRACE = samples.trace_id(1)
SECOND = samples.SECOND


def context(number: int) -> SpanContext:
    return SpanContext(TRACE, samples.span_id(number))


def span(
    number: int,
    parent: int | None,
    name: str,
    begin: float,
    end: float,
    attributes: Mapping[str, AnyValue] | None = None,
    *,
    events: Sequence[Event] = (),
    links: Sequence[int] = (),
    error: str = "",
    scope: str = "test",
    service: str = "app",
) -> Span:
    """Times in seconds."""
    return Span(
        context(number),
        samples.span_id(parent) if parent is not None else None,
        name,
        samples.START + int(begin * SECOND),
        samples.START + int(end * SECOND),
        status_code=StatusCode.ERROR if error else StatusCode.UNSET,
        status_message=error,
        attributes=attributes or {},
        events=tuple(events),
        links=tuple(Link(context(one)) for one in links),
        resource=Resource({"service.name": service}),
        scope=Scope(scope),
    )


def record(number: int, name: str, second: float, body: AnyValue = None, **attributes: AnyValue) -> LogRecord:
    """A log record; attribute names are written with ``__`` for a dot."""
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    time = samples.START + int(second * SECOND)
    return LogRecord(time, event_name=name, body=body, attributes=named, context=context(number))


def graph_of(spans: Sequence[Span], records: Sequence[LogRecord] = ()) -> TraceGraph:
    return build(TRACE, spans, {}, {}, (), records)


def flows(graph: TraceGraph) -> set[tuple[int, int]]:
    """Edges between operations that are not calls, as span numbers."""
    number = {node.id: int(node.span_id or "", 16) for node in graph.nodes if node.kind is NodeKind.OPERATION}
    return {
        (number[edge.source], number[edge.target])
        for edge in graph.edges
        if edge.origin not in (EdgeOrigin.CALL, EdgeOrigin.CONTROL) and edge.source in number
    }


def parameters(graph: TraceGraph) -> dict[str, tuple[str | None, list[int]]]:
    """By key, the text and the numbers of the spans that used it."""
    return {one.key: (one.text, [int(span_id, 16) for span_id in one.used_by]) for one in graph.parameters}


def final(graph: TraceGraph) -> AnyValue:
    return graph.outputs[0].value if graph.outputs else None
