"""A damaged control database is set aside, and a new one with all that can be read takes its place."""

import logging
import os
import sqlite3
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from collector.core.errors import ConfigError
from collector.counters import Counter
from collector.storage.integrity.damage import Damage, DamageLog
from collector.storage.integrity.salvage import faults_of, log_of, salvage
from collector.storage.integrity.sectors import read_all
from collector.storage.migrations import Migration, migrate

_LOG = logging.getLogger(__name__)
_SCHEMA = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
_VERSIONS_AT = range(18, 20)
"""Where the versions of the file format stand that are needed for writing and for reading: 1, or 2 with a log."""

_LARGE_BYTES = 64 * 2**20
_MARK, _VERSION_BITS = 0x4F500000, 0xFFF
"""SQLite's application_id: "OP", then the version of the schema."""

_LARGE_TABLES = ("feedback",)


class Mending:
    """The care for one database file. Nobody else has it open while a method runs.

    Args:
        database: Its path; the write-ahead log lies beside it.
        steps: The schema.
        damages: Where the damaged one is kept aside; that it happened is noted and counted there.
    """

    def __init__(self, database: Path, steps: Sequence[Migration], damages: DamageLog) -> None:
        self._database = database
        self._new = database.with_name(database.name + ".salvaged")
        self._steps = steps
        self._damages = damages

    def look(self) -> bool:
        """Mends it if it is damaged; whether it was. A large one is looked through later, but for its small tables.

        Raises:
            ConfigError: nothing in it can be read, or it cannot be mended.
            OSError, sqlite3.Error: it cannot be asked, for another reason than damage.
        """
        if self._new.exists():  # a process that was mending it was killed
            self._swap()
            return True
        if not self._database.exists() or self._database.stat().st_size == 0:
            return False
        faults = self.faults(whole=False)
        if faults:
            self.mend(faults)
        return bool(faults)

    def faults(self, *, whole: bool, log: bool = True) -> list[str]:
        """What is wrong with it, without changing anything.

        Args:
            whole: Of a large one, too.
            log: Whether the write-ahead log is looked through; nobody may be writing to it.

        Raises:
            sqlite3.Error: it cannot be asked, for another reason than damage.
        """
        fault = self._header_fault() or (self._log_fault() if log else "")
        if fault:
            return [fault]
        connection = sqlite3.connect(f"{self._database.resolve().as_uri()}?mode=ro", uri=True)
        try:
            found = faults_of(connection, without=_LARGE_TABLES if self.is_large() and not whole else ())
            return found or self._version_faults(connection) or self._schema_faults(connection)
        finally:
            connection.close()

    def _header_fault(self) -> str:
        """SQLite takes a version of the format that it does not know for a database that must not be written to."""
        with self._database.open("rb") as file:
            header = file.read(len(_VERSIONS_AT) + _VERSIONS_AT.start)
        versions = {header[place] for place in _VERSIONS_AT if place < len(header)}
        return f"its header names versions {sorted(versions)} of the format" if versions - {1, 2} else ""

    def _log_fault(self) -> str:
        log = log_of(self._database)
        if log.damaged:
            return f"{log.damaged} frames of its write-ahead log are damaged, and the rest would not be read"
        if log.torn_bytes:
            path = self._database.with_name(self._database.name + "-wal")
            end = log.end + log.torn_bytes
            self._damages.torn(path.name, log.end, end, lambda kept: _write(kept, read_all(path)[log.end : end]))
        return ""

    def is_large(self) -> bool:
        """Whether looking through all of it would hold up a start."""
        return self._database.stat().st_size > _LARGE_BYTES

    def _version_faults(self, connection: sqlite3.Connection) -> list[str]:
        """The version of its schema stands there twice: without it nothing else can be understood."""
        (version,), (marked,) = (
            connection.execute(f"PRAGMA {n}").fetchone() for n in ("user_version", "application_id")
        )
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if marked & ~_VERSION_BITS == _MARK:
            other = marked & _VERSION_BITS
            return [] if other == version else [f"its schema version is {version} in one place, {other} in another"]
        known = self._steps[0].version <= version <= self._steps[-1].version
        return [f"its schema version is {version}, which none ever was"] if tables and not known else []

    def _schema_faults(self, connection: sqlite3.Connection) -> list[str]:
        """Names of columns and the like are text in the file, which nobody else checks."""
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        steps = [step for step in self._steps if step.version <= version]
        if not steps or version > self._steps[-1].version:
            return []
        right = sqlite3.connect(":memory:", isolation_level=None)
        try:
            migrate(right, steps)
            wanted, found = (set(one.execute(_SCHEMA).fetchall()) for one in (right, connection))
        finally:
            right.close()
        return [f"its schema does not say what {name} is" for name, _ in sorted(wanted - found)]

    def mark(self, connection: sqlite3.Connection) -> None:
        """Writes the version of the schema down a second time."""
        (version,), (marked,) = (
            connection.execute(f"PRAGMA {n}").fetchone() for n in ("user_version", "application_id")
        )
        if marked != _MARK + version:
            connection.execute(f"PRAGMA application_id = {_MARK + version}")

    def mend(self, faults: Sequence[str]) -> None:
        """Puts a new one in its place.

        Raises:
            ConfigError: nothing in it can be read, or the new one cannot be written.
        """
        unfinished = self._database.with_name(self._database.name + ".unfinished")
        try:
            unfinished.unlink(missing_ok=True)
            salvaged = salvage(self._database, unfinished, self._steps)
            if not any(salvaged.rows.values()):
                unfinished.unlink()
                fault = f"{self._database} cannot be opened: {faults[0]}; no row in it can be read. "
                cure = "Put a backup in its place, or move it away to begin without feedback, releases and studies"
                raise ConfigError([fault + cure])
            with unfinished.open("rb") as file:
                os.fsync(file.fileno())
            unfinished.replace(self._new)
        except (OSError, sqlite3.Error) as error:
            unfinished.unlink(missing_ok=True)
            fault = (
                f"{self._database} is damaged ({faults[0]}) and cannot be made anew: {error}; free space, start again"
            )
            raise ConfigError([fault]) from error
        self._damages.counters.add(Counter.STORAGE_MENDED_DATABASES)
        self._damages.counters.add(Counter.STORAGE_LOST_ROWS, salvaged.lost)
        kept = self._swap()
        _LOG.error(
            "%s was damaged (%s) and is made anew: %d rows could be read, at least %d could not; the damaged one is %s",
            self._database.name, "; ".join(faults[:3]), sum(salvaged.rows.values()), salvaged.lost, kept,
        )  # fmt: skip
        self._damages.found(Damage(self._database.name, 0, 0, f"made anew: {faults[0]}; the damaged one is {kept}"))

    def _swap(self) -> Path:
        """Sets the old one aside with its log, then puts the new one in its place. Can be done again."""
        aside = self._damages.directory
        aside.mkdir(parents=True, mode=0o700, exist_ok=True)
        kept = next(path for number in count(1) if not (path := aside / f"{self._database.name}.{number}").exists())
        # The log first: the new database would take the old one's log for its own.
        for suffix in ("-wal", ""):
            old = self._database.with_name(self._database.name + suffix)
            if old.exists() and old.stat().st_size == 0:
                old.unlink()
            elif old.exists():
                old.replace(kept.with_name(kept.name + suffix))
        self._database.with_name(self._database.name + "-shm").unlink(missing_ok=True)
        self._new.replace(self._database)
        return kept


def _write(path: Path, data: bytes) -> None:
    if not path.exists():
        path.write_bytes(data)
