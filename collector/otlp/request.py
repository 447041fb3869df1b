"""The check of an export request: is it one, which traces does it touch, and which items cannot be kept."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.core.errors import InvalidRequest
from collector.core.telemetry import OtlpRequest, Signal

_ZERO_TRACE, _ZERO_SPAN = bytes(16), bytes(8)


@dataclass(frozen=True, slots=True)
class Reading:
    """A request that can be kept, and what was cut out of it.

    Attributes:
        rejected: Items that cannot be kept.
        message: Why, with the first one as the example; empty if there is none.
    """

    request: OtlpRequest
    rejected: int
    message: str


@dataclass(slots=True)
class _Tally:
    kept: int = 0
    rejected: int = 0
    first_fault: str = ""
    trace_ids: set[bytes] = field(default_factory=set)

    def reject(self, fault: str) -> None:
        self.rejected += 1
        self.first_fault = self.first_fault or fault

    def reading(self, signal: Signal, body: bytes, received_unix_nano: int) -> Reading:
        traces = frozenset(trace_id.hex() for trace_id in self.trace_ids)
        message = f"{self.rejected} rejected, the first: {self.first_fault}" if self.rejected else ""
        return Reading(OtlpRequest(signal, body, traces, self.kept, received_unix_nano), self.rejected, message)


def read_traces(body: bytes, received_unix_nano: int) -> Reading:
    """Checks an ``ExportTraceServiceRequest``. The body stays as it came unless spans are cut out of it.

    Raises:
        InvalidRequest: the bytes are no such message, or one that is nested too deeply.
    """
    try:
        message = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise _undecodable("ExportTraceServiceRequest", body, error) from None
    tally = _Tally()
    for group in message.resource_spans:
        for scoped in group.scope_spans:
            bad = _check_spans(scoped.spans, tally)
            for index in reversed(bad):
                del scoped.spans[index]
    kept = message.SerializeToString() if tally.rejected else body
    return tally.reading(Signal.TRACES, kept, received_unix_nano)


def _check_spans(spans: Iterable[Span], tally: _Tally) -> list[int]:
    bad = []
    for index, span in enumerate(spans):
        trace_id = span.trace_id
        if len(trace_id) == 16 and len(span.span_id) == 8 and len(span.parent_span_id) in (0, 8):
            if trace_id != _ZERO_TRACE and span.span_id != _ZERO_SPAN:
                tally.kept += 1
                tally.trace_ids.add(trace_id)
                continue
            fault = "its trace id or span id is all zero"
        else:
            fault = (
                f"trace id of {len(trace_id)}, span id of {len(span.span_id)}, parent span id of "
                f"{len(span.parent_span_id)} bytes; allowed are 16, 8, and 0 or 8"
            )
        bad.append(index)
        tally.reject(f"span {span.name!r}: {fault}")
    return bad


def read_logs(body: bytes, received_unix_nano: int) -> Reading:
    """Checks an ``ExportLogsServiceRequest``; as `read_traces`. A log record may have no ids."""
    try:
        message = ExportLogsServiceRequest.FromString(body)
    except DecodeError as error:
        raise _undecodable("ExportLogsServiceRequest", body, error) from None
    tally = _Tally()
    for group in message.resource_logs:
        for scoped in group.scope_logs:
            bad = _check_log_records(scoped.log_records, tally)
            for index in reversed(bad):
                del scoped.log_records[index]
    kept = message.SerializeToString() if tally.rejected else body
    return tally.reading(Signal.LOGS, kept, received_unix_nano)


def _check_log_records(records: Iterable[LogRecord], tally: _Tally) -> list[int]:
    bad = []
    for index, record in enumerate(records):
        if len(record.trace_id) in (0, 16) and len(record.span_id) in (0, 8):
            tally.kept += 1
            if record.trace_id and record.trace_id != _ZERO_TRACE:
                tally.trace_ids.add(record.trace_id)
            continue
        bad.append(index)
        tally.reject(
            f"log record {record.event_name!r}: trace id of {len(record.trace_id)}, span id of "
            f"{len(record.span_id)} bytes; allowed are 0 or 16, and 0 or 8"
        )
    return bad


def _undecodable(name: str, body: bytes, error: Exception) -> InvalidRequest:
    return InvalidRequest(
        f"the body ({len(body)} bytes) is no protobuf {name}, or one nested deeper than 100 messages: {error}"
    )
