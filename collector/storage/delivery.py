"""How far each destination has been given what came."""

import sqlite3


def delivered(connection: sqlite3.Connection) -> dict[str, int]:
    """By destination: the position behind the last request that it took."""
    return dict(connection.execute("SELECT destination, position FROM delivered").fetchall())


def set_delivered(connection: sqlite3.Connection, destination: str, position: int) -> None:
    """Remembers it."""
    connection.execute("INSERT OR REPLACE INTO delivered VALUES (?, ?)", (destination, position))
