"""The application as a process, started in both ways, with a collector and without one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from otel_opto.testing import FakeReleaseServer

ROOT = Path(__file__).parents[4]
EXAMPLES = ROOT / "examples"


@contextmanager
def started(command: Sequence[str], endpoint: str, cache: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(EXAMPLES), str(ROOT)))}
    arguments = ["--port", "0", "--endpoint", endpoint, "--cache-dir", str(cache)]
    with subprocess.Popen(
        [sys.executable, *command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=environment, cwd=cache,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process, f"http://{json.loads(process.stdout.readline())['http']}"
        finally:
            process.kill()


def call(url: str, document: object = None) -> Any:
    body = None if document is None else json.dumps(document).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=10) as answer:
        return json.load(answer)


@pytest.fixture
def refusing() -> Iterator[str]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening
        yield f"http://127.0.0.1:{unused.getsockname()[1]}"


def test_without_a_collector_it_answers_and_ends_on_sigterm_all_the_same(tmp_path: Path, refusing: str) -> None:
    with started(["-m", "retrieval_qa"], refusing, tmp_path) as (process, address):
        assert call(f"{address}/ask", {"question_id": "q001"})["release"] is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_it_can_be_started_by_the_path_of_its_folder(tmp_path: Path, refusing: str) -> None:
    with started([str(EXAMPLES / "retrieval_qa")], refusing, tmp_path) as (process, address):
        assert call(f"{address}/healthz") == {"alive": True}
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_a_release_comes_into_force_while_it_runs(tmp_path: Path) -> None:
    with (
        FakeReleaseServer() as collector,
        started(["-m", "retrieval_qa"], collector.endpoint, tmp_path) as (_, address),
    ):
        assert collector.wait_for_declaration("answer.template").key == "answer.template"
        collector.publish(7, {"answer.template": "{answer}", "retriever.top_k": 3})
        assert collector.wait_for_acknowledgement(7).error == ""
        deadline = time.monotonic() + 10
        while (status := call(f"{address}/status"))["release"] != 7 and time.monotonic() < deadline:
            pass
        assert status["release"] == 7
        assert status["parameters"]["retriever.top_k"] == {"value": 3, "reason": "released"}
        assert call(f"{address}/ask", {"question_id": "q001"})["release"] == 7
