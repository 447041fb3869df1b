"""Messages in log records and in span events."""

from collector.core.span import Event
from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, record, span

CHAT = {"gen_ai.operation.name": "chat"}
FIRST = "The ferry to Ouessant is cancelled because of a gale."
SECOND = "Le bac pour Ouessant est annulé."
ROOT = span(1, None, "pipeline", 0, 9)


def test_log_records_of_openai_v2_carry_content_in_their_body() -> None:
    records = [
        record(2, "gen_ai.system.message", 1, {"content": "Summarise the notice."}),
        record(2, "gen_ai.user.message", 1, {"content": "All crossings are withdrawn."}),
        record(2, "gen_ai.choice", 2, {"index": 0, "message": {"role": "assistant", "content": FIRST}}),
        record(3, "gen_ai.user.message", 3, {"content": FIRST}),
        record(3, "gen_ai.choice", 4, {"index": 0, "message": {"role": "assistant", "content": SECOND}}),
    ]
    graph = graph_of([ROOT, span(2, 1, "chat m", 1, 2, CHAT), span(3, 1, "chat m", 3, 4, CHAT)], records)
    assert flows(graph) == {(2, 3)}
    assert parameters(graph) == {"pipeline.system_prompt": ("Summarise the notice.", [2])}
    assert final(graph) == SECOND


def test_an_inference_event_carries_structured_attributes() -> None:
    def details(number: int, second: float, taken: str, given: str) -> object:
        return record(
            number,
            "gen_ai.client.inference.operation.details",
            second,
            gen_ai__input__messages=[{"role": "user", "parts": [{"type": "text", "content": taken}]}],
            gen_ai__output__messages=[{"role": "assistant", "parts": [{"type": "text", "content": given}]}],
            gen_ai__system_instructions=[{"type": "text", "content": "Be brief."}],
        )

    records = [details(2, 2, "A long notice", FIRST), details(3, 4, f"Translate: {FIRST}", SECOND)]
    spans = [ROOT, span(2, 1, "chat m", 1, 2, CHAT), span(3, 1, "chat m", 3, 4, CHAT)]
    graph = graph_of(spans, records)  # type: ignore[arg-type]
    assert flows(graph) == {(2, 3)}
    assert parameters(graph) == {"pipeline.system_prompt": ("Be brief.", [2, 3])}


def test_strands_writes_span_events_with_json_texts() -> None:
    wish = '[{"toolUse": {"toolUseId": "t1", "name": "tide", "input": {"port": "Brest"}}}]'
    result = '[{"toolResult": {"toolUseId": "t1", "status": "success", "content": [{"text": "5.9 m"}]}}]'
    spans = [
        span(1, None, "invoke_agent Strands Agents", 0, 9, {"gen_ai.operation.name": "invoke_agent"}, events=[
            Event("gen_ai.user.message", 1, {"content": '[{"text": "How high is the tide at Brest?"}]'}),
            Event("gen_ai.choice", 9, {"message": "The tide is 5.9 m.\n", "finish_reason": "end_turn"}),
        ]),
        span(2, 1, "chat", 1, 2, CHAT, events=[
            Event("gen_ai.system.message", 1, {"content": "You know the tides."}),
            Event("gen_ai.user.message", 1, {"content": '[{"text": "How high is the tide at Brest?"}]'}),
            Event("gen_ai.choice", 2, {"finish_reason": "tool_use", "message": wish}),
        ]),
        span(3, 1, "execute_tool tide", 3, 4,
             {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "tide", "gen_ai.tool.call.id": "t1"},
             events=[
            Event("gen_ai.tool.message", 3, {"role": "tool", "content": '{"port": "Brest"}', "id": "t1"}),
            Event("gen_ai.choice", 4, {"message": '[{"text": "5.9 m"}]', "id": "t1"}),
        ]),
        span(4, 1, "chat", 5, 6, CHAT, events=[
            Event("gen_ai.user.message", 5, {"content": '[{"text": "How high is the tide at Brest?"}]'}),
            Event("gen_ai.assistant.message", 5, {"content": wish}),
            Event("gen_ai.tool.message", 5, {"content": result}),
            Event("gen_ai.choice", 6, {"finish_reason": "end_turn", "message": '[{"text": "The tide is 5.9 m."}]'}),
        ]),
    ]  # fmt: skip
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3), (3, 4), (2, 4)}
    assert list(parameters(graph).values()) == [("You know the tides.", [2])]
    assert str(final(graph)).strip() == "The tide is 5.9 m."


def test_a_log_record_s_body_may_be_json_text() -> None:
    """Semantic Kernel writes messages by Python's logging."""
    records = [
        record(2, "", 1, '{"role": "system", "content": "Summarise the notice."}', event__name="gen_ai.system.message"),
        record(2, "", 2, '{"message": {"role": "assistant", "content": "' + FIRST + '"}}', event__name="gen_ai.choice"),
        record(3, "", 3, '{"role": "user", "content": "' + FIRST + '"}', event__name="gen_ai.user.message"),
    ]
    graph = graph_of([ROOT, span(2, 1, "chat m", 1, 2, CHAT), span(3, 1, "chat m", 3, 4, CHAT)], records)
    assert flows(graph) == {(2, 3)}
    assert parameters(graph) == {"pipeline.system_prompt": ("Summarise the notice.", [2])}
