"""Graphs to draw."""

from hypothesis import strategies as st

from collector.core.feedback import Feedback
from collector.core.graph import Edge, EdgeOrigin, Node, NodeKind, TraceGraph
from collector.core.release import Release, ReleasedValue
from collector.core.span import SpanContext
from collector.graph.builder import build
from collector.otlp.decode import spans_of
from otel_opto.spec import ParameterSpec, ParameterType
from tests import samples

TRACE = samples.trace_id(1)


def example() -> TraceGraph:
    """Something of everything: a pipeline with a link, an error, feedback, a fragment without its parent."""
    messages = [
        samples.span(1, 1, name="ask", values={"opto.input.q": '"why?"', "opto.output": '"so"', "opto.release": 4}),
        samples.span(1, 2, 1, "find", values={"opto.param.k.version": 4, "opto.output": '["a"]'}, start=1),
        samples.span(1, 3, 2, "score", values={"opto.output": "0.5", "opto.truncated": True}, start=2),
        samples.span(1, 4, 1, "tell", values={"opto.param.style.value": "dry"}, links=[(2, "found")], start=3,
                     error="broken"),
        samples.span(1, 5, 77, "lost", start=4),
    ]  # fmt: skip
    releases = {4: Release(4, "shop", {"k": ReleasedValue(3, 4)}, None, 0, "r")}
    specs = {("shop", "style"): ParameterSpec("style", ParameterType.TEXT, "dry", trainable=False)}
    judged = [
        Feedback(SpanContext(TRACE, samples.span_id(1)), "quality", 0.25, text="names no source", source="user"),
        Feedback(SpanContext(TRACE, ""), "tone", label="curt", time_unix_nano=1),
    ]
    return build(TRACE, spans_of(samples.traces_request(messages)), releases, specs, judged)


def chain(length: int) -> TraceGraph:
    """Each operation called the next one."""
    nodes = tuple(Node(f"span:{n}", NodeKind.OPERATION, f"step {n}", str(n), n) for n in range(length))
    edges = tuple(Edge(f"span:{n + 1}", f"span:{n}", EdgeOrigin.CALL, 0.5) for n in range(length - 1))
    return TraceGraph("t", nodes, edges)


@st.composite
def dags(draw: st.DrawFn, most: int = 12) -> TraceGraph:
    """Operations with edges of every origin, several between two nodes included."""
    size = draw(st.integers(0, most))
    nodes = tuple(Node(f"n{n}", NodeKind.OPERATION, f"name {n}", f"s{n}", n) for n in range(size))
    possible = [(a, b, origin) for b in range(size) for a in range(b) for origin in EdgeOrigin]
    chosen = draw(st.lists(st.sampled_from(possible), unique=True, max_size=3 * most)) if possible else []
    edges = tuple(Edge(f"n{a}", f"n{b}", origin) for a, b, origin in chosen)
    return TraceGraph("t", nodes, edges)


ANY_TEXT = st.text(max_size=40)
"""Lone surrogates and control characters included."""
