"""The check of an export request: is it one, which traces does it touch, and which items cannot be kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from collector.core.errors import InvalidRequest
from collector.core.telemetry import OtlpRequest, Signal
from collector.otlp.decode import resource_of
from collector.otlp.heads import HeadReader, heads_of

_ZERO_TRACE = bytes(16)


@dataclass(frozen=True, slots=True)
class Reading:
    """A request that can be kept, and what was cut out of it.

    Attributes:
        rejected: Items that cannot be kept.
        message: Why, with the first one as the example; empty if there is none.
    """

    request: OtlpRequest
    rejected: int = 0
    message: str = ""


def read_traces(body: bytes, received_unix_nano: int, hops: tuple[str, ...] = ()) -> Reading:
    """Checks an ``ExportTraceServiceRequest``. The body stays as it came unless spans are cut out of it.

    It is parsed whole, so that nothing is acknowledged that could not be read later, and once more for what an index
    needs (`collector.otlp.heads`): reading a few fields of every span of the whole would cost three times as much.

    Raises:
        InvalidRequest: the bytes are no such message, or one that is nested too deeply.
    """
    try:
        whole = ExportTraceServiceRequest.FromString(body)
        heads = heads_of(body)
    except DecodeError as error:
        raise _undecodable("ExportTraceServiceRequest", body, error) from None
    reader = HeadReader()
    items = 0
    for group, resource in enumerate(heads.request.resource_spans):
        service = resource_of(whole.resource_spans[group].resource).service
        for scope, scoped in enumerate(resource.scope_spans):
            bad = reader.read(scoped.spans, service, zeros=heads.zeros)
            items += len(scoped.spans) - len(bad)
            for index in reversed(bad):
                del whole.resource_spans[group].scope_spans[scope].spans[index]
    kept = whole.SerializeToString() if reader.faults else body
    trace_ids = frozenset(reader.trace_ids)
    request = OtlpRequest(Signal.TRACES, kept, trace_ids, items, received_unix_nano, reader.contents(), hops)
    return Reading(request, len(reader.faults), _message(reader.faults))


def read_logs(body: bytes, received_unix_nano: int, hops: tuple[str, ...] = ()) -> Reading:
    """Checks an ``ExportLogsServiceRequest``; as `read_traces`. A log record may have no ids."""
    try:
        message = ExportLogsServiceRequest.FromString(body)
    except DecodeError as error:
        raise _undecodable("ExportLogsServiceRequest", body, error) from None
    faults: list[str] = []
    trace_ids: set[bytes] = set()
    items = 0
    for group in message.resource_logs:
        for scoped in group.scope_logs:
            bad = _check_log_records(scoped.log_records, trace_ids, faults)
            items += len(scoped.log_records) - len(bad)
            for index in reversed(bad):
                del scoped.log_records[index]
    kept = message.SerializeToString() if faults else body
    request = OtlpRequest(Signal.LOGS, kept, frozenset(trace_ids), items, received_unix_nano, hops=hops)
    return Reading(request, len(faults), _message(faults))


def _check_log_records(records: Iterable[LogRecord], trace_ids: set[bytes], faults: list[str]) -> list[int]:
    bad = []
    for index, record in enumerate(records):
        if len(record.trace_id) in (0, 16) and len(record.span_id) in (0, 8):
            if record.trace_id and record.trace_id != _ZERO_TRACE:
                trace_ids.add(record.trace_id)
            continue
        bad.append(index)
        faults.append(
            f"log record {record.event_name!r}: trace id of {len(record.trace_id)}, span id of "
            f"{len(record.span_id)} bytes; allowed are 0 or 16, and 0 or 8"
        )
    return bad


def _message(faults: Sequence[str]) -> str:
    return f"{len(faults)} rejected, the first: {faults[0]}" if faults else ""


def reread(signal: Signal, body: bytes, received_unix_nano: int, hops: tuple[str, ...]) -> OtlpRequest:
    """A request that was kept, with what an index needs of it."""
    read = read_traces if signal is Signal.TRACES else read_logs
    return read(body, received_unix_nano, hops).request


def _undecodable(name: str, body: bytes, error: Exception) -> InvalidRequest:
    return InvalidRequest(
        f"the body ({len(body)} bytes) is no protobuf {name}, or one nested deeper than 100 messages: {error}"
    )
