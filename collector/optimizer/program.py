"""The program behind a trace graph, in names and lines that are the same for every run of it.

Ids, arrival and the order of parallel steps do not show: traces of one shape give the same lines, in every process.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from collector.core.graph import Edge, EdgeOrigin, Node, NodeId, NodeKind, TraceGraph
from collector.optimizer.quoting import identifier

_ARGUMENTS = 16


class Program:
    """One graph with names in place of ids.

    A step is named after its operation, numbered where that ran more than once. A variable of the study stands in
    angle brackets; any other parameter is a setting and is named like an input.

    Args:
        graph: A minimal subgraph.
        keys: Of the parameters that may change.
    """

    def __init__(self, graph: TraceGraph, keys: Collection[str]) -> None:
        self._nodes = graph.by_id()
        self._into = _strongest(graph.edges)
        ranks, digests = self._structure(graph)
        self.steps: Sequence[Node] = sorted(
            (node for node in graph.nodes if node.kind is NodeKind.OPERATION),
            key=lambda node: (ranks[node.id], node.name, digests[node.id]),
        )
        self.inputs: Sequence[Node] = sorted(
            (node for node in graph.nodes if node.kind is NodeKind.INPUT),
            key=lambda node: (digests[f"span:{node.span_id}"], node.name),
        )
        self.settings: Sequence[Node] = sorted(
            (node for node in graph.nodes if node.kind is NodeKind.PARAMETER and node.name not in keys),
            key=lambda node: node.name,
        )
        self.names: Mapping[NodeId, str] = {
            **{node.id: f"<{identifier(node.name)}>" for node in graph.nodes if node.kind is NodeKind.PARAMETER},
            **{node.id: identifier(node.name) for node in self.settings},
            **_numbered(self.steps),
        }
        self.names = {**self.names, **self._input_names()}
        self._position = {node.id: number for number, node in enumerate(self.steps)}

    def _structure(self, graph: TraceGraph) -> tuple[Mapping[NodeId, int], Mapping[NodeId, str]]:
        """For each node the length of the longest way to it, and a digest of all that flows into it."""
        ranks: defaultdict[NodeId, int] = defaultdict(int)
        digests: defaultdict[NodeId, str] = defaultdict(str)
        for node in graph.topological():
            into = self._into.get(node.id, ())
            ranks[node.id] = max((ranks[edge.source] + 1 for edge in into), default=0)
            sources = sorted((edge.argument, digests[edge.source]) for edge in into)
            shape = repr((node.kind.value, node.name, sources))
            digests[node.id] = hashlib.sha256(shape.encode("utf-8", "replace")).hexdigest()
        return ranks, digests

    def _input_names(self) -> Mapping[NodeId, str]:
        """The input's own name where nothing else has it, else with the step that takes it."""
        taken = Counter([*(identifier(node.name) for node in self.inputs), *self.names.values()])
        names = {}
        for node in self.inputs:
            name = identifier(node.name)
            taker = self.names.get(f"span:{node.span_id}", "")
            names[node.id] = name if taken[name] == 1 else f"{taker}.{name}"
        return names

    def lines(self) -> list[str]:
        """One line per step, sources first: ``name = operation(argument=source, …)``."""
        return [
            f"{self.names[node.id]} = {identifier(node.name)}({', '.join(self._arguments(node.id))})"
            for node in self.steps
        ]

    def _arguments(self, node_id: NodeId) -> Iterator[str]:
        """Variables and settings, then named arguments, then results of calls in the order of the steps."""
        edges = sorted(self._into.get(node_id, ()), key=self._order)
        for edge in edges[:_ARGUMENTS]:
            name = self.names[edge.source]
            yield f"{identifier(edge.argument)}={name}" if edge.argument else name
        if len(edges) > _ARGUMENTS:
            yield f"… {len(edges) - _ARGUMENTS} more"

    def _order(self, edge: Edge) -> tuple[bool, str, int, str]:
        parameter = self._nodes[edge.source].kind is NodeKind.PARAMETER
        return (not parameter, edge.argument or "~", self._position.get(edge.source, -1), self.names[edge.source])


def _strongest(edges: Sequence[Edge]) -> Mapping[NodeId, Sequence[Edge]]:
    """What flows into each node; a call is left out where the same result is stated to be an argument."""
    into: defaultdict[NodeId, list[Edge]] = defaultdict(list)
    stated = {(edge.source, edge.target) for edge in edges if edge.origin is not EdgeOrigin.CALL}
    for edge in edges:
        if edge.origin is not EdgeOrigin.CALL or (edge.source, edge.target) not in stated:
            into[edge.target].append(edge)
    return into


def _numbered(steps: Sequence[Node]) -> Mapping[NodeId, str]:
    names: dict[NodeId, str] = {}
    taken: set[str] = set()
    times: Counter[str] = Counter()
    for node in steps:
        base = name = identifier(node.name)
        while name in taken or not times[base]:
            times[base] += 1
            name = base if times[base] == 1 else f"{base}_{times[base]}"
        taken.add(name)
        names[node.id] = name
    return names
