"""Studies of a service whose applications apply signed releases only."""

import json
import time
from pathlib import Path

import pytest

from collector.cli.client import Refused
from collector.core.errors import ConfigError
from collector.process.config import load
from collector.process.service import Collector
from collector.publisher.signing import envelope_of, make_keys
from otel_opto.release import Release, ReleasedValue
from otel_opto.signing import Signed, verifier_of
from tests.integration.running import RunningCollector, eventually

PARAMETERS = {"parameters": [{"key": "k", "type": "integer", "default": 1, "minimum": 0, "maximum": 9}]}
STUDY = {"name": "tune", "service": "qa", "metric": "quality"}


def with_a_signed_release(running: RunningCollector, keys: Path) -> None:
    """Release 1 is in force, and signed."""
    client, now = running.client, int(time.time())
    client.put("/v1/services/qa/parameters", PARAMETERS)
    client.post("/v1/services/qa/releases", {"values": {"k": 1}})
    envelope = envelope_of(Signed("qa", 1, {"k": 1}, now, now + 999), (keys / "r.key").read_bytes())
    client.post("/v1/releases/1/signature", {"envelope": envelope})


def checked(running: RunningCollector, number: int, keys: Path) -> Signed:
    """What is signed of a release, as an application with the public key looks at it."""
    release = running.client.get(f"/v1/releases/{number}")
    values = {key: ReleasedValue(value, number, "") for key, value in release["values"].items()}
    (event,) = running.client.get("/v1/audit", stream=f"signature/{number}")["events"]
    verifier = verifier_of(keys / "r.pub", "qa")
    return verifier.check(Release(number, values), event["data"]["envelope"].encode())


def test_without_a_key_a_study_of_a_signed_service_is_refused_with_words(tmp_path: Path) -> None:
    make_keys(tmp_path / "r.key", tmp_path / "r.pub")
    with RunningCollector(tmp_path / "data") as running:
        with_a_signed_release(running, tmp_path)
        with pytest.raises(
            Refused, match=r"release 1, which is in force for service 'qa', is signed.*signing\.key_file"
        ):
            running.client.post("/v1/studies", STUDY)
        assert running.client.get("/v1/studies")["studies"] == []
        running.client.put("/v1/services/other/parameters", PARAMETERS)
        running.client.post("/v1/studies", {**STUDY, "service": "other"})


@pytest.mark.parametrize("exploration", [{"share": 1.0}, {"share": 0.1}])
def test_with_a_key_trials_and_rollbacks_are_signed_and_proposals_are_not(
    tmp_path: Path, exploration: dict[str, float]
) -> None:
    make_keys(tmp_path / "r.key", tmp_path / "r.pub")
    config = tmp_path / "collector.yaml"
    config.write_text(json.dumps({"signing": {"key_file": str(tmp_path / "r.key")}}), encoding="utf-8")
    with RunningCollector(tmp_path / "data", None, "--config", str(config)) as running:
        with_a_signed_release(running, tmp_path)
        client = running.client
        switch = {"key": "on", "type": "boolean", "default": True}
        changed = {**PARAMETERS["parameters"][0], "default": 2}
        client.put("/v1/services/qa/parameters", {"parameters": [changed, switch]})
        client.post("/v1/studies", {**STUDY, "exploration": exploration})
        baseline = eventually(lambda: client.get("/v1/studies/tune")["trials"])[0]["release"]
        assert checked(running, baseline, tmp_path).values == {"k": 1, "on": True}
        back = client.post("/v1/releases/1/rollback")["number"]
        assert checked(running, back, tmp_path).release == back
        proposed = client.post("/v1/services/qa/releases", {"values": {"k": 4}})["number"]
        assert client.get("/v1/audit", stream=f"signature/{proposed}")["events"] == []


def test_a_key_that_is_none_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "r.key").write_text("no key", encoding="utf-8")
    file = tmp_path / "collector.yaml"
    file.write_text(json.dumps({"signing": {"key_file": str(tmp_path / "r.key")}}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"signing\.key_file"):
        Collector(load(file, {}, {}))
