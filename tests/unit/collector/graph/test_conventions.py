"""One workflow in many conventions: a plan, a search, a summary; a model that asks for a tool and gets its result."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import pytest

from collector.core.span import AnyValue, Event, Span
from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, span

PLAN: Final = "1. look the tide up at Husum 2. compare it with Emden"
FACTS: Final = "The range at Husum is 3.6 m, at Emden 3.2 m."
SUMMARY: Final = "Husum has the larger range, by forty centimetres."
ASKED: Final = (
    ("You plan the work.", "Which is larger?", PLAN),
    ("You look things up.", f"Plan: {PLAN}", FACTS),
    ("You sum up.", f"Question: Which is larger?\nFacts: {FACTS}", SUMMARY),
)

Recorded: TypeAlias = tuple[Mapping[str, AnyValue], Sequence[Event]]


def dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def chat(system: str, user: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def said(answer: str) -> dict[str, str]:
    return {"role": "assistant", "content": answer}


def event(name: str, **attributes: AnyValue) -> Event:
    return Event(name, 10, attributes)


def body(name: str, content: object) -> Event:
    return Event(name, 10, {"gen_ai.event.content": dump(content)})


def choices(answer: str) -> dict[str, object]:
    return {"choices": [{"index": 0, "message": said(answer)}]}


MODELS: Final[Mapping[str, Callable[[str, str, str], Recorded]]] = {
    "Azure, an event a message": lambda system, user, answer: (
        {"gen_ai.operation.name": "chat", "az.namespace": "Microsoft.CognitiveServices"},
        [
            body("gen_ai.system.message", {"role": "system", "content": system}),
            body("gen_ai.user.message", {"role": "user", "content": user}),
            body("gen_ai.choice", {"message": {"content": answer}, "finish_reason": "stop"}),
        ],
    ),
    "Azure, an event a list": lambda system, user, answer: (
        {"gen_ai.operation.name": "chat"},
        [body("gen_ai.input.messages", chat(system, user)), body("gen_ai.output.messages", [said(answer)])],
    ),
    "AWS's distribution": lambda system, user, answer: (
        {"gen_ai.operation.name": "chat"},
        [event("strands.telemetry.tracer",
               input={"messages": chat(system, user)}, output={"messages": [said(answer)]})],
    ),
    "Alibaba's probes": lambda system, user, answer: (
        {"gen_ai.span.kind": "LLM", "input.value": dump({"messages": chat(system, user)}),
         "output.value": dump(choices(answer))}, [],
    ),
    "Quarkus": lambda system, user, answer: (
        {"gen_ai.operation.name": "chat", "gen_ai.prompt": dump(chat(system, user)), "gen_ai.completion": answer}, [],
    ),
    "Braintrust": lambda system, user, answer: (
        {"braintrust.span_attributes": '{"type": "llm"}', "braintrust.input_json": dump(chat(system, user)),
         "braintrust.output_json": dump([{"message": said(answer), "finish_reason": "stop"}])}, [],
    ),
    "CozeLoop": lambda system, user, answer: (
        {"cozeloop.span_type": "model", "cozeloop.input": dump({"messages": chat(system, user)}),
         "cozeloop.output": dump(choices(answer))}, [],
    ),
    "tRPC": lambda system, user, answer: (
        {"gen_ai.operation.name": "call_llm", "trpc.go.agent.llm_response": dump(choices(answer)),
         "trpc.go.agent.llm_request": dump({"messages": chat(system, user), "model": "m"})}, [],
    ),
    "HoneyHive": lambda system, user, answer: (
        {"honeyhive_event_type": "model", "honeyhive_inputs.chat_history": dump(chat(system, user)),
         "honeyhive_outputs.role": "assistant", "honeyhive_outputs.content": answer}, [],
    ),
    "Sentry": lambda system, user, answer: (
        {"gen_ai.operation.type": "ai_client", "gen_ai.request.messages": dump(chat(system, user)),
         "gen_ai.response.text": dump([answer])}, [],
    ),
    "Datadog": lambda system, user, answer: (
        {"_ml_obs.span.kind": "llm", "_ml_obs.meta.input.messages": dump(chat(system, user)),
         "_ml_obs.meta.output.messages": dump([said(answer)])}, [],
    ),
    "New Relic": lambda system, user, answer: (
        {}, [event("LlmChatCompletionMessage", **one) for one in (*chat(system, user), said(answer))],
    ),
    "Weave": lambda system, user, answer: (
        {"wandb.span.kind": "llm", "weave.inputs": dump({"messages": chat(system, user)}),
         "weave.output": dump(choices(answer))}, [],
    ),
    "Pipecat": lambda system, user, answer: (
        {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "input": dump(chat(system, user)),
         "output": answer, "stream": True}, [],
    ),
    "keys that spell messages out": lambda system, user, answer: (
        {"chat.messages.0.role": "system", "chat.messages.0.content": system, "chat.messages.1.role": "user",
         "chat.messages.1.content": user, "chat.reply.content": answer}, [],
    ),
    "LangWatch": lambda system, user, answer: (
        {"langwatch.span.type": "llm", "langwatch.output": dump({"type": "text", "value": answer}),
         "langwatch.input": dump({"type": "chat_messages", "value": chat(system, user)})}, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("convention", MODELS)
def test_a_chain_of_models(convention: str) -> None:
    spans = [span(1, None, "run", 0, 9)]
    for number, one in enumerate(ASKED, 1):
        attributes, events = MODELS[convention](*one)
        spans.append(span(number + 1, 1, "chat m", 2 * number - 1, 2 * number, attributes, events=tuple(events)))
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3), (3, 4)}
    assert sorted(text for text, _ in parameters(graph).values()) == sorted(system for system, _, _ in ASKED)
    assert SUMMARY in dump(final(graph))


VALUES: Final[Mapping[str, Callable[[str, str], Recorded]]] = {
    "prompts that were sent": lambda user, answer: ({"llm.prompt": user, "llm.completion": answer}, []),
    "camel case": lambda user, answer: ({"userMessage": user, "assistantMessage": answer}, []),
    "Claude Code": lambda user, answer: (
        {"span.type": "llm_request", "new_context": user, "response.model_output": answer}, [],
    ),
    "bare values": lambda user, answer: ({"input.value": user, "output.value": answer}, []),
    "arguments by name": lambda user, answer: ({"weave.op": "f", "inputs.question": user, "output": answer}, []),
    "Python's repr": lambda user, answer: ({"args": repr((user,)), "result": repr(answer)}, []),
    "Azure's functions": lambda user, answer: (
        {"code.function.parameter.text": user, "code.function.return.value": answer}, [],
    ),
    "Dify": lambda user, answer: (
        {"node.type": "llm", "inputs": dump({"q": user}), "outputs": dump({"text": answer})}, [],
    ),
    "events": lambda user, answer: (
        {}, [event("function.call", args=dump([user])), event("function.result", result=answer)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("convention", VALUES)
def test_a_chain_of_values(convention: str) -> None:
    spans = [span(1, None, "run", 0, 9)]
    for number, (_, user, answer) in enumerate(ASKED, 1):
        attributes, events = VALUES[convention](user, answer)
        spans.append(span(number + 1, 1, "step", 2 * number - 1, 2 * number, attributes, events=tuple(events)))
    assert flows(graph_of(spans)) == {(2, 3), (3, 4)}


SYSTEM: Final = "You find ferries."
QUESTION: Final = "When does the ferry to Juist leave?"
WISH: Final = {"island": "Juist", "day": "14 May"}
RESULT: Final = {"island": "Juist", "departures": ["07:45", "13:20"], "vessel": "MS Frisia IV"}
ANSWER: Final = "MS Frisia IV leaves at 07:45 and 13:20."
OPENAI_CALL: Final = {"id": "call_9", "type": "function", "function": {"name": "ferry", "arguments": dump(WISH)}}
OPENAI: Final = [
    *chat(SYSTEM, QUESTION), {"role": "assistant", "content": None, "tool_calls": [OPENAI_CALL]},
    {"role": "tool", "tool_call_id": "call_9", "content": dump(RESULT)},
]  # fmt: skip
ANTHROPIC: Final = [
    {"role": "user", "content": QUESTION},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_9", "name": "ferry", "input": WISH}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_9", "content": dump(RESULT)}]},
]
GEMINI: Final = [
    {"role": "user", "parts": [{"text": QUESTION}]},
    {"role": "model", "parts": [{"functionCall": {"name": "ferry", "args": WISH}}]},
    {"role": "user", "parts": [{"functionResponse": {"name": "ferry", "response": RESULT}}]},
]
LOOPS: Final[Mapping[str, tuple[Recorded, Recorded, Recorded]]] = {
    "Sentry": (
        ({"gen_ai.operation.name": "chat", "gen_ai.request.messages": dump(OPENAI[:2]),
          "gen_ai.response.tool_calls": dump([{"id": "call_9", "name": "ferry", "arguments": dump(WISH)}])}, []),
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "ferry", "gen_ai.tool.input": dump(WISH),
          "gen_ai.tool.output": dump(RESULT)}, []),
        ({"gen_ai.operation.name": "chat", "gen_ai.request.messages": dump(OPENAI),
          "gen_ai.response.text": dump([ANSWER])}, []),
    ),
    "Azure": (
        ({"gen_ai.operation.name": "chat"}, [
            body("gen_ai.user.message", OPENAI[1]), body("gen_ai.choice", {"message": {"tool_calls": [OPENAI_CALL]}}),
        ]),
        ({"code.function.name": "ferry", "code.function.parameter.island": "Juist",
          "code.function.parameter.day": "14 May", "code.function.return.value": dump(RESULT)}, []),
        ({"gen_ai.operation.name": "chat"}, [
            body("gen_ai.user.message", OPENAI[1]), body("gen_ai.assistant.message", OPENAI[2]),
            body("gen_ai.tool.message", {"content": dump(RESULT), "id": "call_9"}),
            body("gen_ai.choice", {"message": {"content": ANSWER}}),
        ]),
    ),
    "AWS's distribution": (
        ({}, [event("strands.telemetry.tracer", input={"messages": OPENAI[:2]}, output={"messages": [OPENAI[2]]})]),
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "ferry", "gen_ai.tool.call.id": "call_9"}, [
            event("strands.telemetry.tracer",
                  input={"messages": [{"role": "tool", "content": {"content": dump(WISH), "id": "call_9"}}]},
                  output={"messages": [{"role": "tool", "content": {"message": dump(RESULT), "id": "call_9"}}]}),
        ]),
        ({}, [event("strands.telemetry.tracer", input={"messages": OPENAI}, output={"messages": [said(ANSWER)]})]),
    ),
    "Anthropic's requests at Braintrust": (
        ({"braintrust.input_json": dump({"system": SYSTEM, "messages": ANTHROPIC[:1], "model": "m"}),
          "braintrust.output_json": dump(ANTHROPIC[1])}, []),
        ({"braintrust.input_json": dump(WISH), "braintrust.output_json": dump(RESULT)}, []),
        ({"braintrust.input_json": dump({"system": SYSTEM, "messages": ANTHROPIC, "model": "m"}),
          "braintrust.output_json": dump({"role": "assistant", "content": [{"type": "text", "text": ANSWER}]})}, []),
    ),
    "Gemini's requests": (
        ({"llm.request": dump({"contents": GEMINI[:1]}),
          "llm.response": dump({"candidates": [{"content": GEMINI[1]}]})}, []),
        ({"tool.args": dump(WISH), "tool.result": dump(RESULT)}, []),
        ({"llm.request": dump({"contents": GEMINI}),
          "llm.response": dump({"candidates": [{"content": {"role": "model", "parts": [{"text": ANSWER}]}}]})}, []),
    ),
}  # fmt: skip


@pytest.mark.parametrize("convention", LOOPS)
def test_a_model_and_its_tool(convention: str) -> None:
    spans: list[Span] = [span(1, None, "run", 0, 9)]
    for number, (attributes, events) in enumerate(LOOPS[convention], 2):
        name = "ferry" if number == 3 else "chat"
        spans.append(span(number, 1, name, 2 * number, 2 * number + 1, attributes, events=tuple(events)))
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3), (2, 4), (3, 4)}
    assert ANSWER in dump(final(graph))
