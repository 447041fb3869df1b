"""Agents' loops of which messages were cut on the way."""

import json

from collector.core.span import AnyValue, Span
from tests.unit.collector.graph.workflows import flows, graph_of, span

SAID = [{"role": "system", "content": "Plan a leg."}, {"role": "user", "content": "To Helgoland on Friday?"}]
WISH = {
    "role": "assistant",
    "parts": [{"type": "tool_call", "id": "c1", "name": "tides", "arguments": {"on": "Friday"}}],
}
MARK = "…[truncated]"


def model(number: int, taken: str, made: AnyValue) -> Span:
    return span(number, 1, "chat m", number, number + 0.5, {
        "gen_ai.operation.name": "chat", "gen_ai.input.messages": taken,
        "gen_ai.output.messages": json.dumps([made]),
    })  # fmt: skip


def tool(number: int, call_id: str) -> Span:
    return span(number, 1, "execute_tool tides", number, number + 0.5, {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "tides", "gen_ai.tool.call.id": call_id,
        "gen_ai.tool.call.result": "low at 07:18",
    })  # fmt: skip


def trace(history: str) -> list[Span]:
    answer = {"role": "assistant", "content": "Leave at seven."}
    first = model(2, json.dumps(SAID), WISH)
    return [span(1, None, "agent", 0, 9), first, tool(3, "c1"), model(4, history, answer)]


def test_a_wish_in_cut_messages_had_its_answer_behind_it() -> None:
    history = json.dumps([*SAID, WISH, {"role": "tool", "tool_call_id": "c1", "content": "low at 07:18"}])
    assert {(2, 3), (3, 4)} <= flows(graph_of(trace(history)))
    for end in ('"arguments"', '"name"', '"tool_call_id"', '"content": "low'):
        cut = history[: history.rindex(end)] + MARK
        assert (3, 4) in flows(graph_of(trace(cut))), end


def test_messages_that_were_not_cut_or_hold_no_wish_need_no_answer() -> None:
    assert (3, 4) not in flows(graph_of(trace(json.dumps([*SAID, WISH]))))
    assert (3, 4) not in flows(graph_of(trace(json.dumps(SAID)[:-20] + MARK)))


def test_another_conversation_s_tools_are_not_meant() -> None:
    other = [{"role": "system", "content": "Plan a leg."}, {"role": "user", "content": "To Sylt on Sunday?"}, WISH]
    assert (3, 4) not in flows(graph_of(trace(json.dumps(other)[:-5] + MARK)))


def test_a_history_that_was_cut_away_as_a_whole_had_the_results_of_the_tools_beside_it() -> None:
    history = json.dumps([*SAID, {"role": "tool", "content": "low at 07:18"}])
    assert (3, 4) in flows(graph_of(trace(history[: history.rindex(', {"role"')] + MARK)))
    elsewhere = [
        one if one.name != "execute_tool tides" else one._replace(parent_span_id=None) for one in trace(history)
    ]
    cut = model(4, history[: history.rindex(', {"role"')] + MARK, {"role": "assistant", "content": "Leave at seven."})
    assert (3, 4) not in flows(graph_of([*elsewhere[:3], cut]))


def test_a_tool_that_a_stream_asked_for_may_end_before_the_stream() -> None:
    streaming = model(2, json.dumps(SAID), WISH)._replace(end_time_unix_nano=tool(4, "").end_time_unix_nano)
    assert (2, 3) in flows(graph_of([span(1, None, "agent", 0, 9), streaming, tool(3, "c1")]))
    assert (2, 3) not in flows(graph_of([span(1, None, "agent", 0, 9), streaming, tool(3, "c2")]))


def test_where_a_model_s_messages_are_gone_no_tool_s_result_is_assumed() -> None:
    lost = '[{"' + "x" * 200 + MARK
    silenced = model(2, lost, WISH)._replace(attributes={
        "gen_ai.operation.name": "chat", "gen_ai.input.messages": lost, "gen_ai.output.messages": '[{"ro' + MARK,
    })  # fmt: skip
    root = span(1, None, "agent", 0, 9)
    found = flows(graph_of([root, silenced, tool(3, ""), model(4, lost, {"role": "assistant", "content": "At ten."})]))
    assert (3, 4) not in found
