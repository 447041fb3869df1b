"""LangSmith's export: runs of LangChain and of traced functions."""

import json

from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, span

PLAN = "1. look the tide up 2. compare it"
ANSWER = "It is 5.9 m high."


def run(kind: str, taken: object, made: object) -> dict[str, object]:
    return {
        "langsmith.span.kind": kind, "langsmith.metadata.ls_method": "traceable", "gen_ai.operation.name": "chat",
        "gen_ai.prompt": json.dumps(taken), "gen_ai.completion": json.dumps(made),
    }  # fmt: skip


def constructed(kind: str, content: str) -> dict[str, object]:
    return {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "messages", kind],
        "kwargs": {"content": content},
    }


def test_runs_of_chains_prompts_and_models() -> None:
    asked = [constructed("SystemMessage", "Answer shortly."), constructed("HumanMessage", f"Follow the plan: {PLAN}")]
    said = {"generations": [[{"text": ANSWER, "message": constructed("AIMessage", ANSWER)}]], "llm_output": {"n": 1}}
    spans = [
        span(1, None, "run", 0, 9, run("chain", {"question": "How high?"}, {"output": ANSWER})),
        span(2, 1, "plan", 1, 2, run("chain", {"question": "How high?"}, {"output": PLAN})),
        span(3, 1, "ChatPromptTemplate", 3, 4, run("prompt", {"plan": PLAN}, {"output": {"messages": asked}})),
        span(4, 1, "ChatOpenAI", 5, 6, run("llm", {"messages": [asked]}, said)),
    ]
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3), (3, 4)}
    assert parameters(graph) == {"run.system_prompt": ("Answer shortly.", [4])}
    assert final(graph) == ANSWER
    assert {node.value for node in graph.nodes if node.name == "ChatOpenAI"} == {ANSWER}
