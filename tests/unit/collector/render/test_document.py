"""A graph as JSON."""

import json
import math

import pytest

from collector.core.span import AnyValue
from collector.render.document import graph_document, plain
from tests import samples
from tests.unit.collector.render.graphs import TRACE, example


def test_the_document_has_the_published_form() -> None:
    document = graph_document(example())
    assert list(document) == [
        "trace_id", "nodes", "edges", "parameters", "outputs", "feedback", "exceptions", "gaps", "release",
    ]  # fmt: skip
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_each_part_has_its_fields() -> None:
    document: dict[str, list[dict[str, object]]] = json.loads(json.dumps(graph_document(example())))
    ids = {node["id"] for node in document["nodes"]}
    assert all({edge["source"], edge["target"]} <= ids for edge in document["edges"])
    assert document["nodes"][0] == {
        "id": "param:shop/k@4", "kind": "parameter", "name": "k", "span_id": None, "incomplete": False, "value": 3,
        "service": "shop",
    }  # fmt: skip
    link = next(edge for edge in document["edges"] if edge["argument"] == "found")
    assert link == {
        "source": f"span:{samples.span_id(2)}", "target": f"span:{samples.span_id(4)}", "origin": "link",
        "confidence": 1.0, "argument": "found",
    }  # fmt: skip
    assert document["parameters"][0] == {
        "key": "k", "version": 4, "text": "3", "trainable": True, "used_by": [samples.span_id(2)],
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
