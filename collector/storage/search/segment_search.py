"""The search over segments."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from collector.core.errors import Unavailable
from collector.core.page import Page, PageRequest
from collector.core.telemetry import (
    Answer,
    Dependency,
    FoundTrace,
    Operation,
    TelemetryCounts,
    TraceQuery,
    TraceSummary,
)
from collector.storage.patience import Patience
from collector.storage.search import find, listing, names
from collector.storage.search.dependencies import CallBook
from collector.storage.segments.segment import Segment
from collector.storage.segments.segments import Segments

_IDLE_SECONDS, _LITTLE_BYTES = 1.0, 2**20
_Item = TypeVar("_Item")


class SegmentSearch:
    """See `TelemetrySearch`. On segments that are opened before `start` and closed after `stop`.

    Args:
        segments: See there.
        seconds: A search gives the answer that it has when it has looked for so long.
    """

    def __init__(self, segments: Segments, seconds: float) -> None:
        self._segments = segments
        self._seconds = seconds
        self._calls = CallBook()
        self._tally = names.TraceTally()
        self._count_now = asyncio.Event()
        self._counting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to count calls behind the back of those who ask."""
        self._counting = asyncio.create_task(self._count())

    async def stop(self) -> None:
        """Safe twice and unstarted."""
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.gather(self._counting, return_exceptions=True)
            self._counting = None

    async def find(self, query: TraceQuery) -> Answer[FoundTrace]:
        """See `TelemetrySearch`."""
        return await self._searched(lambda segments, patience: find.find(segments, query, patience))

    async def traces(self, page: PageRequest) -> Page[TraceSummary]:
        """See `TelemetrySearch`."""
        return await self._segments.search(
            lambda segments, patience: listing.traces(segments, page, patience), self._seconds
        )

    async def answering(self, response_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """See `TelemetrySearch`; those of one segment (128 MiB) are found."""
        return await self._segments.search(
            lambda segments, patience: names.answering(segments, response_ids, patience), None
        )

    async def services(self) -> Sequence[str]:
        """See `TelemetrySearch`."""
        return await self._segments.read(names.services)

    async def operations(self, service: str) -> Sequence[Operation]:
        """See `TelemetrySearch`."""
        return await self._segments.read(lambda segments: names.operations(segments, service))

    async def dependencies(self, start_unix_nano: int, end_unix_nano: int) -> Answer[Dependency]:
        """See `TelemetrySearch`; pairs that came more than a segment (128 MiB) apart are passed over."""
        answer = await self._searched(
            lambda segments, patience: self._calls.between(segments, start_unix_nano, end_unix_nano, patience)
        )
        if answer.partial:
            self._count_now.set()
        return answer

    async def counts(self) -> TelemetryCounts:
        """See `TelemetrySearch`."""
        extents = await self._segments.read(lambda segments: [segment.extent() for segment in segments])
        return TelemetryCounts(
            spans=sum(extent.spans for extent in extents),
            traces=await self._segments.search(self._tally.count, self._seconds),
            log_records=sum(extent.log_records for extent in extents),
        )

    async def _searched(self, work: Callable[[Sequence[Segment], Patience], Answer[_Item]]) -> Answer[_Item]:
        return await self._segments.search(work, self._seconds)

    async def _count(self) -> None:
        """Counts the calls in sealed segments while little comes in, so that nobody waits for it, or when asked to."""
        before = self._segments.newest_position()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._count_now.wait()
            asked = self._count_now.is_set()
            self._count_now.clear()
            with contextlib.suppress(Unavailable):
                while asked or self._segments.newest_position() - before < _LITTLE_BYTES:
                    if not await self._segments.search(self._calls.count_one, None):
                        break
                before = self._segments.newest_position()
