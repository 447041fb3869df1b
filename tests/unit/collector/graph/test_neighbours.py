"""Other traces that belong to a trace."""

from dataclasses import replace

from collector.core.span import Link, Resource, SpanContext
from collector.graph.neighbours import linked_traces, session_of
from tests import samples
from tests.unit.collector.graph.workflows import span


def link(trace: int) -> Link:
    return Link(SpanContext(samples.trace_id(trace), samples.span_id(1)))


def test_each_linked_trace_once_and_never_the_own_one() -> None:
    spans = [
        span(1, None, "a", 0, 9)._replace(links=(link(7), link(1))),
        span(2, 1, "b", 1, 2)._replace(links=(link(5), link(7), link(0))),
    ]
    assert linked_traces(spans) == (samples.trace_id(7), samples.trace_id(5))


def test_the_most_general_name_of_a_session_counts() -> None:
    plain = span(1, None, "a", 0, 9)
    thread = span(2, 1, "b", 1, 2, {"langgraph.thread_id": "t", "session.id": ""})
    chat = span(3, 1, "c", 2, 3, {"gen_ai.conversation.id": "c"})
    assert session_of([plain]) is None
    assert session_of([plain, thread]) == ("langgraph.thread_id", "t")
    assert session_of([plain, thread, chat]) == ("gen_ai.conversation.id", "c")
    of_process = plain._replace(resource=replace(plain.resource, attributes={"session.id": "s"}))
    assert session_of([of_process, chat]) == ("session.id", "s")
    assert session_of([plain._replace(resource=Resource({"session.id": 7}))]) is None
