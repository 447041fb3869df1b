"""A graph that is too large to be looked at, cut down to what matters most and counts of the rest."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from collector.core.graph import Edge, Node, NodeId, NodeKind, TraceGraph

_MORE = "more:"
_RESERVED = 4
"""What is told of, and parameters, may each take one in … of the places that there are."""


def reduced(graph: TraceGraph, most: int) -> TraceGraph:
    """At most `most` nodes of the graph, and one ``… N more`` for all that leads to a kept node and is not drawn.

    Kept are outputs, judged and failed operations, trainable parameters, then what is nearest to the outputs. Nodes
    that lead nowhere drawn are left out. Linear in nodes and edges.
    """
    if len(graph.nodes) <= most:
        return graph
    sources: defaultdict[NodeId, list[NodeId]] = defaultdict(list)
    for edge in graph.edges:
        sources[edge.target].append(edge.source)
    kept = frozenset(islice(dict.fromkeys(_by_weight(graph, sources, most // _RESERVED)), most))
    behind = _behind([node.id for node in graph.nodes if node.id in kept], kept, sources)
    counts = Counter(behind.values())
    more = tuple(Node(_more(target), NodeKind.OPERATION, f"… {counts[target]:,} more") for target in counts)
    return replace(
        graph,
        nodes=(*(node for node in graph.nodes if node.id in kept), *more),
        edges=tuple(_edges(graph, kept, behind)),
    )


def stands_for_more(node: Node) -> bool:
    """Whether a node of a reduced graph stands for what was left out: no graph has it."""
    return node.id.startswith(_MORE)


def _more(target: NodeId) -> NodeId:
    return f"{_MORE}{target}"


def _by_weight(graph: TraceGraph, sources: Mapping[NodeId, list[NodeId]], reserved: int) -> Iterator[NodeId]:
    """Node ids, the most important first; some more than once."""
    known = graph.by_id()
    outputs = [output.node for output in graph.outputs if output.node in known]
    told_of = [f"span:{one.target.span_id}" for one in graph.feedback]
    told_of += [f"span:{record.span_id}" for record in graph.exceptions]
    yield from islice(outputs, reserved)
    yield from islice((node_id for node_id in told_of if node_id in known), reserved)
    yield from islice((one.node for one in graph.parameters if one.trainable or one.discovered), reserved)
    yield from _backwards(outputs or [node.id for node in graph.nodes[-1:]], sources)
    yield from known


def _backwards(start: Iterable[NodeId], sources: Mapping[NodeId, list[NodeId]]) -> Iterator[NodeId]:
    """What leads to the start, the nearest first."""
    waiting = deque(start)
    seen = set(waiting)
    while waiting:
        node_id = waiting.popleft()
        yield node_id
        for source in sources.get(node_id, ()):
            if source not in seen:
                seen.add(source)
                waiting.append(source)


def _behind(
    kept_in_order: Iterable[NodeId], kept: frozenset[NodeId], sources: Mapping[NodeId, list[NodeId]]
) -> Mapping[NodeId, NodeId]:
    """For each node that is not kept and leads to a kept one, the nearest such."""
    behind: dict[NodeId, NodeId] = {}
    waiting = deque((node_id, node_id) for node_id in kept_in_order)
    while waiting:
        node_id, target = waiting.popleft()
        for source in sources.get(node_id, ()):
            if source not in kept and source not in behind:
                behind[source] = target
                waiting.append((source, target))
    return behind


def _edges(graph: TraceGraph, kept: frozenset[NodeId], behind: Mapping[NodeId, NodeId]) -> Iterator[Edge]:
    """Between kept nodes as they are; kept nodes into the rest that they lead to, the rest into its kept node.

    The rest has no edges in itself: it stands above one kept node only, so that no circle can come of it.
    """
    drawn: set[tuple[NodeId, NodeId]] = set()
    for edge in graph.edges:
        if edge.source in kept and edge.target in kept:
            yield edge
            continue
        target = edge.target if edge.target in kept else _more(behind.get(edge.target, ""))
        source = edge.source if edge.source in kept else _more(behind.get(edge.source, ""))
        into_the_rest = edge.source in kept and edge.target in behind
        out_of_it = edge.target in kept and behind.get(edge.source) == edge.target
        if (into_the_rest or out_of_it) and (source, target) not in drawn:
            drawn.add((source, target))
            yield Edge(
                source, target, edge.origin, edge.confidence, reason="several edges that are not drawn one by one"
            )
