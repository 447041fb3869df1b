"""A graph as a standalone SVG picture: layers from left to right, each node behind everything that flowed into it."""

import re
from collections import defaultdict
from xml.etree import ElementTree as ET

from collector.core.graph import Edge, EdgeOrigin, Node, NodeId, NodeKind, TraceGraph
from collector.render.words import short

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 190, 44, 70, 18, 24
_COLOURS = {
    NodeKind.PARAMETER: ("#fff4d6", "#c98a00"),
    NodeKind.INPUT: ("#eef1f4", "#8a96a3"),
    NodeKind.OPERATION: ("#e3efff", "#2f6db5"),
}
_DASHES = {EdgeOrigin.CONTENT: "6 3", EdgeOrigin.CALL: "2 4", EdgeOrigin.SEQUENCE: "1 5"}
# Characters that XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def graph_svg(graph: TraceGraph) -> str:
    """The picture; text is escaped, whatever it holds. Size grows with the longest path and the fullest layer."""
    places = _places(graph)
    right = max((x for x, _ in places.values()), default=0) + _WIDTH + _MARGIN
    bottom = max((y for _, y in places.values()), default=0) + 2 * _HEIGHT + _MARGIN
    root = ET.Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {right} {bottom}",
        width=str(right),
        height=str(bottom),
    )
    root.set("font-family", "system-ui, sans-serif")
    _arrowhead(root)
    ET.SubElement(root, "rect", width="100%", height="100%", fill="white")
    for edge in graph.edges:
        _edge(root, edge, places)
    for node in graph.nodes:
        _node(root, node, places[node.id])
    return ET.tostring(root, encoding="unicode")


def _places(graph: TraceGraph) -> dict[NodeId, tuple[int, int]]:
    """A layer is one more than the deepest source's; leaves stand right before their first target."""
    sources, targets = defaultdict(list), defaultdict(list)
    for edge in graph.edges:
        sources[edge.target].append(edge.source)
        targets[edge.source].append(edge.target)
    layer: dict[NodeId, int] = {}
    for node in graph.topological():
        layer[node.id] = 1 + max((layer[source] for source in sources[node.id]), default=-1)
    for node in graph.nodes:
        if not sources[node.id] and targets[node.id]:
            layer[node.id] = min(layer[target] for target in targets[node.id]) - 1
    filled: defaultdict[int, int] = defaultdict(int)
    places = {}
    for node in graph.nodes:
        column = layer[node.id]
        places[node.id] = (
            _MARGIN + column * (_WIDTH + _GAP_X),
            _MARGIN + filled[column] * (_HEIGHT + _GAP_Y),
        )
        filled[column] += 1
    return places


def _arrowhead(root: ET.Element) -> None:
    definitions = ET.SubElement(root, "defs")
    marker = ET.SubElement(
        definitions, "marker", id="arrow", viewBox="0 0 8 8", refX="8", refY="4", markerWidth="7", markerHeight="7"
    )
    marker.set("orient", "auto")
    ET.SubElement(marker, "path", d="M0 0 L8 4 L0 8 z", fill="#5b6672")


def _edge(root: ET.Element, edge: Edge, places: dict[NodeId, tuple[int, int]]) -> None:
    (x1, y1), (x2, y2) = places[edge.source], places[edge.target]
    x1, y1, y2 = x1 + _WIDTH, y1 + _HEIGHT // 2, y2 + _HEIGHT // 2
    bend = max((x2 - x1) // 2, 30)
    # An edge over several layers bows, so that it does not run behind the boxes between its ends.
    bow = 2 * _HEIGHT if x2 - x1 > _WIDTH + _GAP_X else 0
    line = ET.SubElement(root, "path", d=f"M{x1} {y1} C{x1 + bend} {y1 + bow} {x2 - bend} {y2 + bow} {x2} {y2}")
    line.set("fill", "none")
    line.set("stroke", "#5b6672")
    line.set("stroke-width", "1.4")
    line.set("marker-end", "url(#arrow)")
    if edge.origin in _DASHES:
        line.set("stroke-dasharray", _DASHES[edge.origin])
    title = ET.SubElement(line, "title")
    title.text = _writable(f"{edge.origin.value} {edge.argument} ({edge.confidence:.0%})")


def _node(root: ET.Element, node: Node, place: tuple[int, int]) -> None:
    x, y = place
    fill, stroke = _COLOURS[node.kind]
    group = ET.SubElement(root, "g")
    ET.SubElement(group, "title").text = _writable(f"{node.kind.value} {node.name}: {short(node.value, 600)}")
    box = ET.SubElement(group, "rect", x=str(x), y=str(y), width=str(_WIDTH), height=str(_HEIGHT), rx="7")
    box.set("fill", fill)
    box.set("stroke", stroke)
    if node.incomplete:
        box.set("stroke-dasharray", "4 3")
    name = ET.SubElement(group, "text", x=str(x + 10), y=str(y + 18), fill="#16202c")
    name.set("font-size", "13")
    name.set("font-weight", "600")
    name.text = _writable(short(node.name, 24))
    if node.value is not None:
        value = ET.SubElement(group, "text", x=str(x + 10), y=str(y + 34), fill="#4a5663")
        value.set("font-size", "11")
        value.text = _writable(short(node.value, 30))


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
