"""The program behind a trace graph, in names and lines that are the same for every run of it.

Ids, arrival and the order of parallel steps do not show: traces of one shape give the same lines, in every process.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from collector.core.canonical import canonical_order
from collector.core.graph import Edge, Node, NodeId, NodeKind, TraceGraph
from collector.core.inflow import inflow
from collector.core.naming import numbered
from collector.optimizer.instance.quoting import identifier

_ARGUMENTS = 16


class Program:
    """One graph with names in place of ids.

    A step is named after its operation, numbered where that ran more than once or has a variable's name. A variable is
    named by its key, everywhere; a parameter that may not change is a setting and is named like an input.

    Args:
        graph: A minimal subgraph.
        keys: Of the parameters that may change.
    """

    def __init__(self, graph: TraceGraph, keys: Collection[str]) -> None:
        self._nodes = graph.by_id()
        self.into = inflow(graph.edges)
        ordered = canonical_order(graph)
        position = {node.id: number for number, node in enumerate(ordered)}
        self.steps: Sequence[Node] = [node for node in ordered if node.kind is NodeKind.OPERATION]
        self.inputs: Sequence[Node] = sorted(
            (node for node in ordered if node.kind is NodeKind.INPUT),
            key=lambda node: (position.get(f"span:{node.span_id}", -1), node.name),
        )
        self.settings: Sequence[Node] = sorted(
            (node for node in ordered if node.kind is NodeKind.PARAMETER and node.name not in keys),
            key=lambda node: (node.name, position[node.id]),
        )
        self.names: Mapping[NodeId, str] = {
            **{node.id: identifier(node.name) for node in ordered if node.kind is NodeKind.PARAMETER},
            **_named(self.steps, {identifier(key) for key in keys} | {identifier(one.name) for one in self.settings}),
        }
        self.names = {**self.names, **self._input_names()}
        self._position = {node.id: number for number, node in enumerate(self.steps)}

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
        return [self.line(node) for node in self.steps]

    def line(self, node: Node) -> str:
        """One step."""
        return f"{self.names[node.id]} = {identifier(node.name)}({', '.join(self._arguments(node.id))})"

    def _arguments(self, node_id: NodeId) -> Iterator[str]:
        """Variables and settings, then named arguments, then results of calls in the order of the steps."""
        edges = sorted(self.into.get(node_id, ()), key=self._order)
        for edge in edges[:_ARGUMENTS]:
            name = self.names[edge.source]
            yield f"{identifier(edge.argument)}={name}" if edge.argument else name
        if len(edges) > _ARGUMENTS:
            yield f"… {len(edges) - _ARGUMENTS} more"

    def _order(self, edge: Edge) -> tuple[bool, str, int, str]:
        parameter = self._nodes[edge.source].kind is NodeKind.PARAMETER
        return (not parameter, edge.argument or "~", self._position.get(edge.source, -1), self.names[edge.source])


def _named(steps: Sequence[Node], taken: Collection[str]) -> Mapping[NodeId, str]:
    """Each step's own name; variables keep theirs."""
    names = numbered([*sorted(taken), *(identifier(node.name) for node in steps)])[len(taken) :]
    return {node.id: name for node, name in zip(steps, names, strict=True)}
