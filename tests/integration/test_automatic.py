"""An application without a line of ours, started by ``opentelemetry-instrument``."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.running import RunningCollector, eventually

ROOT = Path(__file__).parents[2]
APP = ROOT / "examples" / "no_code"
INSTRUMENT = Path(sys.executable).with_name("opentelemetry-instrument")
OTHERS = "celery,django,fastapi,flask,grpc_aio_client,grpc_aio_server,grpc_client,grpc_server"
"""Installed for other tests; to load them takes seconds, and this application has none of what they instrument."""

ONE, TWO = "The lighthouse is 31 metres tall.", "The lighthouse is 31 metres tall. The ferry leaves at nine."


def run(collector: RunningCollector, cache: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    environment |= {
        "OTEL_SERVICE_NAME": "no-code",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.grpc,
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": OTHERS,
        "OTEL_OPTO_CACHE_DIR": str(cache),
        "OTEL_OPTO_WAIT_SECONDS": "20",
        **settings,
    }
    command = [str(INSTRUMENT), sys.executable, str(APP / "app.py"), "How tall is the lighthouse?"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)


def test_values_come_from_releases_and_uses_are_on_its_spans(collector: RunningCollector, tmp_path: Path) -> None:
    file = {"OTEL_OPTO_PARAMETERS": str(APP / "parameters.yaml")}
    first = run(collector, tmp_path, **file)
    assert (first.stdout.strip(), first.stderr) == (ONE, "")
    declared = collector.client.get("/v1/services/no-code/parameters")["parameters"]
    assert {(one["key"], one["type"], one.get("maximum")) for one in declared} == {
        ("limit", "integer", 3),
        ("method", "choice", None),
    }
    number = collector.give_everybody("no-code", {"limit": 2})
    second = run(collector, tmp_path, **file)
    assert (second.stdout.strip(), second.stderr) == (TWO, "")
    (trace, _) = eventually(lambda: collector.client.get("/v1/traces")["traces"])
    graph = collector.client.get(f"/v1/traces/{trace['trace_id']}/graph")
    assert [(one["key"], one["version"], one["text"]) for one in graph["parameters"]] == [("limit", number, "2")]


def test_flags_alone_are_enough(collector: RunningCollector, tmp_path: Path) -> None:
    declared: Any = []
    for _ in range(3):  # one run may end before it has said which flags it asked for
        done = run(collector, tmp_path, OTEL_OPTO_SERVICE="no-code")
        assert (done.stdout.strip(), done.stderr) == (ONE, "")
        declared = declared or collector.client.get("/v1/services/no-code/parameters")["parameters"]
    assert [(one["key"], one["default"]) for one in declared] == [("limit", 1)]


@pytest.mark.parametrize("settings", [{}, {"OTEL_OPTO_SERVICE": "no-code", "OTEL_OPTO_DISABLED": "1"}])
def test_who_asks_for_nothing_gets_nothing(
    collector: RunningCollector, tmp_path: Path, settings: dict[str, str]
) -> None:
    done = run(collector, tmp_path, **settings)
    assert (done.stdout.strip(), done.stderr) == (ONE, "")
    assert collector.client.get("/v1/services/no-code/parameters")["parameters"] == []
    (trace,) = collector.client.get("/v1/traces")["traces"]
    assert collector.client.get(f"/v1/traces/{trace['trace_id']}/graph")["parameters"] == []


def test_another_name_than_the_spans_is_said(collector: RunningCollector, tmp_path: Path) -> None:
    done = run(collector, tmp_path, OTEL_OPTO_SERVICE="other")
    assert "OTEL_OPTO_SERVICE is 'other', but spans say 'no-code': set OTEL_SERVICE_NAME=other, too" in done.stderr
    assert done.stdout.strip() == ONE


def test_faults_of_the_file_are_said_and_the_rest_holds(collector: RunningCollector, tmp_path: Path) -> None:
    file = tmp_path / "parameters.json"
    file.write_text('{"parameters": {"limit": {"default": 1, "maximum": 3}, "wrong": {"default": 5, "maximum": 3}}}')
    done = run(collector, tmp_path, OTEL_OPTO_PARAMETERS=str(file))
    assert "parameters.json: parameter 'wrong': found 5 (int), allowed: a whole number of at most 3" in done.stderr
    listed: Any = collector.client.get("/v1/services/no-code/parameters")["parameters"]
    assert [one["key"] for one in listed] == ["limit"]
