"""Whatever comes on spans: a graph that can be shown, the same for every order of arrival, or a `GraphError`."""

import json
import random

import pytest

from benchmarks.dataflow.capture import load, names
from collector.core.errors import GraphError
from collector.core.graph import TraceGraph
from collector.core.span import AnyValue, LogRecord, Span
from collector.graph.builder import build
from collector.graph.subgraph import Dataflow
from collector.render.document import graph_document
from collector.render.tree import text_tree

ODD: list[AnyValue] = [
    None, "", 0, -1, 1.5, float("nan"), float("inf"), True, b"\xff", [], {}, [[]], {"a": {"b": [1, {"c": None}]}},
    "{", "[", "[{", '"', '{"a":', "x" * 5000, "…", "null", "NaN", "[1,2", '{"role":"user"}', '[{"role":1}]',
    ["a", 1, None], {"role": "user", "content": [{"type": "text"}]}, "{'a': 1}", "{'a': 1} {'b': 2}", "[[" * 200,
    '{"a":' * 150, "\\ud83d", '{"a": "x\\ud83d"}', '["\\ude00", "\\ud83d\\ude00"]', '[{"tool_calls": "x"}]',
]  # fmt: skip
ROUNDS = 25


def changed(value: AnyValue, chance: random.Random) -> AnyValue:
    """Another value, a part of it, or it inside of something."""
    kind = chance.randrange(6)
    if kind == 0:
        return chance.choice(ODD)
    if kind == 1 and isinstance(value, str):
        return value[: chance.randrange(len(value) + 1)]
    if kind == 2 and isinstance(value, str):
        return value + chance.choice('}]"\\')
    return [value] if kind == 3 else {"x": value} if kind == 4 else value


def damaged(spans: list[Span], known: list[tuple[str, AnyValue]], chance: random.Random) -> list[Span]:
    """Attributes changed, lost, and taken from other instrumentations; parents and starts as they cannot be."""
    found = []
    for span in spans:
        attributes = {
            key: changed(value, chance) if chance.random() < 0.3 else value
            for key, value in span.attributes.items()
            if chance.random() > 0.1
        }
        attributes.update(chance.sample(known, chance.randrange(4)))
        events = [
            event._replace(attributes={key: changed(value, chance) for key, value in event.attributes.items()})
            for event in span.events
        ]
        start = chance.choice((0, 2**63, span.end_time_unix_nano + 5, *[span.start_time_unix_nano] * 20))
        parent = chance.choice((chance.choice(spans).context.span_id, *[span.parent_span_id] * 10))
        found.append(
            span._replace(
                attributes=attributes, events=tuple(events), start_time_unix_nano=start, parent_span_id=parent
            )
        )
    return found


def graph_or_refusal(trace_id: str, spans: list[Span], records: list[LogRecord]) -> TraceGraph | str:
    try:
        return build(trace_id, spans, {}, {}, (), records)
    except GraphError as error:
        return str(error)


@pytest.fixture(scope="module")
def known() -> list[tuple[str, AnyValue]]:
    """Every attribute of every recorded instrumentation."""
    return [item for name in names() for span in load(name).spans for item in span.attributes.items()]


@pytest.mark.parametrize("name", names())
def test_there_is_a_graph_or_a_reason(name: str, known: list[tuple[str, AnyValue]]) -> None:
    chance, capture = random.Random(name), load(name)
    for _ in range(ROUNDS):
        trace_id = chance.choice(capture.truth["traces"])["trace_id"]
        spans = damaged(capture.spans_of(trace_id)[:20], known, chance)
        records = capture.records_of(trace_id)
        graph = graph_or_refusal(trace_id, spans, records)
        if isinstance(graph, str):
            assert trace_id in graph
            continue
        json.dumps(graph_document(graph), allow_nan=False).encode()
        assert text_tree(graph)
        assert [*graph.topological()]
        for output in graph.outputs:
            assert [one.node for one in Dataflow(graph).leading_to(output.node).outputs] == [output.node]
        chance.shuffle(spans)
        assert repr(graph_or_refusal(trace_id, spans, records)) == repr(graph)
