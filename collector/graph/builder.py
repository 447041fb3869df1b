"""From the spans of one trace to its OPTO graph: what flowed into what, and how that is known.

Span parentage says who called whom. What flowed is stated by links and references, else found: a value in two spans,
a call's id, the order of steps. A call's result is taken to flow into the caller's.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from collector.core.feedback import Feedback
from collector.core.graph import Edge, EdgeOrigin, Gap, Node, NodeKind, TraceGraph
from collector.core.identity.roots import family_of
from collector.core.identity.sides import ToldApart, told_apart
from collector.core.release import Release
from collector.core.span import Event, LogRecord, Span
from collector.graph.clock import answered, one_clock
from collector.graph.direction import directed
from collector.graph.doubled import records_of, twins, united
from collector.graph.edges.arbiter import Flow, flow_of
from collector.graph.edges.calls import carried_out
from collector.graph.exceptions import exceptions_of, failed_spans
from collector.graph.forest import Forest, grow
from collector.graph.outcome import Endings, evaluations_of
from collector.graph.parameters import ParameterLookup, UsedParameters, gather
from collector.graph.prompts import prompts
from collector.graph.reading.conventions import installed
from collector.graph.reading.conventions.opto import release_numbers
from collector.graph.reading.facts import Facts, Role, event_of
from collector.graph.reading.reader import length_limit, read
from collector.graph.rules import EQUAL, RESULT
from otel_opto.spec import ParameterSpec


def referenced_releases(spans: Sequence[Span]) -> frozenset[int]:
    """The numbers of the releases that `build` can make use of: those in force and those that brought a value."""
    return frozenset(number for span in spans for number in release_numbers(span.attributes))


def build(
    trace_id: str,
    spans: Sequence[Span],
    releases: Mapping[int, Release],
    specs: Mapping[tuple[str, str], ParameterSpec],
    feedback: Sequence[Feedback] = (),
    records: Sequence[LogRecord] = (),
    off: Collection[str] = (),
) -> TraceGraph:
    """The graph of a trace; the order in which spans and log records arrived does not matter.

    Nodes: parameters (by service, key, version), then inputs, then operations (both by start time, then span id).
    Edges: by target in the order of operations; into each its parameters, its inputs and what flowed into it by
    argument, its children. A call is there even where the same result is also known to be an argument.

    Args:
        trace_id: The trace whose outputs and release the graph's are.
        spans: Of this trace, and of others that belong to it (`collector.graph.neighbours`), in any order; repeated
            ones are one.
        releases: By number, those of `referenced_releases` that are known.
        specs: Declared parameters by service and key.
        feedback: On this trace.
        records: The trace's log records; those that belong to a span are read with it.
        off: Names of rules (`collector.graph.rules`) that are not asked.

    Raises:
        GraphError: the stated dataflow runs in a circle; names its spans.
    """
    trace = _read(spans, records)
    forest = trace.forest
    models = frozenset(span_id for span_id, reading in trace.readings.items() if reading.role is Role.MODEL)
    times = answered(forest, one_clock(forest), models, carried_out(trace.readings))
    readings = directed(forest, trace.readings, times)
    trace = replace(trace, readings=readings)
    failed = failed_spans(forest, readings)
    records_ = records_of(forest, readings, times)
    flow = flow_of(forest, readings, times, trace.twins, records_, failed, off)
    used = gather(
        [
            (span_id, forest.spans[span_id].resource.service, use)
            for span_id, uses in prompts(forest, readings, times, flow.parts, records_).items()
            for use in uses
        ],
        ParameterLookup(releases, specs),
    )
    unexplained = {span_id: _unexplained(readings[span_id], flow.into.get(span_id, ())) for span_id in forest.spans}
    sources = {target: [edge.source[5:] for edge in edges] for target, edges in flow.into.items()}
    endings = Endings(forest, readings, times, sources, failed, evaluations_of(forest, trace.events))
    return TraceGraph(
        trace_id=trace_id,
        nodes=(*used.nodes, *_inputs(trace, unexplained), *_operations(trace)),
        edges=tuple(_edges(forest, flow, used, unexplained)),
        parameters=used.parameters,
        outputs=endings.outputs(forest.tops(trace_id)),
        exceptions=exceptions_of(forest, readings, trace.events, failed),
        gaps=(*trace.gaps, *_missing(forest), *flow.gaps, *used.gaps),
        release=_release(forest.tops(trace_id), readings),
        feedback=tuple(sorted(feedback, key=lambda one: (one.time_unix_nano, one.name, one.id))),
    )


@dataclass(frozen=True, slots=True)
class _Trace:
    """The spans of a trace, each call once, and what they say.

    Attributes:
        twins: By removed span, the one that stands for it.
        events: By span, further events: of its log records and of its twins.
    """

    forest: Forest
    readings: Mapping[str, Facts]
    twins: Mapping[str, str]
    events: Mapping[str, tuple[Event, ...]]
    gaps: tuple[Gap, ...]


def _read(spans: Sequence[Span], records: Sequence[LogRecord]) -> _Trace:
    apart = told_apart(spans)
    once, forest = apart.spans, grow(family_of(apart.spans))
    of_span: dict[str, list[LogRecord]] = {}
    for record in sorted(records, key=lambda one: (one.time_unix_nano, one.observed_time_unix_nano, repr(one.body))):
        span_id = apart.meant(record.context, record.resource.service) if record.context is not None else ""
        if span_id in once:
            of_span.setdefault(span_id, []).append(record)
    table = installed()
    limit = length_limit(once.values())
    readings = {span_id: read(span, tuple(of_span.get(span_id, ())), table, limit) for span_id, span in once.items()}
    events = {span_id: tuple(map(event_of, found)) for span_id, found in of_span.items()}
    doubled = twins(forest, readings)
    for inner, outer in doubled.items():
        readings[outer] = united(readings[outer], readings.pop(inner))
        events[outer] = (*events.get(outer, ()), *once[inner].events, *events.get(inner, ()))
    if doubled:
        kept = {
            span_id: span._replace(parent_span_id=doubled.get(span.parent_span_id or "", span.parent_span_id))
            for span_id, span in once.items()
            if span_id not in doubled
        }
        forest = grow(family_of(kept))
    return _Trace(forest, readings, doubled, events, tuple(_copies(apart)))


def _copies(apart: ToldApart) -> Iterator[Gap]:
    for span_id in sorted(apart.doubled):
        yield Gap("duplicate_span", span_id, "copies of this span differ; the one that ended last is kept")


def _unexplained(reading: Facts, edges: Sequence[Edge]) -> list[str]:
    """Inputs of which it is not known that they are another operation's output as a whole."""
    if not reading.inputs:
        return []
    whole = {edge.argument for edge in edges if edge.origin is EdgeOrigin.LINK}
    texts = {edge.argument for edge in edges if edge.origin is EdgeOrigin.CONTENT and edge.rule == EQUAL.name}
    return [
        name
        for name, value in reading.inputs.items()
        if name not in whole and not (name in texts and isinstance(value, str))
    ]


