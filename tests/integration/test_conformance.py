"""OTLP as the specification has it, against a real collector: exporters, encodings, bad input, a fuzzer."""

import asyncio
import gzip
import http.client
import json
import random
import socket
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.internal.encoder import _VarintBytes
from google.rpc import code_pb2, status_pb2
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from tests import samples
from tests.integration.running import RunningCollector

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
LIMIT = 2**20


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCollector]:
    directory = tmp_path_factory.mktemp("conformance")
    config = directory / "collector.yaml"
    config.write_text(f"receivers: {{otlp: {{max_request_bytes: {LIMIT}}}}}\n", encoding="utf-8")
    with RunningCollector(directory / "data", None, "--config", str(config)) as collector:
        yield collector


def post(
    running: RunningCollector, body: bytes, path: str = "/v1/traces", method: str = "POST", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    sent = {"Content-Type": PROTOBUF, **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection = http.client.HTTPConnection(running.addresses["otlp_http"], timeout=20)
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def stored(running: RunningCollector, trace: int) -> list[dict[str, Any]]:
    """The spans of a trace as Jaeger's version 1 shows them."""
    connection = http.client.HTTPConnection(running.addresses["api"], timeout=20)
    connection.request("GET", f"/api/traces/{samples.trace_id(trace)}")
    document = json.loads(connection.getresponse().read())
    connection.close()
    return document["data"][0]["spans"] if document["data"] else []


def body_of(trace: int, **changed: Any) -> bytes:
    return samples.traces_request([samples.span(trace, 1, **changed)])


# --- exporters ------------------------------------------------------------------------------------------------------


def span_exporters(running: RunningCollector) -> dict[str, Callable[[], SpanExporter]]:
    at, grpc_at = f"{running.http}/v1/traces", running.addresses["otlp_grpc"]
    return {
        "grpc": lambda: GrpcSpans(endpoint=grpc_at, insecure=True),
        "grpc gzip": lambda: GrpcSpans(endpoint=grpc_at, insecure=True, compression=grpc.Compression.Gzip),
        "http": lambda: HttpSpans(endpoint=at),
        "http gzip": lambda: HttpSpans(endpoint=at, compression=Compression.Gzip),
        "http deflate": lambda: HttpSpans(endpoint=at, compression=Compression.Deflate),
    }


@pytest.mark.parametrize("way", ["grpc", "grpc gzip", "http", "http gzip", "http deflate"])
def test_the_official_python_exporters(running: RunningCollector, way: str) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": f"python {way}"}))
    provider.add_span_processor(SimpleSpanProcessor(span_exporters(running)[way]()))
    with provider.get_tracer("t", "1").start_as_current_span("one", attributes={"k": "v" * 200, "n": [1, 2]}) as span:
        span.add_event("happened", {"a": "b"})
    provider.shutdown()
    (found,) = stored(running, span.get_span_context().trace_id)
    assert found["operationName"] == "one"
    assert {tag["key"]: tag["value"] for tag in found["tags"]}["k"] == "v" * 200
    assert found["logs"][0]["fields"][0]["value"] == "happened"


@pytest.mark.parametrize("way", ["grpc", "http", "http gzip"])
def test_the_official_log_exporters(running: RunningCollector, way: str) -> None:
    before = running.client.get("/v1/stats")["log_records"]
    at = f"{running.http}/v1/logs"
    exporter = {
        "grpc": lambda: GrpcLogs(endpoint=running.addresses["otlp_grpc"], insecure=True),
        "http": lambda: HttpLogs(endpoint=at),
        "http gzip": lambda: HttpLogs(endpoint=at, compression=Compression.Gzip),
    }[way]()
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    record = LogRecord(timestamp=1, event_name="e", severity_number=SeverityNumber.INFO, body={"a": [1]}, attributes={})
    provider.get_logger("t").emit(record)
    provider.shutdown()
    assert running.client.get("/v1/stats")["log_records"] == before + 1


# --- encodings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
        ("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
    ],
)
def test_bodies_in_every_encoding(running: RunningCollector, encoding: str, encode: Callable[[bytes], bytes]) -> None:
    trace = random.Random(f"{encoding}{encode(b'x')!r}").randrange(1, 2**60)
    status, headers, answer = post(running, encode(body_of(trace)), Content_Encoding=encoding)
    assert (status, headers["content-type"], answer) == (200, PROTOBUF, b"")
    assert len(stored(running, trace)) == 1


def raw(running: RunningCollector, request: bytes) -> bytes:
    """Sends bytes as they are and reads until the server closes."""
    host, port = running.addresses["otlp_http"].split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def test_chunks_continue_and_pipelines(running: RunningCollector) -> None:
    head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
    one, two, three = body_of(701), body_of(702), body_of(703)
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (one[:40], one[40:])) + b"0\r\n\r\n"
    answers = raw(
        running,
        head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked
        + head + b"Content-Length: %d\r\n\r\n" % len(two) + two
        + head + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(three) + three,
    )  # fmt: skip
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert [len(stored(running, number)) for number in (701, 702, 703)] == [1, 1, 1]


