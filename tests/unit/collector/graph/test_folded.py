"""Many alike become one, and nothing else does."""

from dataclasses import replace
from itertools import pairwise

from collector.core.feedback import Feedback
from collector.core.graph import Edge, EdgeOrigin, ExceptionRecord, Node, NodeKind, Output, TraceGraph
from collector.core.span import SpanContext
from collector.graph.folded import folded


def operation(name: str, number: int) -> Node:
    return Node(f"span:{number}", NodeKind.OPERATION, name, str(number))


def fan(count: int) -> TraceGraph:
    """Each call has an input of its own, and all flow into one."""
    calls = [operation("search", number) for number in range(count)]
    inputs = [Node(f"input:{number}:q", NodeKind.INPUT, "q", str(number)) for number in range(count)]
    end = operation("answer", 1_000)
    edges = [Edge(one.id, call.id, EdgeOrigin.LINK, 1.0, "q") for one, call in zip(inputs, calls, strict=True)]
    edges += [Edge(call.id, end.id, EdgeOrigin.CONTENT, 0.5 + 0.001 * number) for number, call in enumerate(calls)]
    return TraceGraph("t", (*inputs, *calls, end), tuple(edges), outputs=(Output(end.id, None),))


def test_a_hundred_siblings_and_what_went_into_them_are_two_nodes() -> None:
    found = folded(fan(100))
    assert [node.name for node in found.nodes] == ["q × 100", "search × 100", "answer"]
    assert len(found.edges) == 2
    assert found.edges[1].confidence == 0.5 + 0.099
    assert len(list(found.topological())) == 3


def test_a_few_stay_as_they_are() -> None:
    assert folded(fan(3)) == fan(3)


def test_what_failed_or_was_judged_stays_by_itself() -> None:
    graph = fan(10)
    judged = Feedback(SpanContext("t", "3"), "quality", 0.1)
    told = replace(graph, feedback=(judged,), exceptions=(ExceptionRecord("4", "E", ""),))
    assert [node.name for node in folded(told).nodes] == ["q × 8", "q", "q", "search × 8", "search", "search", "answer"]


def test_steps_of_one_name_that_follow_each_other_are_no_siblings() -> None:
    steps = [operation("step", number) for number in range(10)]
    edges = tuple(Edge(a.id, b.id, EdgeOrigin.LINK) for a, b in pairwise(steps))
    graph = TraceGraph("t", tuple(steps), edges)
    assert folded(graph) == graph


def test_no_circle_comes_of_siblings_at_different_depths() -> None:
    """Calls flow into the end, some of them through a step of another name."""
    calls = [operation("search", number) for number in range(12)]
    steps = [operation("rank", 100 + number) for number in range(6)]
    end = operation("answer", 1_000)
    edges = [Edge(call.id, end.id, EdgeOrigin.LINK) for call in calls]
    edges += [Edge(call.id, step.id, EdgeOrigin.LINK) for call, step in zip(calls[:6], steps, strict=True)]
    edges += [Edge(step.id, call.id, EdgeOrigin.LINK) for step, call in zip(steps, calls[6:], strict=True)]
    found = folded(TraceGraph("t", (*calls, *steps, end), tuple(edges)))
    assert [node.name for node in found.nodes] == ["search × 6", "search × 6", "rank × 6", "answer"]
    assert len(list(found.topological())) == 4
