"""Examples from stored traces and feedback: of a data directory, and of a running collector."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

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


class Pages(BaseHTTPRequestHandler):
    """A collector that has a trace without a graph, one that is gone, and one that is an example."""

    graphs: ClassVar[Mapping[str, tuple[int, object]]] = {
        "a" * 32: (422, {"error": "the spans make no DAG"}),
        "b" * 32: (404, {"error": "no such trace"}),
    }

    def do_GET(self) -> None:
        status, said = 200, {"traces": [{"trace_id": one * 32} for one in "abc"], "next_cursor": None}
        if self.path.endswith("/graph"):
            status, said = self.graphs.get(self.path.split("/")[3], (200, document()))  # type: ignore[assignment]
        elif self.headers.get("Authorization") is not None:
            status, said = 401, {"error": "unknown token"}  # type: ignore[dict-item]
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_trace_without_a_graph_is_no_example_and_no_end(address: str) -> None:
    assert [one.input for one in stored_examples(address)] == ["why?"]


def test_what_a_collector_says_is_said(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_OPTO_TOKEN", "wrong")
    with pytest.raises(OSError, match=r"/v1/traces\?limit=100 is answered with 401 Unauthorized: .*unknown token"):
        stored_examples(address)


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        address = f"http://127.0.0.1:{once.getsockname()[1]}"
    with pytest.raises(OSError, match=f"no collector answers at {address}: "):
        stored_examples(address)


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
