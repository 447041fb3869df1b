"""Segments: sealing, restarts, torn ends, retention, a full disk."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collector.core.errors import Unavailable
from collector.core.page import PageRequest
from collector.core.telemetry import Contents, Operation, OtlpRequest, Signal, TraceQuery
from collector.otlp.request import read_logs, read_traces
from collector.storage.file_store import FileStore
from collector.storage.patience import Patience
from collector.storage.search.names import TraceTally
from collector.storage.segments.segment_file import SegmentFile
from collector.storage.segments.segment_index import SegmentIndex
from collector.storage.segments.segments import SegmentLimits
from tests import samples
from tests.clocks import TickingClock

SMALL = SegmentLimits(bytes=4_000)


def request(number: int, *, time: int = 1, hops: tuple[str, ...] = ()) -> object:
    body = samples.traces_request([samples.span(number, 1, values={"text": "x" * 500})])
    return read_traces(body, time, hops).request


async def opened(directory: Path, limits: SegmentLimits = SMALL) -> FileStore:
    store = FileStore(directory, TickingClock(), limits)
    await store.start()
    return store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FileStore]:
    made = await opened(tmp_path)
    yield made
    await made.stop()


async def fill(store: FileStore, numbers: range, *, time: int = 1) -> None:
    for number in numbers:
        await store.log.append(request(number, time=time))  # type: ignore[arg-type]


async def ids(store: FileStore) -> set[str]:
    return {summary.trace_id for summary in (await store.search.traces(PageRequest(1_000))).items}


def wanted(numbers: range) -> set[str]:
    return {samples.trace_id(number) for number in numbers}


async def test_many_traces_are_counted_once_for_each_set_of_segments(store: FileStore) -> None:
    tally = TraceTally(many=1)

    async def counted() -> int:
        return await store.segments.read(lambda segments: tally.count(segments, Patience(60)))

    await fill(store, range(1, 40))
    assert await counted() == 39
    for number in range(40, 60):  # into the newest segment, and over its end
        await fill(store, range(number, number + 1))
        assert await counted() == number
    await fill(store, range(1, 2))  # goes on in another segment, and is counted twice until there is a new one
    assert await counted() - (await store.search.counts()).traces in (0, 1)
    await fill(store, range(60, 70))
    assert await counted() == (await store.search.counts()).traces == 69


async def test_full_segments_are_sealed_and_read_like_the_growing_one(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await fill(store, range(1, 40))
    assert await ids(store) == wanted(range(1, 40))
    await store.stop()
    files = sorted(path.name for path in (tmp_path / "segments").iterdir())
    assert len([name for name in files if name.endswith(".otlp")]) > 4
    assert len([name for name in files if name.endswith(".index")]) > 4
    assert not [name for name in files if name.endswith(".unfinished")]
    again = await opened(tmp_path)
    assert await ids(again) == wanted(range(1, 40))
    assert (await again.search.counts()).traces == 39
    assert [found.trace_id for found in (await again.search.traces(PageRequest(2))).items] == [
        samples.trace_id(39),
        samples.trace_id(38),
    ]
    await again.stop()


async def test_a_trace_is_gathered_over_segments(store: FileStore) -> None:
    for number in range(1, 30):
        body = samples.traces_request([samples.span(7, number, values={"text": "x" * 500})])
        await store.log.append(read_traces(body, 1).request)
    assert len(await store.log.trace(samples.trace_id(7))) == 29
    assert (await store.search.counts()).traces == 1


async def test_a_lost_index_is_made_again(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await fill(store, range(1, 40))
    await store.stop()
    indexes = sorted((tmp_path / "segments").glob("*.index"))
    indexes[0].unlink()
    indexes[1].write_bytes(b"no index" * 100)
    again = await opened(tmp_path)
    assert await ids(again) == wanted(range(1, 40))
    await again.stop()
    assert indexes[0].exists()


@pytest.mark.parametrize("damage", ["cut", "zeroed", "trailing"])
async def test_a_torn_end_is_cut_off_and_what_is_whole_stays(tmp_path: Path, damage: str) -> None:
    store = await opened(tmp_path, SegmentLimits())
    await fill(store, range(1, 4))
    await store.stop()
    (path,) = (tmp_path / "segments").glob("*.otlp")
    size = path.stat().st_size
    with path.open("r+b") as file:
        if damage == "cut":
            file.truncate(size - 100)
        elif damage == "zeroed":
            file.seek(size - 512)
            file.write(bytes(512))
        else:
            file.seek(size)
            file.write(b"OTL1 and then nothing of use")
    again = await opened(tmp_path, SegmentLimits())
    assert await ids(again) == wanted(range(1, 4 if damage == "trailing" else 3))
    await fill(again, range(10, 12))
    assert samples.trace_id(11) in await ids(again)
    await again.stop()


async def test_a_write_that_fails_leaves_nothing_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opened(tmp_path)
    await fill(store, range(1, 3))
    write = os.pwritev

    def full(descriptor: int, buffers: list[bytes], at: int) -> int:
        write(descriptor, [buffers[0][:10]], at)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwritev", full)
    with pytest.raises(Unavailable, match="No space left on device"):
        await store.log.append(request(5))  # type: ignore[arg-type]
    monkeypatch.undo()
    await fill(store, range(3, 5))
    assert await ids(store) == wanted(range(1, 5))
    await store.stop()
    again = await opened(tmp_path)
    assert await ids(again) == wanted(range(1, 5))
    await again.stop()


def test_a_write_in_parts_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = SegmentFile(tmp_path / "00000001.otlp")
    file.begin(1, bytes(8))
    write = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda descriptor, buffers, at: write(descriptor, [b"".join(buffers)[:50]], at))
    requests = [request(number) for number in range(1, 4)]
    file.append(requests)  # type: ignore[arg-type]
    assert [frame.body for frame in file.frames()] == [one.body for one in requests]  # type: ignore[attr-defined]
    file.close()


async def test_age_and_size_take_the_oldest_whole_segments(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await fill(store, range(1, 20), time=100)
    await fill(store, range(20, 60), time=200)
    await asyncio.sleep(0.05)
    gone = await store.log.forget(150, 10**9)
    left = await ids(store)
    assert gone.spans > 0
    assert len(left) == 59 - gone.spans
    assert wanted(range(20, 60)) <= left
    counted = await store.size_bytes()
    smaller = await store.log.forget(0, counted - 10_000)
    assert smaller.spans > 0
    assert samples.trace_id(59) in await ids(store)
    assert await store.size_bytes() <= counted - 10_000
    await store.log.forget(10**18, 0)
    assert samples.trace_id(59) in await ids(store)
    await store.stop()


async def test_a_segment_whose_index_could_not_be_written_is_read_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opened(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(SegmentIndex, "save", full)
    await fill(store, range(1, 30))
    await asyncio.sleep(0.05)
    assert await ids(store) == wanted(range(1, 30))
    assert (await store.log.forget(10**18, 10**9)).spans > 0
    assert samples.trace_id(29) in await ids(store)
    await store.stop()


async def test_what_goes_before_it_was_forwarded_is_counted(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await store.deliveries.set_position("fast", 0)
    await store.deliveries.set_position("slow", 0)
    await fill(store, range(1, 30))
    await asyncio.sleep(0.05)
    first = await store.log.requests_after(0, 1)
    await store.deliveries.set_position("slow", first[-1].position)
    await store.deliveries.set_position("fast", await store.log.newest_position())
    gone = await store.log.forget(10**18, 10**9, await store.deliveries.positions())
    assert gone.undelivered == {"slow": gone.spans - 1}
    await store.stop()


async def test_requests_are_read_in_order_from_any_position(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    logs = read_logs(samples.logs_request([samples.evaluation(1, 1)]), 5, ("a", "b")).request
    await store.log.append(logs)
    await fill(store, range(1, 30))
    position, seen = 0, []
    while batch := await store.log.requests_after(position, 2_000):
        seen += batch
        position = batch[-1].position
    assert (seen[0].signal, seen[0].body, seen[0].hops) == (Signal.LOGS, logs.body, ("a", "b"))
    assert [one.body for one in seen[1:]] == [request(number).body for number in range(1, 30)]  # type: ignore[attr-defined]
    assert position == await store.log.newest_position()
    await store.stop()


async def test_an_index_that_knew_services_without_a_name_as_empty_calls_them_unknown(tmp_path: Path) -> None:
    index = SegmentIndex.in_memory()
    nameless = frozenset({Operation("", "old", 2)})
    request = OtlpRequest(Signal.TRACES, b"x", frozenset({b"t" * 16}), 1, 1, Contents(nameless, 5, 5, 1, 1))
    index.add([(0, request)])
    index.save(tmp_path / "1.index")
    saved = SegmentIndex.in_file(tmp_path / "1.index")
    known = {Operation("unknown_service", "old", 2)}
    assert saved.services() == {"unknown_service"}
    assert saved.operations("unknown_service") == saved.operations("") == known
    assert len(saved.candidates(TraceQuery(service="unknown_service"))) == 1
    assert saved.candidates(TraceQuery(service="other")) == []
    saved.close()


async def test_the_answers_in_sealed_segments_are_listed_when_somebody_asks_and_the_lists_go_with_them(
    tmp_path: Path,
) -> None:
    store = await opened(tmp_path)
    segments = tmp_path / "segments"
    for number in range(1, 40):
        values = {"text": "x" * 500, "gen_ai.response.id": f"r{number}"}
        body = samples.traces_request([samples.span(number, 1, values=values)])
        await store.log.append(read_traces(body, 1).request)
    assert not list(segments.glob("*.responses"))
    for _ in range(2):
        for number in (1, 20, 39):
            assert await store.search.answering([f"r{number}"]) == {f"r{number}": [samples.trace_id(number)]}
        assert await store.search.answering(["unknown"]) == {}
        lists = list(segments.glob("*.responses"))
        assert lists
        await store.stop()
        store = await opened(tmp_path)
    await store.log.forget(2, 0)
    assert len(list(segments.glob("*.responses"))) < len(lists)
    assert await store.search.answering(["r1"]) == {}
    await store.stop()
