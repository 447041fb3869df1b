"""How far each destination has been given what came."""

import sqlite3


def delivered(connection: sqlite3.Connection) -> dict[str, int]:
    """By destination: the position behind the last request that it took."""
    return dict(connection.execute("SELECT destination, position FROM delivered").fetchall())


def set_delivered(connection: sqlite3.Connection, destination: str, position: int) -> None:
    """Remembers it."""
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
