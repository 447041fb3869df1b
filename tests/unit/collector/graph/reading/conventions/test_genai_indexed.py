"""One key per field: OpenLLMetry's older form."""

from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, span

DRAFT = "The beam turns, and nobody on shore counts it."


def test_messages_and_calls_are_read_from_numbered_keys() -> None:
    spans = [
        span(1, None, "write.workflow", 0, 9, {"traceloop.span.kind": "workflow"}),
        span(2, 1, "openai.chat", 1, 2, {
            "llm.request.type": "chat",
            "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "Write one line.",
            "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "About a lighthouse",
            "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": DRAFT,
        }),
        span(3, 1, "openai.chat", 3, 4, {
            "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": f"Check this line:\n{DRAFT}",
            "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.finish_reason": "tool_calls",
            "gen_ai.completion.0.tool_calls.0.id": "x1", "gen_ai.completion.0.tool_calls.0.name": "publish",
            "gen_ai.completion.0.tool_calls.0.arguments": '{"now": true}',
        }),
        span(4, 1, "publish.tool", 5, 6, {
            "traceloop.span.kind": "tool", "traceloop.entity.name": "publish",
            "traceloop.entity.input": '{"args": [], "kwargs": {"now": true}}', "traceloop.entity.output": '"done"',
        }),
    ]  # fmt: skip
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3), (3, 4)}
    assert parameters(graph) == {"write.workflow.system_prompt": ("Write one line.", [2])}
    assert final(graph) == "done"


def test_prompts_that_are_one_attribute() -> None:
    spans = [
        span(1, None, "write", 0, 9),
        span(2, 1, "chat", 1, 2, {
            "gen_ai.prompt": '[{"role": "system", "content": "Write a line."}, {"role": "user", "content": "A lamp"}]',
            "gen_ai.completion": '[{"role": "assistant", "content": "' + DRAFT + '"}]',
        }),
        span(3, 1, "chat", 3, 4, {"gen_ai.prompt": f"Check: {DRAFT}", "gen_ai.completion": "It now ends too soon."}),
    ]  # fmt: skip
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3)}
    assert parameters(graph) == {"write.system_prompt": ("Write a line.", [2])}
    assert final(graph) == "It now ends too soon."
