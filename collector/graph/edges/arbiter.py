"""What flowed into what in one trace: every edge between operations, the stated ones first."""

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from collector.core.errors import GraphError
from collector.core.graph import Edge, EdgeOrigin, Gap
from collector.graph.content.contents import Contents
from collector.graph.edges.calls import tool_calls
from collector.graph.edges.order import routed, sequence
from collector.graph.edges.stated import Edges, linked, stated
from collector.graph.reading.facts import Facts
from collector.graph.rules import LINK, Find
from collector.graph.spans.trace import Trace


@dataclass(frozen=True, slots=True)
class Flow:
    """The edges between operations.

    Attributes:
        into: By consumer, stated and inferred edges, by the span that they come from and, where it is stated, argument.
        gaps: Statements that were refused.
        parts: By consumer, outputs that are a part of one of its inputs, and who made them.
    """

    into: Mapping[str, Mapping[tuple[str, str], Edge]]
    gaps: tuple[Gap, ...]
    parts: Mapping[str, Mapping[str, str]]


def flow_of(trace: Trace, off: Collection[str] = ()) -> Flow:
    """Stated edges, then those that are found; what is found never contradicts what is stated, nor time.

    Args:
        trace: The spans.
        off: Names of rules that are not asked.

    Raises:
        GraphError: the stated dataflow runs in a circle; names its spans.
    """
    gaps: list[Gap] = []
    into = stated(trace, gaps)
    links = [*linked(trace, gaps)] if LINK.name not in off else []
    rank = _ranks_with(trace, into, links)

    def add(finds: Iterable[Find]) -> None:
        for find in finds:
            if find.rule.name not in off and rank[find.producer] < rank[find.consumer]:
                _add(trace, into, find)

    add(links)
    parts: Mapping[str, Mapping[str, str]] = {}
    if any(said.taken or said.both or (said.inputs and _is_open(said)) for said in trace.facts.values()):
        explained = {(target, edge.argument) for target, edges in into.items() for edge in edges.values()}
        known = {(source, target) for target, edges in into.items() for source, _ in edges}
        contents = Contents(trace, off)
        found = [*tool_calls(trace), *contents.finds()]
        parts = contents.parts
        add(
            find
            for find in found
            if (find.consumer, find.argument) not in explained and (find.producer, find.consumer) not in known
        )
    add(sequence(trace, [*into]))
    add(routed(trace))
    return Flow(into, tuple(gaps), parts)


def _is_open(said: Facts) -> bool:
    """Whether there is any input of which no source is stated."""
    return any(name not in said.arguments and name not in said.references for name in said.inputs)


def _add(trace: Trace, into: Edges, find: Find) -> None:
    """One edge of a source and, where it is stated, an argument; of several that were found the most confident.

    That an answer names an operation is more than that it came before, and less than any flow.
    """
    edges = into.setdefault(find.consumer, {})
    key, rule = (find.producer, ""), find.rule
    other = edges.get(key)
    if other is not None and rule.origin is EdgeOrigin.CONTROL:
        better = other.origin is EdgeOrigin.SEQUENCE
    else:
        better = other is None or find.confidence > other.confidence
    if better:
        source, target = trace.nodes[find.producer], trace.nodes[find.consumer]
        edges[key] = Edge(source, target, rule.origin, find.confidence, find.argument, find.reason, rule.name)


def _ranks_with(trace: Trace, into: Edges, links: Sequence[Find]) -> Mapping[str, int]:
    """With links to causes that last longer than what they caused, as a queue does; without them if they go around."""
    pairs = [(source, target) for target, edges in into.items() for source, _ in edges]
    if any(trace.ends[one.producer] > trace.ends[one.consumer] for one in links):
        starts = trace.starts
        late = [(one.producer, one.consumer) for one in links if starts[one.producer] <= starts[one.consumer]]
        try:
            return _ranks(trace, [*pairs, *late])
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
    targets: dict[str, list[str]] = {}
    waiting = dict.fromkeys(order, 0)
    for source, target in (*stated, *calls):
        targets.setdefault(source, []).append(target)
        waiting[target] += 1
    ready = [(rank[span_id], span_id) for span_id, count in waiting.items() if not count]
    found: dict[str, int] = {}
    while ready:
        _, span_id = heapq.heappop(ready)
        found[span_id] = len(found)
        for target in targets.get(span_id, ()):
            waiting[target] -= 1
            if not waiting[target]:
                heapq.heappush(ready, (rank[target], target))
    if len(found) < len(waiting):
        _refuse(trace, targets)
    return found


def _refuse(trace: Trace, targets: Mapping[str, Sequence[str]]) -> None:
    """Raises GraphError with the spans of a circle."""
    try:
        TopologicalSorter({source: sorted(found) for source, found in sorted(targets.items())}).prepare()
    except CycleError as error:
        circle = error.args[1]
        trace_id = trace.forest.spans[circle[0]].context.trace_id
        around = " -> ".join(trace.nodes[one] for one in reversed(circle))
        raise GraphError(f"trace {trace_id}: the dataflow runs in a circle: {around}") from error
