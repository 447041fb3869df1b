"""The control database's schema goes forward in numbered steps, whole or not at all."""

import sqlite3
from collections.abc import Iterator

import pytest

from collector.core.errors import ConfigError
from collector.storage.migrations import Migration, migrate, migrations

BEGINNING = Migration(2, "CREATE TABLE a (x); INSERT INTO a VALUES (1);")
ADDS = Migration(3, "ALTER TABLE a ADD COLUMN y NOT NULL DEFAULT 7;")
BROKEN = Migration(4, "CREATE TABLE b (x); INSERT INTO missing VALUES (1);")


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def schema(database: sqlite3.Connection) -> list[tuple[str, ...]]:
    return database.execute("SELECT type, name, tbl_name FROM sqlite_master ORDER BY name").fetchall()


def test_an_empty_database_takes_every_step(database: sqlite3.Connection) -> None:
    migrate(database, [BEGINNING, ADDS])
    assert (version(database), database.execute("SELECT x, y FROM a").fetchall()) == (3, [(1, 7)])


def test_an_earlier_one_takes_those_that_it_lacks_and_keeps_what_it_holds(database: sqlite3.Connection) -> None:
    migrate(database, [BEGINNING])
    database.execute("INSERT INTO a VALUES (2)")
    migrate(database, [BEGINNING, ADDS])
    migrate(database, [BEGINNING, ADDS])
    assert database.execute("SELECT x, y FROM a ORDER BY x").fetchall() == [(1, 7), (2, 7)]


def test_a_step_that_fails_leaves_the_database_as_it_was(database: sqlite3.Connection) -> None:
    migrate(database, [BEGINNING])
    before = schema(database)
    with pytest.raises(sqlite3.OperationalError, match="missing"):
        migrate(database, [BEGINNING, ADDS, BROKEN])
    assert (version(database), schema(database)) == (2, before)
    migrate(database, [BEGINNING, ADDS])
    assert version(database) == 3


@pytest.mark.parametrize("found", [1, 99])
def test_other_versions_are_refused(database: sqlite3.Connection, found: int) -> None:
    database.execute(f"PRAGMA user_version = {found}")
    with pytest.raises(ConfigError, match=f"schema version {found}, this otel-opto knows 2 to 3; use the version"):
        migrate(database, [BEGINNING, ADDS])


def test_the_steps_that_are_shipped_are_numbered_without_gaps_and_work(database: sqlite3.Connection) -> None:
    steps = migrations()
    assert [step.version for step in steps] == list(range(2, 2 + len(steps)))
    migrate(database, steps)
    assert version(database) == steps[-1].version


def test_the_steps_that_there_are_are_numbered_without_a_gap_and_each_once() -> None:
    numbers = [step.version for step in migrations()]
    assert numbers == list(range(2, 2 + len(numbers)))
