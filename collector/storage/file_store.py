"""The `Store` on files: telemetry in segments, everything else in SQLite tables."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from collector.core.errors import ConfigError, Unavailable
from collector.core.feedback import Attachment, Feedback, FeedbackState, OpenFeedback, StoredFeedback
from collector.core.page import Page, PageRequest
from collector.core.protocols import Clock
from collector.core.release import Acknowledgement
from collector.core.span import LogRecord, Span
from collector.core.steady import TimeMark
from collector.core.telemetry import (
    Answer,
    Dependency,
    Forgotten,
    FoundTrace,
    Operation,
    OtlpRequest,
    StoreCounts,
    StoredRequest,
    TraceBounds,
    TraceQuery,
    TraceSummary,
)
from collector.counters import Counters
from collector.storage import feedback as feedback_table
from collector.storage import listing, marks, search, telemetry
from collector.storage import parameters as parameter_tables
from collector.storage.awaited import Awaited
from collector.storage.database import Database
from collector.storage.delivery import delivered, furthest, set_delivered
from collector.storage.dependencies import CallBook
from collector.storage.integrity.damage import ASIDE, Damage, DamageLog
from collector.storage.ledger import TableLedger
from collector.storage.patience import Patience
from collector.storage.segment import Segment
from collector.storage.segments import SegmentLimits, Segments, last_received, look_through, requests_after
from collector.storage.units import TableUnits
from otel_opto.spec import ParameterSpec

_LOG = logging.getLogger(__name__)
_DATABASE_PENDING_BYTES = 64 * 2**20
_IDLE_SECONDS, _LITTLE_BYTES = 1.0, 2**20
_Item = TypeVar("_Item")


class FileStore:
    """See `Store`. A directory that one process owns at a time: ``otel-opto.sqlite3`` and ``segments/``.

    Args:
        directory: Made if it is not there.
        clock: For the times of releases.
        limits: Of segments.
        under_way: How many requests are being received or appended; the store syncs the disk once for all of them.
        counters: What is found damaged is counted.
        search_seconds: A search gives the answer that it has when it has looked for so long.
    """

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        limits: SegmentLimits | None = None,
        under_way: Callable[[], int] = lambda: 0,
        counters: Counters | None = None,
        search_seconds: float = 3.0,
    ) -> None:
        self._damages = DamageLog(directory / ASIDE, counters or Counters())
        self.database = Database(directory, _DATABASE_PENDING_BYTES, self._damages)
        self._looking: asyncio.Task[None] | None = None
        self._awaited = Awaited()
        self.segments = Segments(
            directory / "segments", limits or SegmentLimits(), self._awaited.touched, under_way, self._damages
        )
        self.ledger = TableLedger(self.database, clock)
        self.units = TableUnits(self.database)
        self._clock = clock
        self._search_seconds = search_seconds
        self._calls = CallBook()
        self._count_now = asyncio.Event()
        self._counting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """See `Store`."""
        await self.database.start()
        beyond = await self.database.read(furthest)
        try:
            await asyncio.to_thread(self.segments.open, beyond)
        except ConfigError:
            await self.stop()
            raise
        self._awaited.begin(await self.database.write(feedback_table.look_again))
        if self.database.begun and await self.last_received():
            _LOG.error("the control database was not there: releases, studies and feedback are gone, telemetry is not")
            await self.set_recalled(0)
        self._counting = asyncio.create_task(self._count())
        self._looking = asyncio.create_task(self.database.look_behind_the_start())

    async def stop(self) -> None:
        """See `Store`."""
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.gather(self._counting, return_exceptions=True)
            self._counting = None
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
            self._looking = None
        await asyncio.to_thread(self.segments.close)
        await self.database.stop()

    async def look_through(self) -> None:
        """Reads everything, notes and keeps aside what is damaged, and makes the rest whole again."""
        await self.database.look()
        await self.segments.read(look_through)

    def damages(self) -> Sequence[Damage]:
        """What was found damaged since the start, by file and place."""
        return self._damages.all()

    async def instance_id(self) -> str:
        """See `Store`."""
        return await self.database.read(lambda db: str(db.execute("SELECT instance_id FROM identity").fetchone()[0]))

    # --- telemetry ----------------------------------------------------------------------------------------------

    async def append(self, *requests: OtlpRequest, feedback: Sequence[Feedback] = ()) -> None:
        """See `TelemetryStore`.

        The feedback first: it is kept once however often it comes, so that a sender who has to come back because
        either failed leaves nothing twice.
        """
        if feedback:
            await self.submit(feedback, requests[0].received_unix_nano)
        await self.segments.append(requests)

    async def trace(self, trace_id: str) -> Sequence[Span]:
        """See `TelemetryStore`."""
        return await self.segments.gather(lambda segments, patience: telemetry.trace(segments, trace_id, patience))

    async def trace_data(self, trace_id: str, bounds: TraceBounds | None = None) -> bytes:
        """See `TelemetryStore`."""
        return await self.segments.gather(
            lambda segments, patience: telemetry.trace_data(segments, trace_id, patience, bounds)
        )

    async def log_records(self, trace_id: str) -> Sequence[LogRecord]:
        """See `TelemetryStore`."""
        return await self.segments.gather(
            lambda segments, patience: telemetry.log_records(segments, trace_id, patience)
        )

    async def log_data(self, trace_id: str, bounds: TraceBounds | None = None) -> bytes:
        """See `TelemetryStore`."""
        return await self.segments.gather(
            lambda segments, patience: telemetry.log_data(segments, trace_id, patience, bounds)
        )

    async def revision(self, trace_id: str) -> str:
        """See `TelemetryStore`."""
        told = await self.segments.read(lambda segments: telemetry.revision(segments, trace_id))
        return told and f"{told}/{await self.database.read(lambda db: feedback_table.revision(db, trace_id))}"

    async def answering(self, response_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """See `TelemetryStore`; those of one segment (128 MiB) are found."""
        return await self.segments.search(
            lambda segments, patience: telemetry.answering(segments, response_ids, patience), None
        )

    async def traces(self, page: PageRequest) -> Page[TraceSummary]:
        """See `TelemetryStore`."""
        return await self.segments.search(
            lambda segments, patience: listing.traces(segments, page, patience), self._search_seconds
        )

    async def find(self, query: TraceQuery) -> Answer[FoundTrace]:
        """See `TelemetryStore`."""
        return await self._searched(lambda segments, patience: search.find(segments, query, patience))

    async def services(self) -> Sequence[str]:
        """See `TelemetryStore`."""
        return await self.segments.read(telemetry.services)

    async def operations(self, service: str) -> Sequence[Operation]:
        """See `TelemetryStore`."""
        return await self.segments.read(lambda segments: telemetry.operations(segments, service))

    async def dependencies(self, start_unix_nano: int, end_unix_nano: int) -> Answer[Dependency]:
        """See `TelemetryStore`; pairs that came more than a segment (128 MiB) apart are passed over."""
        answer = await self._searched(
            lambda segments, patience: self._calls.between(segments, start_unix_nano, end_unix_nano, patience)
        )
        if answer.partial:
            self._count_now.set()
        return answer

    async def _searched(self, work: Callable[[Sequence[Segment], Patience], Answer[_Item]]) -> Answer[_Item]:
        return await self.segments.search(work, self._search_seconds)

    async def _count(self) -> None:
        """Counts the calls in sealed segments while little comes in, so that nobody waits for it, or when asked to."""
        before = self.segments.newest_position()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._count_now.wait(), _IDLE_SECONDS)
            asked = self._count_now.is_set()
            self._count_now.clear()
            with contextlib.suppress(Unavailable):
                while asked or self.segments.newest_position() - before < _LITTLE_BYTES:
                    if not await self.segments.search(self._calls.count_one, None):
                        break
                before = self.segments.newest_position()

    async def counts(self) -> StoreCounts:
        """See `TelemetryStore`."""
        extents = await self.segments.read(lambda segments: [segment.extent() for segment in segments])
        return StoreCounts(
            spans=sum(extent.spans for extent in extents),
            traces=await self.segments.search(telemetry.trace_count, self._search_seconds),
            log_records=sum(extent.log_records for extent in extents),
            bytes=await self.segments.size_bytes() + await self.database.size_bytes(),
            feedback=await self.database.read(feedback_table.counts),
        )

    async def requests_after(self, position: int, max_bytes: int) -> Sequence[StoredRequest]:
        """See `TelemetryStore`."""
        return await self.segments.read(lambda segments: requests_after(segments, position, max_bytes))

    async def newest_position(self) -> int:
        """See `TelemetryStore`."""
        return self.segments.newest_position()

    async def delivered(self, destination: str) -> int | None:
        """See `TelemetryStore`."""
        position = (await self.database.read(delivered)).get(destination)
        return None if position is None else min(position, self.segments.newest_position())

    async def set_delivered(self, destination: str, position: int) -> None:
        """See `TelemetryStore`."""
        await self.database.write(lambda db: set_delivered(db, destination, position))

    async def last_received(self) -> int:
        """See `TelemetryStore`."""
        return await self.segments.read(last_received)

    async def time_mark(self) -> TimeMark | None:
        """See `TelemetryStore`."""
        return await self.database.read(marks.time_mark)

    async def set_time_mark(self, mark: TimeMark) -> None:
        """See `TelemetryStore`."""
        await self.database.write(lambda db: marks.set_time_mark(db, mark))

    async def forget(self, received_before_unix_nano: int, max_bytes: int) -> Forgotten:
        """See `TelemetryStore`; a stretch is a segment (128 MiB)."""
        positions = await self.database.read(delivered)
        aside = await asyncio.to_thread(self._damages.size_bytes)
        for_segments = max_bytes - await self.database.size_bytes() - aside
        now = self._clock.now_unix_nano()
        return await asyncio.to_thread(self.segments.forget, received_before_unix_nano, for_segments, positions, now)

    # --- feedback -----------------------------------------------------------------------------------------------

    async def submit(self, feedback: Sequence[Feedback], received_unix_nano: int) -> None:
        """See `FeedbackStore`."""

        def keep(connection: sqlite3.Connection) -> None:
            # Here, where nobody lets them go meanwhile; in the writer's thread, for there may be a lot of it.
            self._awaited.wait_for(feedback_table.keys_of(feedback))
            feedback_table.submit(connection, feedback, received_unix_nano)

        await self.database.write(keep)

    async def recalled(self) -> int | None:
        """See `FeedbackStore`."""
        return await self.database.read(lambda db: marks.mark(db, marks.RECALLED))

    async def set_recalled(self, position: int | None) -> None:
        """See `FeedbackStore`."""
        await self.database.write(lambda db: marks.set_marks(db, {marks.RECALLED: position}))

    async def attachable(self, limit: int, now_unix_nano: int = 0) -> Sequence[OpenFeedback]:
        """See `FeedbackStore`."""
        position = self.segments.newest_position()
        touched = self._awaited.positions()
        return await self.database.read(
            lambda db: feedback_table.attachable(db, limit, now_unix_nano, position, touched)
        )

    async def attach(self, attachments: Sequence[Attachment], looked_for: Sequence[OpenFeedback] = ()) -> None:
        """See `FeedbackStore`."""

        def move(connection: sqlite3.Connection) -> tuple[int, set[bytes]]:
            self._awaited.wait_for({bytes.fromhex(one.target.trace_id) for one in attachments})
            return feedback_table.attach(connection, attachments, looked_for)

        def looked() -> None:
            before = {bytes.fromhex(one.attachment.target.trace_id) for one in looked_for if one.attachment}
            keys = before | feedback_table.keys_of([one.feedback for one in looked_for])
            self._awaited.looked_for(keys, min((one.position for one in looked_for), default=0))

        await self._close(move)
        await asyncio.to_thread(looked)

    async def expire(self, received_before_unix_nano: int) -> int:
        """See `FeedbackStore`. Looked up first: mostly nothing expires, and a commit costs a sync of the disk."""
        if not await self.database.read(lambda db: feedback_table.has_expired(db, received_before_unix_nano)):
            return 0
        return await self._close(lambda db: feedback_table.expire(db, received_before_unix_nano))

    async def settle(self, received_before_unix_nano: int, most: int) -> int:
        """See `FeedbackStore`."""
        if not await self.database.read(lambda db: feedback_table.has_settled(db, received_before_unix_nano, most)):
            return 0
        return await self._close(lambda db: feedback_table.settle(db, received_before_unix_nano, most))

    async def settle_counted(self, release: int, name: str) -> None:
        """See `FeedbackStore`."""
        await self._close(lambda db: feedback_table.settle_counted(db, release, name))

    async def _close(self, work: Callable[[sqlite3.Connection], tuple[int, set[bytes]]]) -> int:
        """Runs work that closes feedback, and lets its keys go before further feedback with them can be kept."""
        closed: set[bytes] = set()

        def run(connection: sqlite3.Connection) -> int:
            count, keys = work(connection)
            closed.update(keys)
            self._awaited.let_go(keys)
            return count

        try:
            return await self.database.write(run)
        except Unavailable:
            self._awaited.wait_for(closed)
            raise

    async def feedback(
        self, page: PageRequest, *, trace_id: str = "", states: Sequence[FeedbackState] = ()
    ) -> Page[StoredFeedback]:
        """See `FeedbackStore`."""
        return await self.database.read(lambda db: feedback_table.feedback(db, page, trace_id, states))

    async def feedback_of_release(self, release: int, name: str) -> Sequence[StoredFeedback]:
        """See `FeedbackStore`."""
        return await self.database.read(lambda db: feedback_table.feedback_of_release(db, release, name))

    async def metrics_of_release(self, release: int) -> Mapping[str, int]:
        """See `FeedbackStore`."""
        return await self.database.read(lambda db: feedback_table.metrics_of_release(db, release))

    # --- parameters ---------------------------------------------------------------------------------------------

    async def declare(self, service: str, parameters: Sequence[ParameterSpec]) -> None:
        """See `ParameterStore`."""
        await self.database.write(lambda db: parameter_tables.declare(db, service, parameters))

    async def parameters(self, service: str) -> Sequence[ParameterSpec]:
        """See `ParameterStore`."""
        return await self.database.read(lambda db: parameter_tables.parameters(db, service))

    async def declared(self, service: str, page: PageRequest) -> Page[ParameterSpec]:
        """See `ParameterStore`."""
        return await self.database.read(lambda db: parameter_tables.declared(db, service, page))

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """See `ParameterStore`."""
        await self.database.write(lambda db: parameter_tables.acknowledge(db, acknowledgement))

    async def acknowledgements(self, release: int, page: PageRequest) -> Page[Acknowledgement]:
        """See `ParameterStore`."""
        return await self.database.read(lambda db: parameter_tables.acknowledgements(db, release, page))
