"""The ledger as a table."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping, Sequence

from collector.core.errors import Damaged, Outdated
from collector.core.ledger import Change, Event, Recorded
from collector.core.protocols import Clock
from collector.storage.database import Database

# The document comes as bytes: all of them become text, and are parsed, in one go.
_COLUMNS = "sequence, stream, version, kind, CAST(data AS BLOB), subject, actor, time_unix_nano"
_MOST_PREFIXES = 16
_LAST_CHARACTER = chr(0x10FFFF)


class TableLedger:
    """See `Ledger`. On a database that is started and stopped by whoever made it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # Loops ask every second, and to look through all events of long studies takes a millisecond. What was found
        # holds as long as nothing was appended.
        self._streams: dict[str, tuple[int | None, Mapping[str, int]]] = {}

    async def append(self, changes: Sequence[Change], actor: str) -> Sequence[Recorded]:
        """See `Ledger`."""
        now = self._clock.now_unix_nano()
        written = await asyncio.to_thread(_all_written, changes)  # a release has megabytes
        size = sum(len(data) for _, events in written for data in events)

        def append(connection: sqlite3.Connection) -> Sequence[Recorded]:
            return [recorded for change, data in written for recorded in _append(connection, change, data, actor, now)]

        return await self._database.write(append, size)

    async def read(self, stream: str, after_version: int = 0) -> Sequence[Recorded]:
        """See `Ledger`."""
        return await self._database.read(
            lambda connection: _selected(
                connection, "stream = ? AND version > ? ORDER BY version", stream, after_version
            )
        )

    async def event(self, stream: str, version: int) -> Recorded | None:
        """See `Ledger`."""
        if not 0 < version < 2**63:
            return None
        found = await self._database.read(
            lambda connection: _selected(connection, "stream = ? AND version = ?", stream, version)
        )
        return found[0] if found else None

    async def streams(self, prefix: str) -> Mapping[str, int]:
        """See `Ledger`."""
        query = (
            "SELECT stream, max(version) FROM ledger WHERE stream >= ? AND stream < ? GROUP BY stream"
            " ORDER BY min(sequence)"
        )

        def look(connection: sqlite3.Connection) -> Mapping[str, int]:
            (last,) = connection.execute("SELECT max(sequence) FROM ledger").fetchone()
            known = self._streams.get(prefix)
            if known is not None and known[0] == last:
                return known[1]
            found = dict(connection.execute(query, (prefix, prefix + _LAST_CHARACTER)).fetchall())
            if len(self._streams) >= _MOST_PREFIXES:
                self._streams.clear()
            self._streams[prefix] = (last, found)
            return found

        return await self._database.read(look)

    async def history(
        self, *, prefix: str = "", subject: str = "", before: int | None = None, limit: int = 100
    ) -> Sequence[Recorded]:
        """See `Ledger`."""
        where, values = ["sequence < ?"], [2**63 - 1 if before is None else before]
        bounds: list[str | int] = [*values]
        if subject:
            where.append("subject = ?")
            bounds.append(subject)
        if prefix:
            where.append("stream >= ? AND stream < ?")
            bounds += [prefix, prefix + _LAST_CHARACTER]
        rest = f"{' AND '.join(where)} ORDER BY sequence DESC LIMIT ?"
        return await self._database.read(lambda connection: _selected(connection, rest, *bounds, limit))


def _all_written(changes: Sequence[Change]) -> Sequence[tuple[Change, Sequence[str]]]:
    return [(change, [_written(event) for event in change.events]) for change in changes]


def _written(event: Event) -> str:
    return json.dumps(event.data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _append(
    connection: sqlite3.Connection, change: Change, data: Sequence[str], actor: str, now_unix_nano: int
) -> Sequence[Recorded]:
    (version,) = connection.execute(
        "SELECT coalesce(max(version), 0) FROM ledger WHERE stream = ?", (change.stream,)
    ).fetchone()
    if version != change.expected_version:
        raise Outdated(change.stream, change.expected_version, version)
    recorded = []
    for event, text in zip(change.events, data, strict=True):
        version += 1
        sequence = connection.execute(
            "INSERT INTO ledger (stream, version, kind, data, subject, actor, time_unix_nano)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (change.stream, version, event.kind, text, event.subject, actor, now_unix_nano),
        ).lastrowid
        assert sequence is not None
        recorded.append(
            Recorded(
                sequence, change.stream, version, event.kind, json.loads(text), event.subject, actor, now_unix_nano
            )
        )
    return recorded


def _selected(connection: sqlite3.Connection, rest: str, *values: str | int) -> Sequence[Recorded]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM ledger WHERE {rest}", values).fetchall()  # noqa: S608 - constants and marks
    # Read as one document: the parser's start costs more than a small event.
    together = b",".join([data for _, _, _, _, data, _, _, _ in rows]).decode(errors="replace")
    try:
        documents = json.loads(f"[{together}]")
        return [
            Recorded(sequence, stream, version, kind, data, subject, actor, time)
            for (sequence, stream, version, kind, _, subject, actor, time), data in zip(rows, documents, strict=True)
        ]
    except ValueError as error:  # the database is mended, and read again without what holds the damage
        raise Damaged(f"table ledger: a row's data is no JSON: {error}") from error
