"""Why a graph says what it says of a span."""

import re
from pathlib import Path

import pytest

from collector.api.explained import explanation_document, explanation_text
from collector.assembly.explained import explanation
from collector.core.errors import NotFound
from tests import samples
from tests.unit.collector.graph.workflows import graph_of, record, span

PAGE = (Path(__file__).parents[4] / "docs" / "graph.md").read_text(encoding="utf-8")
CHAT = (
    '[{"role": "system", "content": "Name a port, then ask for its tide."},'
    ' {"role": "user", "content": "Which tide is larger?"}]'
)
ANSWER = '[{"role": "assistant", "parts": [{"type": "text", "content": "Husum, high water at noon"}]}]'
MODEL = {
    "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.input.messages": CHAT,
    "gen_ai.output.messages": ANSWER,
}  # fmt: skip
TOOL = {
    "openinference.span.kind": "TOOL", "session.id": "s-1", "tool.name": "tide_table",
    "input.value": "Husum, high water at noon", "output.value": "3.6 m",
}  # fmt: skip
SPANS = [
    span(1, None, "ask", 0, 9, {"traceloop.span.kind": "workflow"}),
    span(2, 1, "chat", 1, 2, MODEL),
    span(3, 1, "tide_table", 3, 4, TOOL),
]


def test_the_page_shows_what_is_said() -> None:
    said = explanation_text(explanation(graph_of(SPANS), SPANS, (), samples.span_id(3)))
    assert re.search(r"```text\n(span .*?)```", PAGE, re.DOTALL)[1] == said  # type: ignore[index]


def test_a_document_has_keys_conventions_rules_and_whole_values() -> None:
    said = explanation_document(explanation(graph_of(SPANS), SPANS, (), samples.span_id(2)))
    assert said["statements"][1] == {  # type: ignore[index]
        "fact": "instructions",
        "value": ["Name a port, then ask for its tide."],
        "keys": ["gen_ai.input.messages"],
        "convention": "genai",
    }
    edges = said["edges"]
    assert isinstance(edges, list)
    assert [(one["source_name"], one["target_name"], one["rule"]) for one in edges] == [
        ("ask.system_prompt", "chat", ""), ("messages", "chat", ""), ("chat", "ask", "result"),
        ("chat", "tide_table", "equal"),
    ]  # fmt: skip
    assert edges[3]["why"] == "a text of an output is a whole text of an input"


def test_a_log_record_is_named_by_its_event() -> None:
    spans = [span(1, None, "chat", 0, 9, {"gen_ai.operation.name": "chat"})]
    records = [record(1, "gen_ai.choice", 5, {"index": 0, "message": {"role": "assistant", "content": "At noon."}})]
    said = explanation(graph_of(spans, records), spans, records, samples.span_id(1))
    assert said.statements[-1] == ("output", "At noon.", ("event gen_ai.choice",), "genai_events")


def test_the_inner_one_of_a_call_that_is_recorded_twice_is_shown_at_the_outer_one() -> None:
    spans = [span(1, None, "chat", 0, 9, MODEL, scope="one"), span(2, 1, "chat m", 1, 8, MODEL, scope="other")]
    said = explanation(graph_of(spans), spans, (), samples.span_id(2))
    assert said.node == f"span:{samples.span_id(1)}"
    assert f"one call with {said.node}" in explanation_text(said)
    assert said.statements
    assert all(said.node in (one.edge.source, one.edge.target) for one in said.edges)


def test_a_span_that_says_nothing_and_one_that_is_not_there() -> None:
    spans = [span(1, None, "quiet", 0, 9)]
    assert explanation_text(explanation(graph_of(spans), spans, (), samples.span_id(1))).endswith(
        "nothing was read: no convention knows its keys\nno edges\n"
    )
    with pytest.raises(NotFound, match="has none of that id"):
        explanation(graph_of(spans), spans, (), samples.span_id(2))
