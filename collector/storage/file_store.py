"""The `Store` on files: telemetry in segments, everything else in SQLite tables."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from collector.core.errors import ConfigError
from collector.core.protocols import Clock
from collector.counters import Counters
from collector.storage.database import Database
from collector.storage.integrity.damage import ASIDE, Damage, DamageLog
from collector.storage.search.segment_search import SegmentSearch
from collector.storage.segments.log import SegmentLog
from collector.storage.segments.segments import SegmentLimits, Segments, look_through
from collector.storage.tables.acknowledgements import TableAcknowledgements
from collector.storage.tables.awaited import Awaited
from collector.storage.tables.deliveries import TableDeliveries, furthest
from collector.storage.tables.feedback import TableFeedback
from collector.storage.tables.ledger import TableLedger
from collector.storage.tables.marks import TableMarks
from collector.storage.tables.parameters import TableParameters
from collector.storage.tables.units import TableUnits

_LOG = logging.getLogger(__name__)
_DATABASE_PENDING_BYTES = 64 * 2**20


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
        self._looking: asyncio.Task[None] | None = None
        self.database = Database(directory, _DATABASE_PENDING_BYTES, self._damages)
        awaited = Awaited()
        self.segments = Segments(
            directory / "segments", limits or SegmentLimits(), awaited.touched, under_way, self._damages
        )
        self.log = SegmentLog(self.segments, self._beside_bytes, clock)
        self.search = SegmentSearch(self.segments, search_seconds)
        self.feedback = TableFeedback(self.database, awaited, self.segments.newest_position)
        self.parameters = TableParameters(self.database)
        self.acknowledgements = TableAcknowledgements(self.database)
        self.ledger = TableLedger(self.database, clock)
        self.units = TableUnits(self.database)
        self.deliveries = TableDeliveries(self.database)
        self.marks = TableMarks(self.database)

    async def start(self) -> None:
        """See `Store`."""
        await self.database.start()
        beyond = await self.database.read(furthest)
        try:
            await asyncio.to_thread(self.segments.open, beyond)
        except ConfigError:
            await self.stop()
            raise
        await self.feedback.look_again()
        if self.database.begun and await self.log.last_received():
            _LOG.error("the control database was not there: releases, studies and feedback are gone, telemetry is not")
            await self.marks.set_recalled(0)
        self.search.start()
        self._looking = asyncio.create_task(self.database.look_behind_the_start())

    async def stop(self) -> None:
        """See `Store`."""
        await self.search.stop()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
            self._looking = None
        await asyncio.to_thread(self.segments.close)
        await self.database.stop()

    async def instance_id(self) -> str:
        """See `Store`."""
        return await self.database.read(lambda db: str(db.execute("SELECT instance_id FROM identity").fetchone()[0]))

    async def size_bytes(self) -> int:
        """See `Store`; without what is kept aside because it is damaged."""
        return await self.segments.size_bytes() + await self.database.size_bytes()

    async def _beside_bytes(self) -> int:
        return await self.database.size_bytes() + await asyncio.to_thread(self._damages.size_bytes)

    async def look_through(self) -> None:
        """Reads everything, notes and keeps aside what is damaged, and makes the rest whole again."""
        await self.database.look()
        await self.segments.read(look_through)

    def damages(self) -> Sequence[Damage]:
        """What was found damaged since the start, by file and place."""
        return self._damages.all()
