"""Where the boxes of a graph go: rows from top to bottom, each node below everything that flowed into it.

The way of Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system structures", 1981):
rows by longest path, order in a row by the mean place of neighbours, places by least squares. An edge over several
rows gets a lane in each row between, so that it passes beside the boxes; edges with one source (calls: with one
target) share their lanes.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from collector.core.graph import Edge, EdgeOrigin, NodeId, TraceGraph

BOX_WIDTH = 196.0
BOX_HEIGHT = 46.0
_LANE_WIDTH = 10.0
_GAP = 20.0
_ROW_HEIGHT = BOX_HEIGHT + 46.0
_SWEEPS = 8
_PORTS = 0.7
"""Edges come in over this share of a box's upper side."""

_MAX_LANES = 5_000
"""Beyond that edges run straight: a picture of that size is not read line by line."""


@dataclass(frozen=True, slots=True)
class Place:
    """The middle of something; y counts downwards."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Route:
    """An edge as a line: from the middle of the source over its lanes to a place on the target's upper side."""

    edge: Edge
    start: Place
    lanes: tuple[Place, ...]
    end: Place


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of all nodes, lines of all drawn edges, and the size of both together; the origin is the corner."""

    places: Mapping[NodeId, Place]
    routes: tuple[Route, ...]
    width: float
    height: float


@dataclass(slots=True)
class _Item:
    """A box or a lane in its row."""

    row: int
    width: float
    x: float = 0.0


_Key = NodeId | tuple[str, NodeId, int]
"""Of an item: a node's id; for a lane the direction in which it is shared, the shared end, and the row."""


def lay_out(graph: TraceGraph) -> Layout:
    """The layout of a graph without circles. Of several edges between two nodes only the most certain is drawn."""
    edges = _drawn(graph)
    rows_of_nodes = _rows(graph, edges)
    items: dict[_Key, _Item] = {node.id: _Item(rows_of_nodes[node.id], BOX_WIDTH) for node in graph.nodes}
    chains = _chains(edges, rows_of_nodes)
    for chain in chains:
        for key in chain[1:-1]:
            assert isinstance(key, tuple)  # between its ends a chain has lanes only
            items.setdefault(key, _Item(key[2], _LANE_WIDTH))
    _arrange(items, chains)
    return _measured(edges, chains, items, graph)


def _drawn(graph: TraceGraph) -> list[Edge]:
    best: dict[tuple[NodeId, NodeId], Edge] = {}
    certainty = list(EdgeOrigin)
    for edge in graph.edges:
        other = best.setdefault((edge.source, edge.target), edge)
        if certainty.index(edge.origin) < certainty.index(other.origin):
            best[edge.source, edge.target] = edge
    return list(best.values())


def _rows(graph: TraceGraph, edges: Sequence[Edge]) -> dict[NodeId, int]:
    """One more than the deepest source's; what has no source stands right above its first target."""
    sources, targets = defaultdict(list), defaultdict(list)
    for edge in edges:
        sources[edge.target].append(edge.source)
        targets[edge.source].append(edge.target)
    rows: dict[NodeId, int] = {}
    for node in graph.topological():
        rows[node.id] = 1 + max((rows[source] for source in sources[node.id]), default=-1)
    for node in graph.nodes:
        if targets[node.id] and not sources[node.id]:
            rows[node.id] = min(rows[target] for target in targets[node.id]) - 1
    return rows


def _chains(edges: Sequence[Edge], rows: Mapping[NodeId, int]) -> list[list[_Key]]:
    """Each edge as the items it runs through, from row to row."""
    wanted = sum(rows[edge.target] - rows[edge.source] - 1 for edge in edges)
    chains: list[list[_Key]] = []
    for edge in edges:
        between = range(rows[edge.source] + 1, rows[edge.target]) if wanted <= _MAX_LANES else ()
        calls = edge.origin is EdgeOrigin.CALL
        lanes = [("into", edge.target, row) if calls else ("from", edge.source, row) for row in between]
        chains.append([edge.source, *lanes, edge.target])
    return chains


