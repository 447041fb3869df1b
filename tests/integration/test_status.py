"""Why nothing happens: what `otel-opto status` and the beginning of a study say."""

import json
from pathlib import Path
from typing import Any

import grpc
import pytest

from collector.cli import main
from otel_opto.v1 import study_pb2, study_pb2_grpc
from tests.integration.application import SERVICE, shop
from tests.integration.running import RunningCollector, eventually
from tests.integration.test_loop import declared

STUDY: dict[str, Any] = {"name": "tune", "service": SERVICE, "metric": "quality", "batch_size": 4, "max_trials": 2,
                         "exploration": {"share": 1.0}}  # fmt: skip


def missing(collector: RunningCollector, service: str = SERVICE) -> list[str]:
    found = collector.client.get(f"/v1/services/{service}/status")
    return [check["name"] for check in found["checks"] if not check["ok"]]


def words(collector: RunningCollector, name: str) -> str:
    """What one of the checks says."""
    found = collector.client.get(f"/v1/services/{SERVICE}/status")
    (says,) = [check["says"] for check in found["checks"] if check["name"] == name]
    return str(says)


def test_what_is_missing_is_said_step_by_step(
    collector: RunningCollector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = ["parameters", "connected", "release", "spans", "feedback", "study"]
    assert missing(collector) == everything
    assert main(["status", SERVICE, "--collector", collector.api]) == 1
    assert "waiting for parameters: none; declare them with otel_opto.parameter()" in capsys.readouterr().out
    with shop(collector, tmp_path / "cache") as application:
        eventually(lambda: declared(collector) and "connected" not in missing(collector))
        assert missing(collector) == ["release", "spans", "feedback", "study"]
        collector.client.post("/v1/studies", STUDY)
        eventually(lambda: application.guess.resolve().release == 1)
        assert missing(collector) == ["spans", "feedback"]
        application.ask()
        application.flush()
        eventually(lambda: missing(collector) == [])
        assert words(collector, "feedback") == "on release 1: quality (1)"
        assert words(collector, "study").endswith("waits for 4 scored feedbacks with the metric 'quality'; 1 have come")
        assert main(["status", SERVICE, "--collector", collector.api]) == 0
        assert capsys.readouterr().out.endswith("nothing is missing\n")
    assert main(["status", "shopp", "--collector", collector.api, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert "spans came from: shop" in found["waiting_for"]


def test_a_study_of_what_nobody_named_is_begun_with_a_warning(
    collector: RunningCollector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = "no feedback of late names the metric 'quality'; there is none at all"
    nothing = f"service 'nobody' has declared no parameters; {unknown}"
    created = ["studies", "create", "a", "--service", "nobody", "--metric", "quality", "--collector", collector.api]
    assert main(created) == 0
    said = capsys.readouterr()
    assert "study a is running" in said.out
    assert f"warning: {nothing}" in said.err
    assert collector.client.get("/v1/studies/a")["message"] == nothing
    with shop(collector, tmp_path / "cache") as application:
        eventually(lambda: declared(collector))
        application.ask()
        application.flush()
        document = {**STUDY, "name": "b", "metric": "qualty", "parameters": ["price.gess"]}
        told = str(collector.client.post("/v1/studies", document)["message"])
        assert told.startswith(f"no application of {SERVICE!r} has declared price.gess; declared are ")
        assert told.endswith("; no feedback of late names the metric 'qualty'; named were quality")
        checks = collector.client.get(f"/v1/services/{SERVICE}/status")["checks"]
        (check,) = [one for one in checks if one["name"] == "study"]  # type: ignore[attr-defined]
        assert not check["ok"]
        assert "'b' waits: no application of" in check["says"]
        collector.client.post("/v1/studies/b/stop")
        with grpc.insecure_channel(collector.addresses["otlp_grpc"]) as channel:
            study = study_pb2.Study(name="c", service=SERVICE, metric="qualty", parameters=["price.gess"])
            answer = study_pb2_grpc.StudyServiceStub(channel).CreateStudy(study_pb2.CreateStudyRequest(study=study))
        assert answer.status.message == told
        collector.client.post("/v1/studies/c/stop")
        assert collector.client.post("/v1/studies", {**STUDY, "name": "d"})["message"] == ""