def test_a_body_in_many_small_pieces_and_two_requests_on_one_connection(running: RunningCollector) -> None:
    body = samples.traces_request([samples.span(711, 1 + n, values={"text": "x" * 500}) for n in range(500)])
    connection = http.client.HTTPConnection(running.addresses["otlp_http"], timeout=20)
    for _ in range(2):
        connection.putrequest("POST", "/v1/traces")
        connection.putheader("Content-Type", PROTOBUF)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        for start in range(0, len(body), 10_007):
            connection.send(body[start : start + 10_007])
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
    connection.close()
    assert len(stored(running, 711)) == 500


def test_a_ten_mebibyte_batch_over_grpc(tmp_path: Path) -> None:
    with (
        RunningCollector(tmp_path / "data") as collector,
        grpc.insecure_channel(collector.addresses["otlp_grpc"]) as channel,
    ):
        spans = [samples.span(1, 1 + n, values={"text": "x" * 10_000}) for n in range(1_000)]
        assert channel.unary_unary(EXPORT)(samples.traces_request(spans), timeout=20) == b""
        assert collector.client.get("/v1/stats")["spans"] == 1_000


# --- what is wrong --------------------------------------------------------------------------------------------------


def deep(levels: int) -> bytes:
    """A span with an attribute of arrays in arrays; by hand, as the official messages refuse to hold it."""

    def field(tag: int, content: bytes) -> bytes:
        return bytes([tag]) + _VarintBytes(len(content)) + content

    value = b"\x18\x01"
    for _ in range(levels):
        value = field(0x2A, field(0x0A, value))
    attribute = field(0x4A, field(0x0A, b"deep") + field(0x12, value))
    span = samples.span(1, 1).SerializeToString() + attribute
    return field(0x0A, field(0x12, field(0x12, span)))


WRONG: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "no protobuf": (b"\xff\xff\xff", {}, 400, "no export request of traces: the request: byte 0"),
    "cut off": (body_of(1)[:-5], {}, 400, "no export request of traces: the request: byte 0"),
    "not gzip": (b"plain", {"Content_Encoding": "gzip"}, 400, "not gzip"),
    "gzip cut off": (gzip.compress(body_of(1))[:-9], {"Content_Encoding": "gzip"}, 400, "cut off"),
    "gzip and then something": (gzip.compress(b"") + b"x", {"Content_Encoding": "gzip"}, 400, "cut off"),
    "zlib and then something": (zlib.compress(b"") + b"x", {"Content_Encoding": "deflate"}, 400, "not part of it"),
    "unknown encoding": (b"", {"Content_Encoding": "br"}, 415, "allowed: identity, gzip, deflate"),
    "unknown type": (b"", {"Content_Type": "text/plain"}, 415, "allowed: application/x-protobuf, application/json"),
    "a bomb": (gzip.compress(bytes(50 * LIMIT)), {"Content_Encoding": "gzip"}, 413, f"longer than {LIMIT} bytes"),
    "too large": (bytes(LIMIT + 1), {}, 413, f"longer than {LIMIT} bytes"),
    "no JSON": (b"{", {"Content_Type": JSON}, 400, "no OTLP/JSON"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(WRONG))
def test_what_is_wrong_is_said_as_a_status(running: RunningCollector, case: str) -> None:
    body, headers, expected, said = WRONG[case]
    status, answered, answer = post(running, body, **headers)
    assert status == expected
    if headers.get("Content_Type") == JSON:
        assert answered["content-type"] == JSON
        assert said in json.loads(answer)["message"]
    else:
        assert answered["content-type"] == PROTOBUF
        message = status_pb2.Status.FromString(answer)
        assert said in message.message
        assert message.code in (code_pb2.INVALID_ARGUMENT, code_pb2.RESOURCE_EXHAUSTED)
    assert post(running, body_of(2))[0] == 200


def test_other_methods_and_paths(running: RunningCollector) -> None:
    status, headers, _ = post(running, b"", method="GET")
    assert (status, headers["allow"]) == (405, "POST")
    assert post(running, b"", path="/v1development/profiles")[0] == 404
    assert post(running, b"anything", path="/v1/metrics")[0] == 200


def test_what_is_nested_too_deeply_costs_itself_alone(running: RunningCollector) -> None:
    status, _, answer = post(running, deep(49) + body_of(77))
    assert status == 200
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert partial.rejected_spans == 0
    assert "nested deeper than 100 messages" in partial.error_message
    assert len(stored(running, 77)) == 1


def test_grpc_says_what_is_wrong(running: RunningCollector) -> None:
    with grpc.insecure_channel(running.addresses["otlp_grpc"]) as channel:
        for body, code in (
            (b"\xff\xff", "INVALID_ARGUMENT"),
            (bytes(2 * LIMIT), "RESOURCE_EXHAUSTED"),
        ):
            with pytest.raises(grpc.RpcError) as error:
                channel.unary_unary(EXPORT)(body, timeout=10)
            assert error.value.code().name == code
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary(EXPORT)(bytes(20 * LIMIT), timeout=10, compression=grpc.Compression.Gzip)
        assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        profiles = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary(profiles)(b"", timeout=10)
        assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert channel.unary_unary(EXPORT)(b"", timeout=10) == b""


