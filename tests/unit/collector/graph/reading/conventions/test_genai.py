"""GenAI attributes on spans; pydantic-ai's agent spans."""

import json

from collector.core.span import AnyValue
from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, span

SYSTEM = [{"type": "text", "content": "You are the harbour master. Answer in one sentence."}]
QUESTION = {"role": "user", "parts": [{"type": "text", "content": "Is berth 7 free tonight?"}]}
CALL = {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "berth", "arguments": {"number": 7}}]}
RESULT = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "free"}]}
ANSWER = {"role": "assistant", "parts": [{"type": "text", "content": "Yes, berth 7 is free."}], "finish_reason": "stop"}
TOOL: dict[str, AnyValue] = {
    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "berth", "gen_ai.tool.call.id": "c1",
    "gen_ai.tool.call.arguments": '{"number": 7}', "gen_ai.tool.call.result": "free",
}  # fmt: skip


def chat(taken: list[object], given: list[object], text: bool = True, **more: AnyValue) -> dict[str, AnyValue]:
    shown = json.dumps if text else (lambda value: value)
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": shown(taken),  # type: ignore[no-untyped-call]
        "gen_ai.output.messages": shown(given),  # type: ignore[no-untyped-call]
        "gen_ai.agent.name": "harbour",
        **more,
    }


def agent(text: bool = True) -> list[object]:
    instructions = json.dumps(SYSTEM) if text else SYSTEM
    return [
        span(1, None, "invoke_agent harbour", 0, 9, {
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "harbour",
            "final_result": "Yes, berth 7 is free.", "gen_ai.system_instructions": instructions,
            "pydantic_ai.all_messages": json.dumps([QUESTION, CALL, RESULT, ANSWER]),
        }),
        span(2, 1, "chat m", 1, 2, chat([QUESTION], [CALL], text, **{"gen_ai.system_instructions": instructions})),
        span(3, 1, "execute_tool berth", 3, 4, TOOL),
        span(4, 1, "chat m", 5, 6, chat([QUESTION, CALL, RESULT], [ANSWER], text,
                                        **{"gen_ai.system_instructions": instructions})),
    ]  # fmt: skip


def test_a_tool_is_joined_to_its_models_by_the_id_of_the_call_though_its_values_are_short() -> None:
    for text in (True, False):
        graph = graph_of(agent(text))  # type: ignore[arg-type]
        assert flows(graph) == {(2, 3), (3, 4)}
        assert parameters(graph) == {
            "harbour.system_prompt": ("You are the harbour master. Answer in one sentence.", [1, 2, 4])
        }
        assert final(graph) == "Yes, berth 7 is free."


def test_what_an_agent_answered_is_no_input_of_it() -> None:
    graph = graph_of(agent())  # type: ignore[arg-type]
    (taken,) = [node.value for node in graph.nodes if node.id.startswith("input:") and node.span_id == "0" * 15 + "1"]
    assert taken == [{"role": "user", "content": "Is berth 7 free tonight?"}]


def test_without_recorded_content_the_order_of_an_agents_steps_remains() -> None:
    bare = {"gen_ai.operation.name": "chat"}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "berth"}
    spans = [
        span(1, None, "invoke_agent harbour", 0, 9, {"gen_ai.operation.name": "invoke_agent"}),
        span(2, 1, "chat m", 1, 2, bare),
        span(3, 1, "execute_tool berth", 3, 4, tool),
        span(4, 1, "execute_tool berth", 3.1, 4.1, tool),
        span(5, 1, "chat m", 5, 6, bare),
    ]
    assert flows(graph_of(spans)) == {(2, 3), (2, 4), (3, 5), (4, 5)}


def test_an_error_type_alone_is_an_exception() -> None:
    (failed,) = graph_of(
        [span(1, None, "chat m", 0, 1, {"gen_ai.operation.name": "chat", "error.type": "_OTHER"})]
    ).exceptions
    assert (failed.type, failed.handled) == ("_OTHER", False)


def test_an_output_may_be_plain_text_and_other_attributes_the_inputs() -> None:
    """OpenLIT's decorated functions."""
    made = "{'line': 'Havneby-List', 'next': 'Sat 06:45'}"
    graph = graph_of([
        span(1, None, "handle", 0, 9),
        span(2, 1, "classify", 1, 2, {"gen_ai.output.messages": "Havneby-List | refund of a hotel on Sylt",
                                      "function.args": "('We spent the night in the car.',)"}),
        span(3, 1, "timetable", 3, 4, {"gen_ai.output.messages": made, "function.args": "('Havneby-List',)",
                                       "function.kwargs": "{}"}),
        span(4, 1, "decide", 5, 6, {"gen_ai.output.messages": "Refund the fare.",
                                    "function.args": "(" + made + ", 'refund of a hotel on Sylt')"}),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3), (2, 4), (3, 4)}
    assert final(graph) == "Refund the fare."
