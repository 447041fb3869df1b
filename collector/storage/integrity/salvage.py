"""A new control database out of a damaged one: every row that can still be read, in tables that are whole."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collector.storage.integrity.pages import INDEX_LEAF, TABLE_LEAF, Cell, Pages, Value
from collector.storage.integrity.sectors import read_all
from collector.storage.integrity.wal import Log, read_log
from collector.storage.migrations import RECALLED, Migration, migrate

PAGE_BYTES = 4_096
"""SQLite's default, and so that of every database that a collector made."""

_SCHEMA_VERSION_AT, _MARKED_VERSION_AT = 60, 68
_VERSION_BITS = 0xFFF
"""Of SQLite's application_id, where the version stands once more."""

_JSON = {
    "feedback": {"attributes"},
    "ledger": {"data"},
    "parameters": {"spec"},
    "rejected_proposals": {"content", "errors"},
    "releases": {"content"},
    "rollout_units": {"content"},
    "studies": {"definition"},
    "trials": {"content", "cost"},
}
"""Columns that hold JSON, by table, also of tables that a migration took away."""

_MOST_LOST = 1_000
"""A number that is further ahead is no number of a release, but damaged itself."""

_TYPES: dict[str, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (int, float), "BLOB": (bytes,)}


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What became of a damaged database.

    Attributes:
        rows: By table, how many could be read.
        lost: Rows that are known to have been there and cannot be read.
    """

    rows: dict[str, int] = field(default_factory=dict)
    lost: int = 0


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that is stored. `place`: where it stands in a record; None for the one that is the row's id."""

    name: str
    type: str
    nullable: bool
    is_json: bool
    place: int | None

    def fits(self, value: Value) -> bool:
        """Whether it can hold that."""
        if value is None:
            return self.nullable
        return isinstance(value, _TYPES.get(self.type, (object,))) and (not self.is_json or _is_json(value))


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as the schema describes it.

    Attributes:
        least: So many values has a record at least; those of columns that were added later may be missing.
    """

    name: str
    root: int
    columns: tuple[_Column, ...]
    has_rowid: bool
    least: int

    def row(self, cell: Cell) -> dict[str, Value] | None:
        """The cell as a row of this table, by column; None if it cannot be one."""
        if self.has_rowid != (cell.rowid is not None) or not self.least <= len(cell.values) <= len(self.columns):
            return None
        values: dict[str, Value] = {}
        for column in self.columns:
            if column.place is None:
                values[column.name] = cell.rowid
            elif column.place < len(cell.values):
                value = cell.values[column.place]
                if not column.fits(value):
                    return None
                values[column.name] = value
        return values


_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
"""What says nothing of the bytes. Everything else that a plain question is answered with does."""


def readable_text(data: bytes) -> str:
    """Text of a database, also where a byte of it is damaged: one row must not make a whole answer fail."""
    return data.decode(errors="replace")


def is_damage(error: Exception) -> bool:
    """Whether it says that bytes of the database are not what was written."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return False
    unreadable = (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or code in unreadable


def faults_of(connection: sqlite3.Connection, *, without: Sequence[str] = ()) -> list[str]:
    """What is wrong with a database that can be opened: its structure, and values that are not what they must be.

    Args:
        connection: To it.
        without: Tables that are passed over.

    Raises:
        sqlite3.Error: it cannot be asked, for another reason than damage.
    """
    connection.text_factory = readable_text
    try:
        return list(_faults(connection, without))
    except UnicodeDecodeError:  # SQLite's own error quotes what is damaged
        return ["a name in its schema is no text"]
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING and not is_damage(error):
            raise
        return [str(error)]


def _faults(connection: sqlite3.Connection, without: Sequence[str]) -> Iterator[str]:
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    tables = [name for name in names if name not in without]
    for check in [f"integrity_check({_quoted(name)})" for name in tables] if without else ["integrity_check(10)"]:
        said = [str(row[0]) for row in connection.execute(f"PRAGMA {check}")]
        yield from () if said == ["ok"] else said
    for table in tables:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")]
        for column in _JSON.get(table, set()).intersection(columns):
            counted = f"SELECT count(*) FROM {_quoted(table)} WHERE NOT json_valid({_quoted(column)})"  # noqa: S608
            (count,) = connection.execute(counted).fetchone()
            if count:
                yield f"table {table}: {count} rows whose {column} is no JSON"


def log_of(database: Path) -> Log:
    """What is committed in the write-ahead log beside a database."""
    return read_log(read_all(database.with_name(database.name + "-wal")), PAGE_BYTES)


def salvage(database: Path, target: Path, steps: Sequence[Migration]) -> Salvaged:
    """Writes what can be read of a database, and of the log beside it, into a new one. The old one stays as it is.

    Args:
        database: The damaged one; nobody writes to it.
        target: Of the new one; must not be there.
        steps: The schema.

    Raises:
        OSError, sqlite3.Error: the new one cannot be written.
    """
    data, log = read_all(database), log_of(database)
    count = max(log.page_count, -(-len(data) // PAGE_BYTES))

    def page(number: int) -> bytes:
        content = log.pages.get(number) or data[(number - 1) * PAGE_BYTES : number * PAGE_BYTES]
        return content.ljust(PAGE_BYTES, b"\0") if content else b""

    connection = sqlite3.connect(target, isolation_level=None)
    try:
        migrate(connection, _as_far_as(steps, page(1)))
        pages = Pages(page, count, PAGE_BYTES)
        salvaged = _copied(connection, pages)
        migrate(connection, steps)
        connection.execute("INSERT OR REPLACE INTO marks VALUES (?, 0)", (RECALLED,))
        connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()
    return salvaged


def _as_far_as(steps: Sequence[Migration], first_page: bytes) -> Sequence[Migration]:
    """The steps up to the version that the damaged database had; all where that cannot be read.

    It stands there twice (see `mending`). Of two that are known the later one holds: a database is taken to the last
    version whenever it is opened.
    """
    said, marked = (int.from_bytes(first_page[at : at + 4], "big") for at in (_SCHEMA_VERSION_AT, _MARKED_VERSION_AT))
    known = {step.version for step in steps} & {said, marked & _VERSION_BITS}
    version = max(known, default=said)
    return [step for step in steps if step.version <= version] or steps


def _copied(connection: sqlite3.Connection, pages: Pages) -> Salvaged:
    roots = {str(name): int(str(root)) for kind, name, root in _schema(pages) if kind == "table"}
    tables = [_table(connection, name, roots.get(name, root)) for name, root in _tables(connection)]
    counts: dict[str, int] = {}
    lost = 0
    connection.execute("BEGIN")
    connection.execute("DELETE FROM identity")
    for table in tables:
        for cell in pages.tree(table.root, rows_have_ids=table.has_rowid):
            row = table.row(cell)
            if row is None or not _inserted(connection, table, row, counts):
                lost += 1
    for kind, name, root in _schema(pages):
        if kind == "index" and name not in counts and isinstance(root, int):
            list(pages.tree(root, rows_have_ids=False))
    for number, kind in pages.leaves():
        for cell in pages.cells(number, kind):
            fitting = [(table, row) for table in tables if (row := table.row(cell)) and _is_of(table, kind, cell)]
            if len(fitting) == 1:
                _inserted(connection, *fitting[0], counts)
    _keep_numbers(connection)
    connection.execute("COMMIT")
    return Salvaged(counts, lost + pages.broken_cells)


def _is_of(table: _Table, kind: int, cell: Cell) -> bool:
    return kind == (TABLE_LEAF if table.has_rowid else INDEX_LEAF) and len(cell.values) > 1


def _schema(pages: Pages) -> Iterator[tuple[Value, Value, Value]]:
    """Kind, name and root page of everything that the database says it has."""
    fresh = Pages(pages.page, pages.count, PAGE_BYTES)
    for cell in fresh.tree(1, rows_have_ids=True):
        if len(cell.values) == 5 and isinstance(cell.values[3], int):
            yield cell.values[0], cell.values[1], cell.values[3]


def _tables(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    rows = connection.execute("SELECT name, rootpage FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return rows.fetchall()


def _table(connection: sqlite3.Connection, name: str, root: int) -> _Table:
    info = connection.execute(f"PRAGMA table_info({_quoted(name)})").fetchall()
    (_, _, _, _, without_rowid, _) = connection.execute(f"PRAGMA table_list({_quoted(name)})").fetchone()
    keys = [place for _, place in sorted((row[5], place) for place, row in enumerate(info) if row[5])]
    # A table without rowids has its key in front; in one with them an integer key is the rowid, and NULL in the record.
    order = [*keys, *(place for place in range(len(info)) if place not in keys)] if without_rowid else range(len(info))
    places = {place: stored for stored, place in enumerate(order)}
    alias = keys[0] if not without_rowid and len(keys) == 1 and info[keys[0]][2] == "INTEGER" else None
    columns = tuple(
        _Column(
            name=row[1],
            type=row[2],
            nullable=not row[3] and not (without_rowid and row[5]),
            is_json=row[1] in _JSON.get(name, set()),
            place=None if place == alias else places[place],
        )
        for place, row in enumerate(info)
    )
    needed = [place for place, row in enumerate(info) if row[5] or (row[3] and row[4] is None)]
    least = 1 + max((places[place] for place in needed), default=0)
    return _Table(name, root, columns, not without_rowid, least)


def _inserted(connection: sqlite3.Connection, table: _Table, row: dict[str, Value], counts: dict[str, int]) -> bool:
    names, marks = ", ".join(map(_quoted, row)), ", ".join("?" * len(row))
    values = tuple(row.values())
    try:
        if table.name == "sqlite_sequence":
            connection.execute("DELETE FROM sqlite_sequence WHERE name = ? AND seq <= ?", values)
        statement = f"INSERT OR IGNORE INTO {_quoted(table.name)} ({names}) VALUES ({marks})"  # noqa: S608 - quoted
        changed = connection.execute(statement, values)
    except (sqlite3.Error, OverflowError):
        return False
    counts[table.name] = counts.get(table.name, 0) + changed.rowcount
    return True


def _keep_numbers(connection: sqlite3.Connection) -> None:
    """The number of a release is never given twice, also where the last ones are lost but spoken of elsewhere."""
    connection.execute(
        "INSERT INTO identity SELECT lower(hex(randomblob(8))) WHERE NOT EXISTS (SELECT 1 FROM identity)"
    )
    if "ledger" not in dict(_tables(connection)):
        return
    spoken_of = (
        "SELECT max(n) FROM (SELECT max(release) AS n FROM acknowledgements UNION ALL SELECT max(release) FROM feedback"
        " UNION ALL SELECT max(json_extract(data, '$.control')) FROM ledger WHERE kind = 'assigned'"
        " UNION ALL SELECT max(json_extract(data, '$.release')) FROM ledger WHERE kind = 'trial_opened')"
    )
    (highest,) = connection.execute(spoken_of).fetchone()
    (known,) = connection.execute("SELECT coalesce(max(version), 0) FROM ledger WHERE stream = 'releases'").fetchone()
    if isinstance(highest, int) and known < highest < known + _MOST_LOST:
        connection.execute(
            "INSERT INTO ledger (stream, version, kind, data, subject, actor, time_unix_nano) VALUES"
            " ('releases', ?, 'released', ?, '', 'mending', 0)",
            (highest, json.dumps({"parent": None, "reason": "lost when the database was damaged", "content": {}})),
        )


def _is_json(value: object) -> bool:
    try:
        json.loads(str(value))
    except ValueError:
        return False
    return True


def _quoted(name: object) -> str:
    return '"' + str(name).replace('"', '""') + '"'
