"""Studies of a service whose applications apply signed releases only."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.cli import main
from collector.cli.client import Refused
from collector.core.errors import ConfigError
from collector.process.config import load
from collector.process.service import Collector
from collector.publisher.signing import envelope_of, make_keys
from otel_opto.release import Release, ReleasedValue
from otel_opto.setup import Sdk
from otel_opto.signing import Signed, verifier_of
from otel_opto.testing import SpanCapture
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


def test_what_is_no_signature_of_the_release_is_refused_with_words(tmp_path: Path) -> None:
    make_keys(tmp_path / "r.key", tmp_path / "r.pub")
    with RunningCollector(tmp_path / "data") as running:
        with_a_signed_release(running, tmp_path)
        now, key = int(time.time()), (tmp_path / "r.key").read_bytes()
        for envelope, words in (
            ("", "no DSSE envelope"),
            ("garbage", "no DSSE envelope"),
            (envelope_of(Signed("qa", 2, {"k": 1}, now, now + 999), key), "found the signature of release 2 of 'qa'"),
            (envelope_of(Signed("other", 1, {"k": 1}, now, now + 999), key), "of 'other'"),
            (envelope_of(Signed("qa", 1, {"k": 2}, now, now + 999), key), "other values are signed"),
            (envelope_of(Signed("qa", 1, {"k": 1}, now - 9, now - 5), key), "it expired"),
        ):
            with pytest.raises(Refused, match=words):
                running.client.post("/v1/releases/1/signature", {"envelope": envelope})


def test_a_rollback_that_nobody_signed_says_what_it_lacks_and_is_applied_once_it_is_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_keys(tmp_path / "r.key", tmp_path / "r.pub")
    with RunningCollector(tmp_path / "data") as running:
        with_a_signed_release(running, tmp_path)
        at = ["--collector", running.api]
        assert main(["releases", "rollback", "1", *at]) == 0
        assert "sign it: otel-opto releases sign 2 --key FILE" in capsys.readouterr().err
        with watching_signed(running, tmp_path) as sdk:
            refused = eventually(lambda: running.client.get("/v1/releases/2/acknowledgements")["acknowledgements"])
            assert refused[0]["status"] == "FAILED"
            for _ in range(2):
                assert (
                    main(["releases", "sign", "2", "--key", str(tmp_path / "r.key"), "--request-id", "once", *at]) == 0
                )
            eventually(lambda: sdk.registry.current is not None and sdk.registry.current.number == 2)
        assert len(running.client.get("/v1/audit", stream="signature/2")["events"]) == 1


@contextmanager
def watching_signed(running: RunningCollector, keys: Path) -> Iterator[Sdk]:
    """An application that holds the public key."""
    sdk, capture = Sdk(), SpanCapture()
    sdk.configure(
        service_name="qa", endpoint=running.grpc, cache_dir=keys / "cache", public_key=keys / "r.pub",
        tracer_provider=capture.tracer_provider, logger_provider=capture.logger_provider,
    )  # fmt: skip
    try:
        yield sdk
    finally:
        sdk.shutdown()
