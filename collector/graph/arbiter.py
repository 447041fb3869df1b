"""What flowed into what in one trace: every edge between operations, the stated ones first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from collector.core.errors import GraphError
from collector.core.graph import Edge, EdgeOrigin, Gap
from collector.graph.edges import Find
from collector.graph.reading.facts import Facts
from collector.graph.rules import RESULT, RULES, Evidence
from collector.graph.spans.trace import Trace

Edges: TypeAlias = dict[str, dict[tuple[str, str], Edge]]
"""By consumer, then by the producer's span and, where it is stated, argument."""

_make = tuple.__new__
"""Past the constructor, which takes twice as long."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The edges between operations.

    Attributes:
        into: By consumer, stated and inferred edges, by the span that they come from and, where it is stated, argument.
        gaps: Statements that were refused.
        parts: By consumer, outputs that are a part of one of its inputs, and who made them.
        called: By caller, those whose results it gets.
    """

    into: Mapping[str, Mapping[tuple[str, str], Edge]]
    gaps: tuple[Gap, ...]
    parts: Mapping[str, Mapping[str, str]]
    called: Mapping[str, Sequence[str]]


def flow_of(trace: Trace, off: Collection[str] = ()) -> Flow:
    """The edges of all rules, in the order of `RULES`; what is found never contradicts what is stated, nor time.

    A stated argument is believed against any clock. Any other find is dropped where an edge joins its two operations
    already, where the argument's producer is stated, and where it would run against the order of ending.

    Args:
        trace: The spans.
        off: Names of rules that are not asked.

    Raises:
        GraphError: the stated dataflow runs in a circle; names its spans.
    """
    into: Edges = {}
    gaps: list[Gap] = []
    evidence = Evidence(trace, into, gaps)
    is_open = any(said.taken or said.both or (said.inputs and _is_open(said)) for said in trace.facts.values())
    asked = [rule for rule in RULES if rule.find is not None and rule.name not in off]
    stated = {rule.name: [*rule.find(evidence)] for rule in asked if rule.find and rule.origin is EdgeOrigin.LINK}
    rank = _ranks_with(trace, [find for finds in stated.values() for find in finds])
    known: dict[str, tuple[set[str], set[str]]] = {}
    nodes = trace.nodes
    for rule in asked:
        name, origin, confidence, why, finder = rule
        if finder is None or (origin is EdgeOrigin.CONTENT and not is_open):
            continue
        is_link = origin is EdgeOrigin.LINK
        for producer, consumer, argument, reason in stated[name] if is_link else finder(evidence):
            edges = into.get(consumer)
            key, said = (producer, argument), reason
            if not (is_link and argument):  # those are there before all others
                if rank[producer] >= rank[consumer]:
                    continue
                sources, arguments = known.get(consumer) or known.setdefault(consumer, _known(edges or {}))
                if producer in sources or argument in arguments:
                    continue
                sources.add(producer)
                key, said = (producer, ""), reason or why
            if edges is None:
                edges = into[consumer] = {}
            edges[key] = _make(Edge, (nodes[producer], nodes[consumer], origin, confidence, argument, said, name))
    called = trace.forest.children if RESULT.name not in off else dict.fromkeys(nodes, ())
    return Flow(into, tuple(gaps), evidence.contents.parts if is_open else {}, called)


def _known(edges: Mapping[tuple[str, str], Edge]) -> tuple[set[str], set[str]]:
    """From where edges come, and of which arguments it is stated."""
    return {source for source, _ in edges}, {argument for _, argument in edges if argument}


def _is_open(said: Facts) -> bool:
    """Whether there is any input of which no source is stated."""
    return not said.inputs.keys() <= {*said.references, *(name for name, _ in said.arguments)}


def _ranks_with(trace: Trace, stated: Sequence[Find]) -> Mapping[str, int]:
    """With links to causes that last longer than what they caused, as a queue does; without them if they go around."""
    starts, ends = trace.starts, trace.ends
    pairs = [(producer, consumer) for producer, consumer, argument, _ in stated if argument]
    causes = [(producer, consumer) for producer, consumer, argument, _ in stated if not argument]
    if any(ends[cause] > ends[caused] for cause, caused in causes):
        try:
            return _ranks(trace, [*pairs, *((one, other) for one, other in causes if starts[one] <= starts[other])])
        except GraphError:
            pass
    return _ranks(trace, pairs)


def _ranks(trace: Trace, stated: Sequence[tuple[str, str]]) -> Mapping[str, int]:
    """An order in which every stated edge and every call points forward: that of ending, as far as it goes."""
    order = [*reversed(trace.forest.preorder)]  # of what ends together the inner one first
    order.sort(key=trace.ends.__getitem__)
    rank = dict(zip(order, range(len(order)), strict=True))
    calls = trace.forest.family.parents.items()
    if all(rank[source] < rank[target] for pairs in (stated, calls) for source, target in pairs):
        return rank
    before: dict[str, list[str]] = {span_id: [] for span_id in order}
    for source, target in (*stated, *calls):
        before[target].append(source)
    try:
        sound = [*TopologicalSorter(before).static_order()]
    except CycleError as error:
        circle = error.args[1]
        trace_id = trace.forest.spans[circle[0]].context.trace_id
        around = " -> ".join(trace.nodes[one] for one in circle)
        raise GraphError(f"trace {trace_id}: the dataflow runs in a circle: {around}") from error
    late: dict[str, int] = {}
    for span_id in sound:
        late[span_id] = max(rank[span_id], *(late[one] for one in before[span_id]), 0)
    sound.sort(key=late.__getitem__)  # of what is equally late, what flows into the other stays before it
    return {span_id: place for place, span_id in enumerate(sound)}
