"""Logfire: keyword attributes and instrumented models."""

import json

from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, span

DRAFT = "Moor with two lines and a spring."


def test_keyword_attributes_are_inputs_and_request_data_are_messages() -> None:
    request = {
        "messages": [{"role": "system", "content": "You write checklists."}, {"role": "user", "content": "Mooring"}]
    }
    spans = [
        span(1, None, "make checklist", 0, 9, {"logfire.span_type": "span", "topic": "Mooring in a swell",
                                               "logfire.json_schema": '{"type":"object","properties":{"topic":{}}}'}),
        span(2, 1, "Chat Completion with 'm'", 1, 2, {
            "request_data": json.dumps(request),
            "response_data": json.dumps({"message": {"role": "assistant", "content": DRAFT}, "usage": None}),
        }),
        span(3, 1, "store checklist", 3, 4, {"checklist": DRAFT, "logfire.span_type": "span",
                                             "logfire.json_schema": '{"type":"object","properties":{"checklist":{}}}'}),
    ]  # fmt: skip
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3)}
    assert parameters(graph) == {"make checklist.system_prompt": ("You write checklists.", [2])}
    assert final(graph) == DRAFT
