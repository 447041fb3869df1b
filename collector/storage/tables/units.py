"""Units of rollouts, in tables."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from collector.core.rollout import Signal
from collector.core.units import Entry, OpenUnit, Unit
from collector.storage.database import Database

_MOST_TRACES = 100
"""Of one unit that are looked at: the first ones."""


class TableUnits:
    """See `UnitStore`. On a database that is started and stopped by whoever made it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def position(self, rollout: str) -> int | None:
        """See `UnitStore`."""
        query = "SELECT position FROM rollout_positions WHERE rollout = ?"
        row = await self._database.read(lambda db: db.execute(query, (rollout,)).fetchone())
        return row[0] if row else None

    async def enter(self, rollout: str, entries: Sequence[Entry], position: int) -> None:
        """See `UnitStore`."""
        await self._database.write(lambda db: _enter(db, rollout, entries, position), 200 * len(entries) + 200)

    async def due(self, rollout: str, entered_before_unix_nano: int, limit: int) -> Sequence[OpenUnit]:
        """See `UnitStore`."""
        return await self._database.read(lambda db: _due(db, rollout, entered_before_unix_nano, limit))

    async def judge(self, rollout: str, judged: Sequence[tuple[OpenUnit, Unit | None]]) -> None:
        """See `UnitStore`."""
        await self._database.write(lambda db: _judge(db, rollout, judged), 300 * len(judged) + 200)

    async def judged(self, rollout: str, after: int = 0, limit: int = 1_000) -> Sequence[tuple[int, Unit | None]]:
        """See `UnitStore`."""
        query = (
            "SELECT place, in_arm, content FROM rollout_units WHERE rollout = ? AND place > ? ORDER BY place LIMIT ?"
        )
        rows = await self._database.read(lambda db: db.execute(query, (rollout, after, limit)).fetchall())
        return [(place, _unit(bool(in_arm), json.loads(content))) for place, in_arm, content in rows]


def _enter(connection: sqlite3.Connection, rollout: str, entries: Sequence[Entry], position: int) -> None:
    for entry in entries:
        added = connection.execute(
            "INSERT OR IGNORE INTO rollout_entries VALUES (?, ?, ?, ?, ?, ?)",
            (rollout, bytes.fromhex(entry.trace_id), entry.unit, entry.in_arm, entry.share, entry.time_unix_nano),
        ).rowcount
        if added:
            connection.execute(
                "INSERT INTO rollout_open_units SELECT ?, ?, ?, ? WHERE NOT EXISTS"
                " (SELECT 1 FROM rollout_units WHERE rollout = ? AND unit = ? AND in_arm = ?)"
                " ON CONFLICT DO UPDATE SET entered_unix_nano = min(entered_unix_nano, excluded.entered_unix_nano)",
                (rollout, entry.unit, entry.in_arm, entry.time_unix_nano, rollout, entry.unit, entry.in_arm),
            )
    connection.execute("INSERT OR REPLACE INTO rollout_positions VALUES (?, ?)", (rollout, position))


def _due(connection: sqlite3.Connection, rollout: str, before_unix_nano: int, limit: int) -> Sequence[OpenUnit]:
    rows = connection.execute(
        "SELECT unit, in_arm, entered_unix_nano FROM rollout_open_units WHERE rollout = ? AND entered_unix_nano < ?"
        " ORDER BY entered_unix_nano, unit, in_arm LIMIT ?",
        (rollout, before_unix_nano, limit),
    ).fetchall()
    found = []
    for unit, in_arm, entered in rows:
        traces = connection.execute(
            "SELECT trace_id, share FROM rollout_entries WHERE rollout = ? AND unit = ? AND in_arm = ?"
            " ORDER BY time_unix_nano, trace_id LIMIT ?",
            (rollout, unit, in_arm, _MOST_TRACES),
        ).fetchall()
        ids = tuple(trace_id.hex() for trace_id, _ in traces)
        found.append(OpenUnit(unit, bool(in_arm), traces[0][1], ids, entered))
    return found


def _judge(connection: sqlite3.Connection, rollout: str, judged: Sequence[tuple[OpenUnit, Unit | None]]) -> None:
    for of, unit in judged:
        connection.execute(
            "INSERT OR IGNORE INTO rollout_units (rollout, unit, in_arm, content) VALUES (?, ?, ?, ?)",
            (rollout, of.unit, of.in_arm, json.dumps(_document(unit))),
        )
        connection.execute(
            "DELETE FROM rollout_open_units WHERE rollout = ? AND unit = ? AND in_arm = ?",
            (rollout, of.unit, of.in_arm),
        )


def _document(unit: Unit | None) -> Mapping[str, Any] | None:
    if unit is None:
        return None
    signals = {signal.value: bad for signal, bad in unit.signals.items()}
    return {
        "share": unit.share,
        "outcome": unit.outcome,
        "signals": signals,
        "clipped": unit.clipped,
        "entered": unit.entered_unix_nano,
        **({"values": dict(unit.values)} if unit.values else {}),
    }


def _unit(in_arm: bool, document: Mapping[str, Any] | None) -> Unit | None:
    if document is None:
        return None
    signals = {Signal(name): bad for name, bad in document["signals"].items()}
    return Unit(
        in_arm, document["share"], document["outcome"], signals, document["clipped"], document.get("entered", 0),
        document.get("values", {}),
    )  # fmt: skip
