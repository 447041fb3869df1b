"""How far each destination has been given what came, as a table; and who else remembers positions."""

import sqlite3
from collections.abc import Mapping

from collector.storage.database import Database


class TableDeliveries:
    """See `Deliveries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def position(self, destination: str) -> int | None:
        """See `Deliveries`."""
        return (await self.positions()).get(destination)

    async def set_position(self, destination: str, position: int) -> None:
        """See `Deliveries`."""
        await self._database.write(lambda db: _set(db, destination, position))

    async def positions(self) -> Mapping[str, int]:
        """See `Deliveries`."""
        return await self._database.read(_positions)


def _positions(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT destination, position FROM delivered").fetchall())


def _set(connection: sqlite3.Connection, destination: str, position: int) -> None:
    connection.execute("INSERT OR REPLACE INTO delivered VALUES (?, ?)", (destination, position))


def furthest(connection: sqlite3.Connection) -> int:
    """The position furthest ahead that anybody remembers; 0 if nobody does."""
    (position,) = connection.execute(
        "SELECT max(position) FROM (SELECT position FROM delivered UNION ALL SELECT position FROM rollout_positions)"
    ).fetchone()
    return int(position or 0)


def take_back(connection: sqlite3.Connection, position: int) -> None:
    """Nobody was further than that: what was behind it is gone, and its places are given anew."""
    for table in ("delivered", "rollout_positions"):
        connection.execute(f"UPDATE {table} SET position = min(position, ?)", (position,))  # noqa: S608 - two names
