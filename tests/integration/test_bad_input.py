"""What a running collector says to input that is wrong."""

import json
import urllib.error
import urllib.request

import grpc
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from otel_opto.v1 import parameter_pb2, parameter_pb2_grpc, release_pb2, release_pb2_grpc
from tests import samples
from tests.integration.running import RunningCollector, eventually

MIB = 2**20


def send(
    url: str, body: bytes | None, content_type: str = "application/json", method: str = "POST"
) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, {"Content-Type": content_type}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def otlp(collector: RunningCollector, body: bytes) -> tuple[int, bytes]:
    return send(f"{collector.http}/v1/traces", body, "application/x-protobuf")


def test_malformed_protobuf_is_refused_for_good(collector: RunningCollector) -> None:
    status, body = otlp(collector, b"\x0a\xff\xff\xff\xff")
    assert status == 400
    assert Status.FromString(body).message
    with grpc.insecure_channel(collector.ready["otlp_grpc"]) as channel:
        export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        with pytest.raises(grpc.RpcError) as refused:
            export(b"\x0a\xff\xff\xff\xff")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_spans_with_wrong_ids_are_rejected_one_by_one_and_counted(collector: RunningCollector) -> None:
    good, bad = samples.span(1, 1), samples.span(1, 2)
    bad.span_id = b"short"
    status, body = otlp(collector, samples.traces_request([good, bad]))
    partial = ExportTraceServiceResponse.FromString(body).partial_success
    assert (status, partial.rejected_spans) == (200, 1)
    assert "span" in partial.error_message
    stats = collector.client.get("/v1/stats")
    assert stats["spans"] == 1
    assert stats["counters"]["otel_opto_receiver_refused_spans"] == 1


def test_one_bad_item_costs_only_itself_over_every_protocol(collector: RunningCollector) -> None:
    good, torn = samples.span(1, 1), samples.span(1, 2, values={"k": "caf!"})
    body = samples.traces_request([good, torn]).replace(b"caf!", b"caf\xe9")
    partial = ExportTraceServiceResponse.FromString(otlp(collector, body)[1]).partial_success
    assert (partial.rejected_spans, "1 repaired" in partial.error_message) == (0, True)
    with grpc.insecure_channel(collector.ready["otlp_grpc"]) as channel:
        export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        assert ExportTraceServiceResponse.FromString(export(body)).partial_success.error_message
    records = [{"body": {"stringValue": "\ud800"}}, None, {"timeUnixNano": "1"}]
    logs = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()
    status, said = send(f"{collector.http}/v1/logs", logs)
    assert (status, json.loads(said)["partialSuccess"]["rejectedLogRecords"]) == (200, "1")
    stats = collector.client.get("/v1/stats")
    assert (stats["spans"], stats["log_records"]) == (4, 2)
    assert stats["counters"]["otel_opto_receiver_repaired_spans"] == 2
    assert stats["counters"]["otel_opto_receiver_repaired_log_records"] == 1


def test_a_request_of_70_mb_is_refused_and_the_collector_goes_on(collector: RunningCollector) -> None:
    huge = samples.traces_request([samples.span(1, 1, values={"text": "x" * (70 * MIB)})])
    try:
        status, _ = otlp(collector, huge)
    except (ConnectionError, urllib.error.URLError):
        status = 413  # it may close the connection while we are still sending
    assert status == 413
    with grpc.insecure_channel(collector.ready["otlp_grpc"]) as channel:
        stub = TraceServiceStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            stub.Export(ExportTraceServiceRequest.FromString(huge))
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        stub.Export(ExportTraceServiceRequest.FromString(samples.traces_request([samples.span(2, 1)])))
    assert collector.client.get("/v1/stats")["spans"] == 1


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ({"key": "k", "type": "integer", "default": "three"}, "found 'three' (str), allowed: a whole number"),
        ({"key": "k", "type": "number", "default": 3}, "found 'number', allowed: integer, float, choice"),
        ({"key": "k", "type": "choice", "default": "a"}, "a choice needs at least one of choices"),
        ({"key": "k", "default": 3}, "parameters.0.type"),
        ({"key": "k", "type": "integer", "default": 3, "maximmum": 4}, "parameters.0.maximmum"),
    ],
)
def test_a_wrong_declaration_is_refused_in_words(
    collector: RunningCollector, parameter: dict[str, object], said: str
) -> None:
    url = f"{collector.api}/v1/services/shop/parameters"
    status, body = send(url, json.dumps({"parameters": [parameter]}).encode(), method="PUT")
    assert status == 400
    assert said in json.loads(body)["error"]
    assert collector.client.get("/v1/services/shop/parameters") == {"parameters": []}


