"""Langfuse."""

import json

from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, span

FOUND = ["Brest spring tide range: 5.9 m.", "Brest neap tide range: 2.4 m."]


def test_a_retrieval_and_a_generation() -> None:
    messages = [{"role": "system", "content": "Use the notes."}, {"role": "user", "content": "\n".join(FOUND)}]
    answer = {"role": "assistant", "content": "The range is 5.9 m."}
    spans = [
        span(1, None, "ask", 0, 9, {
            "langfuse.trace.input": '"How high?"', "langfuse.trace.output": '"The range is 5.9 m."'
        }),
        span(2, 1, "search", 1, 2, {
            "langfuse.observation.type": "retriever", "langfuse.observation.input": '{"query": "How high?"}',
            "langfuse.observation.output": json.dumps(FOUND),
        }),
        span(3, 1, "generate", 3, 4, {
            "langfuse.observation.type": "generation", "langfuse.observation.input": json.dumps(messages),
            "langfuse.observation.output": json.dumps(answer), "langfuse.observation.prompt.name": "notes-prompt",
        }),
    ]  # fmt: skip
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3)}
    assert parameters(graph) == {"ask.system_prompt": ("Use the notes.", [3]), "notes-prompt": (None, [3])}
    assert "5.9 m" in str(final(graph))
