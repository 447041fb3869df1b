"""One SQLite database: one writer with group commit, and readers that do not wait for it."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from collector.core.errors import ConfigError, Damaged, Unavailable
from collector.counters import Counters
from collector.storage.gate import Gate
from collector.storage.group_commit import GroupCommit, Job
from collector.storage.integrity.damage import ASIDE, DamageLog
from collector.storage.integrity.mending import Mending
from collector.storage.integrity.salvage import faults_of, is_damage, readable_text
from collector.storage.lock import DirectoryLock
from collector.storage.migrations import migrate, migrations

DATABASE = "otel-opto.sqlite3"
"""Its name in a data directory."""

_READERS = 2
_MOST_MENDED = 3
"""A disk that goes on damaging it is not mended by copying."""

_T = TypeVar("_T")
_Work = Callable[[sqlite3.Connection], Any]


class Database:
    """A file that this process owns while it is started.

    Writes are jobs for one thread, which runs all that are pending in one transaction and commits once (group commit;
    WAL, ``synchronous=FULL``): a write returns after the commit that holds it. A job that fails is rolled back alone.

    Args:
        directory: Made if it is not there.
        max_pending_bytes: Of jobs that wait for their commit; beyond it `write` raises `Unavailable`.
        damages: That it was damaged and made anew is noted there.

    Attributes:
        commits: So many there were.
        mended: So often it was damaged and made anew since the process began.
        begun: Whether there was none when it was opened.
    """

    def __init__(self, directory: Path, max_pending_bytes: int, damages: DamageLog | None = None) -> None:
        self.path = directory / DATABASE
        self.commits = 0
        self.mended = 0
        self.begun = False
        self._directory = directory
        self._queue: GroupCommit[_Work] = GroupCommit(self._commit, max_pending_bytes, "otel-opto-database")
        self._lock = DirectoryLock(directory)
        self._connection: sqlite3.Connection | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._reader_connections: list[sqlite3.Connection] = []
        self._local = threading.local()
        self._gate = Gate()
        damages = damages or DamageLog(directory / ASIDE, Counters())
        self._mending = Mending(self.path, migrations(), damages)

    async def start(self) -> None:
        """Opens or creates the file.

        Raises:
            ConfigError: it cannot be opened, another process has it, it is no database, or a newer version wrote it.
        """
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        self._lock.take()
        try:
            self.begun = not self.path.exists() or self.path.stat().st_size == 0
            self.mended += self._mending.look()
            self._connection = self._begun()
        except (OSError, sqlite3.Error, ConfigError) as error:
            self._close()
            raise ConfigError([f"storage.directory: {self.path} cannot be opened: {error}"]) from error
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="otel-opto-reader")
        self._queue.start()

    def _begun(self) -> sqlite3.Connection:
        """The connection that writes, on a schema of today."""
        connection = self._connect()
        try:
            migrate(connection, migrations())
            self._mending.mark(connection)
        except (sqlite3.Error, ConfigError):
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.text_factory = readable_text
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA busy_timeout = 5000")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    async def write(self, work: Callable[[sqlite3.Connection], _T], size_bytes: int = 1024) -> _T:
        """Runs `work` in a transaction and returns its result once that is durable.

        Args:
            work: Gets the connection; must not commit. What it raises is raised here, and only its own changes undone.
            size_bytes: What it holds in memory while it waits.

        Raises:
            Unavailable: too much is pending, the disk is full or fails, or the database is stopped.
        """
        result: _T = await self._queue.put(work, size_bytes)
        return result

    async def read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Runs `work` on a connection that only reads, in a thread of its own.

        Raises:
            Unavailable: the disk fails, or the database is stopped.
            Damaged: what it would have to read cannot be read any more.
        """
        if self._readers is None:
            raise Unavailable("the store is closed; the collector is stopping")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._readers, self._read, work)
        except Damaged as error:
            await self._queue.put(_mending_for(error), 0)
            return await loop.run_in_executor(self._readers, self._read, work)

    async def look(self) -> None:
        """Looks through all of it, and makes it anew where it is damaged."""
        await self._queue.put(_looked_through, 0)

    async def look_behind_the_start(self) -> None:
        """Looks through what was too large for the start, without holding up writes."""
        if self._mending.is_large():
            faults = await self.read(faults_of)
            if faults:
                await self.look()

    async def size_bytes(self) -> int:
        """Of the database file and its write-ahead log."""
        return await asyncio.to_thread(lambda: sum(path.stat().st_size for path in self._directory.glob("*.sqlite3*")))

    def _read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._gate.passing():
            try:
                return work(self._reader())
            except sqlite3.Error as error:
                if is_damage(error):
                    raise _damaged(error) from error
                if isinstance(error, sqlite3.OperationalError):
                    raise _unavailable(error) from error
                raise

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            self._reader_connections.append(connection)
        return connection

    def _commit(self, group: Sequence[Job[_Work]]) -> None:
        """One transaction for the group; if it cannot be committed, none of it happened."""
        try:
            self._commit_once(group)
        except Damaged as error:
            if self.mended > _MOST_MENDED:
                raise
            with self._gate.alone():
                self._mend(str(error))
            self._commit_once(group)

    def _commit_once(self, group: Sequence[Job[_Work]]) -> None:
        connection = self._connection
        if connection is None:
            raise _damaged("it could not be opened again")
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in group:
                _run(connection, job)
            connection.execute("COMMIT")
            self.commits += 1
        except (sqlite3.Error, Damaged) as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if isinstance(error, Damaged):
                raise
            raise (_damaged(error) if is_damage(error) else _unavailable(error)) from error

    def _mend(self, fault: str) -> None:
        """No connection may be open meanwhile: the last one to be closed removes the log, whose ever it is."""
        self._close_connections()
        try:
            self._mending.mend([fault])
            self.mended += 1
        except ConfigError as error:
            raise Damaged(str(error)) from error
        finally:
            with contextlib.suppress(sqlite3.Error, ConfigError):  # said by whoever wants to use it
                self._connection = self._begun()

    async def stop(self) -> None:
        """Commits what is pending and closes. Safe twice and unstarted."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._queue.stop()
        if self._readers is not None:
            self._readers.shutdown()
            self._readers = None
        self._close()

    def _close(self) -> None:
        self._close_connections()
        self._lock.release()

    def _close_connections(self) -> None:
        for connection in [*self._reader_connections, self._connection]:
            if connection is not None:
                connection.close()
        self._reader_connections.clear()
        self._connection = None
        self._local = threading.local()


def _run(connection: sqlite3.Connection, job: Job[_Work]) -> None:
    job.error = None
    connection.execute("SAVEPOINT job")
    try:
        job.result = job.work(connection)
    except (sqlite3.OperationalError, Damaged):
        raise  # the disk's fault, not the job's: the whole group is undone
    except Exception as error:
        if is_damage(error):
            raise
        connection.execute("ROLLBACK TO job")
        job.error = error
    connection.execute("RELEASE job")


def _mending_for(error: Damaged) -> _Work:
    """A job that finds what a reader found, unless it was mended meanwhile."""
    waiting = [error]

    def found(_: sqlite3.Connection) -> None:
        if waiting:
            raise waiting.pop()

    return found


def _looked_through(connection: sqlite3.Connection) -> None:
    faults = faults_of(connection)
    if faults:
        raise Damaged(faults[0])


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable(f"the database cannot be used now: {error}; nothing was kept, free space and it goes on", 3)


def _damaged(fault: object) -> Damaged:
    return Damaged(f"the database is damaged: {fault}; stop the collector and run `otel-opto repair --data-dir`")
