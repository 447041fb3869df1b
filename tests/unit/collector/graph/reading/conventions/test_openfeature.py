"""Feature flags are parameters, and the prompt that a flag chose is the flag's use."""

from collector.core.span import Event
from tests.unit.collector.graph.workflows import graph_of, parameters, record, span

PROMPT = "Answer in one short sentence."
CHAT = {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": PROMPT,
    "llm.input_messages.1.message.role": "user", "llm.input_messages.1.message.content": "Reef?",
    "llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": "Yes.",
}  # fmt: skip


def test_span_events_and_log_records_alike() -> None:
    flag = {
        "feature_flag.key": "prompt",
        "feature_flag.result.value": f'"{PROMPT}"',
        "feature_flag.result.variant": "b",
    }
    asked = span(2, 1, "ChatCompletion", 1, 2, CHAT)
    evaluated = span(1, None, "answer", 0, 3, events=[Event("feature_flag.evaluation", 0, flag)])
    expected = {"prompt": (PROMPT, [1, 2])}
    assert parameters(graph_of([evaluated, asked])) == expected
    named = {key.replace(".", "__"): value for key, value in flag.items()}
    said = [record(1, "feature_flag.evaluation", 0, None, **named)]
    assert parameters(graph_of([span(1, None, "answer", 0, 3), asked], said)) == expected


def test_without_a_value_the_variant_is_what_is_known() -> None:
    flag = {"feature_flag.key": "tone", "feature_flag.result.variant": "friendly"}
    graph = graph_of([span(1, None, "answer", 0, 3, events=[Event("feature_flag.evaluation", 0, flag)])])
    assert parameters(graph) == {"tone": ("friendly", [1])}
