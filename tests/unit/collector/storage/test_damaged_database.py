"""The control database with bytes that are not what was written: it opens, and loses only the rows that held them."""

import asyncio
import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.core.errors import ConfigError, Damaged
from collector.core.feedback import Feedback
from collector.core.ledger import Change, Event
from collector.core.page import PageRequest
from collector.core.release import Release
from collector.core.span import SpanContext
from collector.core.telemetry import Signal
from collector.counters import Counter, Counters
from collector.pipeline import Pipeline
from collector.storage.database import Database
from collector.storage.file_store import FileStore
from tests import samples
from tests.clocks import TickingClock

NAME = "otel-opto.sqlite3"
PAGE = 4_096


async def opened(directory: Path, counters: Counters | None = None) -> FileStore:
    store = FileStore(directory, TickingClock(), counters=counters)
    await store.start()
    return store


async def filled(directory: Path) -> FileStore:
    """Feedback and events of every length, some of which need pages of their own."""
    store = await opened(directory)
    for group in range(3):
        judged = [
            Feedback(
                SpanContext(samples.trace_id(group * 100 + number), ""),
                "quality",
                number / 7,
                text="because " * (number * 40 if number % 20 == 0 else 5),
            )
            for number in range(60)
        ]
        await store.feedback.submit(judged, group)
        events = [Event("noted", {"text": "x" * number * 90, "number": number}, "shop") for number in range(20)]
        await store.ledger.append([Change(f"notes/{group}", 0, tuple(events))], "tests")
    return store


def rows(directory: Path) -> dict[str, set[tuple[object, ...]]]:
    connection = sqlite3.connect(f"file:{directory / NAME}?mode=ro&immutable=1", uri=True)
    connection.text_factory = lambda data: data.decode(errors="replace")
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    found = {table: set(connection.execute(f'SELECT * FROM "{table}"').fetchall()) for (table,) in tables}
    connection.close()
    return found


def flip(path: Path, at: int, length: int = 1, mask: int = 0xFF) -> None:
    content = bytearray(path.read_bytes())
    content[at : at + length] = bytes(byte ^ mask for byte in content[at : at + length])
    path.write_bytes(content)


@pytest.fixture
async def written(tmp_path: Path) -> Path:
    store = await filled(tmp_path / "written")
    await store.stop()
    return tmp_path / "written"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_flipped_byte_costs_one_row_at_most(written: Path, data: st.DataObject) -> None:
    before = rows(written)
    copy = written.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(written, copy)
    size = (copy / NAME).stat().st_size
    first_page = data.draw(st.booleans())
    at = data.draw(st.integers(0, PAGE - 1 if first_page else size - 1))
    flip(copy / NAME, at, mask=data.draw(st.sampled_from([0xFF, 0x01, 0x80])))
    store = await opened(copy)
    try:
        assert len((await store.feedback.listed(PageRequest(1_000))).items) >= 179
        await store.feedback.submit([Feedback(SpanContext(samples.trace_id(1), ""), "quality", 1.0, text="new")], 9)
        events = 0
        for group in range(3):
            events += len(await store.ledger.read(f"notes/{group}"))
        assert events >= 59
    finally:
        await store.stop()
    after = rows(copy)
    missing = {table: found - after.get(table, set()) for table, found in before.items()}
    assert sum(map(len, missing.values())) <= 1
    assert len(after["feedback"]) >= 180


