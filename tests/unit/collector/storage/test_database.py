"""Group commit, back-pressure, full disks, locks, killed processes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collector.core.errors import ConfigError, Unavailable
from collector.storage.database import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "new" / "data", 10_000)
    await opened.start()
    await opened.write(lambda db: db.execute("CREATE TABLE t (x INTEGER PRIMARY KEY, y BLOB)") and None)
    yield opened
    await opened.stop()


def adding(number: int, size: int = 0) -> object:
    def add(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO t VALUES (?, ?)", (number, bytes(size)))
        return number

    return add


async def held(database: Database) -> list[int]:
    return await database.read(lambda db: [x for (x,) in db.execute("SELECT x FROM t ORDER BY x")])


async def test_writes_that_wait_together_share_a_commit(database: Database) -> None:
    before = database.commits
    results = await asyncio.gather(*(database.write(adding(number), 1) for number in range(200)))  # type: ignore[arg-type]
    assert results == list(range(200))
    assert database.commits - before < 100
    assert await held(database) == list(range(200))


async def test_a_job_that_fails_is_undone_alone(database: Database) -> None:
    def broken(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO t VALUES (100, x'')")
        raise AttributeError("a fault of the job")

    results = await asyncio.gather(
        *(database.write(job, 1) for job in (adding(1), broken, adding(1), adding(2))),  # type: ignore[arg-type]
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [int, AttributeError, sqlite3.IntegrityError, int]
    assert await held(database) == [1, 2]


async def test_too_much_pending_is_turned_away_and_the_rest_is_kept(database: Database) -> None:
    results = await asyncio.gather(
        *(database.write(adding(number), 4_000) for number in range(50)),  # type: ignore[arg-type]
        return_exceptions=True,
    )
    kept = [number for number, result in enumerate(results) if not isinstance(result, BaseException)]
    turned_away = [result for result in results if isinstance(result, Unavailable)]
    assert len(kept) + len(turned_away) == 50
    assert turned_away
    assert await held(database) == kept
    assert await database.write(adding(99), 4_000) == 99  # type: ignore[arg-type]


async def test_a_full_disk_loses_nothing_and_is_survived(database: Database) -> None:
    await database.write(adding(1, 10_000))  # type: ignore[arg-type]

    def limit(pages: int) -> object:
        return lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchone()[0]

    await database.write(limit(1))  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="full"):
        await database.write(adding(2, 1_000_000))  # type: ignore[arg-type]
    assert await held(database) == [1]
    await database.write(limit(1_000_000))  # type: ignore[arg-type]
    assert await database.write(adding(2, 1_000_000)) == 2  # type: ignore[arg-type]
    assert await held(database) == [1, 2]


async def test_a_stopped_database_says_so(database: Database) -> None:
    await database.stop()
    with pytest.raises(Unavailable, match="closed"):
        await database.write(adding(1))  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match="closed"):
        await held(database)
    await database.stop()


async def test_one_process_at_a_time(tmp_path: Path, database: Database) -> None:
    with pytest.raises(ConfigError, match="in use by another collector"):
        await Database(tmp_path / "new" / "data", 1).start()


async def test_what_is_no_database_or_a_newer_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "otel-opto.sqlite3").write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(ConfigError, match="cannot be opened"):
        await Database(tmp_path, 1).start()
    newer = tmp_path / "newer"
    newer.mkdir()
    with sqlite3.connect(newer / "otel-opto.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigError, match="schema version 99, this otel-opto knows 2 to"):
        await Database(newer, 1).start()
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be used"):
        await Database(file, 1).start()
