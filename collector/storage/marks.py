"""What the store remembers of itself."""

import sqlite3
from collections.abc import Mapping

from collector.core.steady import TimeMark

RECALLED = "recalled"
"""Up to which position feedback is looked for once more. It stands there as long as that is not done."""

_BELIEVED, _WALL, _DOUBTED = "believed_unix_nano", "wall_unix_nano", "doubted_since_unix_nano"


def mark(connection: sqlite3.Connection, name: str) -> int | None:
    """A number; None if it is not there."""
    row = connection.execute("SELECT value FROM marks WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else None


def set_marks(connection: sqlite3.Connection, values: Mapping[str, int | None]) -> None:
    """Remembers numbers; None forgets one."""
    for name, value in values.items():
        if value is None:
            connection.execute("DELETE FROM marks WHERE name = ?", (name,))
        else:
            connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (name, value))


def time_mark(connection: sqlite3.Connection) -> TimeMark | None:
    """See `TelemetryStore.time_mark`."""
    known = [mark(connection, name) for name in (_BELIEVED, _WALL, _DOUBTED)]
    return TimeMark(known[0], known[1], known[2]) if known[0] is not None and known[1] is not None else None


def set_time_mark(connection: sqlite3.Connection, known: TimeMark) -> None:
    """See `TelemetryStore.set_time_mark`."""
    values = {_BELIEVED: known.believed, _WALL: known.wall, _DOUBTED: known.doubted_since}
    set_marks(connection, values)
