"""A graph as Trace-Graph JSON: the format's rules, and OpenTrace itself where it is installed."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given

from collector.core.graph import Edge, EdgeOrigin, GraphParameter, Node, NodeKind, Output, TraceGraph
from collector.render.tgj import tgj_document
from tests import samples
from tests.unit.collector.render.graphs import ANY_TEXT, TRACE, dags, example


def read(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The records by name, read as strictly as the format allows."""
    assert document["tgj"] == "1.0"
    known: dict[str, dict[str, Any]] = {}
    for record in document["nodes"]:
        assert record["id"] == record["name"]
        assert re.fullmatch(r"[^\W\d]\w*", record["name"])
        assert re.match(r"\[[^\[\]]+\] ", record["description"])
        sources = [source["ref"] for source in record.get("inputs", {}).values()]
        assert all(source in known for source in sources), "a reference points backwards"
        assert len(set(sources)) == len(sources), "Trace goes back to each source once"
        assert record["name"] not in known
        assert record["kind"] in {"parameter", "value", "message", "exception"}
        assert {"parameter": "trainable", "value": "value", "message": "output", "exception": "error"}[
            record["kind"]
        ] in record
        known[record["name"]] = record
    assert all(port["ref"] in known for port in document["exports"].values())
    return known


def test_every_kind_of_node_becomes_its_record() -> None:
    document = tgj_document(example())
    records = read(document)
    assert {name: record["kind"] for name, record in records.items()} == {
        "k": "parameter", "style": "parameter", "q": "value", "lost": "message", "score": "message", "find": "message",
        "tell": "exception", "ask": "message",
    }  # fmt: skip
    assert (records["k"]["value"], records["k"]["trainable"]) == (3, True)
    assert records["style"]["trainable"] is False
    assert records["find"]["output"] == {"name": "find:out", "value": ["a"]}
    assert records["find"]["inputs"] == {"k": {"ref": "k"}, "score": {"ref": "score"}}
    assert records["tell"]["inputs"] == {"style": {"ref": "style"}, "found": {"ref": "find"}}
    assert records["tell"]["error"] == {"type": "ValueError", "message": "ValueError: broken"}
    assert records["find"]["meta"] == {"node": f"span:{samples.span_id(2)}", "span_id": samples.span_id(2)}
    assert (document["run_id"], document["agent_id"], document["graph_id"]) == (TRACE, "shop", "ask")
    assert document["exports"] == {f"{TRACE}:ask": {"ref": "ask"}}


def test_feedback_names_the_judged_node_and_the_output_where_the_trace_is_judged() -> None:
    assert tgj_document(example())["feedback"] == [
        {"node": "ask", "name": "quality", "score": 0.25, "label": "", "text": "names no source"},
        {"node": "ask", "name": "tone", "score": None, "label": "curt", "text": ""},
    ]


def test_one_source_under_two_arguments_is_one_input() -> None:
    nodes = tuple(Node(n, NodeKind.OPERATION, n, n) for n in "ab")
    edges = tuple(Edge("a", "b", EdgeOrigin.LINK, argument=name) for name in ("left", "right"))
    assert read(tgj_document(TraceGraph("t", nodes, edges)))["b"]["inputs"] == {"left_and_right": {"ref": "a"}}


def test_two_values_of_one_parameter_are_two_parameters() -> None:
    nodes = tuple(Node(f"p{n}", NodeKind.PARAMETER, "style", value=n) for n in "ab")
    used = tuple(GraphParameter("style", None, n, True, (), f"p{n}") for n in "ab")
    records = read(tgj_document(TraceGraph("t", nodes, (), used)))
    assert {name: record["value"] for name, record in records.items()} == {"style": "a", "style_2": "b"}


@given(dags())
def test_any_graph_can_be_read(graph: TraceGraph) -> None:
    records = read(json.loads(json.dumps(tgj_document(graph))))
    assert {record["meta"]["node"] for record in records.values()} == {node.id for node in graph.nodes}
    joined = {(edge.source, edge.target) for edge in graph.edges}
    refs = [
        (records[source["ref"]]["meta"]["node"], record["meta"]["node"])
        for record in records.values()
        for source in record["inputs"].values()
    ]
    assert sorted(refs) == sorted(joined)


@given(ANY_TEXT, ANY_TEXT)
def test_any_name_becomes_one_that_can_be_read(name: str, other: str) -> None:
    nodes = tuple(Node(f"n{n}", NodeKind.OPERATION, text, f"{n}", text) for n, text in enumerate([name, other, name]))
    edges = (Edge("n0", "n1", EdgeOrigin.LINK, argument=name), Edge("n2", "n1", EdgeOrigin.LINK, argument=name))
    assert len(read(tgj_document(TraceGraph("t", nodes, edges, outputs=(Output("n1", other),))))) == 3


def test_opentrace_goes_back_from_the_output_to_every_parameter() -> None:
    """`opto.trace.io` is in OpenTrace's repository and not on PyPI yet; docs/tgj.md says how this was run."""
    ingest = pytest.importorskip("opto.trace.io.tgj_ingest", reason="OpenTrace is not installed").ingest_tgj
    propagators = pytest.importorskip("opto.trace.propagators")
    nodes = ingest(json.loads(json.dumps(tgj_document(example()))))
    nodes["ask"].backward("names no source", propagator=propagators.GraphPropagator())
    (told,) = nodes["k"].feedback.values()
    assert {node.name.split(":")[0] for _, node in told[0].graph} == {"k", "score", "find", "ask", "q", "style", "tell"}
    assert told[0].user_feedback == "names no source"
    assert nodes["find"].data == ["a"]
    assert (nodes["k"].trainable, nodes["style"].trainable) == (True, False)
