"""The canonical order: what it depends on, and what not."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.canonical import canonical_order
from collector.core.errors import GraphError
from collector.core.graph import Edge, EdgeOrigin, ExceptionRecord, Node, NodeKind, TraceGraph


@st.composite
def look_alikes(draw: st.DrawFn) -> TraceGraph:
    """Operations with few different names and values, so that structure has to tell them apart."""
    size = draw(st.integers(1, 9))
    nodes = tuple(
        Node(f"n{n}", NodeKind.OPERATION, draw(st.sampled_from("ab")), f"s{n}", draw(st.sampled_from([None, 1, 2])))
        for n in range(size)
    )
    possible = [(a, b, name) for b in range(size) for a in range(b) for name in ("", "x")]
    chosen = draw(st.lists(st.sampled_from(possible), unique=True, max_size=14)) if possible else []
    return TraceGraph("t", nodes, tuple(Edge(f"n{a}", f"n{b}", EdgeOrigin.LINK, 1.0, x) for a, b, x in chosen))


def disguised(graph: TraceGraph, rng: random.Random) -> TraceGraph:
    """The same graph with other ids, in another order."""
    ids = {node.id: f"m{number}" for number, node in enumerate(rng.sample(graph.nodes, len(graph.nodes)))}
    nodes = [node._replace(id=ids[node.id], span_id=ids[node.id]) for node in graph.nodes]
    edges = [edge._replace(source=ids[edge.source], target=ids[edge.target]) for edge in graph.edges]
    rng.shuffle(nodes)
    rng.shuffle(edges)
    return replace(graph, nodes=tuple(nodes), edges=tuple(edges))


def written(graph: TraceGraph) -> list[object]:
    """The graph with places in the order instead of ids: equal for graphs that are the same but for ids."""
    order = canonical_order(graph)
    place = {node.id: number for number, node in enumerate(order)}
    joins = sorted((place[edge.target], place[edge.source], edge.argument) for edge in graph.edges)
    return [[(node.name, node.value) for node in order], joins]


@given(look_alikes(), st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_neither_ids_nor_order_of_arrival_show(graph: TraceGraph, rng: random.Random) -> None:
    assert written(disguised(graph, rng)) == written(graph)


@given(look_alikes(), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_values_do_not_change_how_the_structure_is_written(graph: TraceGraph, rng: random.Random) -> None:
    nodes = tuple(node._replace(value=rng.choice([None, 1, "2"])) for node in graph.nodes)
    (_, before), (_, after) = written(graph), written(replace(graph, nodes=nodes))
    assert before == after


@given(look_alikes())
def test_sources_come_before_their_targets_and_nothing_is_lost(graph: TraceGraph) -> None:
    place = {node.id: number for number, node in enumerate(canonical_order(graph))}
    assert place.keys() == {node.id for node in graph.nodes}
    assert sorted(place.values()) == list(range(len(graph.nodes)))
    assert all(place[edge.source] < place[edge.target] for edge in graph.edges)


def test_what_follows_tells_apart_what_came_from_the_same() -> None:
    nodes = [Node(n, NodeKind.OPERATION, n[0], n) for n in ("p", "s1", "s2", "r", "q")]
    edges = [("p", "s1"), ("p", "s2"), ("s1", "r"), ("s2", "q")]
    graph = TraceGraph("t", tuple(nodes), tuple(Edge(a, b, EdgeOrigin.LINK) for a, b in edges))
    turned = replace(graph, nodes=graph.nodes[::-1])
    assert [node.id for node in canonical_order(graph)] == [node.id for node in canonical_order(turned)]


def test_of_two_alike_the_fault_tells_which_is_which() -> None:
    nodes = tuple(Node(n, NodeKind.OPERATION, "try", n) for n in "ab")
    graph = TraceGraph("t", nodes, (), exceptions=(ExceptionRecord("b", "E", "m"),))
    turned = replace(graph, nodes=nodes[::-1])
    assert [node.id for node in canonical_order(graph)] == [node.id for node in canonical_order(turned)]


def test_a_circle_is_refused() -> None:
    nodes = tuple(Node(n, NodeKind.OPERATION, n, n) for n in "ab")
    edges = tuple(Edge(a, b, EdgeOrigin.LINK) for a, b in ("ab", "ba"))
    with pytest.raises(GraphError, match="circle"):
        canonical_order(TraceGraph("t", nodes, edges))


@pytest.mark.parametrize("alike", [True, False])
def test_many_that_are_alike_do_not_take_long(alike: bool) -> None:
    """Twenty thousand pairs between one source and one sink; quadratic work would take minutes."""
    ends = [Node(n, NodeKind.OPERATION, n, n) for n in ("from", "to")]
    nodes, edges = [*ends], []
    for n in range(20_000):
        pair = [Node(f"{kind}{n}", NodeKind.OPERATION, kind, f"{n}", None if alike else n) for kind in "ab"]
        nodes += pair
        edges += [Edge(x.id, y.id, EdgeOrigin.LINK) for x, y in pairwise([ends[0], *pair, ends[1]])]
    order = canonical_order(TraceGraph("t", tuple(nodes), tuple(edges)))
    numbers = [node.id[1:] for node in order[1:-1]]
    assert numbers[:20_000] == numbers[20_000:]
