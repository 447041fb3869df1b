"""A directory that was written before this version opens whole, and goes on."""

import shutil
from pathlib import Path

import pytest

from collector.core.page import PageRequest
from collector.core.study import StudyState
from collector.counters import Counter, Counters
from collector.otlp.request import read_traces
from collector.publisher.desk import Desk
from collector.publisher.hub import AssignmentHub
from collector.storage.file_store import FileStore
from collector.study.studies import Studies
from tests import samples
from tests.clocks import TickingClock

WRITTEN = Path(__file__).parents[3] / "data" / "directory_1"


def body(number: int) -> bytes:
    spans = [samples.span(number, 1, values={"text": "x" * 300}), samples.span(number, 2, 1, "child")]
    return samples.traces_request(spans)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WRITTEN, tmp_path / "data"))


async def opened(directory: Path, counters: Counters | None = None) -> FileStore:
    store = FileStore(directory, TickingClock(), counters=counters)
    await store.start()
    return store


async def test_everything_in_it_is_read_and_more_is_kept_behind_it(directory: Path) -> None:
    counters = Counters()
    store = await opened(directory, counters)
    for _ in range(2):
        requests = await store.log.requests_after(0, 10**9)
        bodies = [request.body for request in requests]
        assert [one for one in bodies if b"evaluation" not in one][:12] == [body(number) for number in range(1, 13)]
        assert [one.hops for one in requests if one.hops] == [("a" * 16, "b" * 16)]
        for number in range(1, 13):
            assert len(await store.log.trace(samples.trace_id(number))) == 2
        assert [len(await store.log.log_records(samples.trace_id(number))) for number in (4, 8, 12)] == [1, 1, 1]
        await store.log.append(read_traces(body(99), 1).request)
        assert (await store.search.traces(PageRequest(1))).items[0].trace_id == samples.trace_id(99)
        await store.stop()
        store = await opened(directory, counters)
    counts = await store.search.counts()
    assert (counts.traces, counts.log_records) == (13, 3)
    assert list((await store.feedback.counts()).values()) == [1, 2, 0]
    assert counters.snapshot()[Counter.STORAGE_DAMAGED_STRETCHES] == 0
    assert counters.snapshot()[Counter.STORAGE_TORN_BYTES] == 0
    await store.stop()


async def test_its_study_release_and_feedback_are_there(directory: Path) -> None:
    store = await opened(directory)
    desk = Desk(store.ledger, AssignmentHub(), Counters())
    record = await Studies(store.ledger, desk).study("tune")
    assert record is not None
    assert (record.state, len(record.trials), len(record.rejected)) == (StudyState.RUNNING, 1, 1)
    release = await desk.release(record.trials[0].release)
    assert release is not None
    assert {key: value.value for key, value in release.values.items()} == {"top_k": 3, "template": "{q}"}
    assert [one.feedback.score for one in (await store.feedback.listed(PageRequest(1_000))).items] == [0.5, 0.5, 0.5]
    assert len((await store.acknowledgements.of(release.number, PageRequest())).items) == 1
    assert await store.deliveries.position("elsewhere") == (await store.log.requests_after(0, 1))[0].position
    await store.stop()


@pytest.mark.parametrize("place", [0, 10, 40, 400, 2_000, 2_300])
@pytest.mark.parametrize("name", ["00000001.otlp", "00000002.otlp"])
async def test_a_flipped_byte_in_it_costs_one_request_at_most(directory: Path, name: str, place: int) -> None:
    path = directory / "segments" / name
    damaged = bytearray(path.read_bytes())
    damaged[place] ^= 0xFF
    path.write_bytes(damaged)
    store = await opened(directory)
    found = [number for number in range(1, 13) if await store.log.trace(samples.trace_id(number))]
    assert len(found) >= 11
    read = [request.body for request in await store.log.requests_after(0, 10**9)]
    assert sum(body(number) in read for number in range(1, 13)) >= 11
    await store.log.append(read_traces(body(99), 1).request)
    assert await store.log.trace(samples.trace_id(99))
    await store.stop()
