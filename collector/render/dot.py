"""A graph as Graphviz source (the DOT language)."""

from collector.core.graph import EdgeOrigin, NodeKind, TraceGraph
from collector.core.printable import printable
from collector.render.reason import reason_of
from collector.render.words import short

_SHAPES = {NodeKind.PARAMETER: "ellipse", NodeKind.INPUT: "note", NodeKind.OPERATION: "box"}
_STYLES = {
    EdgeOrigin.LINK: "solid",
    EdgeOrigin.CONTENT: "dashed",
    EdgeOrigin.CALL: "dotted",
    EdgeOrigin.CONTROL: "dashed",
    EdgeOrigin.SEQUENCE: "dotted",
}


def graphviz(graph: TraceGraph) -> str:
    """For ``dot -Tsvg``: shapes by kind, line styles by origin; why an edge is there is its tooltip."""
    nodes = graph.by_id()
    lines = [f'digraph "{_escaped(graph.trace_id)}" {{', '  node [fontname="sans-serif"];']
    for node in graph.nodes:
        label = _escaped(short(node.name, 60))
        if node.value is not None:
            label += "\\n" + _escaped(short(node.value, 40))
        lines.append(f'  "{_escaped(node.id)}" [label="{label}", shape={_SHAPES[node.kind]}];')
    for edge in graph.edges:
        said = f'label="{_escaped(edge.argument)}", ' if edge.argument else ""
        ends = f'"{_escaped(edge.source)}" -> "{_escaped(edge.target)}"'
        rule = f"{edge.rule}: " if edge.rule else ""
        why = _escaped(rule + short(reason_of(edge, nodes[edge.source]), 200))
        lines.append(f'  {ends} [{said}style={_STYLES[edge.origin]}, tooltip="{why}"];')
    return "\n".join([*lines, "}"]) + "\n"


def _escaped(text: str) -> str:
    r"""Inside double quotes, literally: labels would take ``\N`` for the node's name and ``&lt;`` for ``<``."""
    return printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
