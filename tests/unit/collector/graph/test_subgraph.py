"""The minimal subgraph against an independent definition: enumeration of paths."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.errors import GraphError
from collector.core.feedback import Feedback
from collector.core.graph import (
    Edge,
    EdgeOrigin,
    ExceptionRecord,
    Gap,
    GraphParameter,
    Node,
    NodeKind,
    Output,
    TraceGraph,
)
from collector.core.span import SpanContext
from collector.graph.subgraph import Dataflow, minimal_subgraph


def graph_of(size: int, pairs: set[tuple[int, int]], parameters: set[int]) -> TraceGraph:
    """Nodes are numbers; an edge goes from the smaller to the larger, so there is no cycle."""
    nodes = tuple(
        Node(str(n), NodeKind.PARAMETER if n in parameters else NodeKind.OPERATION, str(n), f"s{n}")
        for n in range(size)
    )
    edges = tuple(Edge(str(a), str(b), EdgeOrigin.LINK) for a, b in sorted(pairs))
    used = tuple(GraphParameter(str(n), None, None, True, (), str(n)) for n in sorted(parameters))
    return TraceGraph("t", nodes, edges, used)


@st.composite
def dags(draw: st.DrawFn) -> tuple[TraceGraph, str, set[str]]:
    size = draw(st.integers(1, 8))
    possible = [(a, b) for b in range(size) for a in range(b)]
    pairs = draw(st.sets(st.sampled_from(possible))) if possible else set()
    parameters = draw(st.sets(st.integers(0, size - 1), max_size=3))
    output = draw(st.integers(0, size - 1))
    return graph_of(size, pairs, parameters), str(output), {str(n) for n in parameters}


def paths(graph: TraceGraph, start: str, end: str) -> Iterator[list[str]]:
    """Every path, by plain recursion."""
    if start == end:
        yield [end]
    for edge in graph.edges:
        if edge.source == start:
            for rest in paths(graph, edge.target, end):
                yield [start, *rest]


def by_enumeration(graph: TraceGraph, output: str, parameters: set[str]) -> set[str]:
    core = {output}
    for parameter in parameters:
        for path in paths(graph, parameter, output):
            core.update(path)
    return core | {edge.source for edge in graph.edges if edge.target in core}


@settings(max_examples=500)
@given(dags())
def test_it_is_what_enumeration_of_paths_gives(drawn: tuple[TraceGraph, str, set[str]]) -> None:
    graph, output, parameters = drawn
    kept = minimal_subgraph(graph, output, parameters)
    assert {node.id for node in kept.nodes} == by_enumeration(graph, output, parameters)


@given(dags())
def test_the_minimal_subgraph_of_a_minimal_subgraph_is_itself(drawn: tuple[TraceGraph, str, set[str]]) -> None:
    graph, output, parameters = drawn
    once = minimal_subgraph(graph, output, parameters)
    kept = {node.id for node in once.nodes}
    twice = minimal_subgraph(once, output, parameters & kept)
    assert {node.id for node in twice.nodes} == kept


@given(dags())
def test_many_outputs_of_one_graph_are_as_if_each_were_the_only_one(drawn: tuple[TraceGraph, str, set[str]]) -> None:
    graph, _, parameters = drawn
    dataflow = Dataflow(graph)
    for node in graph.nodes:
        assert dataflow.leading_to(node.id, parameters) == minimal_subgraph(graph, node.id, parameters)


@given(dags(), st.randoms(use_true_random=False))
def test_the_order_of_nodes_and_edges_does_not_matter(drawn: tuple[TraceGraph, str, set[str]], random: object) -> None:
    graph, output, parameters = drawn
    nodes, edges = list(graph.nodes), list(graph.edges)
    random.shuffle(nodes)  # type: ignore[attr-defined]
    random.shuffle(edges)  # type: ignore[attr-defined]
    shuffled = TraceGraph("t", tuple(nodes), tuple(edges), graph.parameters)
    kept = {node.id for node in minimal_subgraph(graph, output, parameters).nodes}
    assert {node.id for node in minimal_subgraph(shuffled, output, parameters).nodes} == kept


def test_a_side_branch_that_does_not_reach_the_output_is_out() -> None:
    graph = graph_of(5, {(0, 1), (1, 4), (1, 2), (2, 3)}, {0})
    assert {node.id for node in minimal_subgraph(graph, "4").nodes} == {"0", "1", "4"}


def test_direct_inputs_stay_and_what_they_were_made_of_goes() -> None:
    graph = graph_of(5, {(0, 4), (1, 2), (2, 4), (3, 1)}, {0})
    kept = minimal_subgraph(graph, "4")
    assert {node.id for node in kept.nodes} == {"0", "2", "4"}
    assert {(edge.source, edge.target) for edge in kept.edges} == {("0", "4"), ("2", "4")}


def test_a_long_chain_needs_no_recursion() -> None:
    size = 20_000
    graph = graph_of(size, {(n, n + 1) for n in range(size - 1)}, {0})
    assert len(minimal_subgraph(graph, str(size - 1)).nodes) == size


def test_an_unknown_output_is_refused() -> None:
    with pytest.raises(GraphError, match="span:x is not a node"):
        minimal_subgraph(graph_of(1, set(), set()), "span:x")


def test_by_default_trainable_parameters_count_and_fixed_ones_stay_as_inputs_only() -> None:
    graph = graph_of(5, {(0, 1), (1, 4), (2, 3), (3, 4)}, {0, 2})
    fixed = replace(graph.parameters[1], trainable=False)
    graph = replace(graph, parameters=(graph.parameters[0], fixed))
    assert {node.id for node in minimal_subgraph(graph, "4").nodes} == {"0", "1", "3", "4"}


def test_parameters_that_the_graph_does_not_hold_are_passed_over() -> None:
    graph = graph_of(2, {(0, 1)}, {0})
    assert {node.id for node in minimal_subgraph(graph, "1", ["param:shop/k@9"]).nodes} == {"0", "1"}


def test_what_is_said_of_a_span_stays_where_the_span_stays() -> None:
    graph = graph_of(3, {(0, 1)}, {0})
    said = replace(
        graph,
        outputs=(Output("2", None),),
        exceptions=tuple(ExceptionRecord(f"s{n}", "E", "m") for n in (1, 2)),
        gaps=tuple(Gap("kind", f"s{n}", "d") for n in (1, 2)),
        feedback=tuple(Feedback(SpanContext("t", span_id), "q", 1.0) for span_id in ("s1", "s2", "")),
        release=4,
    )
    kept = minimal_subgraph(said, "1")
    assert [output.node for output in kept.outputs] == ["1"]
    assert [record.span_id for record in kept.exceptions] == ["s1"]
    assert [gap.span_id for gap in kept.gaps] == ["s1"]
    assert [one.target.span_id for one in kept.feedback] == ["s1", ""]
    assert (kept.release, [parameter.key for parameter in kept.parameters]) == (4, ["0"])
