"""The computation of an explanation: a graph, and of one of its spans what was read from where."""

from collections.abc import Iterator, Sequence

from collector.assembly.job import Work, gathered
from collector.core.errors import NotFound
from collector.core.explanation import Explanation, ReasonedEdge
from collector.core.graph import TraceGraph
from collector.core.span import LogRecord, Span
from collector.graph.builder import build
from collector.graph.reading.conventions import installed
from collector.graph.reading.origins import statements
from collector.graph.rules import BY_NAME
from collector.otlp.decode import log_records_of


def explained(trace_id: str, off: frozenset[str], span_id: str) -> Work[Explanation]:
    """Why the graph says what it says of a span; asks as `collector.assembly.job.assembled` does.

    Raises:
        GraphError: the spans make no DAG.
        NotFound: there is no such span.
    """
    spans, given = yield from gathered()
    records = log_records_of(given.logs)
    graph = build(trace_id, spans, given.releases, given.specs, given.feedback, records, off)
    return explanation(graph, spans, records, span_id)


def explanation(graph: TraceGraph, spans: Sequence[Span], records: Sequence[LogRecord], span_id: str) -> Explanation:
    """Of one of the spans that a graph was made of. Raises `NotFound` where it is none of them."""
    copies = [span for span in spans if span.context.span_id == span_id]
    if not copies:
        raise NotFound(
            f"span {span_id[:80]!r}: trace {graph.trace_id} has none of that id; `otel-opto graph` shows them"
        )
    span = max(copies, key=lambda one: one.end_time_unix_nano)
    own = sorted(
        (one for one in records if one.context is not None and one.context.span_id == span_id),
        key=lambda one: (one.time_unix_nano, one.observed_time_unix_nano, repr(one.body)),
    )
    node = graph.operation(span_id)
    return Explanation(
        graph.trace_id,
        span_id,
        node,
        span.name,
        statements(span, tuple(own), installed()),
        tuple(_edges(graph, node)),
    )


def _edges(graph: TraceGraph, node: str) -> Iterator[ReasonedEdge]:
    names = {one.id: one.name for one in graph.nodes}
    into = [edge for edge in graph.edges if edge.target == node]
    for edge in (*into, *(edge for edge in graph.edges if edge.source == node)):
        why = BY_NAME[edge.rule].why if edge.rule in BY_NAME else ""
        yield ReasonedEdge(edge, names[edge.source], names[edge.target], why)
