"""A graph in which many alike are one: a hundred calls that flow into the same are ``search × 100``."""

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import replace

from collector.core.graph import Edge, Node, NodeId, NodeKind, TraceGraph

LEAST = 4
"""Fewer are left as they are: each can be seen."""


def folded(graph: TraceGraph) -> TraceGraph:
    """The graph with one node for each kind of at least `LEAST` siblings.

    Siblings have one name, kind and service, and what becomes of them is the same in every step: so no circle can come
    of it. What failed or was judged, and outputs, stay by themselves. The node is the first of them, called
    ``NAME × N``. Linear in nodes and edges.

    Raises:
        GraphError: the graph runs in a circle.
    """
    kinds = _kinds(graph)
    groups: defaultdict[int, list[Node]] = defaultdict(list)
    for node in graph.nodes:
        groups[kinds[node.id]].append(node)
    stands_for: dict[NodeId, NodeId] = {}
    names: dict[NodeId, str] = {}
    for group in groups.values():
        if len(group) >= LEAST:
            first = group[0]
            names[first.id] = f"{first.name} × {len(group):,}"
            stands_for |= {node.id: first.id for node in group}
    if not names:
        return graph
    nodes = (node for node in graph.nodes if stands_for.get(node.id, node.id) == node.id)
    return replace(
        graph,
        nodes=tuple(node._replace(name=names.get(node.id, node.name)) for node in nodes),
        edges=_edges(graph, stands_for),
        parameters=tuple(one for one in graph.parameters if stands_for.get(one.node, one.node) == one.node),
    )


def _kinds(graph: TraceGraph) -> Mapping[NodeId, int]:
    """A number for each node; siblings have the same."""
    onwards: defaultdict[NodeId, list[Edge]] = defaultdict(list)
    for edge in graph.edges:
        onwards[edge.source].append(edge)
    alone = {output.node for output in graph.outputs}
    alone |= {f"span:{one.target.span_id}" for one in graph.feedback}
    alone |= {f"span:{record.span_id}" for record in graph.exceptions}
    numbers: dict[Hashable, int] = {}
    kinds: dict[NodeId, int] = {}
    for node in reversed(list(graph.topological())):
        future = frozenset((kinds[edge.target], edge.argument, edge.origin) for edge in onwards[node.id])
        own = node.id if node.id in alone or node.kind is NodeKind.PARAMETER else ""
        kinds[node.id] = numbers.setdefault((node.kind, node.name, node.service, own, future), len(numbers))
    return kinds


def _edges(graph: TraceGraph, stands_for: Mapping[NodeId, NodeId]) -> tuple[Edge, ...]:
    """Each once, the most certain of those that became one."""
    kept: dict[Hashable, Edge] = {}
    for edge in graph.edges:
        source, target = stands_for.get(edge.source, edge.source), stands_for.get(edge.target, edge.target)
        moved = edge._replace(source=source, target=target)
        key = (source, target, edge.argument, edge.origin)
        if key not in kept or kept[key].confidence < edge.confidence:
            kept[key] = moved
    return tuple(kept.values())
