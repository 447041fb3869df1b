"""Examples from stored traces and feedback: of a data directory, and of a running collector."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import otel_opto
from otel_opto_train.trainer.examples import InvalidDataset
from otel_opto_train.trainer.stored import Past, Wanted, example_of, stored_examples
from tests.unit.otel_opto_train.trainer.conftest import Desk


async def test_a_directory_of_an_earlier_training(desk: Desk) -> None:
    await desk.train([{"size": 60}], workflow=desk.lab.node(desk.workflow), guide=lambda output: (output / 100, "more"))
    found = otel_opto.stored_examples(desk.directory, operation="workflow", service="shop")
    assert sorted(one.input for one in found) == list(range(40))
    assert past(60) in {one.expected for one in found} <= {past(1), past(60)}
    good = stored_examples(desk.directory, metric="quality", at_least=0.5, limit=5)
    assert {one.expected.score for one in good} == {0.6}
    assert len(good) == 5
    with pytest.raises(InvalidDataset, match="no stored trace makes an example"):
        stored_examples(desk.directory, metric="another")


def past(size: int) -> Past:
    return Past(size, size / 100, "", "more")


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match="no such directory"):
        stored_examples(tmp_path / "none")


def document(**change: Any) -> Mapping[str, Any]:
    node = {"kind": "operation", "service": "qa", "incomplete": False}
    return {
        "nodes": [
            {**node, "id": "span:a", "name": "request", "span_id": "a", "value": "out"},
            {**node, "id": "span:b", "name": "search", "span_id": "b", "value": ["found"]},
            {"kind": "input", "id": "input:a:q", "name": "q", "span_id": "a", "value": "why?"},
            {"kind": "input", "id": "input:b:text", "name": "text", "span_id": "b", "value": "why"},
            {"kind": "input", "id": "input:b:most", "name": "most", "span_id": "b", "value": 3},
        ],
        "edges": [{"source": "span:b", "target": "span:a", "origin": "call"}],
        "feedback": [
            {"span_id": "a", "name": "quality", "score": 0.1, "label": "", "text": "no"},
            {"span_id": "", "name": "quality", "score": 0.4, "label": "meh", "text": ""},
            {"span_id": "b", "name": "recall", "score": None, "label": "", "text": "thin"},
        ],
        **change,
    }


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), ("why?", Past("out", 0.4, "meh", ""))),
        (Wanted(operation="search"), ({"text": "why", "most": 3}, Past(["found"], 0.4, "", "thin"))),
        (Wanted(operation="search", metric="recall"), ({"text": "why", "most": 3}, Past(["found"], None, "", "thin"))),
        (Wanted(metric="quality", at_most=0.4), ("why?", Past("out", 0.4, "meh", ""))),
        (Wanted(metric="quality", at_most=0.3), None),
        (Wanted(metric="recall", operation="search", at_least=0.0), None),
        (Wanted(metric="other"), None),
        (Wanted(service="shop"), None),
    ],
)
def test_what_of_a_trace_is_an_example(wanted: Wanted, found: tuple[object, Past] | None) -> None:
    example = example_of(document(), wanted)
    assert (example and (example.input, example.expected)) == found
