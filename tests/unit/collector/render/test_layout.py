"""Where the boxes go."""

from itertools import pairwise

from hypothesis import given

from collector.core.graph import Edge, EdgeOrigin, Node, NodeKind, TraceGraph
from collector.render.layout import BOX_HEIGHT, BOX_WIDTH, Place, lay_out
from tests.unit.collector.render.graphs import chain, dags


def touches(place: Place, box: Place) -> bool:
    return abs(place.x - box.x) < BOX_WIDTH / 2 and abs(place.y - box.y) < BOX_HEIGHT / 2


@given(dags())
def test_dataflow_goes_down_and_nothing_overlaps(graph: TraceGraph) -> None:
    layout = lay_out(graph)
    places = layout.places
    assert set(places) == {node.id for node in graph.nodes}
    for edge in graph.edges:
        assert places[edge.source].y < places[edge.target].y
    by_row = sorted(places.values(), key=lambda place: (place.y, place.x))
    assert all(b.x - a.x >= BOX_WIDTH for a, b in pairwise(by_row) if a.y == b.y)
    for place in places.values():
        assert BOX_WIDTH / 2 - 1e-6 <= place.x <= layout.width - BOX_WIDTH / 2 + 1e-6
        assert BOX_HEIGHT / 2 <= place.y <= layout.height - BOX_HEIGHT / 2


@given(dags())
def test_lines_pass_beside_the_boxes(graph: TraceGraph) -> None:
    layout = lay_out(graph)
    for route in layout.routes:
        line = [route.start, *route.lanes, route.end]
        assert all(upper.y < lower.y for upper, lower in pairwise(line))
        assert not any(touches(lane, box) for lane in route.lanes for box in layout.places.values())
        assert abs(route.end.x - layout.places[route.edge.target].x) < BOX_WIDTH / 2


@given(dags())
def test_two_nodes_are_joined_by_the_most_certain_edge_only(graph: TraceGraph) -> None:
    certainty = list(EdgeOrigin)
    best: dict[tuple[str, str], EdgeOrigin] = {}
    for edge in sorted(graph.edges, key=lambda edge: certainty.index(edge.origin), reverse=True):
        best[edge.source, edge.target] = edge.origin
    assert {(r.edge.source, r.edge.target): r.edge.origin for r in lay_out(graph).routes} == best


def test_what_has_no_source_stands_right_above_its_first_target() -> None:
    nodes = tuple(Node(n, NodeKind.OPERATION, n, n) for n in "abcp")
    pairs = [("a", "b"), ("b", "c"), ("p", "c")]
    places = lay_out(TraceGraph("t", nodes, tuple(Edge(a, b, EdgeOrigin.LINK) for a, b in pairs))).places
    assert places["p"].y == places["b"].y


def test_lanes_are_shared_by_edges_with_one_source() -> None:
    nodes = tuple(Node(n, NodeKind.OPERATION, n, n) for n in "abcd")
    pairs = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "c"), ("a", "d")]
    layout = lay_out(TraceGraph("t", nodes, tuple(Edge(a, b, EdgeOrigin.LINK) for a, b in pairs)))
    lanes = {route.edge.target: route.lanes for route in layout.routes if route.edge.source == "a"}
    assert len(lanes["c"]) == 1
    assert lanes["d"][:1] == lanes["c"]


def test_a_long_chain_needs_no_recursion() -> None:
    layout = lay_out(chain(3_000))
    assert len({place.x for place in layout.places.values()}) == 1
    assert len({place.y for place in layout.places.values()}) == 3_000
