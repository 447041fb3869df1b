"""Workflows written down by hand, each of another kind, beside what flowed in them and what did not.

``tests/data/workflows/*.json``: spans with times in seconds as a framework's conventions say them, the pairs between
which something flowed that both spans show (``flow``) or not (``hard``), pairs that must not be joined (``not``), the
final output, prompts with a span that used them. What is known to be missed is ``missed``, by how much.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.dataflow.family import Tree
from benchmarks.dataflow.score import IN_BOTH, score
from collector.core.span import Event, Span
from collector.graph.builder import build
from tests import samples
from tests.unit.collector.graph.workflows import TRACE, record, span

FOLDER = Path(__file__).parents[3] / "data" / "workflows"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
KINDS = (
    ("flow", "flow found", "flow"), ("hard", "hard found", "hard"), ("precision", "right", "said"),
    ("final", "final found", "final"), ("prompts", "parameter found", "parameter"),
)  # fmt: skip


def _span(said: Mapping[str, Any]) -> Span:
    more = {key: said[key] for key in ("error", "links", "scope", "service") if key in said}
    events = [Event(name, 1, attributes) for name, attributes in said.get("events", ())]
    return span(
        said["id"], said["parent"], said["name"], said["from"], said["to"], said["attributes"], events=events, **more
    )


def _pair(edge: list[int]) -> dict[str, str]:
    ends = dict(zip(("producer_span", "consumer_span"), map(str, edge), strict=True))
    return {**ends, **{f"{key}_id": samples.span_id(int(number)) for key, number in ends.items()}}


def _truth(said: Mapping[str, Any]) -> Mapping[str, Any]:
    flows = [{**_pair(edge), "observable": IN_BOTH} for edge in said.get("flow", ())]
    hard = [{**_pair(edge), "observable": "no"} for edge in said.get("hard", ())]
    return {
        "edges": [{**edge, "kind": "flow", "via": ""} for edge in (*flows, *hard)],
        "non_edges": [{**_pair(edge), "why": ""} for edge in said.get("not", ())],
        "final_output": said.get("final"),
        "parameters": [
            {"name": text, "text": text, "used_by": [{"span_id": samples.span_id(number), "found_in": ["it"]}]}
            for text, number in said.get("prompts", ())
        ],
    }


@pytest.mark.parametrize("name", NAMES)
def test_what_flowed_is_found_and_nothing_else(name: str) -> None:
    said = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    spans = [_span(one) for one in said["spans"]]
    records = [
        record(number, event, 1 + place, body) for place, (number, event, body) in enumerate(said.get("records", ()))
    ]
    graph = build(TRACE, spans, {}, {}, (), records)
    counts, notes = score(_truth(said), graph, Tree(spans))
    missed = {kind: counts[of] - counts[found] for kind, found, of in KINDS if counts[of] > counts[found]}
    assert (missed, counts["false"]) == (said.get("missed", {}), 0), notes
