"""A graph as JSON."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from collector.core.graph import EdgeOrigin, NodeKind, TraceGraph
from collector.core.span import AnyValue
from collector.render.document import graph_document, plain
from collector.render.published import GraphDocument
from tests import samples
from tests.unit.collector.render.graphs import TRACE, dags, example


def test_the_document_has_the_published_form() -> None:
    document = graph_document(example())
    assert list(document) == [
        "trace_id", "nodes", "edges", "parameters", "outputs", "feedback", "exceptions", "gaps", "release",
    ]  # fmt: skip
    assert json.loads(json.dumps(document, allow_nan=False)) == document


@given(dags() | st.just(example()))
def test_documents_are_what_their_schema_says(graph: TraceGraph) -> None:
    document = graph_document(graph)
    assert TypeAdapter(GraphDocument).validate_python(document, strict=True) == document


def test_the_schema_names_the_same_members_origins_and_kinds() -> None:
    schema = json.loads((Path(__file__).parents[4] / "docs/schema/graph.v1.json").read_text(encoding="utf-8"))
    assert schema["required"] == list(graph_document(example()))
    assert schema["$defs"]["EdgeDocument"]["properties"]["origin"]["enum"] == [origin.value for origin in EdgeOrigin]
    assert schema["$defs"]["NodeDocument"]["properties"]["kind"]["enum"] == [kind.value for kind in NodeKind]


def test_each_part_has_its_fields() -> None:
    document: dict[str, list[dict[str, object]]] = json.loads(json.dumps(graph_document(example())))
    ids = {node["id"] for node in document["nodes"]}
    assert all({edge["source"], edge["target"]} <= ids for edge in document["edges"])
    assert document["nodes"][0] == {
        "id": "param:shop/k@4", "kind": "parameter", "name": "k", "span_id": None, "incomplete": False, "value": 3,
        "service": "shop", "description": "",
    }  # fmt: skip
    link = next(edge for edge in document["edges"] if edge["argument"] == "found")
    assert link == {
        "source": f"span:{samples.span_id(2)}", "target": f"span:{samples.span_id(4)}", "origin": "link",
        "confidence": 1.0, "argument": "found", "reason": "the span names the producer",
        "rule": "argument",
    }  # fmt: skip
    assert document["parameters"][0] == {
        "key": "k", "version": 4, "text": "3", "trainable": True, "used_by": [samples.span_id(2)], "discovered": False,
        "node": "param:shop/k@4",
    }  # fmt: skip
    assert document["outputs"] == [{"node": f"span:{samples.span_id(1)}", "value": "so"}]
    assert document["exceptions"] == [
        {"span_id": samples.span_id(4), "type": "ValueError", "message": "broken", "handled": True, "stacktrace": ""}
    ]
    assert document["feedback"][0] == {
        "trace_id": TRACE, "span_id": samples.span_id(1), "name": "quality", "score": 0.25, "label": "",
        "text": "names no source", "source": "user", "attributes": {}, "time_unix_nano": 0,
    }  # fmt: skip
    assert [gap["kind"] for gap in document["gaps"]] == ["missing_parent"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x00\xff", "AP8="),
        (math.inf, "inf"),
        ({"a": (b"", [math.nan])}, {"a": ["", ["nan"]]}),
        ("text", "text"),
        (None, None),
        (True, True),
    ],
)
def test_values_that_json_does_not_know_become_text(value: AnyValue, expected: object) -> None:
    assert plain(value) == expected
