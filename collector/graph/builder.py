"""From the spans of one trace to its OPTO graph: what flowed into what, and how that is known.

Span parentage says who called whom. What flowed is stated by links; where nothing is stated, a call's result is
taken to flow into the caller's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from collector.core.feedback import Feedback
from collector.core.graph import Edge, EdgeOrigin, Gap, Node, NodeKind, TraceGraph
from collector.core.release import Release
from collector.core.span import Span, SpanContext
from collector.graph.attributes import SpanReading, read
from collector.graph.forest import Forest, grow, unique
from collector.graph.outcome import exceptions_of, outputs_of
from collector.graph.parameters import ParameterLookup, UsedParameters, gather
from otel_opto.spec import ParameterSpec

CALL_CONFIDENCE = 0.5
"""A call edge says that a result came back, not that it was used: an even guess."""


def referenced_releases(spans: Sequence[Span]) -> frozenset[int]:
    """The numbers of the releases that `build` can make use of: those in force and those that brought a value."""
    readings = [read(span) for span in spans]
    in_force = {reading.release for reading in readings}
    brought = {use.version for reading in readings for use in reading.uses}
    return frozenset(number for number in in_force | brought if number is not None)


def build(
    trace_id: str,
    spans: Sequence[Span],
    releases: Mapping[int, Release],
    specs: Mapping[tuple[str, str], ParameterSpec],
    feedback: Sequence[Feedback] = (),
) -> TraceGraph:
    """The graph of a trace, in one pass over its spans; the order in which they arrived does not matter.

    Nodes: parameters (by service, key, version), then inputs, then operations (both by start time, then span id).
    Edges: by target in the order of operations; into each its parameters, its inputs and links by argument, its
    children. A statement (origin ``link``) has confidence 1; a call has `CALL_CONFIDENCE`, and is there even where
    the same result is also stated to be an argument.

    Args:
        trace_id: The trace that all spans belong to.
        spans: In any order; repeated ones are one.
        releases: By number, those of `referenced_releases` that are known.
        specs: Declared parameters by service and key.
        feedback: On this trace.

    Raises:
        GraphError: the dataflow runs in a circle; names its spans.
    """
    once, doubled = unique(spans)
    forest = grow(once)
    readings = {span_id: read(span) for span_id, span in once.items()}
    used = gather(
        [(span_id, once[span_id].resource.service, use) for span_id in once for use in readings[span_id].uses],
        ParameterLookup(releases, specs),
    )
    flow = [_Inflow(forest, span_id, readings[span_id]) for span_id in once]
    graph = TraceGraph(
        trace_id=trace_id,
        nodes=(*used.nodes, *_inputs(flow), *_operations(forest, readings)),
        edges=tuple(_edges(forest, flow, used)),
        parameters=used.parameters,
        outputs=outputs_of(forest, readings),
        exceptions=exceptions_of(forest),
        gaps=(*doubled, *_missing_parents(forest), *(gap for one in flow for gap in one.gaps), *used.gaps),
        release=_release(forest, readings),
        feedback=tuple(sorted(feedback, key=lambda one: (one.time_unix_nano, one.name, one.id))),
    )
    graph.topological()
    return graph


@dataclass(frozen=True, slots=True)
class _Link:
    """A stated producer, and why it is refused where it is."""

    argument: str
    producer: SpanContext
    refusal: Gap | None


class _Inflow:
    """What is stated to have flowed into one operation."""

    def __init__(self, forest: Forest, span_id: str, reading: SpanReading) -> None:
        self.span_id = span_id
        self.reading = reading
        links = [
            _Link(argument, producer, _refusal(forest, span_id, argument, producer))
            for argument, producers in reading.arguments.items()
            for producer in producers
        ]
        self.accepted = [link for link in links if link.refusal is None]
        self.gaps = [link.refusal for link in links if link.refusal]
        explained = {link.argument for link in self.accepted}
        self.unexplained = [name for name in reading.inputs if name not in explained]

    def edges(self) -> Iterator[Edge]:
        """Of inputs and links, by argument."""
        into = f"span:{self.span_id}"
        found = [Edge(f"input:{self.span_id}:{name}", into, EdgeOrigin.LINK, 1.0, name) for name in self.unexplained]
        found += [
            Edge(f"span:{link.producer.span_id}", into, EdgeOrigin.LINK, 1.0, link.argument) for link in self.accepted
        ]
        yield from sorted(found, key=lambda edge: (edge.argument, edge.source))


def _refusal(forest: Forest, span_id: str, argument: str, producer: SpanContext) -> Gap | None:
    if producer.trace_id != forest.spans[span_id].context.trace_id:
        detail = f"argument {argument!r}: span {producer.span_id} belongs to another trace, {producer.trace_id}"
        return Gap("missing_link", span_id, detail)
    if producer.span_id not in forest.spans:
        return Gap("missing_link", span_id, f"argument {argument!r}: span {producer.span_id} has not come")
    if forest.encloses(producer.span_id, span_id):
        detail = f"argument {argument!r}: span {producer.span_id} encloses this one, its output is not there yet"
        return Gap("link_to_ancestor", span_id, detail)
    return None


def _inputs(flow: Sequence[_Inflow]) -> Iterator[Node]:
    for one in flow:
        for name in one.unexplained:
            yield Node(
                id=f"input:{one.span_id}:{name}",
                kind=NodeKind.INPUT,
                name=name,
                span_id=one.span_id,
                value=one.reading.inputs[name],
                incomplete=one.reading.incomplete,
            )


def _operations(forest: Forest, readings: Mapping[str, SpanReading]) -> Iterator[Node]:
    for span_id, span in forest.spans.items():
        reading = readings[span_id]
        yield Node(
            id=f"span:{span_id}",
            kind=NodeKind.OPERATION,
            name=reading.name,
            span_id=span_id,
            value=reading.output,
            incomplete=reading.incomplete,
            service=span.resource.service,
        )


def _edges(forest: Forest, flow: Sequence[_Inflow], used: UsedParameters) -> Iterator[Edge]:
    """The most certain origin first; further origins (content, sequence) join here."""
    children: dict[str, list[str]] = {}
    for span_id in forest.spans:
        parent = forest.parent(span_id)
        if parent is not None:
            children.setdefault(parent, []).append(span_id)
    for one in flow:
        into = f"span:{one.span_id}"
        for node_id in used.of_span.get(one.span_id, ()):
            yield Edge(node_id, into, EdgeOrigin.LINK)
        yield from one.edges()
        for child in children.get(one.span_id, ()):
            yield Edge(f"span:{child}", into, EdgeOrigin.CALL, CALL_CONFIDENCE)


def _missing_parents(forest: Forest) -> Iterator[Gap]:
    for span_id in forest.orphans:
        yield Gap("missing_parent", span_id, f"its parent {forest.spans[span_id].parent_span_id} has not come")


def _release(forest: Forest, readings: Mapping[str, SpanReading]) -> int | None:
    """What the trace's top says, else the highest number that any span says or used."""
    for top in forest.tops():
        if readings[top].release is not None:
            return readings[top].release
    stated = [reading.release for reading in readings.values()]
    brought = [use.version for reading in readings.values() for use in reading.uses]
    return max((number for number in (*stated, *brought) if number is not None), default=None)
