"""A graph in each of the forms that can be asked for."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from collector.core.errors import InvalidRequest
from collector.core.graph import Node, TraceGraph
from collector.graph.folded import folded
from collector.graph.subgraph import minimal_subgraph
from collector.render.document import graph_document
from collector.render.dot import graphviz
from collector.render.svg import MOST_NODES, graph_svg
from collector.render.tgj import tgj_document
from collector.render.tree import text_tree

_FORMS: Mapping[str, Callable[[TraceGraph], str]] = {
    "json": lambda graph: json.dumps(graph_document(graph), ensure_ascii=False),
    "tgj": lambda graph: json.dumps(tgj_document(graph), ensure_ascii=False),
    "text": text_tree,
    "dot": graphviz,
    "svg": graph_svg,
}
MEDIA_TYPES: Mapping[str, str] = {
    "json": "application/json",
    "tgj": "application/json",
    "text": "text/plain",
    "dot": "text/vnd.graphviz",
    "svg": "image/svg+xml",
}
PARTS = ("whole", "minimal")


@dataclass(frozen=True, slots=True)
class Drawing:
    """What of a graph is wanted, and how.

    Attributes:
        form: json, tgj, text, dot or svg.
        part: One of `PARTS`: ``whole``, or ``minimal``: what leads from trainable parameters to the judged output.
        folded: Whether many alike are one.
        most: Nodes in a picture.
        links: Whether the nodes of a picture lead to ``?node=ID``.
    """

    form: str = "json"
    part: str = "whole"
    folded: bool = False
    most: int = MOST_NODES
    links: bool = False


def drawing(wanted: Drawing) -> Callable[[TraceGraph], bytes]:
    """Draws a graph.

    Raises:
        InvalidRequest: for any other form than there are.
    """
    if wanted.form not in _FORMS:
        raise InvalidRequest(f"format: found {wanted.form!r}, allowed: {', '.join(_FORMS)}")
    return partial(_drawn, wanted)


def shown(graph: TraceGraph, part: str, *, fold: bool) -> TraceGraph:
    """The part of a graph that is wanted. One without an output is whole."""
    known = graph.by_id()
    if part == "minimal":
        judged = (graph.operation(one.target.span_id) for one in graph.feedback if one.target.span_id)
        ends = (*judged, *(output.node for output in graph.outputs))
        end = next((node_id for node_id in ends if node_id in known), None)
        graph = minimal_subgraph(graph, end) if end is not None else graph
    return folded(graph) if fold else graph


def _drawn(wanted: Drawing, graph: TraceGraph) -> bytes:
    graph = shown(graph, wanted.part, fold=wanted.folded)
    if wanted.form == "svg":
        return graph_svg(graph, wanted.most, _leading if wanted.links else None).encode()
    return _FORMS[wanted.form](graph).encode()


def _leading(node: Node) -> str:
    return f"?node={quote(node.id, safe='')}"
