"""OTLP/gRPC: the three Export methods on raw bytes.

The handlers take serialized requests, so that bad bytes are answered with INVALID_ARGUMENT (grpcio's own answer would
be INTERNAL) and the very bytes that came are kept.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from collector.access.table import RpcTable
from collector.access.tokens import Scope
from collector.core.errors import CollectorError, TooLarge, Unavailable
from collector.core.hops import HOP_HEADER, hops_of
from collector.core.protocols import Ingestor
from collector.core.telemetry import Signal
from collector.counters import Counter, Counters
from collector.receiver.answer import success
from collector.receiver.faults import answer_to
from collector.receiver.limits import Budget, ReceiverLimits

_LOG = logging.getLogger(__name__)
_PACKAGE = "opentelemetry.proto.collector"
RPCS: RpcTable = {
    f"/{_PACKAGE}.{service}/Export": Scope.INGEST
    for service in ("trace.v1.TraceService", "logs.v1.LogsService", "metrics.v1.MetricsService")
}
"""What is served here is telemetry."""

_Handler = Callable[[bytes, grpc.aio.ServicerContext[bytes, bytes]], Awaitable[bytes]]


def server_options(limits: ReceiverLimits, max_connections: int) -> Sequence[tuple[str, int]]:
    """For `grpc.aio.server`. Larger messages and further connections are refused by grpcio before we see them, so we
    cannot count them.

    Applications ping idle connections (every 30 s is common); grpcio's default would answer with GOAWAY.
    """
    return (
        ("grpc.max_receive_message_length", limits.max_message_bytes),
        ("grpc.max_allowed_incoming_connections", max_connections),
        ("grpc.max_concurrent_streams", 128),
        # Otherwise fast senders get windows of a mebibyte, which they may fill before anybody knows who they are; the
        # window of a message that is being read grows to its size all the same.
        ("grpc.http2.bdp_probe", 0),
        # Who connects and says nothing, or has nothing to say any more, gives his place to others.
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.max_connection_idle_ms", 5 * 60_000),
        ("grpc.so_reuseport", 0),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.max_ping_strikes", 0),
        # Load balancers see new connections from time to time; calls under way are finished.
        ("grpc.max_connection_age_ms", 30 * 60_000),
        ("grpc.max_connection_age_grace_ms", 60_000),
    )


def handlers(ingestor: Ingestor, counters: Counters, budget: Budget) -> tuple[grpc.GenericRpcHandler, ...]:
    """TraceService, LogsService and MetricsService, for `Server.add_generic_rpc_handlers`."""

    def exporting(signal: Signal) -> _Handler:
        async def export(body: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            try:
                with budget.reservation() as reservation:
                    reservation.grow(len(body))
                    await asyncio.sleep(0)  # requests that came together are counted before the first is stored
                    return success(signal, await ingestor.ingest(signal, body, _hops(context)))
            except Exception as error:  # noqa: BLE001 - every fault has an answer
                answer = answer_to(error)
                if answer is not error:
                    _LOG.exception("an export request of %s could not be kept", signal.value)
                await _refuse(context, answer, counters)
            raise AssertionError("abort raises")

        return export

    async def ignore_metrics(_: bytes, __: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        counters.add(Counter.RECEIVER_IGNORED_METRIC_REQUESTS)
        return b""

    return (
        _service("trace.v1.TraceService", exporting(Signal.TRACES)),
        _service("logs.v1.LogsService", exporting(Signal.LOGS)),
        _service("metrics.v1.MetricsService", ignore_metrics),
    )


def _hops(context: grpc.aio.ServicerContext[bytes, bytes]) -> tuple[str, ...]:
    for key, value in context.invocation_metadata() or ():
        if key == HOP_HEADER and isinstance(value, str):
            return hops_of(value)
    return ()


def _service(name: str, export: _Handler) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(
        f"{_PACKAGE}.{name}", {"Export": grpc.unary_unary_rpc_method_handler(export)}
    )


async def _refuse(context: grpc.aio.ServicerContext[bytes, bytes], error: CollectorError, counters: Counters) -> None:
    if isinstance(error, Unavailable):
        counters.add(Counter.RECEIVER_UNAVAILABLE_REQUESTS)
        await _come_back(context, str(error), error.retry_after_seconds)
    elif isinstance(error, TooLarge):
        counters.add(Counter.RECEIVER_TOO_LARGE_REQUESTS)
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
    else:
        counters.add(Counter.RECEIVER_INVALID_REQUESTS)
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))


async def _come_back(context: grpc.aio.ServicerContext[bytes, bytes], message: str, seconds: int) -> None:
    """UNAVAILABLE with RetryInfo where the specification puts it, and where the Python exporter reads it."""
    hint = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=seconds))
    details = any_pb2.Any()
    details.Pack(hint)
    status = status_pb2.Status(code=code_pb2.UNAVAILABLE, message=message, details=[details])
    trailers = (
        ("google.rpc.retryinfo-bin", hint.SerializeToString()),
        ("grpc-status-details-bin", status.SerializeToString()),
    )
    await context.abort(grpc.StatusCode.UNAVAILABLE, message, trailers)
