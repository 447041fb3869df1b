"""The `Store` on files: telemetry in segments, everything else in SQLite tables."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from collector.core.errors import ConfigError
from collector.core.feedback import Attachment, Feedback, FeedbackState, StoredFeedback, WaitingFeedback
from collector.core.protocols import Clock
from collector.core.release import Acknowledgement
from collector.core.span import LogRecord, Span
from collector.core.telemetry import (
    Dependency,
    Forgotten,
    FoundTrace,
    Operation,
    OtlpRequest,
    StoreCounts,
    StoredRequest,
    TraceQuery,
    TraceSummary,
)
from collector.counters import Counters
from collector.storage import dependencies as dependency_reading
from collector.storage import feedback as feedback_table
from collector.storage import parameters as parameter_tables
from collector.storage import search, telemetry
from collector.storage.awaited import AwaitedTraces
from collector.storage.database import Database
from collector.storage.delivery import delivered, set_delivered
from collector.storage.integrity.damage import ASIDE, DamageLog
from collector.storage.ledger import TableLedger
from collector.storage.segments import SegmentLimits, Segments, requests_after
from otel_opto.spec import ParameterSpec

_DATABASE_PENDING_BYTES = 64 * 2**20


class FileStore:
    """See `Store`. A directory that one process owns at a time: ``otel-opto.sqlite3`` and ``segments/``.

    Args:
        directory: Made if it is not there.
        clock: For the times of releases.
        limits: Of segments.
        under_way: How many requests are being received or appended; the store syncs the disk once for all of them.
        counters: What is found damaged is counted.
    """

    def __init__(
        self,
        directory: Path,
        clock: Clock,
        limits: SegmentLimits | None = None,
        under_way: Callable[[], int] = lambda: 0,
        counters: Counters | None = None,
    ) -> None:
        self._damages = DamageLog(directory / ASIDE, counters or Counters())
        self.database = Database(directory, _DATABASE_PENDING_BYTES)
        self._awaited = AwaitedTraces()
        self.segments = Segments(
            directory / "segments", limits or SegmentLimits(), self._awaited.touched, under_way, self._damages
        )
        self.ledger = TableLedger(self.database, clock)
        self._clock = clock

    async def start(self) -> None:
        """See `Store`."""
        await self.database.start()
        positions = await self.database.read(delivered)
        try:
            await asyncio.to_thread(self.segments.open, max(positions.values(), default=0))
        except ConfigError:
            await self.stop()
            raise
        self._awaited.begin(await self.database.write(feedback_table.look_again))

    async def stop(self) -> None:
        """See `Store`."""
        await asyncio.to_thread(self.segments.close)
        await self.database.stop()

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
        return await self.segments.read(lambda segments: telemetry.trace(segments, trace_id))

    async def trace_data(self, trace_id: str) -> bytes:
        """See `TelemetryStore`."""
        return await self.segments.read(lambda segments: telemetry.trace_data(segments, trace_id))

    async def log_records(self, trace_id: str) -> Sequence[LogRecord]:
        """See `TelemetryStore`."""
        return await self.segments.read(lambda segments: telemetry.log_records(segments, trace_id))

    async def traces(self, limit: int) -> Sequence[TraceSummary]:
        """See `TelemetryStore`."""
        return await self.segments.read(lambda segments: telemetry.traces(segments, limit))

    async def find(self, query: TraceQuery) -> Sequence[FoundTrace]:
        """See `TelemetryStore`."""
        return await self.segments.read(lambda segments: search.find(segments, query))

    async def services(self) -> Sequence[str]:
        """See `TelemetryStore`."""
        return await self.segments.read(telemetry.services)

    async def operations(self, service: str) -> Sequence[Operation]:
        """See `TelemetryStore`."""
        return await self.segments.read(lambda segments: telemetry.operations(segments, service))

    async def dependencies(self, start_unix_nano: int, end_unix_nano: int) -> Sequence[Dependency]:
        """See `TelemetryStore`; pairs that came more than a segment (128 MiB) apart are passed over."""
        return await self.segments.read(
            lambda segments: dependency_reading.dependencies(segments, start_unix_nano, end_unix_nano)
        )

    async def counts(self) -> StoreCounts:
        """See `TelemetryStore`."""
        extents = await self.segments.read(lambda segments: [segment.extent() for segment in segments])
        return StoreCounts(
            spans=sum(extent.spans for extent in extents),
            traces=await self.segments.read(telemetry.trace_count),
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
        self._awaited.wait_for({bytes.fromhex(one.target.trace_id) for one in feedback})
        await self.database.write(lambda db: feedback_table.submit(db, feedback, received_unix_nano))

    async def attachable(self, limit: int) -> Sequence[WaitingFeedback]:
        """See `FeedbackStore`."""
        position = self.segments.newest_position()
        touched = self._awaited.positions()
        return await self.database.read(lambda db: feedback_table.attachable(db, limit, position, touched))

    async def attach(self, attachments: Sequence[Attachment], missed: Sequence[WaitingFeedback] = ()) -> None:
        """See `FeedbackStore`."""
        still_waiting = await self.database.write(lambda db: feedback_table.attach(db, attachments, missed))
        traces = {one.target.trace_id for one in attachments} | {one.feedback.target.trace_id for one in missed}
        position = min((one.position for one in missed), default=0)
        self._awaited.looked_for(map(bytes.fromhex, traces), still_waiting, position)

    async def expire(self, received_before_unix_nano: int) -> int:
        """See `FeedbackStore`. Looked up first: mostly nothing expires, and a commit costs a sync of the disk."""
        if not await self.database.read(lambda db: feedback_table.has_expired(db, received_before_unix_nano)):
            return 0
        expired = await self.database.write(lambda db: feedback_table.expire(db, received_before_unix_nano))
        self._awaited.begin(await self.database.read(feedback_table.waiting_traces))
        return expired

    async def feedback(
        self, *, trace_id: str = "", states: Sequence[FeedbackState] = (), limit: int = 100
    ) -> Sequence[StoredFeedback]:
        """See `FeedbackStore`."""
        return await self.database.read(lambda db: feedback_table.feedback(db, trace_id, states, limit))

    async def feedback_of_release(self, release: int, name: str) -> Sequence[StoredFeedback]:
        """See `FeedbackStore`."""
        return await self.database.read(lambda db: feedback_table.feedback_of_release(db, release, name))

    # --- parameters ---------------------------------------------------------------------------------------------

    async def declare(self, service: str, parameters: Sequence[ParameterSpec]) -> None:
        """See `ParameterStore`."""
        await self.database.write(lambda db: parameter_tables.declare(db, service, parameters))

    async def parameters(self, service: str) -> Sequence[ParameterSpec]:
        """See `ParameterStore`."""
        return await self.database.read(lambda db: parameter_tables.parameters(db, service))

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """See `ParameterStore`."""
        await self.database.write(lambda db: parameter_tables.acknowledge(db, acknowledgement))

    async def acknowledgements(self, release: int) -> Sequence[Acknowledgement]:
        """See `ParameterStore`."""
        return await self.database.read(lambda db: parameter_tables.acknowledgements(db, release))
