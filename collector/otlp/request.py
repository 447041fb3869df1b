"""The check of an export request: is it one, which traces does it touch, and which items cannot be kept.

What becomes of what is wrong:

| found | outcome |
| --- | --- |
| ids of a wrong length, all zero | the item is rejected |
| bytes of an item that are no fields | the item is rejected |
| a text that is no UTF-8, half a surrogate pair | U+FFFD stands there, the item is kept |
| an attribute, event or link that cannot be read or lies too deep | it is left out and counted in the item |
| a resource or scope that cannot be read | its items are kept without it |
| the end of a group or scope that is no field | what stands before is kept, the rest counts as one rejected item |
| an item of more than 512 KiB made of more than 200,000 attributes, events and values | it is rejected |
| nothing in it can be read | it is no request |

Rejected items are partial success; a request of which something was only repaired says so, too, with 0 rejected.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from collector.core.errors import InvalidRequest
from collector.core.telemetry import OtlpRequest, Signal
from collector.core.times import bounded
from collector.otlp.decode import resource_of
from collector.otlp.faults import Faults
from collector.otlp.heads import HeadReader, heads_of
from collector.otlp.salvage import salvaged

_ZERO_TRACE = bytes(16)
_Whole = TypeVar("_Whole", ExportTraceServiceRequest, ExportLogsServiceRequest)
_MANY_GROUPS, _MANY_ITEMS = 500, 5_000


class Dense(Exception):
    """The request is made of so many groups or items that its size says little of what it costs."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A request that can be kept, and what was cut out of it.

    Attributes:
        faults: What is not kept, or not as it came.
    """

    request: OtlpRequest
    faults: Faults = field(default_factory=Faults)

    @property
    def rejected(self) -> int:
        """Items that are not kept."""
        return self.faults.rejected

    @property
    def message(self) -> str:
        """See `Faults.message`."""
        return self.faults.message


def read_request(
    signal: Signal, body: bytes, received_unix_nano: int, hops: tuple[str, ...] = (), faults: Faults | None = None
) -> Reading:
    """Checks an export request, and makes of one that cannot be parsed what can be kept of it.

    Args:
        signal: What it is an export request of.
        body: The serialized message. It stays as it came unless something has to be cut out or repaired.
        received_unix_nano: When it came.
        hops: The collectors that forwarded it.
        faults: What was found on the way to this message; what is found now is added.

    Raises:
        TooLarge: it has more parts than any real request.
    """
    faults = Faults() if faults is None else faults
    try:
        reading = checked(signal, body, received_unix_nano, hops)
    except InvalidRequest:
        body = salvaged(signal, body, faults)
        reading = checked(signal, body, received_unix_nano, hops)
    faults.add(reading.faults)
    return Reading(reading.request, faults)


def check_something_read(signal: Signal, faults: Faults) -> None:
    """Of a whole request of which no item is kept.

    Raises:
        InvalidRequest: none was found either: it is no request at all.
    """
    if 0 < faults.unreadable == faults.rejected:
        raise InvalidRequest(f"the body is no export request of {signal.value}: {faults.first}")


def checked(
    signal: Signal, body: bytes, received_unix_nano: int, hops: tuple[str, ...] = (), *, may_be_dense: bool = True
) -> Reading:
    """A request that can be parsed, without the items that cannot be kept.

    It is parsed whole, so that nothing is acknowledged that could not be read later.

    Args:
        signal: What it is an export request of.
        body: The serialized message.
        received_unix_nano: When it came.
        hops: The collectors that forwarded it.
        may_be_dense: Whether one that is made of very much is read here.

    Raises:
        InvalidRequest: the library refuses the bytes; see `read_request`.
        Dense: it may not be.
    """
    if signal is Signal.LOGS:
        logs = _parsed(ExportLogsServiceRequest, body)
        if not may_be_dense:
            _check_density((len(one.log_records) for one in group.scope_logs) for group in logs.resource_logs)
        return _checked_logs(logs, body, received_unix_nano, hops)
    whole = _parsed(ExportTraceServiceRequest, body)
    if not may_be_dense:
        _check_density((len(one.spans) for one in group.scope_spans) for group in whole.resource_spans)
    services = [resource_of(group.resource).service for group in whole.resource_spans]
    del whole  # what comes now takes its memory, which is in the processor's caches still
    return _checked_traces(services, body, received_unix_nano, hops)


def _parsed(kind: type[_Whole], body: bytes) -> _Whole:
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise InvalidRequest(f"the body ({len(body)} bytes) is no protobuf {kind.__name__}: {error}") from None


def _check_density(groups: Iterable[Iterable[int]]) -> None:
    """Raises `Dense` for these numbers of items, by group and scope. Looks no further than it has to."""
    parts = items = 0
    for group in groups:
        parts += 1
        for count in group:
            parts += 1
            items += count
            if parts > _MANY_GROUPS or items > _MANY_ITEMS:
                raise Dense
        if parts > _MANY_GROUPS:
            raise Dense


def read_traces(body: bytes, received_unix_nano: int, hops: tuple[str, ...] = ()) -> Reading:
    """Checks an ``ExportTraceServiceRequest``. The body stays as it came unless spans are cut out of it.

    Raises:
        InvalidRequest: the library refuses the bytes; see `read_request`.
    """
    return checked(Signal.TRACES, body, received_unix_nano, hops)


def read_logs(body: bytes, received_unix_nano: int, hops: tuple[str, ...] = ()) -> Reading:
    """Checks an ``ExportLogsServiceRequest``; as `read_traces`. A log record may have no ids."""
    return checked(Signal.LOGS, body, received_unix_nano, hops)


def _checked_traces(services: Sequence[str], body: bytes, received_unix_nano: int, hops: tuple[str, ...]) -> Reading:
    """The bytes are parsed once more for what an index needs (`collector.otlp.heads`).

    Reading a few fields of every span of the whole would cost three times as much.
    """
    heads = heads_of(body)
    reader = HeadReader()
    items = 0
    rejected: list[tuple[int, int, Sequence[int]]] = []
    for group, (service, resource) in enumerate(zip(services, heads.request.resource_spans, strict=True)):
        for scope, scoped in enumerate(resource.scope_spans):
            bad = reader.read(scoped.spans, service, zeros=heads.zeros)
            items += len(scoped.spans) - len(bad)
            if bad:
                rejected.append((group, scope, bad))
    kept = _without(body, rejected) if rejected else body
    trace_ids = frozenset(reader.trace_ids)
    request = OtlpRequest(Signal.TRACES, kept, trace_ids, items, bounded(received_unix_nano), reader.contents(), hops)
    return Reading(request, _rejected(reader.faults))


def _without(body: bytes, rejected: Sequence[tuple[int, int, Sequence[int]]]) -> bytes:
    """The request without these spans, by group and scope."""
    whole = ExportTraceServiceRequest.FromString(body)
    for group, scope, indices in rejected:
        for index in reversed(indices):
            del whole.resource_spans[group].scope_spans[scope].spans[index]
    return whole.SerializeToString()


def _checked_logs(
    whole: ExportLogsServiceRequest, body: bytes, received_unix_nano: int, hops: tuple[str, ...]
) -> Reading:
    faults: list[str] = []
    trace_ids: set[bytes] = set()
    items = 0
    for group in whole.resource_logs:
        for scoped in group.scope_logs:
            bad = _check_log_records(scoped.log_records, trace_ids, faults)
            items += len(scoped.log_records) - len(bad)
            for index in reversed(bad):
                del scoped.log_records[index]
    kept = whole.SerializeToString() if faults else body
    request = OtlpRequest(Signal.LOGS, kept, frozenset(trace_ids), items, bounded(received_unix_nano), hops=hops)
    return Reading(request, _rejected(faults))


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


def _rejected(faults: Sequence[str]) -> Faults:
    return Faults(len(faults), first=faults[0] if faults else "")


def reread(signal: Signal, body: bytes, received_unix_nano: int, hops: tuple[str, ...]) -> OtlpRequest:
    """A request that was kept, with what an index needs of it."""
    read = read_traces if signal is Signal.TRACES else read_logs
    return read(body, received_unix_nano, hops).request
