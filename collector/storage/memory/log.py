"""The log as a list."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collector.core.protocols import Clock
from collector.core.span import LogRecord, Span
from collector.core.telemetry import Forgotten, OtlpRequest, Signal, StoredRequest, TraceBounds
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.raw import TraceDataBuilder, selected

_TRACE_ID = re.compile("[0-9a-f]{32}")


class Kept(NamedTuple):
    """A request in its place."""

    position: int
    request: OtlpRequest


class MemoryLog:
    """See `TelemetryLog`. Not durable; a position is the number of a request, and so is a stretch one request.

    Attributes:
        kept: All requests, the first first. For the search and the feedback beside it.
    """

    def __init__(self, clock: Clock) -> None:
        self.kept: tuple[Kept, ...] = ()
        self._clock = clock
        self._given = 0

    async def append(self, *requests: OtlpRequest) -> None:
        """See `TelemetryLog`."""
        self.kept += tuple(Kept(self._given + number, request) for number, request in enumerate(requests, 1))
        self._given += len(requests)

    async def requests_after(self, position: int, max_bytes: int) -> Sequence[StoredRequest]:
        """See `TelemetryLog`."""
        found: list[StoredRequest] = []
        size = 0
        for at, one in self.kept:
            size += len(one.body) if at > position else 0
            if found and size > max_bytes:
                break
            if at > position:
                found.append(StoredRequest(at, one.signal, one.body, one.items, one.hops))
        return found

    async def newest_position(self) -> int:
        """See `TelemetryLog`."""
        return self._given

    async def trace(self, trace_id: str) -> Sequence[Span]:
        """See `TelemetryLog`."""
        found: list[Span] = []
        for span in spans_of(await self.trace_data(trace_id)):
            if span not in found:
                found.append(span)
        return sorted(found, key=lambda span: (span.start_time_unix_nano, span.context.span_id))

    async def trace_data(self, trace_id: str, bounds: TraceBounds | None = None) -> bytes:
        """See `TelemetryLog`."""
        touching = self._touching(trace_id, Signal.TRACES)
        if not touching:
            return b""
        gathered = TraceDataBuilder(bytes.fromhex(trace_id))
        for _, request in touching:
            gathered.add(request.body)
            if bounds is not None:
                bounds.check(trace_id, "spans", gathered.spans, gathered.bytes)
        return gathered.build()

    async def log_records(self, trace_id: str) -> Sequence[LogRecord]:
        """See `TelemetryLog`."""
        records = log_records_of(await self.log_data(trace_id))
        of_trace = [one for one in records if one.context is not None and one.context.trace_id == trace_id]
        return sorted(of_trace, key=lambda record: record.time_unix_nano or record.observed_time_unix_nano)

    async def log_data(self, trace_id: str, bounds: TraceBounds | None = None) -> bytes:
        """See `TelemetryLog`."""
        touching = self._touching(trace_id, Signal.LOGS)
        wanted = bytes.fromhex(trace_id) if touching else b""

        def of_trace(_: bytes, records: Sequence[bytes]) -> Sequence[bytes]:
            return [one for one in records if wanted in one]

        data, count = b"", 0
        for _, request in touching:
            found = selected(request.body, of_trace)
            data, count = data + found, count + len(log_records_of(found))
            if bounds is not None:
                bounds.check(trace_id, "log records", count, len(data))
        return data

    async def revision(self, trace_id: str) -> str:
        """See `TelemetryLog`."""
        return ",".join(str(one.position) for signal in Signal for one in self._touching(trace_id, signal))

    async def last_received(self) -> int:
        """See `TelemetryLog`."""
        return self.kept[-1].request.received_unix_nano if self.kept else 0

    async def forget(
        self, received_before_unix_nano: int, max_bytes: int, delivered: Mapping[str, int] | None = None
    ) -> Forgotten:
        """See `TelemetryLog`."""
        gone: list[Kept] = []
        received = 0
        while len(self.kept) > 1:
            received = max(received, self._received(self.kept))
            if received >= received_before_unix_nano and self.size_bytes() <= max_bytes:
                break
            gone.append(self.kept[0])
            self.kept = self.kept[1:]
        return _forgotten(gone, delivered or {})

    def _received(self, kept: Sequence[Kept]) -> int:
        """When the first was received, or the next of which a clock that was not ahead says it."""
        now = self._clock.now_unix_nano()
        said = (one.request.received_unix_nano for one in kept)
        return next((time for time in said if 0 < time <= now), now)

    def size_bytes(self) -> int:
        """Of all bodies."""
        return sum(len(one.request.body) for one in self.kept)

    def _touching(self, trace_id: str, signal: Signal) -> Sequence[Kept]:
        if not _TRACE_ID.fullmatch(trace_id):
            return ()
        wanted = bytes.fromhex(trace_id)
        return [one for one in self.kept if one.request.signal is signal and wanted in one.request.trace_ids]


def _forgotten(gone: Sequence[Kept], delivered: Mapping[str, int]) -> Forgotten:
    def items(signal: Signal) -> int:
        return sum(one.request.items for one in gone if one.request.signal is signal)

    lost = {
        destination: sum(one.request.items for one in gone if one.position > position)
        for destination, position in delivered.items()
    }
    return Forgotten(items(Signal.TRACES), items(Signal.LOGS), {name: count for name, count in lost.items() if count})