async def test_a_row_that_goes_on_in_a_page_of_another_table_takes_no_rows_with_it(written: Path) -> None:
    """The last four bytes of a page are mostly the number of the page where a long row goes on."""
    before = rows(written)
    content = (written / NAME).read_bytes()
    for end in range(PAGE, len(content) + 1, PAGE):
        copy = written.parent / f"copy{end}"
        shutil.copytree(written, copy)
        flip(copy / NAME, end - 1, mask=0x01)
        await (await opened(copy)).stop()
        after = rows(copy)
        assert sum(len(found - after.get(table, set())) for table, found in before.items()) <= 1
        shutil.rmtree(copy)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_lost_page_costs_the_rows_that_lay_in_it(written: Path, data: st.DataObject) -> None:
    copy = written.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(written, copy)
    page = data.draw(st.integers(0, (copy / NAME).stat().st_size // PAGE - 1))
    content = bytearray((copy / NAME).read_bytes())
    content[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
    (copy / NAME).write_bytes(content)
    store = await opened(copy)
    kept = len((await store.feedback.listed(PageRequest(1_000))).items)
    events = [len(await store.ledger.read(f"notes/{group}")) for group in range(3)]
    await store.stop()
    assert kept >= 180 - 40
    assert sum(events) >= 60 - 30
    assert kept + sum(events) >= 240 - 40


async def test_the_damaged_one_is_kept_and_it_is_counted_and_said(
    written: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flip(written / NAME, 3)
    damaged = (written / NAME).read_bytes()
    counters = Counters()
    store = await opened(written, counters)
    assert len((await store.feedback.listed(PageRequest(1_000))).items) == 180
    await store.stop()
    assert (written / "damaged" / f"{NAME}.1").read_bytes() == damaged
    assert counters.snapshot()[Counter.STORAGE_MENDED_DATABASES] == 1
    assert "made anew" in caplog.text
    counters = Counters()
    store = await opened(written, counters)
    await store.stop()
    assert counters.snapshot()[Counter.STORAGE_MENDED_DATABASES] == 0


async def test_a_schema_version_that_is_damaged_is_no_newer_version(written: Path) -> None:
    for mask in (0x01, 0x02, 0x08, 0xFF):
        flip(written / NAME, 63, mask=mask)
        store = await opened(written)
        assert len((await store.feedback.listed(PageRequest(1_000))).items) == 180
        await store.stop()


async def killed(directory: Path) -> Path:
    """As a killed process leaves it: with a log that is not in the database yet."""
    store = await filled(directory / "alive")
    shutil.copytree(directory / "alive", directory / "killed")
    await store.stop()
    return directory / "killed"


async def test_a_damaged_log_costs_nothing_that_stands_behind_it(tmp_path: Path) -> None:
    directory = await killed(tmp_path)
    log = directory / f"{NAME}-wal"
    size = log.stat().st_size
    assert size > 20 * PAGE
    for at in (2, 18, 25, 32 + 2, 32 + 17, 32 + 24 + 500, size // 2, size // 2 + 1_000):
        copy = tmp_path / f"copy{at}"
        shutil.copytree(directory, copy)
        flip(copy / f"{NAME}-wal", at)
        store = await opened(copy)
        assert len((await store.feedback.listed(PageRequest(1_000))).items) >= 179
        events = [len(await store.ledger.read(f"notes/{group}")) for group in range(3)]
        assert sum(events) >= 59
        await store.stop()


async def test_a_log_that_was_not_finished_is_no_damage(tmp_path: Path) -> None:
    directory = await killed(tmp_path)
    with (directory / f"{NAME}-wal").open("r+b") as file:
        file.truncate(file.seek(0, 2) - 100)
    counters = Counters()
    store = await opened(directory, counters)
    assert len((await store.feedback.listed(PageRequest(1_000))).items) == 180
    await store.stop()
    assert counters.snapshot()[Counter.STORAGE_MENDED_DATABASES] == 0


async def test_the_end_of_a_log_that_is_no_commit_is_kept_aside(tmp_path: Path) -> None:
    directory = await killed(tmp_path)
    flip(directory / f"{NAME}-wal", (directory / f"{NAME}-wal").stat().st_size - 10)
    counters = Counters()
    store = await opened(directory, counters)
    await store.stop()
    torn = counters.snapshot()[Counter.STORAGE_TORN_BYTES]
    assert torn >= PAGE
    (kept,) = (directory / "damaged").iterdir()
    assert kept.name.startswith(f"{NAME}-wal.")
    assert kept.stat().st_size == torn


async def test_a_sector_that_cannot_be_read_costs_the_rows_in_it(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inode = (written / NAME).stat().st_ino
    read = os.pread

    def failing(descriptor: int, length: int, at: int) -> bytes:
        if os.fstat(descriptor).st_ino == inode and at < 8 * PAGE and at + length > 7 * PAGE:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(descriptor, length, at)

    monkeypatch.setattr(os, "pread", failing)
    flip(written / NAME, 3)
    store = await opened(written)
    async with asyncio.timeout(20):
        events = [len(await store.ledger.read(f"notes/{group}")) for group in range(3)]
    assert sum(events) >= 60 - 30
    await store.stop()


async def test_what_holds_no_row_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"somebody's" * 5_000)
    with pytest.raises(ConfigError, match="no row in it can be read"):
        await opened(tmp_path)
    assert (tmp_path / NAME).read_bytes() == b"somebody's" * 5_000


async def recalling(directory: Path) -> tuple[FileStore, Pipeline]:
    async def release(number: int) -> Release | None:
        return None

    store = await opened(directory)
    return store, Pipeline(store, TickingClock(), Counters(), lambda: None, release)


@pytest.mark.parametrize("lost", ["rows", "file", "bytes"])
async def test_feedback_that_came_as_telemetry_is_found_again(tmp_path: Path, lost: str) -> None:
    store, pipeline = await recalling(tmp_path)
    for number in range(1, 30):
        await pipeline.ingest(Signal.LOGS, samples.logs_request([samples.evaluation(number, 1, text="because " * 20)]))
    assert await pipeline.recall() == 0
    before = {one.id for one in (await store.feedback.listed(PageRequest(1_000))).items}
    assert len(before) == 29
    await store.stop()
    if lost == "file":
        (tmp_path / NAME).unlink()
    elif lost == "bytes":
        (tmp_path / NAME).write_bytes(b"")
    else:
        connection = sqlite3.connect(tmp_path / NAME)
        pages = connection.execute("SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'feedback'").fetchall()
        connection.close()
        for (page,) in pages:
            flip(tmp_path / NAME, (page - 1) * PAGE, PAGE)
    store, pipeline = await recalling(tmp_path)
    await pipeline.recall()
    assert {one.id for one in (await store.feedback.listed(PageRequest(1_000))).items} == before
    assert await pipeline.recall() == 0
    await store.stop()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(tmp_path, 10**6)
    await made.start()
    await made.write(lambda db: db.execute("INSERT INTO delivered VALUES ('kept', 7)") and None)
    yield made
    await made.stop()


def delivered(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    return connection.execute("SELECT * FROM delivered ORDER BY destination").fetchall()


async def test_damage_while_it_runs_is_mended_and_the_job_is_done(database: Database) -> None:
    assert await database.read(delivered) == [("kept", 7)]
    connection = sqlite3.connect(database.path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'delivered'").fetchone()
    connection.close()
    flip(database.path, (root - 1) * PAGE, 8)

    def clear(db: sqlite3.Connection) -> None:
        db.execute("PRAGMA shrink_memory")

    await database.read(clear)
    inserted = await asyncio.gather(
        *(
            database.write(lambda db, n=n: db.execute("INSERT INTO delivered VALUES (?, 1)", (f"n{n}",)) and n)
            for n in range(5)
        )
    )
    assert inserted == list(range(5))
    assert [name for name, _ in await database.read(delivered)] == ["kept", "n0", "n1", "n2", "n3", "n4"]
    assert database.mended == 1


async def test_a_disk_that_goes_on_damaging_is_said_and_not_mended_for_ever(database: Database) -> None:
    def broken(db: sqlite3.Connection) -> None:
        raise Damaged("the database is damaged: again")

    for _ in range(5):
        with pytest.raises(Damaged):
            await database.write(broken)
    assert await database.read(delivered) == [("kept", 7)]
    assert database.mended <= 4


async def test_a_job_of_its_own_fault_mends_nothing(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(lambda db: db.execute("INSERT INTO delivered VALUES ('kept', 7)"))
    with pytest.raises(UnicodeDecodeError):
        await database.write(lambda db: b"\xff".decode())
    assert database.mended == 0


async def test_a_row_of_the_ledger_that_is_damaged_while_it_is_in_use_costs_itself(tmp_path: Path) -> None:
    counters = Counters()
    store = await opened(tmp_path / "data", counters)
    ledger = store.ledger
    await ledger.append([Change("notes", 0, tuple(Event("noted", {"n": n}, "shop") for n in range(5)))], "me")
    await ledger.append([Change("other", 0, (Event("noted", {"n": 9}, "shop"),))], "me")
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / NAME)) as beside, beside:
        beside.execute("UPDATE ledger SET data = '{\"n' WHERE stream = 'notes' AND version = 3")
    assert [one.data["n"] for one in await ledger.read("notes")] == [0, 1, 3, 4]
    assert [one.data["n"] for one in await ledger.history(subject="shop")] == [9, 4, 3, 1, 0]
    assert counters.snapshot()[Counter.STORAGE_LOST_ROWS.value] == 1
    await ledger.append([Change("notes", 5, (Event("noted", {"n": 5}, "shop"),))], "me")
    await store.stop()
