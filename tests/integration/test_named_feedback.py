"""Feedback that names what it judges by a handle, by an attribute, by an answer: over every way in."""

import json
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.sdk._logs import LoggerProvider

import otel_opto
from collector.cli import main
from otel_opto.v1 import feedback_pb2, feedback_pb2_grpc
from tests import samples
from tests.integration.application import shop
from tests.integration.running import RunningCollector, eventually
from tests.integration.test_cli import export


def spans(collector: RunningCollector, trace: int, *, start: int = 0, **attributes: object) -> None:
    """A trace of two spans; the inner one has the attributes."""
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    root = samples.span(trace, 1, start=start, values={"opto.release": trace})
    export(collector, "traces", samples.traces_request([root, samples.span(trace, 2, 1, start=start, values=named)]))


def placed(collector: RunningCollector, name: str) -> tuple[str, str]:
    """Trace and span that the only feedback of a metric judges, once it is attached."""

    def attached() -> Any:
        listed = collector.client.get("/v1/feedback")["feedback"]
        (one,) = [one for one in listed if one["name"] == name]
        return one if one["state"] == "attached" else None

    found = eventually(attached, 40)
    return found["trace_id"], found["span_id"]


ROOTS = {trace: (samples.trace_id(trace), samples.span_id(1)) for trace in (1, 2, 3)}


def test_an_attribute_names_the_newest_trace_that_has_it(collector: RunningCollector) -> None:
    for trace in (1, 2):
        spans(collector, trace, start=trace, session__id="abc", order=f"no-{trace}")
    spans(collector, 3, start=3, session__id="another")
    by = {"score": 0.5, "by_key": "session.id", "by_value": "abc"}
    collector.client.post("/v1/feedback", {"feedback": [{**by, "name": "api"}]})
    assert (
        main(
            ["feedback", "send", "--by", "order=no-1", "--name", "cli", "--label", "good", "--collector", collector.api]
        )
        == 0
    )
    with grpc.insecure_channel(collector.addresses["otlp_grpc"]) as channel:
        one = feedback_pb2.Feedback(name="grpc", score=1.0, by_key="order", by_value="no-2")
        feedback_pb2_grpc.FeedbackServiceStub(channel).SubmitFeedback(
            feedback_pb2.SubmitFeedbackRequest(feedback=[one])
        )
    record = samples.evaluation(1, 1, 0.5, name="event", values={"session.id": "another"}, time=4)
    record.trace_id = record.span_id = b""
    export(collector, "logs", samples.logs_request([record]))
    assert [placed(collector, name) for name in ("api", "cli", "grpc", "event")] == [
        ROOTS[2],
        ROOTS[1],
        ROOTS[2],
        ROOTS[3],
    ]
    listed = {one["name"]: one for one in collector.client.get("/v1/feedback")["feedback"]}
    assert (listed["api"]["by_key"], listed["api"]["by_value"], listed["api"]["release"]) == ("session.id", "abc", 2)


def test_it_waits_for_its_spans_and_stays_where_it_was_given(collector: RunningCollector) -> None:
    by = {"score": 0.5, "by_key": "session.id", "by_value": "late"}
    collector.client.post("/v1/feedback", {"feedback": [{**by, "name": "early"}]})
    spans(collector, 9, session__id="other")
    eventually(lambda: collector.client.get("/v1/stats")["feedback"]["waiting"] == 1)
    import time

    began = time.time_ns() - samples.START
    spans(collector, 1, start=began, session__id="late")
    assert placed(collector, "early") == ROOTS[1]
    spans(collector, 2, start=began + 1, session__id="late")
    at_first = {**by, "name": "of then", "time_unix_nano": samples.START + began - 10**10}
    collector.client.post("/v1/feedback", {"feedback": [{**by, "name": "of now"}, at_first]})
    assert placed(collector, "of now") == ROOTS[2]
    assert placed(collector, "early") == ROOTS[1]
    listed = {one["name"]: one for one in collector.client.get("/v1/feedback")["feedback"]}
    assert listed["of then"]["state"] == "waiting"  # no trace of that session had begun when it was given


def test_a_handle_survives_json_and_judges_over_http_and_sdk(collector: RunningCollector, tmp_path: Path) -> None:
    with shop(collector, tmp_path / "cache") as application:
        with application.tracer_provider.get_tracer("tests").start_as_current_span("request") as span:
            handle = json.loads(json.dumps({"handle": otel_opto.handle()}))["handle"]
        assert otel_opto.handle() == ""
        otel_opto.feedback(0.25, name="sdk", target=handle)
        otel_opto.feedback(0.5, name="by sdk", by=("order", "no-7"))
        otel_opto.feedback(0.5, name="answer", response_id="chatcmpl-7")
        spans(collector, 1, order="no-7", gen_ai__response__id="chatcmpl-7")
        application.flush()
    collector.client.post("/v1/feedback", {"feedback": [{"name": "http", "score": 0.75, "handle": handle}]})
    context = span.get_span_context()
    expected = (f"{context.trace_id:032x}", f"{context.span_id:016x}")
    assert placed(collector, "sdk") == placed(collector, "http") == expected
    assert placed(collector, "by sdk") == ROOTS[1]
    assert placed(collector, "answer") == (samples.trace_id(1), samples.span_id(2))


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"handle": "abc"}, "handle: found 'abc', allowed is what otel_opto.handle() gave, or a W3C traceparent"),
        ({"handle": f"00-{1:032x}-{1:016x}-01", "trace_id": "1"}, "handle: it stands for trace_id and span_id"),
        ({"by_key": "session.id"}, "by_key, by_value: found one of them"),
        ({}, "or none where response_id or by_key names what is judged"),
    ],
)  # fmt: skip
def test_what_names_nothing_is_refused(collector: RunningCollector, said: dict[str, str], fault: str) -> None:
    from collector.cli.client import Refused

    with pytest.raises(Refused) as refused:
        collector.client.post("/v1/feedback", {"feedback": [{"name": "quality", "score": 1, **said}]})
    assert fault in str(refused.value)


def test_a_wrong_handle_costs_the_feedback_alone(caplog: pytest.LogCaptureFixture) -> None:
    from otel_opto.setup import Sdk

    sdk = Sdk()
    sdk.telemetry.choose(None, LoggerProvider())
    sdk.feedback(0.5, target="nonsense")
    sdk.feedback(0.5, target="")
    assert sdk.feedback_events.dropped == 2
    assert "found 'nonsense', allowed is what otel_opto.handle() gave" in caplog.text