def test_one_bad_span_is_refused_and_the_others_are_kept(running: RunningCollector) -> None:
    bad = samples.span(721, 2)
    bad.trace_id = bytes(16)
    body = samples.traces_request([samples.span(721, 1), bad])
    status, _, answer = post(running, body)
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert (status, partial.rejected_spans, "all zero" in partial.error_message) == (200, 1, True)
    assert len(stored(running, 721)) == 1


def test_json_as_the_specification_writes_it(running: RunningCollector) -> None:
    document = {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "json"}}]},
                "scopeSpans": [
                    {
                        "scope": {"name": "lib", "version": "1", "newField": {}},
                        "spans": [
                            {
                                "traceId": samples.trace_id(0xABCD).upper(), "spanId": "EEE19B7EC3C1B174",
                                "parentSpanId": "eee19b7ec3c1b173", "name": "I'm a server", "kind": 2,
                                "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": 1544712661000000000,
                                "attributes": [
                                    {"key": "i", "value": {"intValue": "9007199254740993"}},
                                    {"key": "j", "value": {"intValue": 5}},
                                    {"key": "d", "value": {"doubleValue": 0.5}},
                                    {"key": "b", "value": {"bytesValue": "AQI="}},
                                    {"key": "n", "value": {}},
                                    {"key": "l", "value": {"arrayValue": {"values": [{"boolValue": True}]}}},
                                ],
                                "status": {"code": 2}, "unknown": [1, 2],
                            }
                        ],
                    }
                ],
            }
        ]
    }  # fmt: skip
    status, headers, answer = post(running, json.dumps(document).encode(), Content_Type=f"{JSON}; charset=utf-8")
    assert (status, headers["content-type"], json.loads(answer)) == (200, JSON, {})
    (span,) = stored(running, 0xABCD)
    tags = {tag["key"]: tag["value"] for tag in span["tags"]}
    assert (tags["i"], tags["j"], tags["d"], tags["b"], tags["l"]) == ("9007199254740993", 5, 0.5, "AQI=", "[true]")
    assert (tags["span.kind"], tags["error"], span["duration"]) == ("server", True, 10**6)


# --- the fuzzer -----------------------------------------------------------------------------------------------------


def damaged(body: bytes, made: random.Random) -> bytes:
    """A request with bytes flipped, cut, doubled or moved."""
    data = bytearray(body)
    for _ in range(made.randrange(1, 6)):
        at = made.randrange(len(data)) if data else 0
        kind = made.randrange(5)
        if kind == 0 and data:
            data[at] ^= 1 << made.randrange(8)
        elif kind == 1 and data:
            data[at] = made.randrange(256)
        elif kind == 2:
            del data[at : at + made.randrange(1, 30)]
        elif kind == 3:
            data[at:at] = data[at : at + made.randrange(1, 30)]
        else:
            data[at:at] = made.randbytes(made.randrange(1, 12))
    return bytes(data)


async def test_damaged_requests_are_kept_and_readable_or_refused(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rounds = 20_000 if request.config.getoption("--slow") else 400
    whole = samples.traces_request(
        [
            samples.span(1, 1, values={"k": "v", "n": 5, "f": 0.5, "l": [1]}, links=[(2, "a")], error="e"),
            samples.span(1, 2, 1),
        ]
    )
    with RunningCollector(tmp_path / "data") as collector:
        rejected = await asyncio.to_thread(_send_damaged, collector, whole, rounds)
        stats = collector.client.get("/v1/stats")
        assert stats["spans"] == stats["counters"]["otel_opto_receiver_accepted_spans"] > rounds / 4
        assert stats["counters"]["otel_opto_receiver_refused_spans"] == rejected
        assert collector.process.poll() is None
        for summary in collector.client.get("/v1/traces", limit=0)["traces"]:
            assert summary["span_count"] > 0
        assert collector.stop() == 0


def _send_damaged(collector: RunningCollector, whole: bytes, rounds: int) -> int:
    """Returns how many spans were said to be rejected."""
    made, rejected = random.Random(5), 0
    with grpc.insecure_channel(collector.addresses["otlp_grpc"]) as channel:
        call = channel.unary_unary(EXPORT)
        for number in range(rounds):
            body = damaged(whole, made)
            if number % 2:
                status, _, answer = post(collector, body)
            else:
                status, answer = over_grpc(call, body)
            assert status in (200, 400)
            if status == 200:
                rejected += ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans
    return rejected


def over_grpc(call: Callable[..., bytes], body: bytes) -> tuple[int, bytes]:
    try:
        return 200, call(body, timeout=10)
    except grpc.RpcError as error:
        return (400 if error.code() is grpc.StatusCode.INVALID_ARGUMENT else 500), b""
