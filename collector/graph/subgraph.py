"""The minimal subgraph: the part of a trace through which parameters influenced an output.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), footnote 6: of the parameters X and the output
Y, the subgraph holds X, Y and every node that descends from some X and leads to Y. The direct sources of these
nodes are kept beside them: without their values an operation's output cannot be understood.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import compress
from operator import itemgetter
from typing import Final

from collector.core.errors import GraphError
from collector.core.graph import Edge, NodeId, Output, TraceGraph

_SOURCE: Final = itemgetter(Edge._fields.index("source"))
_TARGET: Final = itemgetter(Edge._fields.index("target"))


def minimal_subgraph(graph: TraceGraph, output: NodeId, parameters: Collection[NodeId] | None = None) -> TraceGraph:
    """The minimal subgraph of one output; see `Dataflow.leading_to`."""
    return Dataflow(graph).leading_to(output, parameters)


class Dataflow:
    """A graph made ready for the minimal subgraphs of any number of its outputs, each linear in nodes and edges.

    Nodes are numbers here, because lists by number cost half of what mappings by id cost.

    Args:
        graph: Of a trace; any order of its nodes and edges gives the same subgraphs.
    """

    def __init__(self, graph: TraceGraph) -> None:
        self._graph = graph
        self._number = {node.id: number for number, node in enumerate(graph.nodes)}
        number_of = self._number.__getitem__
        self._sources = [*map(number_of, map(_SOURCE, graph.edges))]
        self._targets = [*map(number_of, map(_TARGET, graph.edges))]
        self._into: list[list[int]] = [[] for _ in graph.nodes]
        for source, target in zip(self._sources, self._targets, strict=True):
            self._into[target].append(source)

    def leading_to(self, output: NodeId, parameters: Collection[NodeId] | None = None) -> TraceGraph:
        """The nodes on paths from parameters to the output, and their direct sources.

        A node that does not lead to the output is out, be it a parameter. What a direct source was made of is out as
        well, so that these nodes are inputs of the subgraph: nothing flows into them. Exceptions, gaps and feedback
        stay where their span stays. Order is kept; the minimal subgraph of a minimal subgraph is itself.

        Args:
            output: The judged node; it is kept even if no parameter leads to it.
            parameters: Node ids; None for every trainable parameter of the graph, or every discovery where none is.

        Raises:
            GraphError: the graph has no such output.
        """
        if output not in self._number:
            raise GraphError(
                f"trace {self._graph.trace_id}: {output} is not a node of the graph; "
                "operations are named span:<span id>"
            )
        if parameters is None:
            used = self._graph.parameters
            parameters = [one.node for one in used if one.trainable] or [one.node for one in used if one.discovered]
        end = self._number[output]
        ways = self._ways_to(end)
        core = _reached((self._number[one] for one in parameters if one in self._number), ways)
        core[end] = True
        return self._restricted(core, output)

    def _ways_to(self, end: int) -> list[list[int] | None]:
        """For each node the nodes that it flows into on its ways to the end; None where there is no way."""
        ways: list[list[int] | None] = [None] * len(self._into)
        ways[end] = []
        stack = [end]
        while stack:
            target = stack.pop()
            for source in self._into[target]:
                if (onwards := ways[source]) is None:
                    ways[source] = [target]
                    stack.append(source)
                else:
                    onwards.append(target)
        return ways

    def _restricted(self, core: Sequence[bool], output: NodeId) -> TraceGraph:
        graph, kept = self._graph, list(core)
        for source, target in zip(self._sources, self._targets, strict=True):
            if core[target]:
                kept[source] = True
        nodes = tuple(compress(graph.nodes, kept))
        told = graph.exceptions or graph.gaps or graph.feedback
        spans = {node.span_id for node in nodes} if told else frozenset[str]()
        return replace(
            graph,
            nodes=nodes,
            edges=tuple(compress(graph.edges, [core[target] for target in self._targets])),
            parameters=tuple(one for one in graph.parameters if kept[self._number[one.node]]),
            outputs=(Output(output, graph.nodes[self._number[output]].value),),
            exceptions=tuple(record for record in graph.exceptions if record.span_id in spans),
            gaps=tuple(gap for gap in graph.gaps if gap.span_id in spans),
            feedback=tuple(one for one in graph.feedback if one.target.span_id in spans or not one.target.span_id),
        )


def _reached(start: Iterable[int], ways: Sequence[list[int] | None]) -> list[bool]:
    """Which nodes lie on a way to the end that comes from a node of the start."""
    core = [False] * len(ways)
    stack = list(start)
    while stack:
        number = stack.pop()
        onwards = ways[number]
        if onwards is not None and not core[number]:
            core[number] = True
            stack += onwards
    return core
