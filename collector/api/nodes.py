"""Nodes of a graph for who looks at one after the other: a page of them, and one with all that is known of it."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from collector.api.drawing import shown
from collector.core.errors import NotFound
from collector.core.graph import TraceGraph
from collector.core.page import cursor
from collector.graph.rules import BY_NAME
from collector.render.document import graph_document
from collector.render.words import short

KIND = "nodes"
"""Of the list, in its cursors."""

_VALUE_COLUMNS = 200
_MOST_EDGES = 200


@dataclass(frozen=True, slots=True)
class NodesWanted:
    """Which nodes.

    Attributes:
        part: See `Drawing`, as for the next.
        begin: How many stand before them.
        limit: How many at most.
    """

    part: str
    folded: bool
    begin: int
    limit: int


def listed_nodes(wanted: NodesWanted) -> Callable[[TraceGraph], bytes]:
    """Lists nodes: as in a graph's document, each value in a few words, and what there is of the whole."""
    return partial(_listed, wanted)


def _listed(wanted: NodesWanted, whole: TraceGraph) -> bytes:
    graph = shown(whole, wanted.part, fold=wanted.folded)
    end = wanted.begin + wanted.limit
    some = tuple(
        node if node.value is None else node._replace(value=short(node.value, _VALUE_COLUMNS))
        for node in graph.nodes[wanted.begin : end]
    )
    spans = {node.span_id for node in some if node.span_id}
    document: dict[str, object] = {
        **graph_document(
            replace(
                graph,
                nodes=some,
                edges=(),
                outputs=(),
                gaps=tuple(islice(graph.gaps, _MOST_EDGES)) if not wanted.begin else (),
                parameters=tuple(one for one in graph.parameters if one.node in {node.id for node in some}),
                feedback=tuple(one for one in graph.feedback if one.target.span_id in spans or not one.target.span_id)[
                    :_MOST_EDGES
                ],
                exceptions=tuple(one for one in graph.exceptions if one.span_id in spans)[:_MOST_EDGES],
            )
        ),
        "counts": {"nodes": len(whole.nodes), "shown": len(graph.nodes), "edges": len(graph.edges)},
        "rules": _rules(graph),
    }
    if end < len(graph.nodes):
        document["next_cursor"] = cursor(KIND, end)
    return json.dumps(document, ensure_ascii=False).encode()


def _rules(graph: TraceGraph) -> list[dict[str, object]]:
    """By origin and rule how many edges there are, and how certain they are on average; the most frequent first."""
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for edge in graph.edges:
        found[edge.origin.value, edge.rule or ""].append(edge.confidence)
    return [
        {
            "origin": origin,
            "rule": rule,
            "edges": len(sure),
            "confidence": round(sum(sure) / len(sure), 3),
            "why": BY_NAME[rule].why if rule in BY_NAME else "",
        }
        for (origin, rule), sure in sorted(found.items(), key=lambda one: -len(one[1]))
    ]


def described(node_id: str, graph: TraceGraph) -> bytes:
    """The document of a graph that holds one node and its neighbours: it is the first, and all edges are its own.

    Raises:
        NotFound: the graph has no such node.
    """
    nodes = graph.by_id()
    if node_id not in nodes:
        raise NotFound(f"node {node_id[:200]!r}: the graph of trace {graph.trace_id} has none of that id")
    node = nodes[node_id]
    own = tuple(islice((edge for edge in graph.edges if node_id in (edge.source, edge.target)), _MOST_EDGES))
    around = dict.fromkeys((node_id, *(one for edge in own for one in (edge.source, edge.target))))
    spans = {node.span_id, *node.twins} - {None}
    part = replace(
        graph,
        nodes=(node, *(nodes[one]._replace(value=None) for one in around if one != node_id)),
        edges=own,
        parameters=tuple(one for one in graph.parameters if one.node == node_id),
        outputs=tuple(one for one in graph.outputs if one.node == node_id),
        feedback=tuple(one for one in graph.feedback if one.target.span_id in spans)[:_MOST_EDGES],
        exceptions=tuple(one for one in graph.exceptions if one.span_id in spans)[:_MOST_EDGES],
        gaps=tuple(one for one in graph.gaps if one.span_id in spans)[:_MOST_EDGES],
    )
    return json.dumps(graph_document(part), ensure_ascii=False).encode()
