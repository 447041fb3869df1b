"""The check of an export request: is it one, which traces does it touch, and which items cannot be kept."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from collector.core.errors import InvalidRequest
from collector.core.telemetry import Occurrence, Operation, OtlpRequest, Signal
from collector.otlp.v1.raw_pb2 import SpanHead, TraceHeads

_ZERO_TRACE, _ZERO_SPAN = bytes(16), bytes(8)
_LATEST = 2**63 - 1
"""Times beyond it (the year 2262) are broken clocks; they are bounded for the index and kept in the span."""


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


@dataclass(slots=True)
class _Tally:
    kept: int = 0
    faults: list[str] = field(default_factory=list)
    trace_ids: set[bytes] = field(default_factory=set)

    def message(self) -> str:
        return f"{len(self.faults)} rejected, the first: {self.faults[0]}" if self.faults else ""


def read_traces(body: bytes, received_unix_nano: int, hops: tuple[str, ...] = ()) -> Reading:
    """Checks an ``ExportTraceServiceRequest``. The body stays as it came unless spans are cut out of it.

    It is parsed twice: whole, so that nothing is acknowledged that could not be read later, and in part, because
    touching a few fields of 512 spans costs three times as much where all of their attributes lie between them.

    Raises:
        InvalidRequest: the bytes are no such message, or one that is nested too deeply.
    """
    try:
        whole = ExportTraceServiceRequest.FromString(body)
        heads = TraceHeads.FromString(body)
    except DecodeError as error:
        raise _undecodable("ExportTraceServiceRequest", body, error) from None
    tally = _Tally()
    occurrences: dict[Operation, Occurrence] = {}
    for group, resource in enumerate(heads.resource_spans):
        service = service_name(resource.resource)
        for scope, scoped in enumerate(resource.scope_spans):
            bad = _check_spans(scoped.spans, service, tally, occurrences)
            for index in reversed(bad):
                del whole.resource_spans[group].scope_spans[scope].spans[index]
    kept = whole.SerializeToString() if tally.faults else body
    request = OtlpRequest(
        Signal.TRACES, kept, frozenset(tally.trace_ids), tally.kept, received_unix_nano, occurrences, hops
    )
    return Reading(request, len(tally.faults), tally.message())


def service_name(resource: bytes) -> str:
    """The attribute ``service.name`` of a serialized Resource; empty if there is none."""
    for attribute in Resource.FromString(resource).attributes:
        if attribute.key == "service.name":
            return attribute.value.string_value
    return ""


def _check_spans(
    spans: Iterable[SpanHead], service: str, tally: _Tally, occurrences: dict[Operation, Occurrence]
) -> list[int]:
    """The indices of the spans that cannot be kept. This loop is most of what an ingested span costs in Python."""
    bad = []
    by_name: dict[tuple[str, int], Occurrence] = {}
    trace_ids = tally.trace_ids
    for index, span in enumerate(spans):
        trace_id, span_id, parent = span.trace_id, span.span_id, span.parent_span_id
        well_formed = len(trace_id) == 16 and len(span_id) == 8 and (not parent or len(parent) == 8)
        if not well_formed or trace_id == _ZERO_TRACE or span_id == _ZERO_SPAN:
            bad.append(index)
            tally.faults.append(f"span {span.name!r}: {_fault(trace_id, span_id, parent)}")
            continue
        trace_ids.add(trace_id)
        start = span.start_time_unix_nano
        duration = span.end_time_unix_nano - start
        if start > _LATEST or not 0 <= duration <= _LATEST:
            start, duration = min(start, _LATEST), min(max(duration, 0), _LATEST)
        key = (span.name, span.kind)
        known = by_name.get(key)
        if known is None:
            operation = Operation(service, *key)
            known = occurrences.setdefault(operation, Occurrence(start, start, duration, duration))
            by_name[key] = known
        known.add(start, duration)
    tally.kept += len(spans) - len(bad)  # type: ignore[arg-type]
    return bad


def _fault(trace_id: bytes, span_id: bytes, parent_span_id: bytes) -> str:
    if len(trace_id) == 16 and len(span_id) == 8 and len(parent_span_id) in (0, 8):
        return "its trace id or span id is all zero"
    return (
        f"trace id of {len(trace_id)}, span id of {len(span_id)}, parent span id of {len(parent_span_id)} bytes; "
        "allowed are 16, 8, and 0 or 8"
    )


def read_logs(body: bytes, received_unix_nano: int, hops: tuple[str, ...] = ()) -> Reading:
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
    kept = message.SerializeToString() if tally.faults else body
    request = OtlpRequest(Signal.LOGS, kept, frozenset(tally.trace_ids), tally.kept, received_unix_nano, hops=hops)
    return Reading(request, len(tally.faults), tally.message())


def _check_log_records(records: Iterable[LogRecord], tally: _Tally) -> list[int]:
    bad = []
    for index, record in enumerate(records):
        if len(record.trace_id) in (0, 16) and len(record.span_id) in (0, 8):
            tally.kept += 1
            if record.trace_id and record.trace_id != _ZERO_TRACE:
                tally.trace_ids.add(record.trace_id)
            continue
        bad.append(index)
        tally.faults.append(
            f"log record {record.event_name!r}: trace id of {len(record.trace_id)}, span id of "
            f"{len(record.span_id)} bytes; allowed are 0 or 16, and 0 or 8"
        )
    return bad


def reread(signal: Signal, body: bytes, received_unix_nano: int, hops: tuple[str, ...]) -> OtlpRequest:
    """A request that was kept, with what an index needs of it."""
    read = read_traces if signal is Signal.TRACES else read_logs
    return read(body, received_unix_nano, hops).request


def _undecodable(name: str, body: bytes, error: Exception) -> InvalidRequest:
    return InvalidRequest(
        f"the body ({len(body)} bytes) is no protobuf {name}, or one nested deeper than 100 messages: {error}"
    )
