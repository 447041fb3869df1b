"""Requests to chat models and their responses, as the providers' APIs write them."""

import pytest

from collector.core.span import AnyValue
from collector.graph.reading.messages import answered, asked

WISH = {"name": "tide_table", "args": {"harbour": "Tönning"}, "id": "c1"}


@pytest.mark.parametrize(
    "request_",
    [
        {"model": "m", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Tides?"}]},
        {"system": "Be brief.", "messages": [{"role": "user", "content": [{"type": "text", "text": "Tides?"}]}]},
        {"system": [{"type": "text", "text": "Be brief."}], "messages": [{"role": "user", "content": "Tides?"}]},
        {"system": [{"text": "Be brief."}], "messages": [{"role": "user", "content": [{"text": "Tides?"}]}]},
        {"model": "m", "instructions": "Be brief.", "input": "Tides?"},
        {"model": "m", "instructions": "Be brief.", "input": [{"role": "user", "content": "Tides?"}]},
        {"config": {"system_instruction": "Be brief."}, "contents": [{"role": "user", "parts": [{"text": "Tides?"}]}]},
        {"systemInstruction": {"parts": [{"text": "Be brief."}]},
         "contents": {"role": "user", "parts": [{"text": "Tides?"}]}},
        {"model": "m", "config": {"system_instruction": "Be brief."}, "contents": "Tides?"},
    ],
)  # fmt: skip
def test_what_was_asked(request_: AnyValue) -> None:
    assert [(one.role, one.content) for one in asked(request_)] == [("system", "Be brief."), ("user", "Tides?")]


@pytest.mark.parametrize(
    "response",
    [
        {"choices": [{"message": {"role": "assistant", "content": "At six."}}]},
        {"candidates": [{"content": {"parts": [{"text": "At six."}], "role": "model"}}]},
        {"content": {"parts": [{"text": "At six."}]}, "finish_reason": "STOP"},
        {"role": "assistant", "content": [{"type": "text", "text": "At six."}]},
        {"object": "response", "output": [{"type": "message", "role": "assistant", "content": "At six."}]},
        {"output": {"message": {"role": "assistant", "content": [{"text": "At six."}]}}},
        {"message": {"content": "At six."}, "usage": None},
        {"generations": [[{"text": "At six.", "message": {"type": "ai", "content": "At six."}}]]},
        {"generations": [[{"text": "At six."}]], "llm_output": None},
    ],
)
def test_what_was_answered(response: AnyValue) -> None:
    assert [(one.role, one.content) for one in answered(response)] == [("assistant", "At six.")]


def test_calls_and_their_answers_in_parts() -> None:
    turns = asked({
        "contents": [
            {"role": "model", "parts": [{"function_call": WISH}]},
            {"role": "user", "parts": [{"function_response": {"id": "c1", "response": {"low": "07:18"}}}]},
        ]
    })  # fmt: skip
    assert [(call.name, call.arguments, call.id) for call in turns[0].calls] == [
        ("tide_table", {"harbour": "Tönning"}, "c1")
    ]
    assert (turns[1].role, turns[1].answers, turns[1].content) == ("tool", "c1", {"low": "07:18"})


@pytest.mark.parametrize("other", ["text", None, 3, {}, {"input": "of a chain"}, {"messages": "none"}, ["a"]])
def test_other_values_are_no_request(other: AnyValue) -> None:
    assert asked(other) == ()


@pytest.mark.parametrize("other", ["text", None, 3, {}, {"output": "of a chain"}, {"output": ["a"]}, {"content": "a"}])
def test_other_values_are_no_response(other: AnyValue) -> None:
    assert answered(other) == ()
