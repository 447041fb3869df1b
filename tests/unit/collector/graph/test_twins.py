"""One call, two instrumentations."""

from typing import Any

import pytest

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


ANSWER = '{"answer": "the capital is Lima", "n": 2}'
NODE = {"code.function.name": "app.ask", "opto.input.q": '"capital?"', "opto.input.n": "2", "opto.output": ANSWER}
DECORATED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "openinference": ("ask", "openinference", {
        "openinference.span.kind": "CHAIN", "input.value": '{"q": "capital?", "n": 2}',
        "input.mime_type": "application/json", "output.value": ANSWER, "output.mime_type": "application/json",
    }),
    "traceloop": ("asked.task", "traceloop.tracer", {
        "traceloop.span.kind": "task", "traceloop.entity.name": "asked",
        "traceloop.entity.input": '{"args": ["capital?"], "kwargs": {}}', "traceloop.entity.output": ANSWER,
    }),
    "logfire": ("Calling app.ask", "logfire", {
        "code.function": "ask", "logfire.msg_template": "Calling app.ask", "logfire.msg": "Calling app.ask",
        "logfire.span_type": "span", "q": "capital?", "n": 2, "return": ANSWER,
        "logfire.json_schema": '{"type":"object","properties":{"q":{},"n":{},"return":{"type":"object"}}}',
    }),
}  # fmt: skip


@pytest.mark.parametrize("library", DECORATED)
@pytest.mark.parametrize("order", ["node outside", "node inside"])
def test_a_node_that_another_library_decorates_too_is_one_node(library: str, order: str) -> None:
    name, scope, attributes = DECORATED[library]
    both = [(name, attributes, scope), ("ask", NODE, "otel_opto")]
    outer, inner = reversed(both) if order == "node outside" else both
    spans = [
        span(1, None, "request", 0, 9),
        span(2, 1, outer[0], 1, 4, outer[1], scope=outer[2]),
        span(3, 2, inner[0], 1.5, 3.5, inner[1], scope=inner[2]),
        span(4, 3, "step", 2, 3, {"opto.output": '"found in the atlas"'}, scope="otel_opto"),
    ]
    nodes = [node for node in graph_of(spans).nodes if node.twins]
    assert [node.twins for node in nodes] == [(context(3).span_id,)]
    assert f"span:{context(4).span_id}" in graph_of(spans).by_id()


def test_a_function_that_calls_itself_is_as_many_nodes() -> None:
    def pair(number: int, parent: int, begin: float) -> list[Span]:
        _, scope, attributes = DECORATED["openinference"]
        inputs = f'{{"q": "capital?", "n": {number}}}'
        return [
            span(number, parent, "ask", begin, 9 - begin, NODE | {"opto.input.n": str(number)}, scope="otel_opto"),
            span(
                number + 1, number, "ask", begin + 0.1, 8.9 - begin, attributes | {"input.value": inputs}, scope=scope
            ),
        ]

    graph = graph_of([span(1, None, "request", 0, 9), *pair(2, 1, 1), *pair(4, 3, 2)])
    assert [node.twins for node in graph.nodes if node.twins] == [(context(3).span_id,), (context(5).span_id,)]


def test_another_function_with_the_same_answer_of_other_inputs_is_no_twin() -> None:
    _, scope, attributes = DECORATED["openinference"]
    spans = [
        span(1, None, "ask", 0, 9, NODE, scope="otel_opto"),
        span(2, 1, "look up", 1, 4, attributes | {"input.value": '{"key": "pe"}'}, scope=scope),
    ]
    assert all(node.twins == () for node in graph_of(spans).nodes)
