"""What the store remembers of itself, as rows with a name."""

import sqlite3
from collections.abc import Mapping

from collector.core.steady import TimeMark
from collector.storage.database import Database
from collector.storage.migrations import RECALLED

_BELIEVED, _WALL, _DOUBTED = "believed_unix_nano", "wall_unix_nano", "doubted_since_unix_nano"


class TableMarks:
    """See `Marks`. On a database that is started and stopped by whoever made it, as all tables here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def time_mark(self) -> TimeMark | None:
        """See `Marks`."""
        return await self._database.read(_time_mark)

    async def set_time_mark(self, mark: TimeMark) -> None:
        """See `Marks`."""
        values = {_BELIEVED: mark.believed, _WALL: mark.wall, _DOUBTED: mark.doubted_since}
        await self._database.write(lambda db: _set(db, values))

    async def recalled(self) -> int | None:
        """See `Marks`."""
        return await self._database.read(lambda db: _value(db, RECALLED))

    async def set_recalled(self, position: int | None) -> None:
        """See `Marks`."""
        await self._database.write(lambda db: _set(db, {RECALLED: position}))


def _time_mark(connection: sqlite3.Connection) -> TimeMark | None:
    believed, wall, doubted = (_value(connection, name) for name in (_BELIEVED, _WALL, _DOUBTED))
    return TimeMark(believed, wall, doubted) if believed is not None and wall is not None else None


def _value(connection: sqlite3.Connection, name: str) -> int | None:
    row = connection.execute("SELECT value FROM marks WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else None


def _set(connection: sqlite3.Connection, values: Mapping[str, int | None]) -> None:
    for name, value in values.items():
        if value is None:
            connection.execute("DELETE FROM marks WHERE name = ?", (name,))
        else:
            connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (name, value))
