"""A graph as Graphviz source."""

import re
import shutil
import subprocess

import pytest
from hypothesis import given

from collector.core.graph import Edge, EdgeOrigin, Node, NodeKind, TraceGraph
from collector.render.dot import graphviz
from tests.unit.collector.render.graphs import ANY_TEXT, example

QUOTED = r'"(?:[^"\\\n]|\\.)*"'
NODE = re.compile(rf"  {QUOTED} \[label={QUOTED}, shape=(?:box|ellipse|note)\];")
EDGE = re.compile(rf"  {QUOTED} -> {QUOTED} \[(?:label={QUOTED}, )?style=(?:solid|dashed|dotted), tooltip={QUOTED}\];")


def test_every_node_and_edge_is_one_statement() -> None:
    graph = example()
    lines = graphviz(graph).splitlines()
    assert lines[0] == f'digraph "{graph.trace_id}" {{'
    assert lines[-1] == "}"
    assert sum(bool(NODE.fullmatch(line)) for line in lines) == len(graph.nodes)
    assert sum(bool(EDGE.fullmatch(line)) for line in lines) == len(graph.edges)


def test_kinds_have_shapes_and_origins_have_styles() -> None:
    source = graphviz(example())
    assert '"param:shop/k@4" [label="k\\n3", shape=ellipse];' in source
    assert 'label="found", style=solid' in source
    assert 'style=dotted, tooltip="result: the call returned to its caller"' in source


def test_labels_are_literal() -> None:
    graph = TraceGraph("t", (Node('a"\\N', NodeKind.OPERATION, "\\N &lt; \\", "1", 'say "hi"\n'),), ())
    assert r'"a\"\\N" [label="\\N &amp;lt; \\\nsay \"hi\"", shape=box];' in graphviz(graph)


@given(ANY_TEXT, ANY_TEXT)
def test_no_text_breaks_out_of_its_quotes(name: str, value: str) -> None:
    nodes = (Node(name, NodeKind.OPERATION, name, "1", value), Node(f"{name}2", NodeKind.INPUT, name, "1", value))
    lines = graphviz(TraceGraph(name, nodes, (Edge(name, f"{name}2", EdgeOrigin.LINK, argument=value),))).split("\n")
    assert len(lines) == 7
    assert NODE.fullmatch(lines[2])
    assert EDGE.fullmatch(lines[4])


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it() -> None:
    graph = example()
    done = subprocess.run(["dot", "-Tplain"], input=graphviz(graph), capture_output=True, text=True, check=True)
    drawn = [line.split()[0] for line in done.stdout.splitlines()]
    assert (drawn.count("node"), drawn.count("edge")) == (len(graph.nodes), len(graph.edges))
