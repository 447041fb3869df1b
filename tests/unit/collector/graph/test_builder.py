"""From spans to the OPTO graph."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from collector.core.errors import GraphError
from collector.core.feedback import Feedback
from collector.core.graph import EdgeOrigin, NodeKind, TraceGraph
from collector.core.release import Release, ReleasedValue
from collector.core.span import SpanContext
from collector.graph.builder import build, referenced_releases
from collector.graph.rules import RESULT
from collector.otlp.decode import spans_of
from otel_opto.spec import ParameterSpec, ParameterType
from tests import samples
from tests.unit.collector.graph import workflows

TRACE = samples.trace_id(1)
RELEASES = {4: Release(4, "shop", {"k": ReleasedValue(3, 4)}, None, 0, "r")}


def built(*messages: SpanMessage, releases: dict[int, Release] | None = None) -> TraceGraph:
    spans = spans_of(samples.traces_request(messages))
    specs = {("shop", "fixed"): ParameterSpec("fixed", ParameterType.TEXT, "x", trainable=False)}
    return build(TRACE, spans, releases or {}, specs)


def span_node(number: int) -> str:
    return f"span:{samples.span_id(number)}"


def edges(graph: TraceGraph, origin: EdgeOrigin) -> set[tuple[str, str, str]]:
    return {(edge.source, edge.target, edge.argument) for edge in graph.edges if edge.origin is origin}


PIPELINE = (
    samples.span(1, 1, name="ask", values={"opto.input.q": '"why"', "opto.output": '"so"', "opto.release": 4}),
    samples.span(1, 2, 1, "find", values={"opto.param.k.version": 4, "opto.output": '["a"]'}, start=1),
    samples.span(1, 3, 1, "tell", values={"opto.input.found": '["a"]', "opto.param.fixed.value": "x"},
                 links=[(2, "found")], start=2),
)  # fmt: skip


def test_links_calls_parameters_and_inputs_become_edges() -> None:
    graph = built(*PIPELINE, releases=RELEASES)
    (fixed,) = [parameter for parameter in graph.parameters if parameter.key == "fixed"]
    (k,) = [parameter for parameter in graph.parameters if parameter.key == "k"]
    assert edges(graph, EdgeOrigin.LINK) == {
        (f"input:{samples.span_id(1)}:q", span_node(1), "q"),
        (span_node(2), span_node(3), "found"),
        (k.node, span_node(2), ""),
        (fixed.node, span_node(3), ""),
    }
    assert edges(graph, EdgeOrigin.CALL) == {(span_node(2), span_node(1), ""), (span_node(3), span_node(1), "")}
    assert (k.version, k.text, k.trainable, k.used_by) == (4, "3", True, (samples.span_id(2),))
    assert (fixed.version, fixed.text, fixed.trainable) == (None, "x", False)
    assert [(output.node, output.value) for output in graph.outputs] == [(span_node(1), "so")]
    assert (graph.release, graph.gaps) == (4, ())


def test_the_releases_that_must_be_known_are_named() -> None:
    assert referenced_releases(spans_of(samples.traces_request(PIPELINE))) == {4}


def test_a_version_that_nobody_knows_is_a_gap() -> None:
    graph = built(*PIPELINE)
    assert [gap.kind for gap in graph.gaps] == ["unknown_value"]
    assert next(parameter.text for parameter in graph.parameters if parameter.key == "k") is None


def test_the_mirror_attribute_says_what_a_link_says() -> None:
    mirrored = samples.span(
        1, 3, 1, "tell", values={"opto.arg.found.from": samples.span_id(2)}, start=2
    )  # fmt: skip
    graph = built(*PIPELINE[:2], mirrored)
    assert (span_node(2), span_node(3), "found") in edges(graph, EdgeOrigin.LINK)


@pytest.mark.parametrize(("links", "kind"), [([(9, "x")], "missing_link"), ([(1, "x")], "link_to_ancestor")])
def test_links_that_cannot_be_are_gaps(links: list[tuple[int, str]], kind: str) -> None:
    graph = built(PIPELINE[0], samples.span(1, 2, 1, links=links))
    assert [gap.kind for gap in graph.gaps] == [kind]


def test_a_missing_parent_is_a_gap_and_a_remote_one_is_not() -> None:
    local, remote = samples.span(1, 2, 99), samples.span(1, 3, 98, start=1)
    remote.flags = 0x300
    assert [(gap.kind, gap.span_id) for gap in built(local, remote).gaps] == [("missing_parent", samples.span_id(2))]


def test_dropped_or_cut_content_marks_a_node_incomplete() -> None:
    dropped, cut = samples.span(1, 1), samples.span(1, 2, values={"opto.truncated": True})
    dropped.dropped_links_count = 1
    graph = built(dropped, cut, samples.span(1, 3))
    assert [node.incomplete for node in graph.nodes] == [True, True, False]


def test_exceptions_say_whether_they_were_handled() -> None:
    graph = built(samples.span(1, 1), samples.span(1, 2, 1, error="no boats"))
    (record,) = graph.exceptions
    assert (record.span_id, record.type, record.message, record.handled) == (
        samples.span_id(2), "ValueError", "no boats", True,
    )  # fmt: skip
    unhandled = built(samples.span(1, 1, error="no boats"), samples.span(1, 2, 1, error="no boats"))
    assert [record.handled for record in unhandled.exceptions] == [False, False]


def test_a_cycle_is_refused_with_a_span_named() -> None:
    with pytest.raises(GraphError, match=samples.span_id(2)):
        built(samples.span(1, 1), samples.span(1, 2, 1, links=[(3, "a")]), samples.span(1, 3, 1, links=[(2, "b")]))


def test_deep_traces_need_no_recursion() -> None:
    messages = [samples.span(1, n, n - 1 or None, start=n) for n in range(1, 3_000)]
    assert len(built(*messages).nodes) == 2_999


@settings(max_examples=60)
@given(st.data())
def test_any_order_of_arrival_gives_the_same_graph(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 8))
    messages = []
    for number in range(1, size + 1):
        parent = data.draw(st.integers(0, number - 1)) or None
        linked = data.draw(st.sets(st.integers(1, number - 1), max_size=2)) if number > 1 else set()
        values = {"opto.output": "1", "opto.param.k.version": 4} if data.draw(st.booleans()) else {}
        start = data.draw(st.integers(0, 5))
        links = [(other, "x") for other in sorted(linked)]
        messages.append(samples.span(1, number, parent, values=values, links=links, start=start))
    shuffled = list(messages)
    random.Random(data.draw(st.integers(0, 999))).shuffle(shuffled)
    try:
        graph = built(*messages, releases=RELEASES)
    except GraphError:  # a link may run against a call
        with pytest.raises(GraphError):
            built(*shuffled, releases=RELEASES)
        return
    assert built(*shuffled, releases=RELEASES) == graph


def test_a_stated_producer_takes_the_place_of_the_input_and_a_refused_one_does_not() -> None:
    values = {"opto.input.a": "1", "opto.input.b": "2"}
    graph = built(
        samples.span(1, 1), samples.span(1, 2, 1), samples.span(1, 3, 1, values=values, links=[(2, "a"), (1, "b")])
    )
    assert [node.name for node in graph.nodes if node.kind is NodeKind.INPUT] == ["b"]
    assert edges(graph, EdgeOrigin.LINK) == {
        (span_node(2), span_node(3), "a"),
        (f"input:{samples.span_id(3)}:b", span_node(3), "b"),
    }


def test_a_link_into_another_trace_is_a_gap_that_names_it() -> None:
    message = samples.span(1, 2, 1, links=[(1, "x")])
    message.links[0].trace_id = bytes.fromhex(samples.trace_id(7))
    (gap,) = built(samples.span(1, 1), message).gaps
    assert gap.kind == "missing_link"
    assert samples.trace_id(7) in gap.detail


def test_a_span_linked_to_itself_is_refused_as_its_own_ancestor() -> None:
    assert [gap.kind for gap in built(samples.span(1, 1, links=[(1, "x")])).gaps] == ["link_to_ancestor"]


def test_a_child_whose_result_is_stated_to_be_an_argument_is_still_a_call() -> None:
    graph = built(samples.span(1, 1, links=[(2, "x")]), samples.span(1, 2, 1, start=1))
    assert [(edge.origin, edge.confidence) for edge in graph.edges] == [
        (EdgeOrigin.LINK, 1.0),
        (EdgeOrigin.CALL, RESULT.confidence),
    ]


def test_a_trace_over_two_services_is_one_graph() -> None:
    front = samples.traces_request([samples.span(1, 1, values={"opto.param.k.value": 1})], "front")
    back = samples.traces_request([samples.span(1, 2, 1, values={"opto.param.k.value": 1}, start=1)], "back")
    graph = build(TRACE, [*spans_of(back), *spans_of(front)], {}, {})
    assert edges(graph, EdgeOrigin.CALL) == {(span_node(2), span_node(1), "")}
    assert [node.service for node in graph.nodes] == ["back", "front", "front", "back"]
    assert len(graph.parameters) == 2


def test_two_spans_of_one_id_are_one_node_and_a_gap() -> None:
    graph = built(samples.span(1, 1, values={"opto.output": "1"}), samples.span(1, 1, duration=0))
    assert [(node.id, node.value) for node in graph.nodes] == [(span_node(1), 1)]
    assert [gap.kind for gap in graph.gaps] == ["duplicate_span"]


def test_the_release_is_the_roots_else_the_highest_that_is_mentioned() -> None:
    child = samples.span(1, 2, 1, values={"opto.release": 9, "opto.param.k.version": 3}, start=1)
    assert built(samples.span(1, 1, values={"opto.release": 4}), child).release == 4
    assert built(samples.span(1, 1), child).release == 9
    assert built(samples.span(1, 1)).release is None


def test_feedback_is_passed_through_by_time() -> None:
    target = SpanContext(TRACE, samples.span_id(1))
    late, early = Feedback(target, "q", 1.0, time_unix_nano=2), Feedback(target, "q", 0.0, time_unix_nano=1)
    spans = spans_of(samples.traces_request(PIPELINE))
    assert build(TRACE, spans, {}, {}, [late, early]).feedback == (early, late)


def test_nodes_and_edges_have_a_settled_order() -> None:
    values = {"opto.input.b": "1", "opto.param.z.value": 1, "opto.param.k.value": 1}
    last = samples.span(1, 5, 1, values=values, links=[(3, "c"), (4, "a"), (2, "a")], start=2)
    graph = built(last, *(samples.span(1, n, 1, start=1) for n in (4, 3, 2)), samples.span(1, 1))
    assert [node.name for node in graph.nodes if node.kind is not NodeKind.OPERATION] == ["k", "z", "b"]
    assert [node.span_id for node in graph.nodes[3:]] == [samples.span_id(n) for n in (1, 2, 3, 4, 5)]
    into = [edge for edge in graph.edges if edge.target == span_node(5)]
    assert [edge.argument for edge in into] == ["", "", "a", "a", "b", "c"]
    assert [edge.source for edge in into[2:4]] == [span_node(2), span_node(4)]


@pytest.mark.parametrize("server_first", [True, False])
def test_a_span_id_that_client_and_server_share_is_two_nodes(server_first: bool) -> None:
    """Children, the parameter, a link and the server's own log records belong to the server."""
    root = workflows.span(1, None, "ask", 0, 9, service="front")
    client = workflows.span(7, 1, "GET /stock", 1, 8, {"opto.output": '"42"'}, service="front")._replace(kind=3)
    used = {"opto.output": '"42"', "opto.param.limit.value": 5}
    server = workflows.span(7, 1, "handle stock", 2, 7, used, service="stock")._replace(kind=2)
    below = workflows.span(8, 7, "lookup", 3, 4, service="stock")
    after = workflows.span(9, 1, "after", 8, 9, links=[7], service="front")
    said = workflows.record(7, "exception", 2, exception__type="Late", exception__message="too late")
    of_client = replace(said, resource=client.resource)
    sides = [server, client] if server_first else [client, server]
    graph = build(workflows.TRACE, [root, *sides, below, after], {}, {}, (), [of_client])
    names = {node.id: node.name for node in graph.nodes}
    assert sorted(names.values()) == ["GET /stock", "after", "ask", "handle stock", "limit", "lookup"]
    edges = {(names[edge.source], names[edge.target]) for edge in graph.edges}
    assert {("lookup", "handle stock"), ("handle stock", "GET /stock"), ("GET /stock", "ask")} <= edges
    assert ("limit", "handle stock") in edges
    assert ("handle stock", "after") in edges
    assert graph.parameters[0].used_by == (samples.span_id(7),)
    assert graph.operation(samples.span_id(7)) == span_node(7)
    assert [names[f"span:{one.span_id}"] for one in graph.exceptions] == ["GET /stock"]
    assert not graph.gaps


def test_a_parent_that_leads_back_is_a_gap() -> None:
    graph = workflows.graph_of([workflows.span(1, 2, "a", 0, 9), workflows.span(2, 1, "b", 1, 8)])
    assert [(gap.kind, gap.span_id) for gap in graph.gaps] == [("parent_circle", samples.span_id(1))]
