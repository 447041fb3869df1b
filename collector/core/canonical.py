"""An order of a graph's nodes that depends on neither ids nor clocks nor arrival: two runs of one program agree.

Nodes are told apart by what they are, then by what they are joined to, until nothing more can be told: refinement of
an ordered partition (Cardon and Crochemore, "Partitioning a graph in O(|A| log2 |V|)", 1982; McKay, "Practical graph
isomorphism", 1981). Values decide only between nodes of one place in the structure, so that runs of one program with
different values have their nodes in the same order. What is alike even then can take each other's place.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

from collector.core.graph import Node, NodeId, NodeKind, TraceGraph

_Adjacency: TypeAlias = Mapping[NodeId, Sequence[tuple[int, NodeId]]]
_KINDS = list(NodeKind)


def canonical_order(graph: TraceGraph) -> tuple[Node, ...]:
    """The nodes, sources before their targets; O(edges log nodes), but for sorting.

    Raises:
        GraphError: the dataflow runs in a circle.
    """
    nodes = graph.by_id()
    partition = _Partition(nodes, _adjacency(graph))
    place = _places(graph)
    partition.split_all(place.__getitem__)
    partition.split_all(_telling(graph))
    partition.separate()
    return tuple(nodes[node_id] for node_id in partition.order)


def _places(graph: TraceGraph) -> Mapping[NodeId, tuple[int, int, str, str, bool]]:
    """The length of the longest way to a node, and what it is called."""
    ranks: defaultdict[NodeId, int] = defaultdict(int)
    following: defaultdict[NodeId, list[NodeId]] = defaultdict(list)
    for edge in graph.edges:
        following[edge.source].append(edge.target)
    outputs = {output.node for output in graph.outputs}
    places = {}
    for node in graph.topological():
        rank = ranks[node.id]
        for target in following[node.id]:
            ranks[target] = max(ranks[target], rank + 1)
        places[node.id] = (rank, _KINDS.index(node.kind), node.name, node.service, node.id in outputs)
    return places


def _adjacency(graph: TraceGraph) -> _Adjacency:
    """Both ways, with a number for the kind of join."""
    kinds = sorted({(edge.origin.value, edge.argument) for edge in graph.edges})
    numbers = {kind: 2 * number for number, kind in enumerate(kinds)}
    joined: dict[NodeId, list[tuple[int, NodeId]]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        number = numbers[edge.origin.value, edge.argument]
        joined[edge.source].append((number, edge.target))
        joined[edge.target].append((number + 1, edge.source))
    return joined


def _telling(graph: TraceGraph) -> Callable[[NodeId], str]:
    """What can be said of a node beyond its place: its value and its faults."""
    nodes = graph.by_id()
    faults: defaultdict[str | None, list[tuple[str, str]]] = defaultdict(list)
    for record in graph.exceptions:
        faults[record.span_id].append((record.type, record.message))

    def told(node_id: NodeId) -> str:
        node = nodes[node_id]
        said = [node.value, sorted(faults.get(node.span_id, ())), node.incomplete]
        return json.dumps(said, sort_keys=True, default=repr)

    return told


class _Partition:
    """Cells of nodes that cannot be told apart yet, side by side in `order`; a cell is known by where it starts."""

    def __init__(self, node_ids: Iterable[NodeId], adjacency: _Adjacency) -> None:
        self.order = list(node_ids)
        self._adjacency = adjacency
        self._position = {node_id: at for at, node_id in enumerate(self.order)}
        self._start = dict.fromkeys(self.order, 0)
        self._end = {0: len(self.order)}
        self._waiting = [0]
        self._queued = {0}

    def split_all(self, key: Callable[[NodeId], Any]) -> None:
        """Tells the nodes of each cell apart by a key, and all others by what follows from it, cell by cell."""
        start = 0
        while start < len(self.order):
            members = self.order[start : self._end[start]]
            if len(members) > 1:
                self._split(start, start, [(key(node_id), node_id) for node_id in members])
                self._refine()
            start = self._end[start]

    def separate(self) -> None:
        """Takes the nodes of each cell one from the other: there is nothing more to tell them apart by."""
        for start in range(len(self.order)):
            while (end := self._end[start]) - start > 1:
                self._split(start, end - 1, [(0, self.order[end - 1])])
                self._refine()

    def _refine(self) -> None:
        while self._waiting:
            splitter = self._waiting.pop()  # the last first: what it tells apart goes behind the rest
            self._queued.discard(splitter)
            joins: defaultdict[NodeId, list[int]] = defaultdict(list)
            for node_id in self.order[splitter : self._end[splitter]]:
                for number, other in self._adjacency[node_id]:
                    joins[other].append(number)
            touched: defaultdict[int, list[tuple[list[int], NodeId]]] = defaultdict(list)
            for node_id, numbers in joins.items():
                start = self._start[node_id]
                if self._end[start] - start > 1:
                    touched[start].append((sorted(numbers), node_id))
            for start in sorted(touched):
                self._split(start, self._end[start] - len(touched[start]), touched[start])

    def _split(self, start: int, at: int, keyed: Sequence[tuple[Any, NodeId]]) -> None:
        """Puts some nodes of a cell behind the others, from `at` on, in cells by key; costs what these nodes cost."""
        end = self._end[start]
        for place, (_, node_id) in enumerate(keyed, at):
            self._swap(place, self._position[node_id])
        starts = [start] if at > start else []
        for place, (key, node_id) in enumerate(in_order := sorted(keyed, key=itemgetter(0)), at):
            if place == at or key != in_order[place - at - 1][0]:
                starts.append(place)
            self.order[place], self._position[node_id], self._start[node_id] = node_id, place, starts[-1]
        for first, last in zip(starts, [*starts[1:], end], strict=True):
            self._end[first] = last
        self._await(start, starts)

    def _await(self, whole: int, parts: Sequence[int]) -> None:
        """Parts of a cell tell others apart; of one that has done so as a whole, all but one part say everything."""
        known = None if whole in self._queued else max(parts, key=lambda part: self._end[part] - part)
        new = [part for part in parts if part != known and part not in self._queued]
        self._waiting.extend(new)
        self._queued.update(new)

    def _swap(self, a: int, b: int) -> None:
        one, other = self.order[a], self.order[b]
        self.order[a], self.order[b] = other, one
        self._position[one], self._position[other] = b, a
