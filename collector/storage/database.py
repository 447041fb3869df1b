"""One SQLite database: one writer with group commit, and readers that do not wait for it."""

import asyncio
import fcntl
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO, TypeVar

from collector.core.errors import ConfigError, Unavailable
from collector.storage.group_commit import GroupCommit, Job
from collector.storage.migrations import migrate, migrations

_READERS = 2
_T = TypeVar("_T")
_Work = Callable[[sqlite3.Connection], Any]


class Database:
    """A file that this process owns while it is started.

    Writes are jobs for one thread, which runs all that are pending in one transaction and commits once (group commit;
    WAL, ``synchronous=FULL``): a write returns after the commit that holds it. A job that fails is rolled back alone.

    Args:
        directory: Made if it is not there.
        max_pending_bytes: Of jobs that wait for their commit; beyond it `write` raises `Unavailable`.
    """

    def __init__(self, directory: Path, max_pending_bytes: int) -> None:
        self.path = directory / "otel-opto.sqlite3"
        self.commits = 0
        self._directory = directory
        self._queue: GroupCommit[_Work] = GroupCommit(self._commit, max_pending_bytes, "otel-opto-database")
        self._lock_file: TextIO | None = None
        self._connection: sqlite3.Connection | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._reader_connections: list[sqlite3.Connection] = []
        self._local = threading.local()

    async def start(self) -> None:
        """Opens or creates the file.

        Raises:
            ConfigError: it cannot be opened, another process has it, it is no database, or a newer version wrote it.
        """
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock_file = (self._directory / "lock").open("a", encoding="utf-8")
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._unlock()
            raise ConfigError(
                [f"storage.directory: {self._directory} is in use by another collector; stop it or choose another one"]
            ) from None
        except OSError as error:
            self._unlock()
            raise ConfigError([f"storage.directory: {self._directory} cannot be used: {error.strerror}"]) from error
        try:
            self._connection = self._connect()
            migrate(self._connection, migrations())
        except (sqlite3.Error, ConfigError) as error:
            self._close()
            raise ConfigError([f"storage.directory: {self.path} cannot be opened: {error}"]) from error
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="otel-opto-reader")
        self._queue.start()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
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
        """
        if self._readers is None:
            raise Unavailable("the store is closed; the collector is stopping")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def size_bytes(self) -> int:
        """Of the database file and its write-ahead log."""
        return await asyncio.to_thread(lambda: sum(path.stat().st_size for path in self._directory.glob("*.sqlite3*")))

    def _read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            self._reader_connections.append(connection)
        try:
            return work(connection)
        except sqlite3.OperationalError as error:
            raise _unavailable(error) from error

    def _commit(self, group: Sequence[Job[_Work]]) -> None:
        """One transaction for the group; if it cannot be committed, none of it happened."""
        connection = self._connection
        assert connection is not None
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in group:
                _run(connection, job)
            connection.execute("COMMIT")
            self.commits += 1
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise _unavailable(error) from error

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
        for connection in [*self._reader_connections, self._connection]:
            if connection is not None:
                connection.close()
        self._reader_connections.clear()
        self._connection = None
        self._local = threading.local()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None


def _run(connection: sqlite3.Connection, job: Job[_Work]) -> None:
    connection.execute("SAVEPOINT job")
    try:
        job.result = job.work(connection)
    except sqlite3.OperationalError:
        raise  # the disk's fault, not the job's: the whole group is undone
    except Exception as error:  # noqa: BLE001 - raised where the job came from; the writer goes on
        connection.execute("ROLLBACK TO job")
        job.error = error
    connection.execute("RELEASE job")


def _unavailable(error: sqlite3.Error) -> Unavailable:
    return Unavailable(f"the database cannot be used now: {error}; nothing was kept, free space and it goes on", 3)
