"""Doctor, repair, backup and restore of a data directory."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.core.errors import ConfigError
from collector.core.feedback import Feedback
from collector.core.page import PageRequest
from collector.core.span import SpanContext
from collector.otlp.request import read_traces
from collector.process.service import repaired
from collector.storage.care.backup import back_up, restore
from collector.storage.care.examination import examine
from collector.storage.file_store import FileStore
from collector.storage.segments.segments import SegmentLimits
from tests import samples
from tests.clocks import TickingClock

MANY = range(1, 21)


def body(number: int) -> bytes:
    return samples.traces_request([samples.span(number, 1, values={"text": "x" * 400})])


async def opened(directory: Path) -> FileStore:
    store = FileStore(directory, TickingClock(), SegmentLimits(bytes=3_000))
    await store.start()
    return store


async def fill(store: FileStore, numbers: range) -> None:
    for number in numbers:
        judged = [Feedback(SpanContext(samples.trace_id(number), ""), "quality", 0.5, text=f"number {number}")]
        await store.feedback.submit(judged, number)
        await store.log.append(read_traces(body(number), number).request)


@pytest.fixture
async def written(tmp_path: Path) -> Path:
    store = await opened(tmp_path / "data")
    await fill(store, MANY)
    await store.stop()
    return tmp_path / "data"


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0xFF
    path.write_bytes(content)


async def held(directory: Path) -> list[int]:
    store = await opened(directory)
    found = [number for number in range(1, 100) if await store.log.trace(samples.trace_id(number))]
    judged = {one.feedback.text for one in (await store.feedback.listed(PageRequest(1_000))).items}
    assert judged >= {f"number {number}" for number in found}
    await store.stop()
    return found


def test_a_whole_directory_is_whole_and_left_as_it_is(written: Path) -> None:
    before = {name: content for name, content in files(written).items() if "sqlite3-" not in name}
    found = examine(written)
    assert (found.damages, found.running, found.requests, found.aside) == ((), False, 20, ())
    assert {name: content for name, content in files(written).items() if "sqlite3-" not in name} == before


async def test_every_kind_of_damage_is_listed_and_repair_makes_the_rest_whole(written: Path) -> None:
    segments = written / "segments"
    flip(segments / "00000001.otlp", 200)
    flip(segments / "00000002.otlp", 40)
    (segments / "00000001.index").unlink()
    flip(segments / "00000003.index", 5_000)
    flip(segments / "00000003.seal", 20)
    flip(written / "otel-opto.sqlite3", 101)
    (segments / "notes.txt").write_text("somebody's", encoding="ascii")
    newest = max(segments.glob("*.otlp"))
    beginning = newest.read_bytes()[32:100]
    with newest.open("ab") as file:
        file.write(beginning)
    before = files(written)
    found = {damage.file: damage.what for damage in examine(written).damages}
    assert set(found) == {
        "00000001.otlp",
        "00000002.otlp",
        "00000001.index",
        "00000003.index",
        "otel-opto.sqlite3",
        "notes.txt",
        newest.name,
    }
    assert "torn" in found[newest.name]
    assert all(files(written)[name] == content for name, content in before.items() if "sqlite3-" not in name)
    damages, counts = await repaired(written)
    assert {damage.file for damage in damages} == {"00000001.otlp", "00000002.otlp", "otel-opto.sqlite3"}
    assert counts["otel_opto_storage_mended_databases"] == 1
    after = examine(written)
    assert {damage.file for damage in after.damages} == {"00000001.otlp", "00000002.otlp", "notes.txt"}
    assert len(after.aside) == 4
    assert len(await held(written)) == 18
    again, counts = await repaired(written)
    assert {damage.file for damage in again} == {"00000001.otlp", "00000002.otlp"}
    assert counts["otel_opto_storage_mended_databases"] == 0


async def test_while_a_collector_runs_it_can_be_looked_at_and_not_repaired(written: Path) -> None:
    store = await opened(written)
    await fill(store, range(30, 40))
    found = examine(written)
    assert (found.running, found.damages) == (True, ())
    with pytest.raises(ConfigError, match="in use by another collector"):
        await repaired(written)
    flip(written / "segments" / "00000001.otlp", 300)
    assert [damage.file for damage in examine(written).damages] == ["00000001.otlp"]
    await store.stop()


def test_what_is_no_data_directory_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no data directory"):
        examine(tmp_path)
    with pytest.raises(ConfigError, match="no data directory"):
        back_up(tmp_path, tmp_path.parent / "elsewhere", TickingClock())


@pytest.mark.parametrize("link", [False, True])
async def test_a_backup_while_it_runs_is_what_was_there_then(written: Path, tmp_path: Path, link: bool) -> None:
    store = await opened(written)
    await fill(store, range(30, 35))
    await store.deliveries.set_position("elsewhere", await store.log.newest_position())
    manifest = back_up(written, tmp_path / "backup", TickingClock(), link=link)
    await fill(store, range(40, 50))
    await store.log.forget(10**19, 0)
    await store.stop()
    assert examine(tmp_path / "backup").damages == ()
    assert restore(tmp_path / "backup", tmp_path / "restored") == manifest
    assert examine(tmp_path / "restored").damages == ()
    assert await held(tmp_path / "restored") == [*MANY, *range(30, 35)]
    store = await opened(tmp_path / "restored")
    await fill(store, range(60, 63))
    position = await store.deliveries.position("elsewhere")
    assert position is not None
    forwarded = [one.body for one in await store.log.requests_after(position, 10**9)]
    assert forwarded == [body(number) for number in range(60, 63)]
    await store.stop()


async def test_what_was_forwarded_behind_the_moment_of_the_backup_is_not_passed_over(
    written: Path, tmp_path: Path
) -> None:
    back_up(written, tmp_path / "first", TickingClock())
    connection = sqlite3.connect(written / "otel-opto.sqlite3")
    connection.execute("INSERT INTO delivered VALUES ('ahead', ?)", (1 << 45,))
    connection.commit()
    connection.close()
    back_up(written, tmp_path / "second", TickingClock())
    store = await opened(tmp_path / "second")
    await fill(store, range(60, 63))
    position = await store.deliveries.position("ahead")
    assert position is not None
    assert len(await store.log.requests_after(position, 10**9)) == 3
    await store.stop()


async def test_a_backup_of_a_backup_and_one_of_a_restored_directory_are_the_same(written: Path, tmp_path: Path) -> None:
    first = back_up(written, tmp_path / "one", TickingClock())
    second = back_up(tmp_path / "one", tmp_path / "two", TickingClock())
    restore(tmp_path / "two", tmp_path / "three")
    segments = {name: said for name, said in first.files.items() if name.endswith(".otlp")}
    assert {name: said for name, said in second.files.items() if name.endswith(".otlp")} == segments
    assert await held(tmp_path / "three") == list(MANY)


async def test_a_backup_of_a_damaged_directory_has_what_is_whole(written: Path, tmp_path: Path) -> None:
    flip(written / "otel-opto.sqlite3", 3)
    flip(written / "segments" / "00000001.otlp", 200)
    back_up(written, tmp_path / "backup", TickingClock())
    assert {damage.file for damage in examine(tmp_path / "backup").damages} == {"otel-opto.sqlite3", "00000001.otlp"}
    restore(tmp_path / "backup", tmp_path / "restored")
    assert len(await held(tmp_path / "restored")) == 19


def test_nothing_is_overwritten(written: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("somebody's", encoding="ascii")
    (tmp_path / "file").write_text("somebody's", encoding="ascii")
    back_up(written, tmp_path / "backup", TickingClock())
    for target in ("full", "file", "backup"):
        with pytest.raises(ConfigError, match="nothing is overwritten"):
            back_up(written, tmp_path / target, TickingClock())
        with pytest.raises(ConfigError):
            restore(tmp_path / "backup", tmp_path / target)
    with pytest.raises(ConfigError, match="lie in each other"):
        back_up(written, written / "backup", TickingClock())
    with pytest.raises(ConfigError, match="lie in each other"):
        back_up(written, tmp_path, TickingClock())
    assert files(tmp_path / "full") == {"file": b"somebody's"}


@pytest.fixture
def full_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A disk on which that many more files can be synced."""
    left = [10**6]
    sync = os.fsync

    def limited(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", limited)
    yield left
    monkeypatch.undo()


@pytest.mark.parametrize("files_that_fit", [0, 1, 3, 8])
def test_a_disk_that_is_full_leaves_nothing_of_a_backup(
    written: Path, tmp_path: Path, full_after: list[int], files_that_fit: int
) -> None:
    full_after[0] = files_that_fit
    with pytest.raises(OSError, match="No space left"):
        back_up(written, tmp_path / "backup", TickingClock())
    assert not (tmp_path / "backup").exists()
    full_after[0] = 10**6
    back_up(written, tmp_path / "backup", TickingClock())
    full_after[0] = files_that_fit
    with pytest.raises(OSError, match="No space left"):
        restore(tmp_path / "backup", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


async def test_what_was_not_finished_is_recognised(written: Path, tmp_path: Path) -> None:
    back_up(written, tmp_path / "whole", TickingClock())
    for mark, command in (("backup.unfinished", "backup"), ("restore.unfinished", "restore")):
        half = Path(shutil.copytree(tmp_path / "whole", tmp_path / command))
        (half / "backup.json").unlink()
        (half / mark).write_text("", encoding="ascii")
        with pytest.raises(ConfigError, match=f"is a {command} that was not finished"):
            await opened(half)
        with pytest.raises(ConfigError, match="is no backup"):
            restore(half, tmp_path / "target")
        assert mark in [damage.file for damage in examine(half).damages]


def test_a_backup_that_is_not_what_it_was_is_not_restored(written: Path, tmp_path: Path) -> None:
    back_up(written, tmp_path / "backup", TickingClock())
    for name in ("segments/00000001.otlp", "otel-opto.sqlite3"):
        flip(tmp_path / "backup" / name, 500)
        with pytest.raises(ConfigError, match="is not what the backup was made of"):
            restore(tmp_path / "backup", tmp_path / "restored")
        assert not (tmp_path / "restored").exists()
        flip(tmp_path / "backup" / name, 500)
    (tmp_path / "backup" / "segments" / "00000001.otlp").rename(tmp_path / "away")
    with pytest.raises(ConfigError, match="is missing"):
        restore(tmp_path / "backup", tmp_path / "restored")
    flip(tmp_path / "backup" / "backup.json", 30)
    with pytest.raises(ConfigError, match="missing or damaged"):
        restore(tmp_path / "backup", tmp_path / "restored")
