"""From spans to the OPTO graph."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from collector.core.errors import GraphError
from collector.core.graph import EdgeOrigin, TraceGraph
from collector.core.release import Release, ReleasedValue
from collector.graph.builder import build, referenced_releases
from collector.otlp.decode import spans_of
from otel_opto.spec import ParameterSpec, ParameterType
from tests import samples

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


def test_without_an_output_of_the_root_the_last_ended_descendant_gives_it() -> None:
    graph = built(
        samples.span(1, 1),
        samples.span(1, 2, 1, values={"opto.output": '"early"'}),
        samples.span(1, 3, 1, values={"opto.output": '"late"'}, start=9),
    )
    assert [output.value for output in graph.outputs] == ["late"]


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
