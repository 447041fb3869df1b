"""All seven steps over real protocols: official exporters in this process, a collector in another."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.integration.application import BEST, SERVICE, Shop, shop
from tests.integration.running import RunningCollector, eventually

STUDY = {"name": "tune", "service": SERVICE, "metric": "quality", "batch_size": 4, "max_trials": 12, "seed": 3,
         "parameters": ["price.guess", "price.rounding"],  # whatever else this process declares stays out
         "exploration": {"share": 1.0}}  # fmt: skip


def declared(collector: RunningCollector) -> bool:
    listed = collector.client.get(f"/v1/services/{SERVICE}/parameters")["parameters"]
    return {"price.guess", "price.rounding"} <= {parameter["key"] for parameter in listed}


def drive(collector: RunningCollector, application: Shop, until: str = "finished") -> dict[str, Any]:
    """Traffic, dealt among what is tried, until the study is in that state; returns its record."""

    def ended() -> dict[str, Any] | None:
        record: dict[str, Any] = collector.client.get("/v1/studies/tune")
        if record["state"] != "running":
            return record
        if record["trials"] and application.guess.resolve().release is not None:
            for _ in range(10):
                application.ask()
            application.flush()
        return None

    record: dict[str, Any] = eventually(ended, 180)
    assert record["state"] == until, record["message"]
    return record


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_an_application_gets_better_from_its_own_otlp(
    collector: RunningCollector, tmp_path: Path, protocol: str
) -> None:
    with shop(collector, tmp_path / "cache", protocol) as application:
        eventually(lambda: declared(collector))
        before = application.ask()[1]
        collector.client.post("/v1/studies", STUDY)
        record = drive(collector, application)
        last = collector.client.get("/v1/releases", service=SERVICE)["releases"][0]
        eventually(lambda: application.guess.resolve().release == last["number"])
        trace_id, after, release = application.ask()
        application.flush()

    best = record["trials"][record["winner"]]
    assert len(record["trials"]) == 13
    assert best["gain_lowest"] >= 0
    assert best["values"].items() <= last["values"].items()
    assert before == pytest.approx(1.0 - BEST)
    assert after == pytest.approx(best["score"])
    assert after > before
    assert release == last["number"]

    words = collector.client.get(f"/v1/releases/{last['number']}/acknowledgements")["acknowledgements"]
    assert [word["status"] for word in words] == ["APPLIED"]
    graph = collector.client.get(f"/v1/traces/{trace_id}/graph")
    assert list(graph)[:8] == [
        "trace_id", "nodes", "edges", "parameters", "outputs", "feedback", "exceptions", "gaps",
    ]  # fmt: skip
    names = {node["id"]: node["name"] for node in graph["nodes"]}
    stated = {(names[e["source"]], names[e["target"]], e["argument"]) for e in graph["edges"] if e["origin"] == "link"}
    assert ("estimate", "present", "estimated") in stated
    versions = {key: last["versions"][key] for key in ("price.guess", "price.rounding")}
    assert {p["key"]: p["version"] for p in graph["parameters"]} == versions
    assert [f["score"] for f in graph["feedback"]] == [pytest.approx(after)]
    assert graph["gaps"] == []


def test_a_collector_killed_in_the_middle_costs_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = RunningCollector(data)
    with shop(first, tmp_path / "cache") as application:
        eventually(lambda: declared(first))
        first.client.post("/v1/studies", STUDY)
        seen: list[str] = []

        def some_trials() -> bool:
            begun = first.client.get("/v1/studies/tune")["trials"]
            if begun and application.guess.resolve().release is not None:
                seen.extend(application.ask()[0] for _ in range(4))
                application.flush()
            return len(seen) >= 12

        eventually(some_trials)
        acknowledged = {trace["trace_id"] for trace in first.client.get("/v1/traces", limit=0)["traces"]}
        judged = {item["id"] for item in first.client.get("/v1/feedback", limit=0)["feedback"]}
        assert set(seen) <= acknowledged
        first.kill()

        held = application.guess.resolve()
        assert (held.reason, held.release is not None) == ("released", True)
        assert application.ask()[2] is not None  # dealt as the last word said

        with RunningCollector(data, first.addresses) as second:
            kept = {trace["trace_id"] for trace in second.client.get("/v1/traces", limit=0)["traces"]}
            assert acknowledged <= kept
            assert judged <= {item["id"] for item in second.client.get("/v1/feedback", limit=0)["feedback"]}
            record = drive(second, application)
            assert len(record["trials"]) == 13


def test_an_application_with_the_plain_otel_sdk_takes_part(collector: RunningCollector) -> None:
    app = Path(__file__).parents[2] / "examples" / "plain_otel" / "app.py"
    command = [sys.executable, str(app), "--api", collector.api, "--endpoint", collector.grpc, "--rounds"]
    subprocess.run([*command, "1"], check=True, timeout=60)
    (service,) = {t["services"][0] for t in collector.client.get("/v1/traces")["traces"]}
    metric = collector.client.get("/v1/feedback")["feedback"][0]["name"]
    study = {
        **STUDY,
        "name": "plain",
        "parameters": [],
        "service": service,
        "metric": metric,
        "batch_size": 5,
        "max_trials": 6,
    }
    collector.client.post("/v1/studies", study)
    record: dict[str, Any] = {"trials": []}
    for _ in range(12):
        subprocess.run([*command, "20"], check=True, timeout=60)
        record = collector.client.get("/v1/studies/plain")
        if sum(trial["feedback_count"] > 0 for trial in record["trials"]) > 2:
            break
    # It asks without a targeting key, and is given each of those that are tried, by chance.
    assert sum(trial["feedback_count"] > 0 for trial in record["trials"]) > 2
    values = collector.client.get(f"/v1/services/{service}/release")
    assert values["release"] is not None
    newest = collector.client.get("/v1/traces")["traces"][0]["trace_id"]
    graph = collector.client.get(f"/v1/traces/{newest}/graph")
    assert any(edge["origin"] == "link" and edge["argument"] for edge in graph["edges"])
    assert graph["parameters"][0]["text"] is not None


def test_a_release_that_does_not_fit_is_refused_whole(collector: RunningCollector, tmp_path: Path) -> None:
    with shop(collector, tmp_path / "cache") as application:
        eventually(lambda: declared(collector))
        wider = {"parameters": [{"key": "price.guess", "type": "float", "default": 5.0}]}
        url = f"{collector.api}/v1/services/{SERVICE}/parameters"
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(wider).encode(), method="PUT")) as answer:
            assert answer.status == 200
        collector.client.post("/v1/studies", STUDY)
        released = eventually(lambda: collector.client.get("/v1/releases")["releases"])[0]
        words = eventually(
            lambda: collector.client.get(f"/v1/releases/{released['number']}/acknowledgements")["acknowledgements"]
        )
        assert words[0]["status"] == "FAILED"
        assert "'price.guess': found 5.0 (float), allowed: a finite number from 0 to 1" in words[0]["error"]
        assert application.guess.resolve().reason == "default"
