"""Every implementation of `Ledger`; another one is another row."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from collector.core.ledger import Ledger
from collector.core.protocols import Clock
from collector.storage.database import Database
from collector.storage.memory.ledger import MemoryLedger
from collector.storage.tables.ledger import TableLedger


@asynccontextmanager
async def in_memory(_: Path, clock: Clock) -> AsyncIterator[Ledger]:
    yield MemoryLedger(clock)


@asynccontextmanager
async def in_a_table(directory: Path, clock: Clock) -> AsyncIterator[Ledger]:
    database = Database(directory, 2**20)
    await database.start()
    yield TableLedger(database, clock)
    await database.stop()


LEDGERS: dict[str, Callable[[Path, Clock], AbstractAsyncContextManager[Ledger]]] = {
    "memory": in_memory,
    "table": in_a_table,
}