def _inputs(trace: _Trace, unexplained: Mapping[str, Sequence[str]]) -> Iterator[Node]:
    for span_id in trace.forest.spans:
        for name in unexplained[span_id]:
            yield Node(
                id=f"input:{span_id}:{name}",
                kind=NodeKind.INPUT,
                name=name,
                span_id=span_id,
                value=trace.readings[span_id].inputs[name],
                incomplete=trace.readings[span_id].incomplete,
            )


def _operations(trace: _Trace) -> Iterator[Node]:
    inner: dict[str, list[str]] = {}
    for twin, span_id in trace.twins.items():
        inner.setdefault(span_id, []).append(twin)
    services: dict[int, str] = {}
    for span_id, span in trace.forest.spans.items():
        reading = trace.readings[span_id]
        service = services.get(id(span.resource))
        if service is None:
            service = services[id(span.resource)] = span.resource.service
        yield Node(
            f"span:{span_id}",
            NodeKind.OPERATION,
            reading.name,
            span_id,
            reading.output,
            reading.incomplete,
            service,
            tuple(inner.get(span_id, ())),
            reading.description,
        )


def _edges(
    forest: Forest, flow: Flow, used: UsedParameters, unexplained: Mapping[str, Sequence[str]]
) -> Iterator[Edge]:
    """Into each operation the most certain origin first."""
    for span_id in forest.spans:
        into = f"span:{span_id}"
        for node_id in used.of_span.get(span_id, ()):
            yield Edge(node_id, into, EdgeOrigin.LINK)
        inputs = [Edge(f"input:{span_id}:{name}", into, EdgeOrigin.LINK, 1.0, name) for name in unexplained[span_id]]
        yield from sorted([*inputs, *flow.into.get(span_id, ())], key=lambda edge: (edge.argument, edge.source))
        for child in forest.children[span_id]:
            yield Edge(f"span:{child}", into, EdgeOrigin.CALL, RESULT.confidence, rule=RESULT.name)


def _missing(forest: Forest) -> Iterator[Gap]:
    for span_id in sorted(forest.family.circles):
        parent = forest.spans[span_id].parent_span_id
        yield Gap("parent_circle", span_id, f"its parent {parent} is itself or one below it, and is passed over")
    for span_id in forest.orphans:
        yield Gap("missing_parent", span_id, f"its parent {forest.spans[span_id].parent_span_id} has not come")
    first_roots: dict[str, str] = {}
    for span_id in forest.roots:
        if span_id in forest.family.circles:
            continue
        first = first_roots.setdefault(forest.spans[span_id].context.trace_id, span_id)
        if first == span_id:
            continue
        yield Gap(
            "lost_context", span_id, f"a second root; the context of {first} or of its callers was lost on the way"
        )


def _release(tops: Sequence[str], readings: Mapping[str, Facts]) -> int | None:
    """What the trace's top says, else the highest number that any span says or used."""
    for top in tops:
        if readings[top].release is not None:
            return readings[top].release
    stated = [reading.release for reading in readings.values()]
    brought = [use.version for reading in readings.values() for use in reading.uses]
    return max((number for number in (*stated, *brought) if number is not None), default=None)
