"""The receivers on real sockets, with the official exporters where they apply."""

import asyncio
import gzip
import urllib.error
import urllib.request
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import code_pb2, error_details_pb2, status_pb2
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OTLPHttpSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from collector.core.errors import InvalidRequest, Unavailable
from collector.core.telemetry import Encoding, IngestResult, Signal
from collector.counters import Counter, Counters
from collector.otlp.decode import spans_of
from collector.process.network.connections import Connections
from collector.process.network.listeners import GrpcListener, HttpListener
from collector.process.network.patience import HttpLimits
from collector.receiver import otlp_grpc
from collector.receiver.limits import Budget, ReceiverLimits
from collector.receiver.otlp_http import OtlpHttp
from tests import samples

LIMIT = 100_000
METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"


@dataclass
class Kept:
    """Keeps bodies in memory; answers with what is queued first."""

    bodies: list[tuple[Signal, bytes]] = field(default_factory=list)
    answers: list[Exception | IngestResult] = field(default_factory=list)

    async def ingest(
        self, signal: Signal, body: bytes, hops: tuple[str, ...] = (), encoding: Encoding = Encoding.PROTOBUF
    ) -> IngestResult:
        answer = self.answers.pop(0) if self.answers else IngestResult(1)
        if isinstance(answer, Exception):
            raise answer
        self.bodies.append((signal, body))
        return answer


@dataclass
class Receivers:
    kept: Kept
    counters: Counters
    grpc: str
    http: str

    async def post(
        self,
        path: str,
        body: bytes,
        content_type: str = "application/x-protobuf",
        encoding: str = "",
        method: str = "POST",
    ) -> tuple[int, dict[str, str], bytes]:
        headers = {"Content-Type": content_type, **({"Content-Encoding": encoding} if encoding else {})}
        request = urllib.request.Request(f"http://{self.http}{path}", body, headers, method=method)

        def send() -> tuple[int, dict[str, str], bytes]:
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return answer.status, dict(answer.headers), answer.read()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, dict(error.headers), error.read()

        return await asyncio.to_thread(send)


@pytest.fixture
async def receivers() -> AsyncIterator[Receivers]:
    kept, counters, limits, budget = Kept(), Counters(), ReceiverLimits(LIMIT, 4 * LIMIT, LIMIT), Budget(4 * LIMIT)
    server = grpc.aio.server(options=otlp_grpc.server_options(limits, 100))
    server.add_generic_rpc_handlers(otlp_grpc.handlers(kept, counters, budget))
    over_grpc = GrpcListener(server, "127.0.0.1:0", "test")
    connections = Connections(HttpLimits(), counters, budget, lambda _: True)
    over_http = HttpListener(OtlpHttp(kept, counters, limits, budget), "127.0.0.1:0", "test", connections)
    await over_grpc.start()
    await over_http.start()
    yield Receivers(kept, counters, over_grpc.address, over_http.address)
    await over_grpc.stop()
    await over_http.stop()


def finished_span() -> ReadableSpan:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with provider.get_tracer("tests").start_as_current_span("official", attributes={"k": "v" * 50}):
        pass
    provider.shutdown()
    return memory.get_finished_spans()[0]


async def exported(exporter: SpanExporter) -> SpanExportResult:
    try:
        return await asyncio.to_thread(exporter.export, [finished_span()])
    finally:
        await asyncio.to_thread(exporter.shutdown)


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
async def test_the_official_grpc_exporter(receivers: Receivers, compression: grpc.Compression) -> None:
    exporter = OTLPSpanExporter(endpoint=f"http://{receivers.grpc}", insecure=True, compression=compression)
    assert await exported(exporter) is SpanExportResult.SUCCESS
    ((signal, body),) = receivers.kept.bodies
    assert (signal, spans_of(body)[0].name) == (Signal.TRACES, "official")


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
async def test_the_official_http_exporter(receivers: Receivers, compression: Compression) -> None:
    exporter = OTLPHttpSpanExporter(endpoint=f"http://{receivers.http}/v1/traces", compression=compression)
    assert await exported(exporter) is SpanExportResult.SUCCESS
    assert spans_of(receivers.kept.bodies[0][1])[0].name == "official"


async def test_the_official_exporters_come_back_when_told_to(receivers: Receivers) -> None:
    receivers.kept.answers = [Unavailable("busy", 1)]
    over_grpc = OTLPSpanExporter(endpoint=f"http://{receivers.grpc}", insecure=True)
    assert await exported(over_grpc) is SpanExportResult.SUCCESS
    receivers.kept.answers = [Unavailable("busy", 1)]
    over_http = OTLPHttpSpanExporter(endpoint=f"http://{receivers.http}/v1/traces")
    assert await exported(over_http) is SpanExportResult.SUCCESS
    assert len(receivers.kept.bodies) == 2
    assert receivers.counters.snapshot()[Counter.RECEIVER_UNAVAILABLE_REQUESTS] == 2


