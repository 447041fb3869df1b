"""The minimal subgraph: the part of a trace through which parameters influenced an output.

Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), footnote 6: of the parameters X and the output
Y, the subgraph holds X, Y and every node that descends from some X and leads to Y. The direct sources of these
nodes are kept beside them: without their values an operation's output cannot be understood.
"""

from collections.abc import Collection, Iterable, Mapping

from collector.core.errors import GraphError
from collector.core.graph import NodeId, Output, TraceGraph


def minimal_subgraph(graph: TraceGraph, output: NodeId, parameters: Collection[NodeId] | None = None) -> TraceGraph:
    """The nodes on paths from parameters to the output, and their direct sources; linear in nodes and edges.

    A node that does not lead to the output is out, be it a parameter. What a direct source was made of is out as
    well, so that these nodes are inputs of the subgraph: nothing flows into them. Exceptions, gaps and feedback stay
    where their span stays. Order is kept; the minimal subgraph of a minimal subgraph is itself.

    Args:
        graph: The graph of a trace; any order of its nodes and edges gives the same set.
        output: The judged node; it is kept even if no parameter leads to it.
        parameters: Node ids; None for every trainable parameter of the graph.

    Raises:
        GraphError: the graph has no such output.
    """
    values = {node.id: node.value for node in graph.nodes}
    if output not in values:
        raise GraphError(
            f"trace {graph.trace_id}: {output} is not a node of the graph; operations are named span:<span id>"
        )
    if parameters is None:
        parameters = [parameter.node for parameter in graph.parameters if parameter.trainable]
    sources: dict[NodeId, list[NodeId]] = {node_id: [] for node_id in values}
    targets: dict[NodeId, list[NodeId]] = {node_id: [] for node_id in values}
    for edge in graph.edges:
        sources[edge.target].append(edge.source)
        targets[edge.source].append(edge.target)

    influencing = _reachable([output], sources)
    influenced = _reachable(influencing.intersection(parameters), targets)
    core = influencing & influenced | {output}
    kept = core.union(*(sources[node_id] for node_id in core))
    return _restricted(graph, kept, core, Output(output, values[output]))


def _reachable(start: Iterable[NodeId], following: Mapping[NodeId, Iterable[NodeId]]) -> set[NodeId]:
    """The start and everything that can be reached from it."""
    seen = set(start)
    stack = list(seen)
    while stack:
        for node_id in following[stack.pop()]:
            if node_id not in seen:
                seen.add(node_id)
                stack.append(node_id)
    return seen


def _restricted(graph: TraceGraph, kept: set[NodeId], core: set[NodeId], output: Output) -> TraceGraph:
    nodes = tuple(node for node in graph.nodes if node.id in kept)
    spans = {node.span_id for node in nodes}
    return TraceGraph(
        trace_id=graph.trace_id,
        nodes=nodes,
        edges=tuple(edge for edge in graph.edges if edge.target in core),
        parameters=tuple(parameter for parameter in graph.parameters if parameter.node in kept),
        outputs=(output,),
        exceptions=tuple(record for record in graph.exceptions if record.span_id in spans),
        gaps=tuple(gap for gap in graph.gaps if gap.span_id in spans),
        release=graph.release,
        feedback=tuple(one for one in graph.feedback if one.target.span_id in spans or not one.target.span_id),
    )
