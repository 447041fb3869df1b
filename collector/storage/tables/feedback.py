"""Feedback as a table, and in memory what it waits for."""

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence

from collector.core.errors import Unavailable
from collector.core.feedback import Attachment, Feedback, FeedbackState, OpenFeedback, StoredFeedback
from collector.core.page import Page, PageRequest
from collector.storage.database import Database
from collector.storage.tables import feedback_rows
from collector.storage.tables.awaited import Awaited


class TableFeedback:
    """See `FeedbackStore`.

    Args:
        database: See there.
        awaited: Told of every request that the log beside it appends.
        newest_position: Of that log.
    """

    def __init__(self, database: Database, awaited: Awaited, newest_position: Callable[[], int]) -> None:
        self._database = database
        self._newest_position = newest_position
        self._awaited = awaited

    async def look_again(self) -> None:
        """All that is open is attachable once more: said at the start, for nobody knows what came just before."""
        self._awaited.begin(await self._database.write(feedback_rows.look_again))

    async def submit(self, feedback: Sequence[Feedback], received_unix_nano: int) -> None:
        """See `FeedbackStore`."""

        def keep(connection: sqlite3.Connection) -> None:
            # Here, where nobody lets them go meanwhile; in the writer's thread, for there may be a lot of it.
            self._awaited.wait_for(feedback_rows.keys_of(feedback))
            feedback_rows.submit(connection, feedback, received_unix_nano)

        await self._database.write(keep)

    async def attachable(self, limit: int, now_unix_nano: int = 0) -> Sequence[OpenFeedback]:
        """See `FeedbackStore`."""
        position = self._newest_position()
        touched = self._awaited.positions()
        return await self._database.read(
            lambda db: feedback_rows.attachable(db, limit, now_unix_nano, position, touched)
        )

    async def attach(self, attachments: Sequence[Attachment], looked_for: Sequence[OpenFeedback] = ()) -> None:
        """See `FeedbackStore`."""

        def move(connection: sqlite3.Connection) -> tuple[int, set[bytes]]:
            self._awaited.wait_for({bytes.fromhex(one.target.trace_id) for one in attachments})
            return feedback_rows.attach(connection, attachments, looked_for)

        def looked() -> None:
            before = {bytes.fromhex(one.attachment.target.trace_id) for one in looked_for if one.attachment}
            keys = before | feedback_rows.keys_of([one.feedback for one in looked_for])
            self._awaited.looked_for(keys, min((one.position for one in looked_for), default=0))

        await self._close(move)
        await asyncio.to_thread(looked)

    async def expire(self, received_before_unix_nano: int) -> int:
        """See `FeedbackStore`. Looked up first: mostly nothing expires, and a commit costs a sync of the disk."""
        if not await self._database.read(lambda db: feedback_rows.has_expired(db, received_before_unix_nano)):
            return 0
        return await self._close(lambda db: feedback_rows.expire(db, received_before_unix_nano))

    async def settle(self, received_before_unix_nano: int, most: int) -> int:
        """See `FeedbackStore`."""
        if not await self._database.read(lambda db: feedback_rows.has_settled(db, received_before_unix_nano, most)):
            return 0
        return await self._close(lambda db: feedback_rows.settle(db, received_before_unix_nano, most))

    async def settle_counted(self, release: int, name: str) -> None:
        """See `FeedbackStore`."""
        await self._close(lambda db: feedback_rows.settle_counted(db, release, name))

    async def _close(self, work: Callable[[sqlite3.Connection], tuple[int, set[bytes]]]) -> int:
        """Runs work that closes feedback, and lets its keys go before further feedback with them can be kept."""
        closed: set[bytes] = set()

        def run(connection: sqlite3.Connection) -> int:
            count, keys = work(connection)
            closed.update(keys)
            self._awaited.let_go(keys)
            return count

        try:
            return await self._database.write(run)
        except Unavailable:
            self._awaited.wait_for(closed)
            raise

    async def listed(
        self, page: PageRequest, *, trace_id: str = "", states: Sequence[FeedbackState] = ()
    ) -> Page[StoredFeedback]:
        """See `FeedbackStore`."""
        return await self._database.read(lambda db: feedback_rows.listed(db, page, trace_id, states))

    async def of_release(self, release: int, name: str) -> Sequence[StoredFeedback]:
        """See `FeedbackStore`."""
        return await self._database.read(lambda db: feedback_rows.of_release(db, release, name))

    async def metrics_of_release(self, release: int) -> Mapping[str, int]:
        """See `FeedbackStore`."""
        return await self._database.read(lambda db: feedback_rows.metrics_of_release(db, release))

    async def judged(self, name: str, trace_ids: Collection[str]) -> Collection[str]:
        """See `FeedbackStore`."""
        return await self._database.read(lambda db: feedback_rows.judged(db, name, trace_ids))

    async def revision(self, trace_id: str) -> str:
        """See `FeedbackStore`."""
        return await self._database.read(lambda db: feedback_rows.revision(db, trace_id))

    async def counts(self) -> Mapping[FeedbackState, int]:
        """See `FeedbackStore`."""
        return await self._database.read(feedback_rows.counts)
