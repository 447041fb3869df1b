"""Vercel AI SDK."""

import json

from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, span

SYSTEM = "You are a weather desk."
ASKED = [
    {"role": "system", "content": SYSTEM},
    {"role": "user", "content": [{"type": "text", "text": "Wind at Brest?"}]},
]
CALL = {"toolCallId": "v1", "toolName": "wind", "args": {"port": "Brest"}}
ANSWERED = [
    *ASKED,
    {"role": "assistant", "content": [{"type": "tool-call", **CALL}]},
    {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "v1", "toolName": "wind", "result": 22}]},
]


def test_generate_text_with_a_tool() -> None:
    spans = [
        span(1, None, "ai.generateText", 0, 9, {
            "ai.operationId": "ai.generateText", "ai.telemetry.functionId": "desk",
            "ai.prompt": json.dumps({"system": SYSTEM, "prompt": "Wind at Brest?"}), "ai.response.text": "22 knots.",
        }),
        span(2, 1, "ai.generateText.doGenerate", 1, 2, {
            "ai.operationId": "ai.generateText.doGenerate", "ai.prompt.messages": json.dumps(ASKED),
            "ai.response.toolCalls": json.dumps([{"toolCallType": "function", **CALL, "args": '{"port":"Brest"}'}]),
        }),
        span(3, 1, "ai.toolCall", 3, 4, {
            "ai.operationId": "ai.toolCall", "ai.toolCall.name": "wind", "ai.toolCall.id": "v1",
            "ai.toolCall.args": '{"port":"Brest"}', "ai.toolCall.result": "22",
        }),
        span(4, 1, "ai.generateText.doGenerate", 5, 6, {
            "ai.operationId": "ai.generateText.doGenerate", "ai.prompt.messages": json.dumps(ANSWERED),
            "ai.response.text": "22 knots.",
        }),
    ]  # fmt: skip
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3), (3, 4), (2, 4)}
    assert parameters(graph) == {"desk.system_prompt": (SYSTEM, [1, 2, 4])}
    assert final(graph) == "22 knots."
