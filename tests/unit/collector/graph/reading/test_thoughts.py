"""What a model thought is not what it said, in whatever shape it stands beside it."""

import json
from collections.abc import Mapping

import pytest

from collector.core.span import AnyValue
from collector.graph.builder import build
from collector.graph.reading.messages import is_thought, messages, without_thoughts
from collector.otlp.decode import spans_of
from tests import samples

THOUGHT, ANSWER = "The user asks for a capital; I recall Lima.", "Lima is the capital."
CHAT = {"gen_ai.operation.name": "chat"}
BLOCKS = [{"type": "thinking", "thinking": THOUGHT}, {"type": "text", "text": ANSWER}]
FLAT = "llm.output_messages.0.message."
SHAPES: dict[str, dict[str, AnyValue]] = {
    "GenAI": {**CHAT, "gen_ai.output.messages": [{"role": "assistant", "parts": [
        {"type": "reasoning", "content": THOUGHT}, {"type": "text", "content": ANSWER}]}]},
    "pydantic-ai": {**CHAT, "gen_ai.output.messages": [{"role": "assistant", "parts": [
        {"type": "thinking", "content": THOUGHT}, {"type": "text", "content": ANSWER}]}]},
    "OpenInference": {"openinference.span.kind": "LLM", f"{FLAT}role": "assistant",
        f"{FLAT}contents.0.message_content.type": "reasoning", f"{FLAT}contents.0.message_content.text": THOUGHT,
        f"{FLAT}contents.1.message_content.type": "text", f"{FLAT}contents.1.message_content.text": ANSWER},
    "Anthropic": {"openinference.span.kind": "LLM", "output.value": {"role": "assistant", "type": "message",
        "content": [*BLOCKS, {"type": "redacted_thinking", "data": "x"}]}},
    "OpenAI's responses": {"openinference.span.kind": "LLM", "output.value": {"object": "response", "output": [
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": THOUGHT}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": ANSWER}]}]}},
    "Bedrock": {"openinference.span.kind": "LLM", "output.value": {"output": {"message": {"role": "assistant",
        "content": [{"reasoningContent": {"reasoningText": {"text": THOUGHT}}}, {"text": ANSWER}]}}}},
    "Gemini": {"openinference.span.kind": "LLM", "output.value": {"candidates": [{"content": {"role": "model",
        "parts": [{"text": THOUGHT, "thought": True}, {"text": ANSWER, "thoughtSignature": "x"}]}}]}},
    "LangChain": {"openinference.span.kind": "LLM", "output.value": {"generations": [[{"message": {"lc": 1,
        "id": ["langchain", "AIMessage"], "kwargs": {"content": [{"type": "reasoning", "reasoning": THOUGHT},
        {"type": "text", "text": ANSWER}]}}}]]}},
    "indexed": {"gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": BLOCKS},
    "Langfuse": {"langfuse.observation.type": "generation",
        "langfuse.observation.output": {"role": "assistant", "content": BLOCKS}},
    "Haystack": {"haystack.component.type": "OpenAIChatGenerator", "haystack.component.output": {"replies": [
        {"role": "assistant", "content": [{"reasoning": {"reasoning_text": THOUGHT}}, {"text": ANSWER}]}]}},
}  # fmt: skip


def output(attributes: Mapping[str, AnyValue]) -> AnyValue:
    values = {key: json.dumps(value) if isinstance(value, list | dict) else value for key, value in attributes.items()}
    spans = spans_of(samples.traces_request([samples.span(1, 1, values=values)]))
    graph = build(samples.trace_id(1), spans, {}, {}, [], [])
    return {node.id: node for node in graph.nodes}[graph.operation(samples.span_id(1))].value


@pytest.mark.parametrize("attributes", SHAPES.values(), ids=SHAPES.keys())
def test_the_output_is_what_was_said(attributes: Mapping[str, AnyValue]) -> None:
    assert output(attributes) == ANSWER


def test_a_thought_before_a_call_leaves_the_call() -> None:
    call = {"type": "tool_call", "id": "1", "name": "find", "arguments": {}}
    parts = [{"type": "reasoning", "content": THOUGHT}, call]
    (message,) = messages([{"role": "assistant", "parts": parts}])
    assert (message.content, [one.name for one in message.calls]) == (None, ["find"])


def test_thoughts_inside_a_text_are_text() -> None:
    (message,) = messages({"role": "assistant", "content": f"<think>{THOUGHT}</think>{ANSWER}"})
    assert message.content == f"<think>{THOUGHT}</think>{ANSWER}"


def test_a_result_loses_the_thoughts_of_its_messages_and_nothing_of_its_own() -> None:
    result = {"answer": {"type": "ai", "content": BLOCKS}}
    assert without_thoughts(result) == {"answer": {"type": "ai", "content": BLOCKS[1:]}}
    assert without_thoughts(BLOCKS) == BLOCKS[1:]
    own = {"steps": [{"type": "reasoning", "content": "a step of a plan"}], "thought": "kept"}
    assert without_thoughts(own) is own


@pytest.mark.parametrize(
    "part", ["reasoning", {}, {"type": "text", "text": "t"}, {"text": "t", "thought": False}, {"reasoning": ""},
             {"role": "assistant", "reasoning": "r"}, {"text": "t", "reasoning": "r"}, {"type": ["reasoning"]}, None],
)  # fmt: skip
def test_what_was_said_is_no_thought(part: AnyValue) -> None:
    assert not is_thought(part)
