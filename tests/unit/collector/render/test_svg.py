"""A graph as a picture."""

from xml.etree import ElementTree as ET

from hypothesis import given

from collector.core.graph import Edge, EdgeOrigin, ExceptionRecord, Node, NodeKind, TraceGraph
from collector.render.svg import graph_svg
from tests import samples
from tests.unit.collector.render.graphs import ANY_TEXT, chain, dags, example

SVG = "{http://www.w3.org/2000/svg}"


def groups(picture: str, kind: str) -> list[ET.Element]:
    return [group for group in ET.fromstring(picture).iter(f"{SVG}g") if group.get("class") == kind]


def titles(picture: str, kind: str) -> list[str]:
    return [group.findtext(f"{SVG}title") or "" for group in groups(picture, kind)]


def texts(picture: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(picture).iter(f"{SVG}text")]


@given(dags())
def test_it_shows_every_node_and_every_pair_that_is_joined(graph: TraceGraph) -> None:
    picture = graph_svg(graph)
    assert len(groups(picture, "node")) == len(graph.nodes)
    assert len(groups(picture, "edge")) == len({(edge.source, edge.target) for edge in graph.edges})


def test_nodes_edges_scores_and_faults_are_told_in_words() -> None:
    picture = graph_svg(example())
    assert {"find", "@4", "@code fixed", "★ 0.25", "ValueError: broken"} <= set(texts(picture))
    assert "stated as found, confidence 100% by the rule 'argument'\nthe span names the producer" in titles(
        picture, "edge"
    )
    assert "result of a call, confidence 50% by the rule 'result'\nthe call returned to its caller" in titles(
        picture, "edge"
    )
    score = next(title for title in titles(picture, "node") if title.startswith("operation score"))
    assert score.splitlines() == [
        "operation score of shop",
        f"span {samples.span_id(3)}, incomplete: something was dropped or cut",
        "0.5",
    ]


def test_the_legend_explains_what_is_there_and_nothing_else() -> None:
    node = Node("o", NodeKind.OPERATION, "op", "1")
    assert texts(graph_svg(TraceGraph("t", (node,), ())))[-1] == "operation"
    both = TraceGraph("t", (node, node._replace(id="p")), (Edge("o", "p", EdgeOrigin.CONTENT, 0.7),))
    assert texts(graph_svg(both))[-2:] == ["operation", "found by content"]


def test_a_large_graph_is_reduced_and_says_so() -> None:
    picture = graph_svg(chain(5_000))
    assert 400 <= len(groups(picture, "node")) <= 401
    assert any(text.endswith(" · the 400 nodes that matter most, of 5,000") for text in texts(picture))
    assert "… 4,600 more" in texts(picture)


def test_everything_lies_inside_the_picture() -> None:
    root = ET.fromstring(graph_svg(example()))
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    for box in root.iter(f"{SVG}rect"):
        assert 0 <= float(box.get("x", "")) <= float(box.get("x", "")) + float(box.get("width", "")) <= width
        assert 0 <= float(box.get("y", "")) <= float(box.get("y", "")) + float(box.get("height", "")) <= height


@given(ANY_TEXT, ANY_TEXT)
def test_no_text_breaks_out_of_the_picture(name: str, value: str) -> None:
    node = Node("o", NodeKind.OPERATION, name, "1", value, service=name)
    picture = graph_svg(TraceGraph(name, (node,), (), exceptions=(ExceptionRecord("1", name, value),)))
    tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(picture).iter()}
    assert tags == {"svg", "rect", "defs", "marker", "path", "text", "g", "title"}
    assert len(groups(picture, "node")) == 1
