"""The computation of one graph, wherever it runs: it asks for what it needs, and works on nothing else."""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from collector.core.errors import GraphError
from collector.core.feedback import Feedback
from collector.core.graph import TraceGraph
from collector.core.release import Release
from collector.core.span import Span
from collector.graph.builder import build, referenced_releases
from collector.graph.neighbours import linked_traces, session_of
from collector.graph.subgraph import Dataflow
from collector.otlp.decode import log_records_of, spans_of
from otel_opto.spec import ParameterSpec

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Survey:
    """What the spans of one trace say of what belongs to them.

    Attributes:
        spans: How many there are.
        latest_start: Of them, in Unix nanoseconds.
        session: The attribute that names the trace's session, and its value.
        linked: The traces that they link to.
        releases: The numbers that they name.
        services: That they came from.
    """

    spans: int
    latest_start: int
    session: tuple[str, str] | None
    linked: tuple[str, ...]
    releases: frozenset[int]
    services: frozenset[str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that a graph is made of beside spans.

    Attributes:
        logs: Serialized ``LogsData``, one after the other.
        releases: By number.
        specs: Declared parameters by service and key.
        feedback: On the trace.
    """

    logs: bytes
    releases: Mapping[int, Release]
    specs: Mapping[tuple[str, str], ParameterSpec]
    feedback: Sequence[Feedback]


Work: TypeAlias = Generator[Survey | None, bytes | Surroundings, _T]


def assembled(trace_id: str, off: frozenset[str], finish: Callable[[TraceGraph], _T]) -> Work[_T]:
    """What `finish` makes of a trace's graph.

    Asks with None for the trace, a serialized ``TracesData``; with a survey of the spans that came last for another
    trace within reach, or for the surroundings where there is none.

    Args:
        trace_id: Of the graph.
        off: Rules that are not asked.
        finish: Is given the graph.

    Raises:
        GraphError: the spans make no DAG.
    """
    spans, given = yield from gathered()
    records = log_records_of(given.logs)
    return finish(build(trace_id, spans, given.releases, given.specs, given.feedback, records, off))


def gathered() -> Work[tuple[Sequence[Span], Surroundings]]:
    """The spans that a graph is made of, and all else; asks as `assembled` says."""
    given = yield None
    spans: list[Span] = []
    while isinstance(given, bytes):
        more = spans_of(given)
        spans += more
        given = yield _survey(more)
    return spans, given


def _survey(spans: Sequence[Span]) -> Survey:
    in_order = sorted(spans, key=lambda span: (span.start_time_unix_nano, span.context.span_id))
    return Survey(
        len(spans),
        in_order[-1].start_time_unix_nano if in_order else 0,
        session_of(in_order),
        linked_traces(in_order),
        referenced_releases(in_order),
        frozenset(span.resource.service for span in in_order),
    )


def over_spans(work: Callable[[Sequence[Span]], _T]) -> Generator[None, bytes, _T]:
    """What `work` makes of a trace's spans. Asks for the trace, a serialized ``TracesData``."""
    return work(spans_of((yield None)))


def whole(graph: TraceGraph) -> TraceGraph:
    """The graph itself."""
    return graph


def leading_to(
    span_ids: Sequence[str], keys: Collection[str], least: float, graph: TraceGraph
) -> Sequence[TraceGraph | GraphError]:
    """For each span the minimal subgraph that leads to it, or why there is none.

    Args:
        span_ids: Of judged spans.
        keys: Of the parameters that may change; none means all trainable ones.
        least: Edges of which less is certain are left out.
        graph: Of their trace.
    """
    graph = replace(graph, edges=tuple(edge for edge in graph.edges if edge.confidence >= least))
    dataflow = Dataflow(graph)
    wanted = [one.node for one in graph.parameters if one.trainable and (not keys or one.key in keys)]
    standing_for = {twin: node.id for node in graph.nodes for twin in node.twins}
    found: dict[str, TraceGraph | GraphError] = {}
    for span_id in dict.fromkeys(span_ids):
        try:
            found[span_id] = dataflow.leading_to(standing_for.get(span_id, f"span:{span_id}"), wanted)
        except GraphError as error:
            found[span_id] = error
    return [found[span_id] for span_id in span_ids]
