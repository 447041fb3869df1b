"""A graph as a standalone SVG picture: dataflow from top to bottom, the trace's output below everything."""

from collections.abc import Callable, Iterator

from collector.core.graph import EdgeOrigin, ExceptionRecord, GraphParameter, Node, NodeKind, TraceGraph
from collector.render.canvas import AMBER, BLUE, GREEN, GREY, INK, RED, Canvas
from collector.render.layout import BOX_HEIGHT, BOX_WIDTH, Layout, Place, Route, lay_out
from collector.render.reason import reason_of
from collector.render.reduced import reduced, stands_for_more
from collector.render.words import short

_MARGIN = 24.0
_TITLE_HEIGHT = 30.0
_LEGEND_HEIGHT = 34.0
_NARROWEST = 480.0
MOST_NODES = 400
"""More than that cannot be told apart in a picture."""

_NAME_COLUMNS, _VALUE_COLUMNS = 23, 29
_COLOURS = {
    NodeKind.PARAMETER: ("#fff4d6", AMBER),
    NodeKind.INPUT: ("#f1f3f5", "#8a96a3"),
    NodeKind.OPERATION: ("#e6f0fd", BLUE),
}
_FAINTEST = 0.3
"""Of an edge of which nothing is certain."""

_LINES: dict[EdgeOrigin, dict[str, str | float]] = {
    EdgeOrigin.LINK: {"stroke": INK, "stroke_width": 1.5},
    EdgeOrigin.CONTENT: {"stroke": BLUE, "stroke_width": 1.5, "stroke_dasharray": "6 4"},
    EdgeOrigin.CALL: {"stroke": GREY, "stroke_width": 1.2},
    EdgeOrigin.CONTROL: {"stroke": AMBER, "stroke_width": 1.5, "stroke_dasharray": "6 4"},
    EdgeOrigin.SEQUENCE: {"stroke": GREY, "stroke_width": 1.2, "stroke_dasharray": "2 4"},
}
_WORDS = {
    EdgeOrigin.LINK: "stated",
    EdgeOrigin.CONTENT: "found by content",
    EdgeOrigin.CALL: "result of a call",
    EdgeOrigin.CONTROL: "decided by an answer",
    EdgeOrigin.SEQUENCE: "in sequence",
}


def graph_svg(graph: TraceGraph, most: int = MOST_NODES, link: Callable[[Node], str] | None = None) -> str:
    """The picture; of the edges between two nodes it holds the most certain. A large graph is reduced, and says so.

    Each node is a group of class ``node`` whose title has the longer text, each edge a group of class ``edge``, the
    fainter the less certain it is. Text is escaped, whatever it holds.

    Args:
        most: Nodes in the picture.
        link: Where a node leads, unless it stands for several; None: nowhere.
    """
    whole = len(graph.nodes)
    graph = reduced(graph, most)
    layout, nodes = lay_out(graph), graph.by_id()
    width = max(layout.width + 2 * _MARGIN, _NARROWEST)
    corner = Place((width - layout.width) / 2, _MARGIN + _TITLE_HEIGHT)
    canvas = Canvas(width, corner.y + layout.height + _MARGIN + _LEGEND_HEIGHT)
    for origin, style in _LINES.items():
        canvas.arrowhead(f"arrow-{origin.value}", str(style["stroke"]))
    release = "" if graph.release is None else f" · release {graph.release}"
    drawn = "" if whole <= most else f" · the {most} nodes that matter most, of {whole:,}"
    canvas.text(_MARGIN, _MARGIN + 4, f"trace {graph.trace_id}{release}{drawn}", fill=GREY)
    # The most certain edges lie above the others.
    for route in sorted(layout.routes, key=lambda route: -list(EdgeOrigin).index(route.edge.origin)):
        _edge(canvas, route, corner, reason_of(route.edge, nodes[route.edge.source]))
    _Nodes(graph, layout, corner).draw(canvas, link)
    _legend(canvas, graph, layout, corner.y + layout.height + _MARGIN)
    return canvas.svg()


def _edge(canvas: Canvas, route: Route, corner: Place, reason: str) -> None:
    edge = route.edge
    argument = f" as {edge.argument}" if edge.argument else ""
    rule = f" by the rule {edge.rule!r}" if edge.rule else ""
    sure = f"confidence {edge.confidence:.0%}{rule}"
    canvas.group("edge", f"{_WORDS[edge.origin]}{argument}, {sure}\n{short(reason, 600)}")
    seen = {"opacity": round(_FAINTEST + (1 - _FAINTEST) * edge.confidence, 2)}
    canvas.path(_curve(route, corner), marker_end=f"url(#arrow-{edge.origin.value})", **_LINES[edge.origin], **seen)


def _curve(route: Route, corner: Place) -> str:
    """Straight down through the rows, bent between them."""
    half = BOX_HEIGHT / 2
    x, y = corner.x + route.start.x, corner.y + route.start.y + half
    steps = [f"M{x:.1f} {y:.1f}"]
    for lane in (*route.lanes, route.end):
        to_x, to_y = corner.x + lane.x, corner.y + lane.y - half
        middle = (y + to_y) / 2
        steps.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        if lane is not route.end:
            steps.append(f"V{to_y + BOX_HEIGHT:.1f}")
        x, y = to_x, to_y + BOX_HEIGHT
    return " ".join(steps)