def _arrange(items: Mapping[_Key, _Item], chains: Sequence[Sequence[_Key]]) -> None:
    """Sets `x` of the items: first their order in each row, then places as near to their neighbours as room allows."""
    above, below = _neighbours(items, chains)
    rows: defaultdict[int, list[_Key]] = defaultdict(list)
    for key, item in items.items():
        rows[item.row].append(key)
    downwards = [rows[row] for row in sorted(rows)]
    for row in downwards:
        _spread(row, items)
    for sweep in range(_SWEEPS):
        order, neighbours = (downwards, above) if sweep % 2 == 0 else (downwards[::-1], below)
        for row in order:
            wished = {key: _mean([items[other].x for other in neighbours[key]], items[key].x) for key in row}
            row.sort(key=wished.__getitem__)
            _spread(row, items)
    for sweep in range(_SWEEPS):
        for row in downwards if sweep % 2 == 0 else downwards[::-1]:
            wishes = [_mean([items[other].x for other in above[key] + below[key]], items[key].x) for key in row]
            _settle(row, wishes, items)


def _neighbours(
    items: Mapping[_Key, _Item], chains: Sequence[Sequence[_Key]]
) -> tuple[dict[_Key, list[_Key]], dict[_Key, list[_Key]]]:
    above: dict[_Key, list[_Key]] = {key: [] for key in items}
    below: dict[_Key, list[_Key]] = {key: [] for key in items}
    for upper, lower in dict.fromkeys(pair for chain in chains for pair in pairwise(chain)):
        above[lower].append(upper)
        below[upper].append(lower)
    return above, below


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _offsets(row: Sequence[_Key], items: Mapping[_Key, _Item]) -> list[float]:
    """Where the middles would be if the items stood side by side from 0 on."""
    offsets, edge = [], 0.0
    for key in row:
        offsets.append(edge + items[key].width / 2)
        edge += items[key].width + _GAP
    return offsets


def _spread(row: Sequence[_Key], items: Mapping[_Key, _Item]) -> None:
    """Side by side around the middle axis."""
    offsets = _offsets(row, items)
    middle = (offsets[0] + offsets[-1]) / 2
    for key, offset in zip(row, offsets, strict=True):
        items[key].x = offset - middle


def _settle(row: Sequence[_Key], wishes: Sequence[float], items: Mapping[_Key, _Item]) -> None:
    """As near to the wishes as possible (least squares) without changing the order or touching each other.

    Less the offsets this is isotonic regression; neighbours that are in each other's way are pooled.
    """
    offsets = _offsets(row, items)
    pools: list[tuple[float, int]] = []  # (mean, how many)
    for wish, offset in zip(wishes, offsets, strict=True):
        mean, count = wish - offset, 1
        while pools and pools[-1][0] > mean:
            other, size = pools.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        pools.append((mean, count))
    means = [mean for mean, count in pools for _ in range(count)]
    for key, mean, offset in zip(row, means, offsets, strict=True):
        items[key].x = mean + offset


def _measured(
    edges: Sequence[Edge], chains: Sequence[Sequence[_Key]], items: Mapping[_Key, _Item], graph: TraceGraph
) -> Layout:
    left = min((item.x - item.width / 2 for item in items.values()), default=0.0)
    right = max((item.x + item.width / 2 for item in items.values()), default=0.0)
    last = max((item.row for item in items.values()), default=0)

    def place(key: _Key) -> Place:
        return Place(items[key].x - left, items[key].row * _ROW_HEIGHT + BOX_HEIGHT / 2)

    ports = _ports(chains, items)
    routes = [
        Route(edge, place(chain[0]), tuple(map(place, chain[1:-1])), Place(port - left, place(chain[-1]).y))
        for edge, chain, port in zip(edges, chains, ports, strict=True)
    ]
    places = {node.id: place(node.id) for node in graph.nodes}
    return Layout(places, tuple(routes), right - left, last * _ROW_HEIGHT + BOX_HEIGHT)


def _ports(chains: Sequence[Sequence[_Key]], items: Mapping[_Key, _Item]) -> list[float]:
    """For each chain the x at which it comes in: from left to right as the items above stand."""
    incoming: defaultdict[_Key, list[_Key]] = defaultdict(list)
    for chain in chains:
        incoming[chain[-1]].append(chain[-2])
    port: dict[tuple[_Key, _Key], float] = {}
    for target, sources in incoming.items():
        distinct = sorted(dict.fromkeys(sources), key=lambda key: items[key].x)
        for number, source in enumerate(distinct):
            share = (number + 0.5) / len(distinct) - 0.5
            port[source, target] = items[target].x + share * _PORTS * BOX_WIDTH
    return [port[chain[-2], chain[-1]] for chain in chains]
