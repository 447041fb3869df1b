"""A graph as Graphviz source (the DOT language)."""

from collector.core.graph import EdgeOrigin, NodeKind, TraceGraph
from collector.render.words import short

_SHAPES = {NodeKind.PARAMETER: "ellipse", NodeKind.INPUT: "note", NodeKind.OPERATION: "box"}
_STYLES = {
    EdgeOrigin.LINK: "solid",
    EdgeOrigin.CONTENT: "dashed",
    EdgeOrigin.CALL: "dotted",
    EdgeOrigin.SEQUENCE: "dotted",
}


def graphviz(graph: TraceGraph) -> str:
    """For ``dot -Tsvg``: shapes by kind, line styles by origin."""
    lines = [f"digraph {_quoted(graph.trace_id)} {{", "  rankdir=LR;"]
    for node in graph.nodes:
        label = node.name if node.value is None else f"{node.name}\n{short(node.value, 40)}"
        lines.append(f"  {_quoted(node.id)} [label={_quoted(label)}, shape={_SHAPES[node.kind]}];")
    for edge in graph.edges:
        said = f"label={_quoted(edge.argument)}, " if edge.argument else ""
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [{said}style={_STYLES[edge.origin]}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
