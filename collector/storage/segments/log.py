"""The log as segments."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from collector.core.protocols import Clock
from collector.core.span import LogRecord, Span
from collector.core.telemetry import Forgotten, OtlpRequest, StoredRequest, TraceBounds
from collector.storage.segments import traces
from collector.storage.segments.segments import Segments, last_received, requests_after


class SegmentLog:
    """See `TelemetryLog`. On segments that are opened and closed by whoever made them.

    Args:
        segments: See there.
        beside_bytes: How much the store holds beside them.
        clock: What was received later than now was so by a clock that was ahead.
    """

    def __init__(self, segments: Segments, beside_bytes: Callable[[], Awaitable[int]], clock: Clock) -> None:
        self._segments = segments
        self._beside_bytes = beside_bytes
        self._clock = clock

    async def append(self, *requests: OtlpRequest) -> None:
        """See `TelemetryLog`."""
        await self._segments.append(requests)

    async def requests_after(self, position: int, max_bytes: int) -> Sequence[StoredRequest]:
        """See `TelemetryLog`."""
        return await self._segments.read(lambda segments: requests_after(segments, position, max_bytes))

    async def newest_position(self) -> int:
        """See `TelemetryLog`."""
        return self._segments.newest_position()

    async def trace(self, trace_id: str) -> Sequence[Span]:
        """See `TelemetryLog`."""
        return await self._segments.gather(lambda segments, patience: traces.trace(segments, trace_id, patience))

    async def trace_data(self, trace_id: str, bounds: TraceBounds | None = None) -> bytes:
        """See `TelemetryLog`."""
        return await self._segments.gather(
            lambda segments, patience: traces.trace_data(segments, trace_id, patience, bounds)
        )

    async def log_records(self, trace_id: str) -> Sequence[LogRecord]:
        """See `TelemetryLog`."""
        return await self._segments.gather(lambda segments, patience: traces.log_records(segments, trace_id, patience))

    async def log_data(self, trace_id: str, bounds: TraceBounds | None = None) -> bytes:
        """See `TelemetryLog`."""
        return await self._segments.gather(
            lambda segments, patience: traces.log_data(segments, trace_id, patience, bounds)
        )

    async def revision(self, trace_id: str) -> str:
        """See `TelemetryLog`."""
        return await self._segments.read(lambda segments: traces.revision(segments, trace_id))

    async def last_received(self) -> int:
        """See `TelemetryLog`."""
        return await self._segments.read(last_received)

    async def forget(
        self, received_before_unix_nano: int, max_bytes: int, delivered: Mapping[str, int] | None = None
    ) -> Forgotten:
        """See `TelemetryLog`; a stretch is a segment (128 MiB)."""
        for_segments = max_bytes - await self._beside_bytes()
        now = self._clock.now_unix_nano()
        return await asyncio.to_thread(
            self._segments.forget, received_before_unix_nano, for_segments, delivered or {}, now
        )
