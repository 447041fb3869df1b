"""Bytes that are not what was written: everything that does not contain them is read back, byte for byte."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.core.page import PageRequest
from collector.core.telemetry import OtlpRequest, Signal
from collector.counters import Counter, Counters
from collector.otlp.request import read_traces
from collector.storage.file_store import FileStore
from collector.storage.integrity.damage import DamageLog
from collector.storage.integrity.frames import Format2
from collector.storage.segments.segment import IndexDamaged, Segment
from collector.storage.segments.segment_file import SegmentFile
from collector.storage.segments.segments import SegmentLimits
from tests import samples
from tests.clocks import TickingClock

SMALL = SegmentLimits(bytes=3_000)
MANY = range(1, 21)


def request(number: int) -> OtlpRequest:
    """One whose value looks like a frame: it must never be taken for one."""
    planted = b"".join(
        Format2(bytes(8)).written(read_traces(samples.traces_request([samples.span(666, 1)]), 1).request)
    )
    value = planted if number % 2 else "x" * (40 * number)
    body = samples.traces_request([samples.span(number, 1, values={"text": value})])
    return read_traces(body, number, ("a" * 16,) if number % 3 == 0 else ()).request


async def opened(directory: Path, counters: Counters | None = None) -> FileStore:
    store = FileStore(directory, TickingClock(), SMALL, counters=counters)
    await store.start()
    return store


@pytest.fixture
async def written(tmp_path: Path) -> Path:
    """A directory of several sealed segments and one that grows."""
    store = await opened(tmp_path / "written")
    for number in MANY:
        await store.log.append(request(number))
    await store.stop()
    return tmp_path / "written"


def files(directory: Path) -> list[Path]:
    return sorted(path for path in (directory / "segments").glob("*.otlp") if path.is_file())


def frames(directory: Path) -> Iterator[tuple[str, int, int, bytes]]:
    """The model: where each acknowledged request lies."""
    for path in files(directory):
        file = SegmentFile(path, writable=False)
        for frame in file.frames():
            yield path.name, frame.offset, frame.end, frame.body
        file.close()


async def readable(store: FileStore) -> list[bytes]:
    return [one.body for one in await store.log.requests_after(0, 10**9)]


async def held(store: FileStore, numbers: range = MANY) -> list[int]:
    return [number for number in numbers if await store.log.trace(samples.trace_id(number))]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_any_damage_costs_only_the_requests_that_contain_it(written: Path, data: st.DataObject) -> None:
    model = list(frames(written))
    assert len(model) == len(MANY)
    copy = written.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(written, copy)
    path = data.draw(st.sampled_from(files(copy)))
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.sampled_from([1, 1, 1, 2, 16, 300, 4_096]))
    end = min(start + length, len(content))
    zeroed = data.draw(st.booleans())
    content[start:end] = bytes(0 if zeroed else byte ^ 0xFF for byte in content[start:end])
    path.write_bytes(content)
    for index in data.draw(st.sampled_from([[], list((copy / "segments").glob("*.seal"))])):
        index.unlink()
    wanted = [body for name, begin, behind, body in model if name != path.name or behind <= start or begin >= end]
    store = await opened(copy)
    try:
        assert zeroed or path.stat().st_size == len(content)
        assert set(wanted) <= set(await readable(store))
        assert samples.trace_id(666) not in [
            one.trace_id for one in (await store.search.traces(PageRequest(1_000))).items
        ]
        spared = {number for number in MANY if request(number).body in wanted}
        assert spared <= set(await held(store))
        await store.log.append(request(500))
        assert await store.log.trace(samples.trace_id(500))
        assert set(wanted) <= set(await readable(store))
    finally:
        await store.stop()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_bytes_that_are_missing_in_the_middle_cost_only_the_requests_that_contained_them(
    written: Path, data: st.DataObject
) -> None:
    model = list(frames(written))
    copy = written.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(written, copy)
    path = data.draw(st.sampled_from(files(copy)))
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content) - 1))
    end = min(start + data.draw(st.sampled_from([1, 7, 500, 10**6])), len(content))
    path.write_bytes(content[:start] + content[end:])
    store = await opened(copy)
    wanted = [body for name, begin, behind, body in model if name != path.name or behind <= start or begin >= end]
    assert set(wanted) <= set(await readable(store))
    assert {number for number in MANY if request(number).body in wanted} <= set(await held(store))
    await store.stop()


async def test_what_follows_the_damage_stays_on_disk_and_the_damage_is_kept_aside_counted_and_once(
    written: Path,
) -> None:
    path = files(written)[-1]
    name, offset, end, _ = next(frame for frame in frames(written) if frame[0] == path.name)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(offset + 200)
        file.write(b"damage")
    damaged = path.read_bytes()[offset:end]
    for _ in range(2):
        counters = Counters()
        store = await opened(written, counters)
        await readable(store)
        await held(store)
        await store.stop()
        assert path.stat().st_size == size
        assert (written / "damaged" / f"{name}.{offset}-{end}").read_bytes() == damaged
        assert counters.snapshot()[Counter.STORAGE_DAMAGED_STRETCHES] == 1
        assert counters.snapshot()[Counter.STORAGE_DAMAGED_BYTES] == end - offset


async def test_only_a_torn_end_is_cut_off_and_kept_aside(written: Path) -> None:
    path = files(written)[-1]
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(path.read_bytes()[32:150])
    counters = Counters()
    store = await opened(written, counters)
    assert await held(store) == list(MANY)
    await store.log.append(request(500))
    await store.stop()
    assert path.stat().st_size == size
    assert (written / "damaged" / f"{path.name}.{size}-{size + 118}").stat().st_size == 118
    assert counters.snapshot()[Counter.STORAGE_TORN_BYTES] == 118
    with files(written)[-1].open("ab") as file:
        file.write(bytes(5_000))
    before = len(list((written / "damaged").iterdir()))
    store = await opened(written)
    assert await held(store, range(1, 501)) == [*MANY, 500]
    await store.stop()
    assert len(list((written / "damaged").iterdir())) == before  # zeros say nothing


def emptied(segments: Path) -> None:
    for path in segments.glob("*.index"):
        path.write_bytes(b"")


def halved(segments: Path) -> None:
    for path in segments.glob("*.index"):
        os.truncate(path, path.stat().st_size // 2)


def flipped(segments: Path) -> None:
    for path in segments.glob("*.index"):
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 0x10
        path.write_bytes(content)


def removed(segments: Path) -> None:
    for path in segments.glob("*.index"):
        path.unlink()


def of_another(segments: Path) -> None:
    first, second = sorted(segments.glob("*.index"))[:2]
    shutil.copy(second, first)
    shutil.copy(second.with_suffix(".seal"), first.with_suffix(".seal"))


def unsealed(segments: Path) -> None:
    for path in segments.glob("*.seal"):
        path.write_text("{}\nno", encoding="ascii")


@pytest.mark.parametrize("damage", [emptied, halved, flipped, removed, of_another, unsealed])
async def test_an_index_that_is_not_what_was_written_is_made_again(
    written: Path, damage: Callable[[Path], None]
) -> None:
    damage(written / "segments")
    counters = Counters()
    store = await opened(written, counters)
    assert await held(store) == list(MANY)
    assert (await store.search.counts()).traces == len(MANY)
    await store.stop()
    assert counters.snapshot()[Counter.STORAGE_REBUILT_INDEXES] >= 1
    assert counters.snapshot()[Counter.STORAGE_DAMAGED_STRETCHES] == 0
    counters = Counters()
    store = await opened(written, counters)
    assert await held(store) == list(MANY)
    await store.stop()
    assert counters.snapshot()[Counter.STORAGE_REBUILT_INDEXES] == 0


async def test_damage_while_it_runs_costs_the_answer_only_what_is_damaged(written: Path) -> None:
    counters = Counters()
    store = await opened(written, counters)
    assert await held(store) == list(MANY)
    name, offset, _, body = list(frames(written))[3]
    with (written / "segments" / name).open("r+b") as file:
        file.seek(offset + 300)
        file.write(b"\0\0\0damage")
    for path in (written / "segments").glob("*.index"):
        content = bytearray(path.read_bytes())
        content[4_096:] = bytes(len(content) - 4_096)
        path.write_bytes(content)
    lost = next(number for number in MANY if request(number).body == body)
    assert await held(store) == [number for number in MANY if number != lost]
    assert len((await store.search.traces(PageRequest(1_000))).items) == len(MANY) - 1
    assert counters.snapshot()[Counter.STORAGE_DAMAGED_STRETCHES] == 1
    await store.stop()


async def test_an_index_that_names_wrong_places_is_found_out(written: Path) -> None:
    counters = Counters()
    segment = Segment.sealed(written / "segments", 2, DamageLog(written / "damaged", counters))
    wanted = {number: request(number).body for number in MANY}
    assert segment.index
    connection = sqlite3.connect(written / "segments" / "00000002.index")
    connection.execute("UPDATE requests SET offset = offset + 7")
    connection.execute("UPDATE trace_requests SET offset = offset + 7")
    connection.commit()
    connection.close()

    def bodies() -> list[bytes]:
        return [
            body for number in MANY for body in segment.bodies(bytes.fromhex(samples.trace_id(number)), Signal.TRACES)
        ]

    with pytest.raises(IndexDamaged):
        bodies()
    assert bodies() == [body for name, *_, body in frames(written) if name == "00000002.otlp"]
    assert set(bodies()) <= set(wanted.values())
    assert counters.snapshot()[Counter.STORAGE_DAMAGED_STRETCHES] == 0
    assert counters.snapshot()[Counter.STORAGE_REBUILT_INDEXES] == 1
    segment.close()


async def test_work_on_an_index_that_was_damaged_is_begun_again(written: Path) -> None:
    store = await opened(written)
    tries = []

    def work(segments: Sequence[Segment]) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise IndexDamaged("the index of a segment was damaged")
        return len(segments)

    assert await store.segments.read(work) > 1
    await store.stop()


async def test_a_disk_that_cannot_read_a_sector_costs_what_lies_in_it(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, offset, end, body = list(frames(written))[5]
    bad = (written / "segments" / name).stat().st_ino
    read = os.pread

    def failing(descriptor: int, length: int, at: int) -> bytes:
        if os.fstat(descriptor).st_ino == bad and at < end and at + length > offset:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(descriptor, length, at)

    store = await opened(written)
    monkeypatch.setattr(os, "pread", failing)
    lost = next(number for number in MANY if request(number).body == body)
    found = await held(store)
    assert lost not in found
    assert set(found) >= {
        number for number in MANY if request(number).body in [one[3] for one in frames(written) if one[0] != name]
    }
    monkeypatch.undo()
    await store.stop()


async def test_positions_lead_on_behind_damage_and_the_loss_is_said(written: Path) -> None:
    model = list(frames(written))
    name, offset, end, _ = model[2]
    with (written / "segments" / name).open("r+b") as file:
        file.seek(offset + 100)
        file.write(b"damage")
    store = await opened(written)
    position, seen, lost = 0, [], [0, 0]
    while batch := await store.log.requests_after(position, 1):
        seen += [one.body for one in batch]
        lost = [lost[0] + batch[0].lost_bytes, lost[1] + batch[0].lost_items]
        position = batch[-1].position
    assert seen == [body for index, (*_, body) in enumerate(model) if index != 2]
    assert lost == [end - offset, 1]
    await store.stop()


async def test_files_that_are_swapped_doubled_missing_or_somebodys_leave_the_rest_as_it_is(written: Path) -> None:
    segments = written / "segments"
    first, second, third, *_ = files(written)
    first.rename(segments / "swapped")
    second.rename(first)
    (segments / "swapped").rename(second)
    shutil.copy(third, segments / "00000100.otlp")
    (segments / "notes.txt").write_text("somebody's", encoding="ascii")
    (segments / "1.otlp").write_bytes(b"somebody's")
    (segments / "99999999.otlp").write_bytes(b"somebody's")
    (segments / "04000000.otlp").write_bytes(b"somebody's")
    (segments / "00000101.otlp").mkdir()
    (segments / "00000050.otlp").write_bytes(b"")
    counters = Counters()
    store = await opened(written, counters)
    assert await held(store) == list(MANY)
    await store.log.append(request(500))
    await store.stop()
    store = await opened(written)
    assert await held(store, range(1, 501)) == [*MANY, 500]
    missing = next(path for path in files(written) if path.name == "00000002.otlp")
    lost = [body for name, *_, body in frames(written) if name == missing.name]
    await store.stop()
    missing.unlink()
    store = await opened(written)
    assert await held(store) == [number for number in MANY if request(number).body not in lost]
    await store.stop()


async def test_offsets_are_never_given_twice(written: Path) -> None:
    """What a destination was given is not what comes later at the same place, whatever became of the newest file."""
    store = await opened(written)
    await store.deliveries.set_position("elsewhere", await store.log.newest_position())
    await store.stop()
    files(written)[-1].unlink()
    store = await opened(written)
    await store.log.append(request(500))
    position = await store.deliveries.position("elsewhere")
    assert position is not None
    assert [one.body for one in await store.log.requests_after(position, 10**9)] == [request(500).body]
    await store.stop()
