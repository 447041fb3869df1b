"""One call, two instrumentations."""

from collector.core.feedback import Feedback
from collector.core.span import Span
from collector.graph.subgraph import minimal_subgraph
from tests.unit.collector.graph.workflows import context, flows, graph_of, parameters, span

INNER = {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": '[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Tides?"}]',
    "gen_ai.output.messages": '[{"role": "assistant", "content": "Twice a day, at least here."}]',
}
OUTER = {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "Be brief.",
    "llm.input_messages.1.message.role": "user", "llm.input_messages.1.message.content": "Tides?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Twice a day, at least here.",
}  # fmt: skip


def spans() -> list[Span]:
    return [
        span(1, None, "ask", 0, 9),
        span(2, 1, "ChatCompletion", 1, 3, OUTER, scope="openinference"),
        span(3, 2, "chat m", 1.5, 2.5, INNER, scope="genai"),
        span(4, 1, "print", 4, 5, {"line": "Twice a day, at least here."}),
    ]


def test_the_inner_span_is_a_twin_of_the_outer_one() -> None:
    graph = graph_of(spans())
    assert flows(graph) == {(2, 4)}
    assert graph.by_id()[f"span:{context(2).span_id}"].twins == (context(3).span_id,)
    assert f"span:{context(3).span_id}" not in graph.by_id()
    assert parameters(graph) == {"ask.system_prompt": ("Be brief.", [2])}


def test_feedback_on_the_twin_finds_the_node_that_stands_for_it() -> None:
    graph = graph_of(spans())
    judged = Feedback(context(3), "quality", 1.0)
    assert graph.operation(judged.target.span_id) == f"span:{context(2).span_id}"
    assert minimal_subgraph(graph, graph.operation(judged.target.span_id)).parameters


def test_a_second_attempt_inside_a_call_is_no_twin() -> None:
    attempts = [span(5, 2, "chat m", 2.6, 2.9, INNER, scope="genai"), *spans()]
    assert all(node.twins == () for node in graph_of(attempts).nodes)


def test_spans_of_one_instrumentation_are_no_twins() -> None:
    nested = [span(1, None, "chat m", 0, 3, INNER), span(2, 1, "chat m", 1, 2, INNER)]
    assert all(node.twins == () for node in graph_of(nested).nodes)
