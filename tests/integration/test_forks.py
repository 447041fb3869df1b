"""Processes that are forked, by whoever does it: releases, spans and feedback come and go in each of them."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.running import RunningCollector, eventually

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")


@pytest.fixture
def first(collector: RunningCollector) -> RunningCollector:
    """With a release in force, in which k is 1."""
    parameters = {"parameters": [{"key": "k", "type": "integer", "default": 0}]}
    collector.client.put("/v1/services/forked/parameters", parameters)
    collector.give_everybody("forked", {"k": 1})
    return collector


def second(collector: RunningCollector) -> None:
    """From now on k is 2."""
    number = collector.client.post("/v1/services/forked/releases", {"values": {"k": 2}})["number"]
    stages = [{"share": 0.5, "least_seconds": 1_000.0}]
    collector.client.put("/v1/rollouts/r", {"service": "forked", "release": number, "stages": stages})
    content = collector.client.get(f"/v1/releases/{number}")["hash"]
    collector.client.post("/v1/rollouts/r/approve", {"content_hash": content})
    collector.client.post("/v1/rollouts/r/promote", {})


def environment(collector: RunningCollector, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "COLLECTOR": collector.grpc,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_OPTO_CACHE_DIR": "",
        "HOME": "",
        "PYTHONPATH": str(HERE.parents[1]),
        **more,
    }


@contextlib.contextmanager
def running(command: list[str], **given: Any) -> Iterator[subprocess.Popen[str]]:
    """Ends it at last, and with it whatever it has forked."""
    with subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **given
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def judged(collector: RunningCollector) -> dict[int, str]:
    """The last trace that was judged in each process."""
    found = collector.client.get("/v1/feedback", service="forked", limit=1_000)["feedback"]
    return {int(one["attributes"]["pid"]): one["trace_id"] for one in found}


def traced(collector: RunningCollector, pids: set[int]) -> bool:
    """Whether spans and feedback of these processes have come; each trace says in which process it was made."""
    traces = {pid: trace_id for pid, trace_id in judged(collector).items() if pid in pids}
    graphs = [collector.client.get(f"/v1/traces/{trace_id}/graph") for trace_id in traces.values()]
    outputs = [one["value"] for graph in graphs for one in graph["outputs"] if one["value"]]
    return traces.keys() == pids == {(json.loads(one) if isinstance(one, str) else one)["pid"] for one in outputs}


@pytest.mark.parametrize("how", ["plain", "fork", "spawn"])
def test_children_of_multiprocessing_and_of_fork(first: RunningCollector, how: str) -> None:
    command = [sys.executable, str(HERE / "forked.py"), how, "3"]
    with running(command, env=environment(first)) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        assert lines == ["ready\n"] * 4
        second(first)
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    found = [json.loads(line) for line in out.splitlines()]
    assert [one["k"] for one in found] == [2] * 4, errors
    assert [one["first"] for one in found] == [1] * 4
    assert all(one["connected"] and not one["dropped"] for one in found)
    pids = {one["pid"] for one in found}
    assert len(pids) == 4
    eventually(lambda: traced(first, pids))
    assert "fork() handlers" not in errors


@contextlib.contextmanager
def gunicorn(collector: RunningCollector, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """With its port, whose socket it inherits: nobody else can have it meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", f"fd://{number}", "--timeout", "60"]
        command += [*options, "tests.integration.forked:wsgi"]
        with running(command, env=environment(collector), pass_fds=(number,)) as process:
            yield process, int(listening.getsockname()[1])


def asked(port: int) -> dict[str, int]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
            found: dict[str, int] = json.loads(answer.read())
            return found
    except OSError:  # it does not listen yet, or closed the connection, as servers may at any time
        return {}


@pytest.mark.parametrize(
    "options",
    [(), ("--preload",), ("--preload", "--config", "python:tests.integration.forked"), ("--preload", "--threads", "2")],
    ids=["plain", "preload", "preload and configured again", "preload and threads"],
)
def test_workers_of_gunicorn(first: RunningCollector, options: tuple[str, ...]) -> None:
    with gunicorn(first, *options) as (process, port):
        eventually(lambda: asked(port).get("k") == 1, seconds=60.0)
        second(first)
        pids: set[int] = set()

        def both() -> bool:
            found = asked(port)
            pids.update({found["pid"]} if found.get("k") == 2 else ())
            return len(pids) == 2

        eventually(both, seconds=60.0)
        assert process.pid not in pids
        eventually(lambda: traced(first, pids))
        process.terminate()
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert "fork() handlers" not in errors
    assert "Traceback" not in errors


def test_workers_of_celery(first: RunningCollector, tmp_path: Path) -> None:
    for name in ("in", "control", "results"):
        (tmp_path / "queue" / name).mkdir(parents=True)
    given = {"env": environment(first, QUEUE=str(tmp_path / "queue"))}
    options = ["--pool", "prefork", "--concurrency", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    command = [sys.executable, "-m", "celery", "-A", "tests.integration.queued", "worker", *options]
    asking = [sys.executable, str(HERE / "queued.py")]
    with running(command, **given) as process:
        done = subprocess.run([*asking, "1"], capture_output=True, text=True, check=False, **given)
        assert len(json.loads(done.stdout)) == 2, done.stderr
        second(first)
        done = subprocess.run([*asking, "2"], capture_output=True, text=True, check=False, **given)
        assert len(json.loads(done.stdout)) == 2, done.stderr
        process.terminate()
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
