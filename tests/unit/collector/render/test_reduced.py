"""What is left of a graph that is too large."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.feedback import Feedback
from collector.core.graph import Edge, EdgeOrigin, ExceptionRecord, GraphParameter, Node, NodeKind, Output, TraceGraph
from collector.core.span import SpanContext
from collector.render.reduced import reduced
from tests.unit.collector.render.graphs import chain, dags


@given(dags(), st.integers(1, 12))
def test_no_more_are_kept_than_asked_and_what_is_kept_is_unchanged(graph: TraceGraph, most: int) -> None:
    small = reduced(graph, most)
    kept = [node for node in small.nodes if not node.id.startswith("more:")]
    assert kept == [node for node in graph.nodes if node in kept]
    assert len(kept) == min(most, len(graph.nodes))
    assert len(small.nodes) <= 2 * most
    ids = {node.id for node in kept}
    among = [edge for edge in graph.edges if {edge.source, edge.target} <= ids]
    assert [edge for edge in small.edges if {edge.source, edge.target} <= ids] == among
    assert len(list(small.topological())) == len(small.nodes)


@given(dags(), st.integers(1, 12))
def test_the_rest_is_counted_where_it_leads_to(graph: TraceGraph, most: int) -> None:
    small = reduced(graph, most)
    kept = {node.id for node in small.nodes}
    leading = set(kept)
    for _ in graph.nodes:
        leading |= {edge.source for edge in graph.edges if edge.target in leading}
    counted = [int(node.name.split()[1]) for node in small.nodes if node.id.startswith("more:")]
    assert sum(counted) == len(leading - kept)
    assert all(
        any(edge.source == node.id for edge in small.edges) for node in small.nodes if node.id.startswith("more:")
    )


def test_a_small_graph_stays_whole() -> None:
    graph = chain(5)
    assert reduced(graph, 5) is graph


@pytest.mark.parametrize("size", [50, 20_000])
def test_what_is_told_of_is_kept(size: int) -> None:
    parameter = Node("p", NodeKind.PARAMETER, "k", value=1)
    calls = tuple(Node(f"span:{n}", NodeKind.OPERATION, "call", str(n)) for n in range(size))
    edges = (
        *(Edge("p", call.id, EdgeOrigin.LINK) for call in calls),
        *(Edge(call.id, "span:0", EdgeOrigin.CALL) for call in calls[1:]),
    )
    graph = TraceGraph(
        "t",
        (parameter, *calls),
        edges,
        (GraphParameter("k", None, "1", True, (), "p"),),
        (Output("span:0", None),),
        (ExceptionRecord(f"{size - 1}", "E", "m"),),
        feedback=(Feedback(SpanContext("t", f"{size - 2}"), "q", 1.0),),
    )
    small = reduced(graph, 12)
    ids = [node.id for node in small.nodes]
    assert {"p", "span:0", f"span:{size - 1}", f"span:{size - 2}", "span:1"} <= set(ids)
    assert [node.name for node in small.nodes if node.id == "more:span:0"] == [f"… {size - 11:,} more"]
    assert {(edge.source, edge.target) for edge in small.edges} >= {("p", "more:span:0"), ("more:span:0", "span:0")}
