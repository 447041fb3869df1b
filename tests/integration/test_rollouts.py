"""Rollouts as a person meets them: the command line, the API, tokens, the demo's second act."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.cli import main
from collector.cli.client import ApiClient, Refused
from collector.publisher.signing import envelope_of, make_keys
from otel_opto.signing import Signed
from tests.integration.running import RunningCollector

PARAMETERS = {"parameters": [{"key": "k", "type": "integer", "default": 1, "minimum": 0, "maximum": 9}]}


def envelope(key: Path, k: int, later: int = 0) -> str:
    """A signature of release 1 with that value."""
    now = int(time.time()) + later
    return envelope_of(Signed("team/qa", 1, {"k": k}, now, now + 999), key.read_bytes())


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[RunningCollector]:
    with RunningCollector(tmp_path / "data") as running:
        running.client.put("/v1/services/team%2Fqa/parameters", PARAMETERS)
        yield running


def said(collector: RunningCollector, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main([*arguments, "--collector", collector.api]) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.err


def test_a_person_takes_a_release_through_its_rollout(
    collector: RunningCollector, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "release 1 of team/qa is there" in said(collector, capsys, "releases", "propose", "team/qa", "k=1")
    said(collector, capsys, "releases", "propose", "team/qa", "k=5", "--why", "fewer misses")
    assert "allowed: a whole number from 0 to 9" in said(
        collector, capsys, "releases", "propose", "team/qa", "k=99", code=1
    )
    plan = ["--metric", "quality", "--label", "good=1", "--least-units-to-abort", "30"]
    plan += ["--guardrail", "latency=2.5", "--guardrail", "error"]
    waiting = said(collector, capsys, "rollouts", "start", "wider", "--release", "2", *plan)
    assert "is awaiting_approval" in waiting
    started = collector.client.get("/v1/rollouts/wider")
    assert [one["signal"] for one in started["guardrails"]] == ["misapplied", "silent", "latency", "error"]
    assert (started["metric"]["labels"], started["least_units_to_abort"], started["cap_seconds"]) == (
        {"good": 1.0}, 30, 604_800.0,
    )  # fmt: skip
    assert "  share      0 % now, then 5 %" in said(collector, capsys, "rollouts", "show", "wider").splitlines()
    assignment = collector.client.get("/v1/services/team%2Fqa/assignment")
    assert (assignment["control"], assignment["arms"]) == (1, [])
    wrong = said(collector, capsys, "rollouts", "approve", "wider", "--hash", "0" * 64, code=1)
    assert "an approval holds for what was looked at" in wrong
    assert "is ramping" in said(collector, capsys, "rollouts", "approve", "wider")
    assignment = collector.client.get("/v1/services/team%2Fqa/assignment")
    assert assignment["arms"] == [{"release": 2, "start": 0, "share": 500}]
    shown = said(collector, capsys, "rollouts", "show", "wider")
    assert "  share      5 % now, then 25 %" in shown.splitlines()
    assert "guardrail  error: nothing to compare yet" in shown
    assert "is paused: lunch" in said(collector, capsys, "rollouts", "pause", "wider", "--why", "lunch")
    assert "is ramping" in said(collector, capsys, "rollouts", "resume", "wider")
    again = said(collector, capsys, "rollouts", "start", "second", "--release", "2", "--policy", "automatic", code=1)
    assert "has the rollout 'wider' on its traffic" in again
    assert "is promoted" in said(collector, capsys, "rollouts", "promote", "wider")
    assert collector.client.get("/v1/services/team%2Fqa/release")["values"] == {"k": 5}
    said(collector, capsys, "releases", "propose", "team/qa", "k=6")
    said(collector, capsys, "rollouts", "start", "later", "--release", "3")
    listed = said(collector, capsys, "rollouts")
    assert listed.index("later") < listed.index("wider") < listed.index("promoted")
    audit = said(collector, capsys, "audit", "--stream", "rollout/wider")
    kinds = ["rollout_promoted", "rollout_resumed", "rollout_paused", "rollout_began", "rollout_approved"]
    places = [audit.index(kind) for kind in kinds]
    assert places == sorted(places)
    assert "local" in audit


def test_a_rollback_ends_the_rollout_with_it(collector: RunningCollector) -> None:
    client = collector.client
    for k in (1, 5):
        client.post("/v1/services/team%2Fqa/releases", {"values": {"k": k}})
    plan = {"service": "team/qa", "release": 2, "policy": "automatic"}
    assert client.put("/v1/rollouts/r", plan)["state"] == "ramping"
    assert client.put("/v1/rollouts/r", plan)["state"] == "ramping"
    back = client.post("/v1/releases/1/rollback")
    assert client.get("/v1/rollouts/r")["state"] == "aborted"
    assignment = client.get("/v1/services/team%2Fqa/assignment")
    assert (assignment["control"], assignment["arms"]) == (back["number"], [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"release": 99}, "there is none of that number"),
        ({"service": "other"}, "release 2 is of 'team/qa'"),
        (
            {"stages": [{"share": 0.5, "least_seconds": 1}, {"share": 0.1, "least_seconds": 1}]},
            "allowed are rising ones",
        ),
        ({"guardrails": [{"signal": "latency"}]}, "guardrail latency: needs a bound"),
        ({"guardrails": [{"signal": "magic"}]}, "signal: input should be 'error', 'latency'"),
        ({"content_hash": "f" * 64}, "content_hash: found"),
        ({"margin": 2}, "margin: found 2"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_words(
    collector: RunningCollector, change: dict[str, Any], words: str
) -> None:
    for k in (1, 5):
        collector.client.post("/v1/services/team%2Fqa/releases", {"values": {"k": k}})
    with pytest.raises(Refused, match=words):
        collector.client.put("/v1/rollouts/r", {"service": "team/qa", "release": 2, **change})
    assert collector.client.get("/v1/rollouts")["rollouts"] == []


def test_a_machines_token_may_propose_and_abort_and_never_approve(tmp_path: Path) -> None:
    tokens = [
        {"name": name, "token": f"{name}-secret-0123456789", "scopes": scopes}
        for name, scopes in (("machine", ["propose", "read", "ingest"]), ("ann", ["approve", "read"]))
    ]
    config = tmp_path / "collector.yaml"
    config.write_text(json.dumps({"auth": {"tokens": tokens}}), encoding="utf-8")
    with RunningCollector(tmp_path / "data", None, "--config", str(config)) as running:
        machine = ApiClient(running.api, "machine-secret-0123456789")
        ann = ApiClient(running.api, "ann-secret-0123456789")
        machine.put("/v1/services/qa/parameters", PARAMETERS)
        proposed = machine.post("/v1/services/qa/releases", {"values": {"k": 5}})["number"]
        assert machine.get("/v1/services/qa/release")["values"] == {"k": 1}
        assert proposed == 2
        with pytest.raises(Refused, match="signed off by who creates it"):
            machine.put("/v1/rollouts/r", {"service": "qa", "release": 2, "policy": "automatic"})
        started = machine.put("/v1/rollouts/r", {"service": "qa", "release": 2})
        assert started["state"] == "awaiting_approval"
        for step in ("approve", "promote", "resume"):
            with pytest.raises(Refused, match="'machine' does not allow 'approve'"):
                machine.post(f"/v1/rollouts/r/{step}", {"content_hash": started["content_hash"]})
        assert (
            ann.post("/v1/rollouts/r/approve", {"content_hash": started["content_hash"]})["approved_by"] == "token:ann"
        )
        assert machine.post("/v1/rollouts/r/abort", {"message": "errors"})["state"] == "aborted"
        events = ann.get("/v1/audit", stream="rollout/", limit=2)
        assert [one["actor"] for one in events["events"]] == ["token:machine", "token:ann"]
        assert events["next_cursor"]


def test_the_demos_second_act_promotes_the_good_and_takes_back_the_bad(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--live", "--data-dir", str(tmp_path / "demo")]) == 0
    shown = capsys.readouterr().out
    assert "The good release is promoted, the bad one aborted" in shown
    assert [line for line in shown.splitlines() if line.startswith("rollout ")] == [
        "rollout better: release 2",
        "rollout worse: release 3",
    ]


def test_whatever_changes_something_is_done_once_under_its_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("r", "o"):
        make_keys(tmp_path / f"{name}.key", tmp_path / f"{name}.pub")
    with RunningCollector(tmp_path / "data") as running:
        client = running.client
        client.put("/v1/services/team%2Fqa/parameters", PARAMETERS, "declare")
        proposed = [client.post("/v1/services/team%2Fqa/releases", {"values": {"k": k}}, f"k={k}") for k in (1, 5)]
        study = {"name": "s", "service": "team/qa", "metric": "q", "exploration": {"share": 1.0}}
        created = client.post("/v1/studies", study, "create")
        plan = {"service": "team/qa", "release": 2, "policy": "automatic"}
        stopped = client.post("/v1/studies/s/stop", {}, "stop")
        steps = [client.put("/v1/rollouts/r", plan, "start")]
        steps += [client.post(f"/v1/rollouts/r/{step}", {}, step) for step in ("pause", "resume")]
        back = client.post("/v1/releases/1/rollback", {}, "back")
        signed = client.post("/v1/releases/1/signature", {"envelope": envelope(tmp_path / "r.key", 1)}, "sign")
        before = client.get("/v1/audit", limit=1)["events"][0]["sequence"]
        running.kill()
    with RunningCollector(tmp_path / "data", running.addresses) as running:
        client = running.client
        changed = {"parameters": [{**PARAMETERS["parameters"][0], "default": 2}]}
        for call in (
            lambda: client.put("/v1/services/team%2Fqa/parameters", changed, "declare"),
            lambda: client.post("/v1/services/team%2Fqa/releases", {"values": {"k": 2}}, "k=1"),
            lambda: client.post("/v1/studies", {**study, "seed": 1}, "create"),
            lambda: client.post("/v1/studies/s/stop", {}, "create"),
            lambda: client.put("/v1/rollouts/r", {**plan, "margin": 0.2}, "start"),
            lambda: client.post("/v1/rollouts/r/abort", {}, "pause"),
            lambda: client.post("/v1/releases/2/rollback", {}, "back"),
            lambda: client.post("/v1/releases/1/signature", {"envelope": envelope(tmp_path / "o.key", 1)}, "sign"),
        ):
            with pytest.raises(Refused, match="use a new id for a new request"):
                call()
        client.put("/v1/services/team%2Fqa/parameters", PARAMETERS, "declare")
        assert proposed == [
            client.post("/v1/services/team%2Fqa/releases", {"values": {"k": k}}, f"k={k}") for k in (1, 5)
        ]
        assert client.post("/v1/studies", study, "create") == created
        assert client.post("/v1/studies/s/stop", {}, "stop") == stopped
        assert [client.put("/v1/rollouts/r", plan, "start")] == steps[:1]
        assert [client.post(f"/v1/rollouts/r/{step}", {}, step) for step in ("pause", "resume")] == steps[1:]
        again = client.post("/v1/releases/1/rollback", {}, "back")
        assert "release 3 is not signed" in again.pop("message")  # by now: what it took the place of is
        assert again == {key: value for key, value in back.items() if key != "message"}
        later = {"envelope": envelope(tmp_path / "r.key", 1, later=5)}
        assert client.post("/v1/releases/1/signature", later, "sign") == signed
        assert client.get("/v1/audit", limit=1)["events"][0]["sequence"] == before
        words = said(running, capsys, "releases", "rollback", "1", "--request-id", "back")
        assert f"release {back['number']} is published" in words
