"""Applications without our SDK, in other languages: values over HTTP, uses on spans, feedback."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.peers import built
from tests.integration.running import RunningCollector, eventually

EXAMPLES = Path(__file__).parents[2] / "examples"
PASSAGES = "The lighthouse is 31 metres tall.\nThe lighthouse keeper is Ann.\nThe ferry leaves at nine.\n"


def run(collector: RunningCollector, command: list[str], cwd: Path, given: str = "") -> str:
    settings = {**os.environ, "OTEL_OPTO_API": collector.api, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http}
    done = subprocess.run(
        command, cwd=cwd, env=settings, input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.strip()


def newest(collector: RunningCollector) -> Any:
    return collector.client.get(f"/v1/traces/{collector.client.get('/v1/traces')['traces'][0]['trace_id']}/graph")


def judged(collector: RunningCollector, name: str, release: int) -> bool:
    listed = collector.client.get("/v1/feedback")["feedback"]
    return any(one["name"] == name and one["release"] == release for one in listed)


def test_node(collector: RunningCollector, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(built() / "javascript" / "node_modules")
    shutil.copy(EXAMPLES / "node" / "app.mjs", tmp_path)
    command = ["node", "app.mjs", "How tall is the lighthouse?", "user-17"]
    assert run(collector, command, tmp_path) == "The lighthouse is 31 metres tall."
    assert [(one["key"], one["text"]) for one in newest(collector)["parameters"]] == [("limit", "1")]
    number = collector.give_everybody("node-qa", {"limit": 2})
    assert run(collector, command, tmp_path) == "The lighthouse is 31 metres tall. The ferry leaves at nine."
    used = [(one["key"], one["text"], one["version"]) for one in newest(collector)["parameters"]]
    assert used == [("limit", "2", number)]
    eventually(lambda: judged(collector, "short", number))


def test_the_node_application_goes_on_without_a_collector(tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(built() / "javascript" / "node_modules")
    shutil.copy(EXAMPLES / "node" / "app.mjs", tmp_path)
    nowhere = {**os.environ, "OTEL_OPTO_API": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    command = ["node", "app.mjs", "How tall?", "user-17"]
    done = subprocess.run(command, cwd=tmp_path, env=nowhere, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "The lighthouse is 31 metres tall."


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")
def test_a_shell_script(collector: RunningCollector) -> None:
    command = [str(EXAMPLES / "shell" / "app.sh"), "lighthouse", "user-17"]
    assert run(collector, command, EXAMPLES, PASSAGES) == "The lighthouse is 31 metres tall."
    number = collector.give_everybody("shell-qa", {"lines": 2})
    expected = "The lighthouse is 31 metres tall. The lighthouse keeper is Ann."
    assert run(collector, command, EXAMPLES, PASSAGES) == expected
    assert [(one["key"], one["text"]) for one in newest(collector)["parameters"]] == [("lines", "2")]
    eventually(lambda: judged(collector, "found", number))
