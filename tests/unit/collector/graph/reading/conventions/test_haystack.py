"""Haystack's own tracer."""

import json

from collector.core.span import Span
from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, span

PROMPT = "Write three search words for the reader's wish, nothing else. Wish: a dark tale about a mill"
DRAFT = "Take Krabat from shelf Kp-02."


def component(number: int, name: str, kind: str, given: object, made: object) -> Span:
    return span(number, 1, "haystack.component.run", number, number + 0.5, {
        "haystack.component.name": name, "haystack.component.type": kind, "haystack.component.visits": 1,
        "haystack.component.input": json.dumps(given), "haystack.component.output": json.dumps(made),
    })  # fmt: skip


def test_components_are_operations_with_names_and_prompt_builders_fill_in_templates() -> None:
    graph = graph_of([
        span(1, None, "haystack.pipeline.run", 0, 9, {"haystack.pipeline.output_data": "{}"}),
        component(2, "query_prompt", "PromptBuilder", {"wish": "a dark tale about a mill", "template": None},
                  {"prompt": PROMPT}),
        component(3, "query_llm", "OpenAIGenerator", {"prompt": PROMPT, "system_prompt": None},
                  {"replies": ["mill magic apprentice"]}),
        component(4, "retriever", "InMemoryBM25Retriever", {"query": "mill magic apprentice", "top_k": None},
                  {"documents": [{"content": "Krabat learns magic in a mill in Lusatia."}]}),
        component(5, "answer_llm", "OpenAIChatGenerator", {"messages": [
            {"role": "system", "content": [{"text": "You are a librarian."}]},
            {"role": "user", "content": [{"text": "Krabat learns magic in a mill in Lusatia."}]}]},
            {"replies": [{"role": "assistant", "content": [{"text": DRAFT}]}]}),
    ])  # fmt: skip
    assert flows(graph) == {(2, 3), (3, 4), (4, 5)}
    assert parameters(graph) == {
        "answer_llm.system_prompt": ("You are a librarian.", [5]),
        "query_prompt.template": (PROMPT.replace("a dark tale about a mill", "{wish}"), [2]),
    }
    assert [node.name for node in graph.nodes if node.span_id][-4:] == [
        "query_prompt",
        "query_llm",
        "retriever",
        "answer_llm",
    ]
    assert final(graph) == DRAFT


def test_calls_of_tools_are_parts_of_messages() -> None:
    wish = {"tool_call": {"tool_name": "tides", "arguments": {"harbour": "Tönning"}, "id": "c1"}}
    answer = {"tool_call_result": {"result": "low at 07:18", "origin": wish["tool_call"], "error": False}}
    graph = graph_of([
        component(2, "chat", "OpenAIChatGenerator", {"messages": [{"role": "user", "content": [{"text": "Tides?"}]}]},
                  {"replies": [{"role": "assistant", "content": [wish]}]}),
        component(3, "chat", "OpenAIChatGenerator", {"messages": [{"role": "tool", "content": [answer]}]},
                  {"replies": [{"role": "assistant", "content": [{"text": "At seven."}]}]}),
    ])  # fmt: skip
    said = {node.id: node.value for node in graph.nodes}
    assert said["span:" + f"{2:016x}"] == {
        "role": "assistant", "tool_calls": [{"name": "tides", "arguments": {"harbour": "Tönning"}}]
    }  # fmt: skip
    given = [node.value for node in graph.nodes if node.kind.value == "input" and node.name == "messages"]
    assert given[-1] == [{"role": "tool", "content": "low at 07:18"}]