async def test_unavailable_carries_its_hint_in_both_places(receivers: Receivers) -> None:
    receivers.kept.answers = [Unavailable("busy", 2), RuntimeError("a fault of ours")]
    async with grpc.aio.insecure_channel(receivers.grpc) as channel:
        export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await export(b"")
        trailers = dict(refused.value.trailing_metadata() or ())
        hint = error_details_pb2.RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"])
        status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
        assert (refused.value.code(), hint.retry_delay.seconds) == (grpc.StatusCode.UNAVAILABLE, 2)
        assert (status.code, len(status.details)) == (code_pb2.UNAVAILABLE, 1)
        with pytest.raises(grpc.aio.AioRpcError) as fault:
            await export(b"")
        assert fault.value.code() is grpc.StatusCode.UNAVAILABLE
    receivers.kept.answers = [Unavailable("busy", 2)]
    status_code, headers, body = await receivers.post("/v1/traces", b"")
    assert (status_code, headers["retry-after"]) == (503, "2")
    assert status_pb2.Status.FromString(body).message == "busy"


async def test_partial_success_says_how_many_and_why(receivers: Receivers) -> None:
    receivers.kept.answers = [IngestResult(1, 2, "two were wrong")]
    status, headers, body = await receivers.post("/v1/logs", b"{}", "application/json; charset=utf-8")
    assert (status, headers["content-type"]) == (200, "application/json")
    answer = json_format.Parse(body, ExportLogsServiceResponse())
    assert answer.partial_success.rejected_log_records == 2
    assert answer.partial_success.error_message == "two were wrong"


@pytest.mark.parametrize(
    ("body", "content_type", "encoding", "status"),
    [
        (b"x" * (LIMIT + 1), "application/x-protobuf", "", 413),
        (gzip.compress(bytes(50 * LIMIT), mtime=0), "application/x-protobuf", "gzip", 413),
        (zlib.compress(bytes(50 * LIMIT)), "application/x-protobuf", "deflate", 413),
        (gzip.compress(b"whole", mtime=0)[:-4], "application/x-protobuf", "gzip", 400),
        (b"\x1f\x8b", "application/x-protobuf", "gzip", 400),
        (b"plain", "application/x-protobuf", "gzip", 400),
        (b"", "application/x-protobuf", "br", 415),
        (b"", "text/plain", "", 415),
    ],
)
async def test_what_cannot_be_read_is_refused_with_a_status(
    receivers: Receivers, body: bytes, content_type: str, encoding: str, status: int
) -> None:
    code, _, answer = await receivers.post("/v1/traces", body, content_type, encoding)
    assert code == status
    if content_type == "application/json":
        said = json_format.Parse(answer, status_pb2.Status())
    else:
        said = status_pb2.Status.FromString(answer)
    assert said.message
    assert receivers.kept.bodies == []
    counted = receivers.counters.snapshot()
    name = Counter.RECEIVER_TOO_LARGE_REQUESTS if status == 413 else Counter.RECEIVER_INVALID_REQUESTS
    assert counted[name] == 1


async def test_wrong_paths_and_methods_are_said(receivers: Receivers) -> None:
    assert (await receivers.post("/v1/profiles", b""))[0] == 404
    status, _, body = await receivers.post("/v1/traces", b"", method="PUT")
    assert status == 405
    assert "POST /v1/traces" in status_pb2.Status.FromString(body).message


async def test_an_empty_request_succeeds(receivers: Receivers) -> None:
    assert (await receivers.post("/v1/traces", b""))[::2] == (200, b"")


async def test_invalid_and_too_large_grpc_requests(receivers: Receivers) -> None:
    receivers.kept.answers = [InvalidRequest("nonsense")]
    async with grpc.aio.insecure_channel(receivers.grpc) as channel:
        export = channel.unary_unary("/opentelemetry.proto.collector.logs.v1.LogsService/Export")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await export(b"")
        assert (refused.value.code(), refused.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "nonsense")
        with pytest.raises(grpc.aio.AioRpcError) as large:
            await export(bytes(LIMIT + 1))
        assert large.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        with pytest.raises(grpc.aio.AioRpcError) as bomb:
            await export(bytes(50 * LIMIT), compression=grpc.Compression.Gzip)
        assert bomb.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_metrics_are_taken_counted_and_let_go(receivers: Receivers) -> None:
    assert (await receivers.post("/v1/metrics", samples.traces_request([])))[0] == 200
    async with grpc.aio.insecure_channel(receivers.grpc) as channel:
        assert await channel.unary_unary(METRICS)(b"anything") == b""
    assert receivers.counters.snapshot()[Counter.RECEIVER_IGNORED_METRIC_REQUESTS] == 2
    assert receivers.kept.bodies == []


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (OverflowError("int too large"), 400, grpc.StatusCode.INVALID_ARGUMENT),
        (RecursionError("too deep"), 400, grpc.StatusCode.INVALID_ARGUMENT),
        (OSError(28, "no space left"), 503, grpc.StatusCode.UNAVAILABLE),
        (MemoryError(), 503, grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_only_a_fault_that_may_pass_says_come_back(
    receivers: Receivers, fault: Exception, status: int, code: grpc.StatusCode
) -> None:
    receivers.kept.answers = [fault, fault]
    assert (await receivers.post("/v1/traces", b""))[0] == status
    async with grpc.aio.insecure_channel(receivers.grpc) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")(b"")
    assert refused.value.code() is code
