"""Rollouts over gRPC: a real server, a real client, the same answers as over HTTP."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from collector.access.tokens import REQUEST_ID
from collector.publisher.signing import envelope_of, make_keys
from otel_opto.signing import Signed
from otel_opto.v1 import ledger_pb2, ledger_pb2_grpc, parameter_pb2, release_pb2, release_pb2_grpc, rollout_pb2
from otel_opto.v1.rollout_pb2_grpc import RolloutServiceStub
from tests.integration.running import RunningCollector

PARAMETERS = {"parameters": [{"key": "k", "type": "integer", "default": 1, "minimum": 0, "maximum": 9}]}
SERVICE = "team/qa"


class Remote:
    """A collector with two releases, of which the first is in force."""

    def __init__(self, collector: RunningCollector, channel: grpc.Channel) -> None:
        self.http = collector.client
        self.releases = release_pb2_grpc.ReleaseServiceStub(channel)
        self.rollouts = RolloutServiceStub(channel)
        self.ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
        self.http.put("/v1/services/team%2Fqa/parameters", PARAMETERS)
        self.propose(1)
        self.propose(5)

    def propose(self, k: int, request_id: str = "") -> release_pb2.Release:
        values = {"k": parameter_pb2.Value(integer=k)}
        request = release_pb2.ProposeReleaseRequest(service=SERVICE, values=values, reason="by hand")
        metadata = ((REQUEST_ID, request_id),) if request_id else ()
        return self.releases.ProposeRelease(request, metadata=metadata).release

    def start(self, **plan: object) -> rollout_pb2.Rollout:
        given = rollout_pb2.RolloutPlan(service=SERVICE, release=2, **plan)  # type: ignore[arg-type]
        return self.rollouts.StartRollout(rollout_pb2.StartRolloutRequest(name="r", plan=given)).rollout


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    with (
        RunningCollector(tmp_path / "data") as running,
        grpc.insecure_channel(running.addresses["otlp_grpc"]) as channel,
    ):
        yield Remote(running, channel)


def code_of(error: pytest.ExceptionInfo[grpc.RpcError]) -> str:
    return str(error.value.code().name)


def test_a_person_takes_a_release_through_its_rollout(remote: Remote) -> None:
    stages = [rollout_pb2.Stage(share=0.05, least_seconds=3_600), rollout_pb2.Stage(share=0.5, least_seconds=0)]
    metric = rollout_pb2.Metric(name="quality", highest=5)
    waiting = remote.start(stages=stages, metric=metric, margin=0.1, rule=rollout_pb2.RULE_BETTER)
    assert (waiting.state, waiting.share) == ("awaiting_approval", 0)
    plan = waiting.plan
    assert (plan.margin, plan.rule, list(plan.stages)) == (0.1, rollout_pb2.RULE_BETTER, stages)
    assert (plan.metric.lowest, plan.metric.highest, plan.least_units) == (0, 5, 100)
    assert [one.signal for one in plan.guardrails] == [
        rollout_pb2.SIGNAL_ERROR, rollout_pb2.SIGNAL_MISAPPLIED, rollout_pb2.SIGNAL_SILENT,
    ]  # fmt: skip
    approval = rollout_pb2.ApproveRolloutRequest(name="r", content_hash=plan.content_hash)
    approved = remote.rollouts.ApproveRollout(approval).rollout
    assert (approved.state, approved.approved_by, approved.share, approved.next_share) == (
        "ramping",
        "local",
        0.05,
        0.5,
    )
    step = {"name": "r", "message": "lunch"}
    paused = remote.rollouts.PauseRollout(rollout_pb2.PauseRolloutRequest(**step)).rollout
    assert (paused.state, paused.message) == ("paused", "lunch")
    assert remote.rollouts.ResumeRollout(rollout_pb2.ResumeRolloutRequest(**step)).rollout.state == "ramping"
    assert remote.rollouts.PromoteRollout(rollout_pb2.PromoteRolloutRequest(**step)).rollout.state == "promoted"
    with pytest.raises(grpc.RpcError) as refused:
        remote.rollouts.AbortRollout(rollout_pb2.AbortRolloutRequest(**step))
    assert code_of(refused) == "FAILED_PRECONDITION"
    (listed,) = remote.rollouts.ListRollouts(rollout_pb2.ListRolloutsRequest(service=SERVICE)).rollouts
    assert (listed.name, listed.state) == ("r", "promoted")
    page = remote.ledger.ListEvents(ledger_pb2.ListEventsRequest(stream="rollout/r", page_size=1))
    (event,) = page.events
    assert (event.kind, event.actor, json.loads(event.data_json)["message"]) == ("rollout_promoted", "local", "lunch")
    request = ledger_pb2.ListEventsRequest(stream="rollout/r", page_token=page.next_page_token)
    kinds = [one.kind for one in remote.ledger.ListEvents(request).events]
    assert kinds == ["rollout_resumed", "rollout_paused", "rollout_began", "rollout_approved", "rollout_submitted",
                     "rollout_drafted"]  # fmt: skip


def test_both_apis_say_the_same(remote: Remote) -> None:
    remote.start(policy=2, metric=rollout_pb2.Metric(name="quality"))
    report = remote.rollouts.GetRollout(rollout_pb2.GetRolloutRequest(name="r")).report
    over_grpc = MessageToDict(report, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    over_http = remote.http.get("/v1/rollouts/r")
    assert {**over_grpc.pop("rollout"), **over_grpc}.keys() - {"plan"} <= over_http.keys()
    assert report.rollout.plan.content_hash == over_http["content_hash"]
    assert report.rollout.plan.policy == 2
    assert report.units == over_http["units"]
    assert [one.words for one in report.guardrails] == [one["words"] for one in over_http["guardrails"]]
    assert (report.next.step, report.next.message) == (over_http["next"]["step"], over_http["next"]["message"])


def test_a_rollback_says_that_it_wants_a_signature(remote: Remote, tmp_path: Path) -> None:
    private = tmp_path / "r.key"
    make_keys(private, tmp_path / "r.pub")
    now, rollback = int(time.time()), release_pb2.RollbackRequest(number=1)
    signature = envelope_of(Signed(SERVICE, 1, {"k": 1}, now, now + 999), private.read_bytes())
    remote.releases.SignRelease(release_pb2.SignReleaseRequest(number=1, envelope=signature.encode()))
    back = remote.releases.Rollback(rollback)
    assert back.message.endswith(f"sign it: otel-opto releases sign {back.release.number} --key FILE")
    assert remote.releases.Rollback(rollback).message == ""  # what it takes the place of is not signed either


def test_a_watch_tells_what_changes_until_the_end(remote: Remote) -> None:
    remote.start(policy=2)
    watch = remote.rollouts.WatchRollout(rollout_pb2.WatchRolloutRequest(name="r"), timeout=30)
    assert next(watch).report.rollout.state == "ramping"
    remote.http.post("/v1/rollouts/r/abort", {"message": "errors"})
    last = [one.report.rollout for one in watch][-1]
    assert (last.state, last.message) == ("aborted", "errors")


def test_what_is_wrong_has_its_code_and_words(remote: Remote) -> None:
    for call, code, words in (
        (lambda: remote.propose(99), "INVALID_ARGUMENT", "allowed: a whole number from 0 to 9"),
        (lambda: remote.start(margin=2.0), "INVALID_ARGUMENT", "margin: found 2"),
        (lambda: remote.start(rule=9), "INVALID_ARGUMENT", "found '9'"),  # type: ignore[arg-type]
        (lambda: remote.start(stages=[rollout_pb2.Stage(share=2)]), "INVALID_ARGUMENT", "stages.0.share"),
        (lambda: remote.start(guardrails=[rollout_pb2.Guardrail()]), "INVALID_ARGUMENT", "guardrails.0.signal"),
        (
            lambda: remote.rollouts.AbortRollout(rollout_pb2.AbortRolloutRequest(name="r", message="x" * 20_000)),
            "INVALID_ARGUMENT",
            "message: found 20,000 characters",
        ),
        (lambda: remote.start(content_hash="f"), "INVALID_ARGUMENT", "content_hash: found 'f'"),
        (
            lambda: remote.rollouts.GetRollout(rollout_pb2.GetRolloutRequest(name="none")),
            "NOT_FOUND",
            "there is none of that name",
        ),
        (
            lambda: next(remote.rollouts.WatchRollout(rollout_pb2.WatchRolloutRequest(name="none"))),
            "NOT_FOUND",
            "there is none of that name",
        ),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            call()
        assert (code_of(refused), words in str(refused.value)) == (code, True), words
    waiting = remote.start()
    with pytest.raises(grpc.RpcError) as refused:
        remote.start(margin=0.2)
    assert code_of(refused) == "ALREADY_EXISTS"
    wrong = rollout_pb2.ApproveRolloutRequest(name="r", content_hash=waiting.plan.content_hash[::-1])
    with pytest.raises(grpc.RpcError) as refused:
        remote.rollouts.ApproveRollout(wrong)
    assert code_of(refused) == "FAILED_PRECONDITION"


def test_a_request_id_holds_over_both_apis(remote: Remote) -> None:
    first = remote.propose(7, "once")
    assert remote.propose(7, "once") == first
    values = {"values": {"k": 7}, "reason": "by hand"}
    again = remote.http.post("/v1/services/team%2Fqa/releases", values, request_id="once")
    assert again["number"] == first.number == 3
    with pytest.raises(grpc.RpcError) as refused:
        remote.propose(8, "once")
    assert code_of(refused) == "FAILED_PRECONDITION"
    assert "has another content; use a new id" in str(refused.value)
