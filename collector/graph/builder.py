"""From the spans of one trace to its OPTO graph: what flowed into what, and how that is known.

Span parentage says who called whom. What flowed is stated by links and references, else found: a value in two spans,
a call's id, the order of steps. A call's result is taken to flow into the caller's.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final

from collector.core.feedback import Feedback
from collector.core.graph import Edge, EdgeOrigin, Node, NodeKind, TraceGraph
from collector.core.release import Release
from collector.core.span import LogRecord, Span
from collector.graph.arbiter import Flow, flow_of
from collector.graph.exceptions import exceptions_of
from collector.graph.outcome import outputs_of
from collector.graph.parameters import ParameterLookup, UsedParameters, gather
from collector.graph.prompts import prompts
from collector.graph.reading.conventions.opto import release_numbers
from collector.graph.reading.facts import Facts
from collector.graph.rules import EQUAL, RESULT
from collector.graph.spans.trace import Trace, traced
from otel_opto.spec import ParameterSpec

_BY_ARGUMENT: Final = itemgetter(Edge._fields.index("argument"), Edge._fields.index("source"))
_make = tuple.__new__
"""Past the constructor, which takes twice as long."""


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
    trace = traced(spans, records)
    flow = flow_of(trace, off)
    uses = (
        (span_id, trace.forest.spans[span_id].resource.service, use)
        for span_id, found in prompts(trace, flow.parts).items()
        for use in found
    )
    used = gather(uses, ParameterLookup(releases, specs))
    inputs = {
        span_id: names
        for span_id, said in trace.facts.items()
        if said.inputs and (names := _unmade(said, flow.into.get(span_id)))
    }
    tops = trace.forest.tops(trace_id)
    return TraceGraph(
        trace_id=trace_id,
        nodes=(*used.nodes, *_inputs(trace, inputs), *_operations(trace)),
        edges=tuple(_edges(trace, flow, used, inputs)),
        parameters=used.parameters,
        outputs=outputs_of(trace, flow.into, tops),
        exceptions=exceptions_of(trace),
        gaps=(*trace.gaps, *flow.gaps, *used.gaps),
        release=_release(tops, trace.facts),
        feedback=tuple(sorted(feedback, key=lambda one: (one.time_unix_nano, one.name, one.id))),
    )


def _unmade(said: Facts, edges: Mapping[tuple[str, str], Edge] | None) -> Sequence[str]:
    """Inputs of which it is not known that they are another operation's output as a whole."""
    if not edges:
        return [*said.inputs]
    whole = {edge.argument for edge in edges.values() if edge.origin is EdgeOrigin.LINK}
    texts = {edge.argument for edge in edges.values() if edge.rule == EQUAL.name}
    return [
        name
        for name, value in said.inputs.items()
        if name not in whole and not (name in texts and isinstance(value, str))
    ]


def _inputs(trace: Trace, inputs: Mapping[str, Sequence[str]]) -> Iterator[Node]:
    for span_id in trace.forest.spans if inputs else ():
        said = trace.facts[span_id]
        for name in inputs.get(span_id, ()):
            node_id = f"input:{span_id}:{name}"
            yield Node(node_id, NodeKind.INPUT, name, span_id, said.inputs[name], said.incomplete)


def _operations(trace: Trace) -> Iterator[Node]:
    inner: dict[str, list[str]] = {}
    for twin, span_id in trace.twins.items():
        inner.setdefault(span_id, []).append(twin)
    services: dict[int, str] = {}
    kind, facts, nodes = NodeKind.OPERATION, trace.facts, trace.nodes
    for span_id, span in trace.forest.spans.items():
        said = facts[span_id]
        service = services.get(id(span.resource))
        if service is None:
            service = services[id(span.resource)] = span.resource.service
        twins = tuple(inner[span_id]) if span_id in inner else ()
        yield _make(Node, (
            nodes[span_id], kind, said.name, span_id, said.output, said.incomplete, service, twins, said.description
        ))  # fmt: skip


def _edges(trace: Trace, flow: Flow, used: UsedParameters, inputs: Mapping[str, Sequence[str]]) -> list[Edge]:
    """Into each operation the most certain origin first."""
    nodes, children, of_span = trace.nodes, flow.called, used.of_span
    link, call, result, half = EdgeOrigin.LINK, EdgeOrigin.CALL, RESULT.name, RESULT.confidence
    found: list[Edge] = []
    for span_id, into in nodes.items():
        if span_id in of_span:
            found += [Edge(node_id, into, link) for node_id in of_span[span_id]]
        flowed = flow.into.get(span_id)
        if flowed or span_id in inputs:
            given = [Edge(f"input:{span_id}:{name}", into, link, 1.0, name) for name in inputs.get(span_id, ())]
            if flowed:
                given += flowed.values()
            if len(given) > 1:
                given.sort(key=_BY_ARGUMENT)
            found += given
        if called := children[span_id]:
            found += [_make(Edge, (nodes[child], into, call, half, "", "", result)) for child in called]
    return found


def _release(tops: Sequence[str], facts: Mapping[str, Facts]) -> int | None:
    """What the trace's top says, else the highest number that any span says or used."""
    for top in tops:
        if facts[top].release is not None:
            return facts[top].release
    stated = [said.release for said in facts.values()]
    brought = [use.version for said in facts.values() for use in said.uses]
    return max((number for number in (*stated, *brought) if number is not None), default=None)
