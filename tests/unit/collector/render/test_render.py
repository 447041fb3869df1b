"""What people see of a graph and of a study."""

import json
import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from collector.core.feedback import Feedback
from collector.core.graph import Node, NodeKind, TraceGraph
from collector.core.span import SpanContext
from collector.graph.builder import build
from collector.otlp.decode import spans_of
from collector.render.chart import ScorePoint, score_bars, score_chart_svg
from collector.render.document import graph_document
from collector.render.dot import graphviz
from collector.render.svg import graph_svg
from collector.render.tree import text_tree
from tests import samples

SVG = "{http://www.w3.org/2000/svg}"


def example() -> TraceGraph:
    messages = [
        samples.span(1, 1, name="ask", values={"opto.input.q": '"why?"', "opto.output": '"so"', "opto.release": 4}),
        samples.span(1, 2, 1, "find", values={"opto.param.k.value": 3, "opto.output": '["a"]'}, start=1),
        samples.span(1, 3, 1, "tell", links=[(2, "found")], start=2, error="broken"),
        samples.span(1, 4, 77, "lost", start=3),
    ]
    target = SpanContext(samples.trace_id(1), samples.span_id(1))
    judged = [Feedback(target, "quality", 0.25, text="names no source")]
    return build(samples.trace_id(1), spans_of(samples.traces_request(messages)), {}, {}, judged)


def test_the_tree_tells_the_whole_story() -> None:
    lines = text_tree(example()).splitlines()
    assert lines == [
        f"trace {samples.trace_id(1)}, release 4",
        f"● ask  {samples.span_id(1)}",
        "    → q: why?",
        "    = so",
        "    ★ quality 0.25 names no source",
        f"  ● find  {samples.span_id(2)}",
        *[line for line in lines if "◆ k = 3" in line],
        '      = ["a"]',
        f"  ● tell  {samples.span_id(3)}",
        "      ← found from find (link)",
        "      ✗ ValueError: broken (handled)",
        f"● lost  {samples.span_id(4)}",
        "gaps",
        *[line for line in lines if "missing_parent" in line],
    ]


def test_the_document_has_the_published_form() -> None:
    document = graph_document(example())
    assert list(document) == [
        "trace_id", "nodes", "edges", "parameters", "outputs", "feedback", "exceptions", "gaps", "release",
    ]  # fmt: skip
    assert json.loads(json.dumps(document)) == document
    nodes = document["nodes"]
    assert isinstance(nodes, list)
    assert all({"id", "kind", "name", "span_id", "incomplete"} <= node.keys() for node in nodes)
    ids = {node["id"] for node in nodes}
    edges = document["edges"]
    assert isinstance(edges, list)
    assert all({edge["source"], edge["target"]} <= ids for edge in edges)
    assert {edge["origin"] for edge in edges} == {"link", "call"}


def test_graphviz_names_every_node_and_edge() -> None:
    graph, source = example(), graphviz(example())
    assert source.startswith(f'digraph "{graph.trace_id}" {{')
    assert source.count("shape=") == len(graph.nodes)
    assert source.count(" -> ") == len(graph.edges)


NASTY = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)


@given(NASTY, NASTY)
def test_no_text_breaks_out_of_the_pictures(name: str, value: str) -> None:
    graph = TraceGraph("t", (Node("n", NodeKind.OPERATION, name, "s", value),), ())
    root = ET.fromstring(graph_svg(graph))
    assert len(root.findall(f"{SVG}g")) == 1
    (line,) = [line for line in graphviz(graph).split("\n") if line.startswith("  ") and "rankdir" not in line]
    assert re.fullmatch(r'  "n" \[label="(?:[^"\\]|\\.)*", shape=box\];', line, re.DOTALL)
    assert text_tree(graph).startswith("trace t\n●")


def test_the_picture_shows_every_node_and_edge() -> None:
    graph = example()
    root = ET.fromstring(graph_svg(graph))
    assert len(root.findall(f"{SVG}g")) == len(graph.nodes)
    assert len(root.findall(f"{SVG}path")) == len(graph.edges)


POINTS = [ScorePoint(1, 0.2, False), ScorePoint(2, 0.8, True), ScorePoint(3, 0.4, False)]


def test_bars_are_as_long_as_scores_are_high() -> None:
    bars = score_bars(POINTS, 40).splitlines()
    assert [line.count("█") for line in bars] == [10, 40, 20]
    assert [line.endswith("★") for line in bars] == [False, True, False]
    assert score_bars([], 40) == ""
    assert score_bars([ScorePoint(1, -1.0, False)], 40).count("█") == 0


def test_the_chart_has_a_dot_for_each_release_whatever_the_scores() -> None:
    for points in ([], POINTS[:1], POINTS, [ScorePoint(n, 0.5, False) for n in range(200)]):
        root = ET.fromstring(score_chart_svg(points, "a <title>"))
        assert len(root.findall(f"{SVG}circle")) == len(points)
