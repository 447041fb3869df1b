"""All origins together, and what must hold of every graph."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.dataflow.capture import load
from collector.core.errors import GraphError
from collector.core.graph import EdgeOrigin, TraceGraph
from collector.core.span import Link, Span
from collector.graph.builder import build
from collector.graph.subgraph import minimal_subgraph
from tests.unit.collector.graph.workflows import TRACE, context, flows, graph_of, span

DRAFT = "The beam turns twice a minute, and nobody on shore counts it."


def linked(number: int, *producers: int) -> Span:
    """A step of one second that names its producers in our own attributes."""
    links = tuple(Link(context(one), {"opto.arg": f"a{one}"}) for one in producers)
    attributes = {"opto.output": f'"{number}"'}
    whole = span(number, None, f"step {number}", number, number + 1, attributes)
    return Span(whole.context, None, whole.name, whole.start_time_unix_nano, whole.end_time_unix_nano,
                attributes=attributes, links=links, resource=whole.resource)  # fmt: skip


def test_what_is_stated_is_not_found_a_second_time() -> None:
    made = span(2, 1, "draft", 1, 2, {"opto.output": f'"{DRAFT}"'})
    twice = span(3, 1, "copy", 2, 3, {"opto.output": f'"{DRAFT}"', "opto.input.x": '"no"'})
    taken = span(4, 1, "print", 4, 5, {"opto.input.line": f'"{DRAFT}"', "opto.arg.line.from": made.context.span_id})
    graph = graph_of([span(1, None, "root", 0, 9), made, twice, taken])
    assert flows(graph) == {(2, 4)}
    assert {edge.origin for edge in graph.edges if edge.argument == "line"} == {EdgeOrigin.LINK}


@pytest.mark.parametrize("circle", [[2, 3], [2, 3, 4]])
def test_a_stated_circle_is_refused_and_its_spans_are_named(circle: list[int]) -> None:
    spans = [linked(number, circle[index - 1]) for index, number in enumerate(circle)]
    with pytest.raises(GraphError, match="runs in a circle") as refused:
        graph_of([*spans, linked(9)])
    assert all(f"span:{context(number).span_id}" in str(refused.value) for number in circle)
    assert context(9).span_id not in str(refused.value)


def test_what_is_stated_beats_the_clock_and_what_is_found_bends_to_it() -> None:
    late = span(
        2, 1, "late", 8, 9, {"opto.output": f'"{DRAFT}"', "opto.input.a": '"Seen: the other text of the trace"'}
    )
    early = span(
        3, 1, "early", 1, 2, {"opto.output": '"the other text of the trace"', "opto.arg.a.from": context(2).span_id}
    )
    assert flows(graph_of([span(1, None, "root", 0, 10), late, early])) == {(2, 3)}


def test_a_child_that_outlasts_its_parent_is_still_its_call() -> None:
    graph = graph_of([span(1, None, "root", 0, 2), span(2, 1, "audit", 1, 5)])
    assert [(edge.origin, edge.target) for edge in graph.edges] == [(EdgeOrigin.CALL, f"span:{context(1).span_id}")]


def test_clocks_of_other_services_are_not_trusted() -> None:
    ahead = 3_600
    spans = [
        span(1, None, "gateway", 0, 10, service="gateway"),
        span(2, 1, "load", 1, 2, {"app.output": DRAFT}, service="gateway"),
        span(3, 1, "POST", 3, 6, service="gateway"),
        span(4, 3, "summarise", ahead, ahead + 1, {"app.input": DRAFT, "app.output": "Nobody counts it."}, service="b"),
        span(5, 1, "render", 7, 8, {"app.input": "Nobody counts it."}, service="gateway"),
    ]  # fmt: skip
    assert flows(graph_of(spans)) >= {(2, 4), (4, 5)}


def test_lost_context_is_reported() -> None:
    graph = graph_of([span(1, None, "web", 0, 3), span(2, None, "worker", 1, 2)])
    assert [(gap.kind, gap.span_id) for gap in graph.gaps] == [("lost_context", context(2).span_id)]


CAPTURES = (
    "langgraph_rag_openllmetry",
    "openai_v2_chain_log_events",
    "opentrace_real_bridge",
    "small_batches_delegation",
)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(CAPTURES), st.randoms(), st.data())
def test_any_order_of_arrival_and_any_repetition_give_the_same_graph(
    name: str, chance: random.Random, data: st.DataObject
) -> None:
    capture = load(name)
    trace_id = capture.truth["traces"][0]["trace_id"]
    spans, records = capture.spans_of(trace_id), capture.records_of(trace_id)
    expected = build(trace_id, spans, {}, {}, (), records)
    again = [*spans, *data.draw(st.lists(st.sampled_from(spans), max_size=4))]
    chance.shuffle(again)
    chance.shuffle(records)
    assert build(trace_id, again, {}, {}, (), records) == expected


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(CAPTURES), st.data())
def test_missing_spans_leave_a_graph_that_says_what_is_missing(name: str, data: st.DataObject) -> None:
    capture = load(name)
    trace_id = capture.truth["traces"][0]["trace_id"]
    spans = capture.spans_of(trace_id)
    gone = set(data.draw(st.lists(st.sampled_from([span.context.span_id for span in spans]), min_size=1, unique=True)))
    left = [one for one in spans if one.context.span_id not in gone]
    graph = build(trace_id, left, {}, {}, (), capture.records_of(trace_id))
    parents = {one.context.span_id for one in left if one.parent_span_id in gone}
    assert {gap.span_id for gap in graph.gaps if gap.kind == "missing_parent"} == parents
    _is_whole(graph)


def _is_whole(graph: TraceGraph) -> None:
    nodes = graph.by_id()
    assert all(edge.source in nodes and edge.target in nodes for edge in graph.edges)
    assert len(list(graph.topological())) == len(nodes)
    for output in graph.outputs:
        assert minimal_subgraph(graph, output.node).outputs == (output,)


def test_an_empty_trace_is_an_empty_graph() -> None:
    assert build(TRACE, [], {}, {}) == TraceGraph(TRACE, (), ())