class _Nodes:
    """The boxes of one picture."""

    def __init__(self, graph: TraceGraph, layout: Layout, corner: Place) -> None:
        self._graph = graph
        self._places = {
            node_id: Place(corner.x + place.x - BOX_WIDTH / 2, corner.y + place.y - BOX_HEIGHT / 2)
            for node_id, place in layout.places.items()
        }
        self._outputs = {output.node for output in graph.outputs}
        self._exceptions = {record.span_id: record for record in graph.exceptions}
        self._parameters = {parameter.node: parameter for parameter in graph.parameters}
        self._scores = {
            one.target.span_id: one.score for one in reversed(graph.feedback) if one.score is not None
        }  # the first one of each span

    def draw(self, canvas: Canvas, link: Callable[[Node], str] | None) -> None:
        """All of them."""
        for node in self._graph.nodes:
            place = self._places[node.id]
            error = self._exceptions.get(node.span_id or "") if node.kind is NodeKind.OPERATION else None
            canvas.group(
                "node",
                "\n".join(_about(node, error)),
                link(node) if link is not None and not stands_for_more(node) else "",
            )
            self._box(canvas, node, place, error)
            self._texts(canvas, node, place, error)
            score = self._scores.get(node.span_id or "") if node.kind is NodeKind.OPERATION else None
            if score is not None:
                _badge(canvas, place, f"★ {score:.3g}")

    def _box(self, canvas: Canvas, node: Node, place: Place, error: ExceptionRecord | None) -> None:
        fill, stroke = _COLOURS[node.kind]
        style: dict[str, str | float] = {"fill": fill, "stroke": RED if error else stroke}
        style["stroke_width"] = 2.5 if node.id in self._outputs else 1.2
        style["rx"] = BOX_HEIGHT / 2 if node.kind is NodeKind.INPUT else 7
        if node.incomplete:
            style["stroke_dasharray"] = "5 3"
        canvas.rect(place.x, place.y, BOX_WIDTH, BOX_HEIGHT, **style)

    def _texts(self, canvas: Canvas, node: Node, place: Place, error: ExceptionRecord | None) -> None:
        inset = 18 if node.kind is NodeKind.INPUT else 11
        name = short(node.name, _NAME_COLUMNS)
        canvas.text(place.x + inset, place.y + 19, name, font_size=13, font_weight=600)
        corner = _version(self._parameters.get(node.id))
        room = _VALUE_COLUMNS - (len(corner) + 2 if corner else 0) - (4 if node.kind is NodeKind.INPUT else 0)
        if corner:
            right = place.x + BOX_WIDTH - 10
            canvas.text(right, place.y + 35, corner, text_anchor="end", font_size=11, fill=AMBER)
        second, colour = ("" if node.value is None else short(node.value, room)), GREY
        if error is not None:
            second, colour = short(f"{error.type or 'error'}: {error.message}", room), RED
        canvas.text(place.x + inset, place.y + 35, second, font_size=11, fill=colour)


def _version(parameter: GraphParameter | None) -> str:
    if parameter is None:
        return ""
    if parameter.discovered:
        return "@discovered"
    version = "code" if parameter.version is None else str(parameter.version)
    return f"@{version}" if parameter.trainable else f"@{version} fixed"


def _about(node: Node, error: ExceptionRecord | None) -> Iterator[str]:
    yield f"{node.kind.value} {short(node.name, 120)}" + (f" of {short(node.service, 120)}" if node.service else "")
    if node.span_id:
        yield f"span {node.span_id}" + (", incomplete: something was dropped or cut" if node.incomplete else "")
    if node.value is not None:
        yield short(node.value, 600)
    if error is not None:
        yield short(f"{error.type or 'error'}{' (handled)' if error.handled else ''}: {error.message}", 600)


def _badge(canvas: Canvas, place: Place, words: str) -> None:
    width = 14 + 7 * len(words)
    x, y = place.x + BOX_WIDTH - width + 8, place.y + BOX_HEIGHT - 6
    canvas.rect(x, y, width, 20, rx=10, fill=GREEN)
    canvas.text(x + width / 2, y + 14, words, text_anchor="middle", fill="white", font_weight=600)


def _legend(canvas: Canvas, graph: TraceGraph, layout: Layout, y: float) -> None:
    """Only what the picture holds."""
    x = _MARGIN
    canvas.group("legend")
    kinds = {node.kind for node in graph.nodes}
    for kind in (kind for kind in NodeKind if kind in kinds):
        fill, stroke = _COLOURS[kind]
        canvas.rect(x, y + 4, 16, 12, rx=6 if kind is NodeKind.INPUT else 3, fill=fill, stroke=stroke)
        x = _legend_words(canvas, x + 22, y, kind.value)
    origins = {route.edge.origin for route in layout.routes}
    for origin in (origin for origin in EdgeOrigin if origin in origins):
        canvas.line(x, y + 10, x + 24, y + 10, **_LINES[origin])
        x = _legend_words(canvas, x + 30, y, _WORDS[origin])


def _legend_words(canvas: Canvas, x: float, y: float, words: str) -> float:
    canvas.text(x, y + 14, words, font_size=11, fill=INK)
    return x + 7 * len(words) + 18
