"""Two instrumentations side by side under one caller."""

import json

from collector.core.span import Span
from tests.unit.collector.graph.workflows import flows, graph_of, parameters, span

CAUSE = "Varroa with deformed wings, as the mites fall by the dozen."
ADVICE = "Treat the hive this week with formic acid of sixty percent."


def first(number: int, begin: float, asked: str, answer: str, parent: int = 1) -> Span:
    return span(number, parent, "ChatOpenAI", begin, begin + 1, {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "You know bees well.",
        "llm.input_messages.1.message.role": "user", "llm.input_messages.1.message.content": asked,
        "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": answer,
    }, scope="openinference")  # fmt: skip


def second(number: int, begin: float, asked: str, answer: str, parent: int = 1) -> Span:
    return span(number, parent, "ChatOpenAI.chat", begin, begin + 1, {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps([{"role": "system", "content": "You know bees well."},
                                             {"role": "user", "content": asked}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "content": answer}]),
    }, scope="openllmetry")  # fmt: skip


def test_each_record_has_its_own_edges_and_a_prompt_is_one() -> None:
    graph = graph_of([
        span(1, None, "handle call", 0, 9),
        first(2, 1, "Crumpled wings?", CAUSE), second(3, 1.1, "Crumpled wings?", CAUSE),
        first(4, 3, f"Advise: {CAUSE}", ADVICE), second(5, 3.1, f"Advise: {CAUSE}", ADVICE),
    ])  # fmt: skip
    assert flows(graph) == {(2, 4), (3, 5)}
    assert parameters(graph) == {"handle call.system_prompt": ("You know bees well.", [2, 3, 4, 5])}


def test_what_one_record_alone_has_is_taken_from_it() -> None:
    graph = graph_of([
        span(1, None, "handle call", 0, 9),
        first(2, 1, "Crumpled wings?", "Mites."), second(3, 1.1, "Crumpled wings?", "Mites."),
        second(4, 3, "And the cause?", CAUSE), first(5, 5, f"Advise: {CAUSE}", ADVICE),
    ])  # fmt: skip
    assert flows(graph) == {(4, 5)}


def test_the_same_answer_at_another_time_or_of_one_instrumentation_is_another_call() -> None:
    again = [first(2, 1, "Crumpled wings?", CAUSE), second(3, 3, f"Advise: {CAUSE}", CAUSE)]
    assert flows(graph_of([span(1, None, "handle call", 0, 9), *again])) == {(2, 3)}
    both = [first(2, 1, "Crumpled wings?", CAUSE), first(3, 1.1, "Crumpled wings?", CAUSE),
            first(4, 3, f"Advise: {CAUSE}", ADVICE)]  # fmt: skip
    assert flows(graph_of([span(1, None, "handle call", 0, 9), *both])) == {(3, 4)}
