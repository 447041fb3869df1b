"""Logfire: keyword attributes and instrumented models."""

import json

from collector.graph.reading.conventions import installed
from collector.graph.reading.reader import read
from tests.unit.collector.graph.workflows import final, flows, graph_of, parameters, span

DRAFT = "Moor with two lines and a spring."


def test_keyword_attributes_are_inputs_and_request_data_are_messages() -> None:
    request = {
        "messages": [{"role": "system", "content": "You write checklists."}, {"role": "user", "content": "Mooring"}]
    }
    spans = [
        span(1, None, "make checklist", 0, 9, {
            "topic": "Mooring in a swell", "logfire.json_schema": '{"type":"object","properties":{"topic":{}}}',
            "logfire.span_type": "span",
        }),
        span(2, 1, "Chat Completion with 'm'", 1, 2, {
            "request_data": json.dumps(request),
            "response_data": json.dumps({"message": {"role": "assistant", "content": DRAFT}, "usage": None}),
        }),
        span(3, 1, "store checklist", 3, 4, {
            "checklist": DRAFT, "logfire.json_schema": '{"type":"object","properties":{"checklist":{}}}',
            "logfire.span_type": "span",
        }),
    ]  # fmt: skip
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3)}
    assert parameters(graph) == {"make checklist.system_prompt": ("You write checklists.", [2])}
    assert final(graph) == DRAFT


def test_what_was_set_after_the_span_was_opened_came_out() -> None:
    quotes = [{"carrier": "Hellmann", "price": 491.13}, {"carrier": "Dachser", "price": 476.73}]
    schema = '{"type":"object","properties":{"quotes":{"type":"array"},"limit":{},"best":{"type":"object"}}}'
    spans = [
        span(1, None, "offer", 0, 9, {"logfire.span_type": "span"}),
        span(2, 1, "pick best", 1, 2, {
            "quotes": json.dumps(quotes), "limit": 500, "logfire.msg": "pick best", "logfire.span_type": "span",
            "best": json.dumps(quotes[1]), "logfire.json_schema": schema,
        }),
        span(3, 1, "write offer", 3, 4, {
            "best": json.dumps(quotes[1]), "logfire.json_schema": '{"type":"object","properties":{"best":{}}}',
            "logfire.span_type": "span",
        }),
    ]  # fmt: skip
    graph = graph_of(spans)
    assert flows(graph) == {(2, 3)}
    assert final(graph) == quotes[1]


def test_of_openai_agents_the_request_that_went_on_to_grow_is_not_believed() -> None:
    asked = [{"role": "system", "content": "Sell tickets."}, {"role": "user", "content": "Two seats for Faust"}]
    said = {"role": "assistant", "content": DRAFT}
    chat = span(2, 1, "Chat completion", 1, 2, {
        "input": json.dumps(asked), "output": json.dumps([said]), "logfire.span_type": "span",
        "request_data": json.dumps({"messages": [*asked, said]}),
    })  # fmt: skip
    reading = read(chat, (), installed())
    assert [(one.role, one.content) for one in reading.taken] == [
        ("system", "Sell tickets."),
        ("user", "Two seats for Faust"),
    ]
    assert [(one.role, one.content) for one in reading.given] == [("assistant", DRAFT)]
