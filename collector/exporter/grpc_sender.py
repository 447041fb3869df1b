"""Forwarding over OTLP/gRPC."""

from urllib.parse import urlsplit

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.core.hops import HOP_HEADER
from collector.core.telemetry import Signal
from collector.exporter.destination import Delivery, Destination, Outcome

_METHODS = {
    Signal.TRACES: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    Signal.LOGS: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
_RETRYABLE = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}
"""OTLP specification, "Failures" of OTLP/gRPC; RESOURCE_EXHAUSTED only with RetryInfo."""

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)


class GrpcSender:
    """See `Sender`."""

    def __init__(self, destination: Destination) -> None:
        parts = urlsplit(destination.endpoint)
        secure = parts.scheme == "https"
        address = f"{parts.hostname}:{parts.port or 4317}"
        if secure:
            roots = destination.ca_file.read_bytes() if destination.ca_file else None
            self._channel = grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(roots), _OPTIONS)
        else:
            self._channel = grpc.aio.insecure_channel(address, _OPTIONS)
        self._destination = destination
        self._compression = grpc.Compression.Gzip if destination.gzip else grpc.Compression.NoCompression

    async def send(self, signal: Signal, body: bytes, hops: str) -> Delivery:
        """See `Sender`."""
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(_METHODS[signal])
        metadata = [(name.lower(), value) for name, value in self._destination.headers.items()]
        try:
            answer = await call(
                body,
                timeout=self._destination.timeout_seconds,
                metadata=(*metadata, (HOP_HEADER, hops)),
                compression=self._compression,
            )
        except grpc.aio.AioRpcError as error:
            return _failed(error)
        return Delivery(Outcome.TAKEN, *partly(signal, answer))

    async def close(self) -> None:
        """See `Sender`."""
        await self._channel.close()


def partly(signal: Signal, answer: bytes) -> tuple[int, str]:
    """How many items a destination did not keep, and why."""
    if signal is Signal.TRACES:
        spans = ExportTraceServiceResponse.FromString(answer).partial_success
        return spans.rejected_spans, spans.error_message
    records = ExportLogsServiceResponse.FromString(answer).partial_success
    return records.rejected_log_records, records.error_message


def _failed(error: grpc.aio.AioRpcError) -> Delivery:
    hint = None
    for key, value in error.trailing_metadata() or ():
        if key == "google.rpc.retryinfo-bin" and isinstance(value, bytes):
            delay = RetryInfo.FromString(value).retry_delay
            hint = delay.seconds + delay.nanos / 1e9
    exhausted = error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and hint is not None
    message = f"{error.code().name}: {error.details()}"
    outcome = Outcome.RETRY if error.code() in _RETRYABLE or exhausted else Outcome.REFUSED
    return Delivery(outcome, message=message, retry_after_seconds=hint)
