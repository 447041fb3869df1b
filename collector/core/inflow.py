"""What flows into each node of a graph, said once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from collector.core.graph import Edge, EdgeOrigin, NodeId


def inflow(edges: Sequence[Edge]) -> Mapping[NodeId, Sequence[Edge]]:
    """The edges by their targets; a call is left out where the same result is known to be an argument."""
    into: defaultdict[NodeId, list[Edge]] = defaultdict(list)
    arguments = {(edge.source, edge.target) for edge in _without_calls(edges)}
    for edge in edges:
        if edge.origin is not EdgeOrigin.CALL or (edge.source, edge.target) not in arguments:
            into[edge.target].append(edge)
    return into


def _without_calls(edges: Iterable[Edge]) -> Iterable[Edge]:
    return (edge for edge in edges if edge.origin is not EdgeOrigin.CALL)
