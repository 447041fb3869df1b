"""The `Store` on SQLite: the tables behind one door."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from collector.core.feedback import Attachment, Feedback, FeedbackState, StoredFeedback, WaitingFeedback
from collector.core.protocols import Clock
from collector.core.release import Acknowledgement, Release, ReleaseDraft
from collector.core.span import LogRecord, Span
from collector.core.study import Proposal, RejectedProposal, Study, StudyRecord, StudyState
from collector.core.telemetry import OtlpRequest, StoreCounts, TraceSummary
from collector.storage import feedback as feedback_table
from collector.storage import releases as release_tables
from collector.storage import studies as study_tables
from collector.storage import telemetry as telemetry_tables
from collector.storage.database import Database
from otel_opto.spec import ParameterSpec

DEFAULT_MAX_PENDING_BYTES = 64 * 2**20


class SqliteStore:
    """See `Store`. One file in a directory that one process owns at a time."""

    def __init__(self, directory: Path, clock: Clock, max_pending_bytes: int = DEFAULT_MAX_PENDING_BYTES) -> None:
        self.database = Database(directory, max_pending_bytes)
        self._clock = clock

    async def start(self) -> None:
        """See `Store`."""
        await self.database.start()

    async def stop(self) -> None:
        """See `Store`."""
        await self.database.stop()

    # --- telemetry ----------------------------------------------------------------------------------------------

    async def append(self, request: OtlpRequest, feedback: Sequence[Feedback] = ()) -> None:
        """See `TelemetryStore`."""

        def both(db: sqlite3.Connection) -> None:
            telemetry_tables.append(db, request)
            feedback_table.submit(db, feedback, request.received_unix_nano)

        await self.database.write(both, len(request.body))

    async def trace(self, trace_id: str) -> Sequence[Span]:
        """See `TelemetryStore`."""
        return await self.database.read(lambda db: telemetry_tables.trace(db, trace_id))

    async def log_records(self, trace_id: str) -> Sequence[LogRecord]:
        """See `TelemetryStore`."""
        return await self.database.read(lambda db: telemetry_tables.log_records(db, trace_id))

    async def traces(self, limit: int) -> Sequence[TraceSummary]:
        """See `TelemetryStore`."""
        return await self.database.read(lambda db: telemetry_tables.traces(db, limit))

    async def counts(self) -> StoreCounts:
        """See `TelemetryStore`."""
        totals = await self.database.read(telemetry_tables.totals)
        states = await self.database.read(feedback_table.counts)
        return StoreCounts(
            spans=totals["spans"],
            traces=totals["traces"],
            log_records=totals["log_records"],
            bytes=await self.database.size_bytes(),
            feedback=states,
        )

    # --- feedback -----------------------------------------------------------------------------------------------

    async def submit(self, feedback: Sequence[Feedback], received_unix_nano: int) -> None:
        """See `FeedbackStore`."""
        await self.database.write(lambda db: feedback_table.submit(db, feedback, received_unix_nano))

    async def attachable(self, limit: int) -> Sequence[WaitingFeedback]:
        """See `FeedbackStore`."""
        return await self.database.read(lambda db: feedback_table.attachable(db, limit))

    async def attach(self, attachments: Sequence[Attachment], missed: Sequence[WaitingFeedback] = ()) -> None:
        """See `FeedbackStore`."""
        await self.database.write(lambda db: feedback_table.attach(db, attachments, missed))

    async def expire(self, received_before_unix_nano: int) -> int:
        """See `FeedbackStore`. Looked up first: mostly nothing expires, and a commit costs a sync of the disk."""
        if not await self.database.read(lambda db: feedback_table.has_expired(db, received_before_unix_nano)):
            return 0
        return await self.database.write(lambda db: feedback_table.expire(db, received_before_unix_nano))

    async def feedback(
        self, *, trace_id: str = "", states: Sequence[FeedbackState] = (), limit: int = 100
    ) -> Sequence[StoredFeedback]:
        """See `FeedbackStore`."""
        return await self.database.read(lambda db: feedback_table.feedback(db, trace_id, states, limit))

    async def feedback_of_release(self, release: int, name: str) -> Sequence[StoredFeedback]:
        """See `FeedbackStore`."""
        return await self.database.read(lambda db: feedback_table.feedback_of_release(db, release, name))

    # --- releases -----------------------------------------------------------------------------------------------

    async def declare(self, service: str, parameters: Sequence[ParameterSpec]) -> None:
        """See `ReleaseStore`."""
        await self.database.write(lambda db: release_tables.declare(db, service, parameters))

    async def parameters(self, service: str) -> Sequence[ParameterSpec]:
        """See `ReleaseStore`."""
        return await self.database.read(lambda db: release_tables.parameters(db, service))

    async def publish(self, draft: ReleaseDraft) -> Release:
        """See `ReleaseStore`."""
        now = self._clock.now_unix_nano()
        return await self.database.write(lambda db: release_tables.publish(db, draft, now))

    async def release(self, number: int) -> Release | None:
        """See `ReleaseStore`."""
        return await self.database.read(lambda db: release_tables.release(db, number))

    async def current_release(self, service: str) -> Release | None:
        """See `ReleaseStore`."""
        return await self.database.read(lambda db: release_tables.current_release(db, service))

    async def releases(self, service: str = "") -> Sequence[Release]:
        """See `ReleaseStore`."""
        return await self.database.read(lambda db: release_tables.releases(db, service))

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """See `ReleaseStore`."""
        await self.database.write(lambda db: release_tables.acknowledge(db, acknowledgement))

    async def acknowledgements(self, release: int) -> Sequence[Acknowledgement]:
        """See `ReleaseStore`."""
        return await self.database.read(lambda db: release_tables.acknowledgements(db, release))

    # --- studies ------------------------------------------------------------------------------------------------

    async def create_study(self, study: Study) -> StudyRecord:
        """See `StudyStore`."""
        return await self.database.write(lambda db: study_tables.create(db, study))

    async def study(self, name: str) -> StudyRecord | None:
        """See `StudyStore`."""
        return await self.database.read(lambda db: study_tables.study(db, name))

    async def studies(self) -> Sequence[StudyRecord]:
        """See `StudyStore`."""
        return await self.database.read(study_tables.studies)

    async def open_trial(self, name: str, proposal: Proposal, draft: ReleaseDraft, keys: Sequence[str]) -> Release:
        """See `StudyStore`."""
        now = self._clock.now_unix_nano()
        return await self.database.write(lambda db: study_tables.open_trial(db, name, proposal, draft, keys, now))

    async def complete_trial(self, name: str, number: int, score: float, feedback_count: int) -> None:
        """See `StudyStore`."""
        await self.database.write(lambda db: study_tables.complete_trial(db, name, number, score, feedback_count))

    async def reject_proposal(self, name: str, rejected: RejectedProposal) -> None:
        """See `StudyStore`."""
        await self.database.write(lambda db: study_tables.reject(db, name, rejected))

    async def conclude_study(
        self, name: str, state: StudyState, message: str, draft: ReleaseDraft | None = None
    ) -> Release | None:
        """See `StudyStore`."""
        now = self._clock.now_unix_nano()
        return await self.database.write(
            lambda db: (
                release_tables.publish(db, draft, now)
                if study_tables.conclude(db, name, state, message) and draft is not None
                else None
            )
        )