def test_the_grpc_services_refuse_in_words(collector: RunningCollector) -> None:
    with grpc.insecure_channel(collector.ready["otlp_grpc"]) as channel:
        declare = parameter_pb2_grpc.ParameterServiceStub(channel).DeclareParameters
        with pytest.raises(grpc.RpcError) as refused:
            declare(parameter_pb2.DeclareParametersRequest(service="s", parameters=[{"key": "a b"}, {"key": "k"}]))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "'a b'" in refused.value.details()
        releases = release_pb2_grpc.ReleaseServiceStub(channel)
        with pytest.raises(grpc.RpcError) as missing:
            releases.GetRelease(release_pb2.GetReleaseRequest(number=99))
        assert missing.value.code() is grpc.StatusCode.NOT_FOUND
        with pytest.raises(grpc.RpcError) as nobody:
            next(releases.WatchReleases(release_pb2.WatchReleasesRequest()))
        assert nobody.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_names_and_errors_of_applications_are_bounded(collector: RunningCollector) -> None:
    spec = {"parameters": [{"key": "k", "type": "integer", "default": 1, "minimum": 0, "maximum": 9}]}
    status, body = send(
        f"{collector.api}/v1/services/{'s' * 1_001}/parameters", json.dumps(spec).encode(), method="PUT"
    )
    assert (status, json.loads(body)["error"]) == (400, "service: found 1,001 characters, allowed are 1,000")
    send(f"{collector.api}/v1/services/shop/parameters", json.dumps(spec).encode(), method="PUT")
    send(f"{collector.api}/v1/studies", json.dumps({"name": "n", "service": "shop", "metric": "q"}).encode())
    eventually(lambda: collector.client.get("/v1/releases")["releases"])
    url = f"{collector.api}/v1/releases/1/acknowledgements"
    word = {"service": "shop", "instance_id": "i", "status": "FAILED", "error": "x" * 100_000}
    assert send(url, json.dumps(word).encode())[0] == 204
    assert send(url, json.dumps({**word, "instance_id": "i" * 1_001}).encode())[0] == 400
    assert [
        len(one["error"]) for one in collector.client.listed("/v1/releases/1/acknowledgements", "acknowledgements")
    ] == [10_001]


@pytest.mark.parametrize(
    ("feedback", "said"),
    [
        ({"trace_id": "xyz", "name": "q", "score": 1}, "trace_id: found 'xyz'"),
        ({"trace_id": samples.trace_id(1), "name": "q"}, "one of score, label and text"),
        ({"trace_id": samples.trace_id(1), "name": "", "score": 1}, "name: found nothing"),
        ({"trace_id": samples.trace_id(1), "name": "q", "score": "good"}, "feedback.0.score"),
    ],
)
def test_wrong_feedback_is_refused_in_words(
    collector: RunningCollector, feedback: dict[str, object], said: str
) -> None:
    status, body = send(f"{collector.api}/v1/feedback", json.dumps({"feedback": [feedback]}).encode())
    assert status == 400
    assert said in json.loads(body)["error"]


def test_feedback_may_come_before_its_spans(collector: RunningCollector) -> None:
    feedback = {"trace_id": samples.trace_id(5), "name": "quality", "score": 0.5, "text": "early"}
    send(f"{collector.api}/v1/feedback", json.dumps({"feedback": [feedback]}).encode())
    assert collector.client.get("/v1/feedback")["feedback"][0]["state"] == "waiting"
    otlp(collector, samples.traces_request([samples.span(5, 1, values={"opto.release": 3})]))
    attached = eventually(
        lambda: [f for f in collector.client.get("/v1/feedback")["feedback"] if f["state"] == "attached"]
    )
    assert (attached[0]["span_id"], attached[0]["release"]) == (samples.span_id(1), 3)


def test_a_study_with_an_unknown_optimizer_or_option_is_refused(collector: RunningCollector) -> None:
    study = {"name": "s", "service": "shop", "metric": "q", "optimizer": "serch"}
    status, body = send(f"{collector.api}/v1/studies", json.dumps(study).encode())
    assert status == 400
    assert "optoprime, search" in json.loads(body)["error"]
    study |= {"optimizer": "search", "optimizer_options": {"sampel": 3}}
    status, body = send(f"{collector.api}/v1/studies", json.dumps(study).encode())
    assert status == 400
    assert "sampel" in json.loads(body)["error"]


def test_wrong_queries_are_refused_in_words(collector: RunningCollector) -> None:
    for path, said in (("/v1/feedback?trace_id=zz", "'zz'"), ("/v1/traces?limit=-1", "'-1'")):
        status, body = send(collector.api + path, b"", method="GET")
        assert status == 400
        assert said in json.loads(body)["error"]


def test_unknown_things_are_not_found_in_words(collector: RunningCollector) -> None:
    for path in ("/v1/releases/7", "/v1/studies/none", f"/v1/traces/{samples.trace_id(9)}/graph", "/v1/nothing"):
        status, body = send(collector.api + path, b"", method="GET")
        assert status == 404
        assert json.loads(body)["error"]


@pytest.mark.parametrize("number", [2**63, 10**30, "9" * 4_301])
def test_a_number_beyond_all_releases_is_none(number: object, collector: RunningCollector) -> None:
    for method, path in (
        ("GET", "/v1/releases/{}"),
        ("GET", "/v1/releases/{}/acknowledgements"),
        ("GET", "/v1/releases/1/diff/{}"),
        ("GET", "/v1/releases/{}/diff/1"),
        ("POST", "/v1/releases/{}/rollback"),
        ("POST", "/v1/releases/{}/signature"),
        ("POST", "/v1/releases/{}/acknowledgements"),
    ):
        status, said = send(collector.api + path.format(number), b"{}" if method == "POST" else None, method=method)
        assert (status, b"error" in said) == (404, True)
