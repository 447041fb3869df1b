"""A graph in each of the forms that can be asked for."""

import json
from collections.abc import Callable, Mapping
from functools import partial

from collector.core.errors import InvalidRequest
from collector.core.graph import TraceGraph
from collector.render.document import graph_document
from collector.render.dot import graphviz
from collector.render.svg import graph_svg
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


def drawing(form: str) -> Callable[[TraceGraph], bytes]:
    """Draws a graph as json, tgj, text, dot or svg.

    Raises:
        InvalidRequest: for any other form.
    """
    if form not in _FORMS:
        raise InvalidRequest(f"format: found {form!r}, allowed: {', '.join(_FORMS)}")
    return partial(_drawn, form)


def _drawn(form: str, graph: TraceGraph) -> bytes:
    return _FORMS[form](graph).encode()
