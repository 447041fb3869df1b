"""SIGKILL of an application in the middle of a request, while a rollout has an arm of its traffic."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.integration.running import RunningCollector

HELD = Path(__file__).with_name("held.py")


def killed_in_a_request(endpoint: str, cache: Path) -> dict[str, int]:
    """What its users got."""
    command = [sys.executable, str(HELD), endpoint, str(cache)]
    environment = {**os.environ, "PYTHONPATH": str(HELD.parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            given: dict[str, int] = json.loads(process.stdout.readline())
        finally:
            process.kill()
    return given


def test_its_users_get_the_same_arms_again_with_and_without_a_collector(tmp_path: Path) -> None:
    with RunningCollector(tmp_path / "data") as running:
        client = running.client
        client.put("/v1/services/qa/parameters", {"parameters": [{"key": "k", "type": "integer", "default": 1}]})
        client.post("/v1/services/qa/releases", {"values": {"k": 2}})
        stages = [{"share": 0.5, "least_seconds": 1_000.0}]
        client.put("/v1/rollouts/r", {"service": "qa", "release": 2, "policy": "automatic", "stages": stages})
        first = killed_in_a_request(running.grpc, tmp_path / "cache")
        assert set(first.values()) == {1, 2}
        assert killed_in_a_request(running.grpc, tmp_path / "cache") == first
        assert client.get("/v1/rollouts/r")["state"] == "ramping"
    assert killed_in_a_request(running.grpc, tmp_path / "cache") == first
