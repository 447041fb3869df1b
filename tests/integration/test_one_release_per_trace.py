"""Three services, three processes, plain OpenTelemetry between them: one release for each in a trace."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.integration.running import RunningCollector, eventually

HOP = Path(__file__).with_name("hop.py")
SERVICES = ("front", "middle", "back")


@contextlib.contextmanager
def hop(service: str, collector: RunningCollector, cache: Path, *following: str) -> Iterator[str]:
    environment = {**os.environ, "OTEL_OPTO_CACHE_DIR": str(cache), "PYTHONPATH": str(HOP.parents[2])}
    command = [sys.executable, str(HOP), service, collector.grpc, *following]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[RunningCollector]:
    running = RunningCollector(tmp_path / "data")
    yield running
    running.stop()


def asked(front: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(front, timeout=20) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())
        return found


def rolled_out(collector: RunningCollector, service: str, name: str, release: int, share: float) -> None:
    plan = {
        "service": service, "release": release, "policy": "automatic",
        "stages": [{"share": share, "least_seconds": 1_000.0}],
    }  # fmt: skip
    collector.client.put(f"/v1/rollouts/{name}", plan)


def test_each_service_reads_one_release_per_trace_while_ramps_move(collector: RunningCollector, tmp_path: Path) -> None:
    client = collector.client
    numbers: dict[str, list[int]] = {}
    for service in SERVICES:
        client.put(
            f"/v1/services/{service}/parameters", {"parameters": [{"key": "k", "type": "integer", "default": 1}]}
        )
        propose = f"/v1/services/{service}/releases"
        numbers[service] = [client.post(propose, {"values": {"k": value}})["number"] for value in (1, 2)]
    with (
        hop("back", collector, tmp_path / "a") as back,
        hop("middle", collector, tmp_path / "b", back) as middle,
        hop("front", collector, tmp_path / "c", middle) as front,
        ThreadPoolExecutor(4) as pool,
    ):
        eventually(lambda: [one["reads"] for one in asked(front)] == [[1, 1]] * 3)
        answers = []
        for step, share in enumerate((0.2, 0.5, 0.8)):
            waiting = [pool.submit(asked, front) for _ in range(40)]
            for service in SERVICES:
                rolled_out(collector, service, f"{service}-{step}", numbers[service][1], share)
            waiting += [pool.submit(asked, front) for _ in range(40)]
            for service in SERVICES:
                client.post(f"/v1/rollouts/{service}-{step}/abort", {})
            answers += [one.result() for one in waiting]
    seen = {one["service"]: set[int]() for one in answers[0]}
    for answer in answers:
        assert [one["service"] for one in answer] == list(SERVICES)
        assert len({one["trace"] for one in answer}) == 1
        for one in answer:
            assert len(set(one["reads"])) == 1, answer
            seen[one["service"]].add(one["reads"][0])
    assert seen == {service: {1, 2} for service in SERVICES}


def test_a_collector_that_is_killed_in_a_rollout_goes_on_and_no_unit_changes_its_arm(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    running = RunningCollector(directory)
    client = running.client
    client.put("/v1/services/qa/parameters", {"parameters": [{"key": "k", "type": "integer", "default": 1}]})
    for value in (1, 2):
        client.post("/v1/services/qa/releases", {"values": {"k": value}})
    users = [f"user-{number}" for number in range(50)]

    def release_of(user: str) -> int:
        found: int = running.client.get("/v1/services/qa/release", targeting_key=user)["release"]
        return found

    content = client.get("/v1/releases/2")["hash"]
    steps = [
        (
            "put",
            "/v1/rollouts/r",
            {"service": "qa", "release": 2, "stages": [{"share": 0.4, "least_seconds": 1_000.0}]},
        ),
        ("post", "/v1/rollouts/r/approve", {"content_hash": content}),
        ("post", "/v1/rollouts/r/pause", {}),
        ("post", "/v1/rollouts/r/resume", {}),
        ("post", "/v1/rollouts/r/promote", {}),
    ]
    states = []
    for verb, path, document in steps:
        getattr(running.client, verb)(path, document)
        before = [release_of(user) for user in users]
        shown = running.client.get("/v1/rollouts/r")
        running.kill()
        running = RunningCollector(directory, running.addresses)
        after = running.client.get("/v1/rollouts/r")
        assert [release_of(user) for user in users] == before
        assert (after["state"], after["share"]) == (shown["state"], shown["share"])
        states.append((after["state"], sorted(set(before))))
    running.stop()
    assert states == [
        ("awaiting_approval", [1]),
        ("ramping", [1, 2]),
        ("paused", [1, 2]),
        ("ramping", [1, 2]),
        ("promoted", [2]),
    ]
