"""Graphs are bounded: how large, how long, how often, and for whom."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from collector.assembly.assembly import Assembly, AssemblyLimits
from collector.assembly.job import whole
from collector.core.errors import NotFound, TooLarge
from collector.core.feedback import Feedback
from collector.core.span import SpanContext
from collector.core.study import Reach, Study
from collector.counters import Counter, Counters
from collector.otlp.request import read_logs, read_traces
from collector.pipeline import Pipeline
from collector.storage.file_store import FileStore
from collector.workers.process import WorkerLost
from collector.workers.workers import WorkerLimits, Workers
from tests import samples
from tests.clocks import TickingClock
from tests.unit.collector.assembly import finishes

LARGE = 600
"""Spans: more than are looked at in the collector itself."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[FileStore]:
    made = FileStore(tmp_path / "data", TickingClock())
    await made.start()
    await keep(made, 1, 3)
    await keep(made, 2, LARGE)
    yield made
    await made.stop()


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    made = Workers(WorkerLimits(processes=1))
    yield made
    await made.stop()


async def keep(store: FileStore, trace: int, count: int, first: int = 1) -> None:
    spans = [samples.span(trace, first + n, first if n else None, start=n) for n in range(count)]
    await store.log.append(read_traces(samples.traces_request(spans), 1).request)


def assembly(store: FileStore, workers: Workers, **limits: float) -> Assembly:
    async def release(_: int) -> None:
        return None

    return Assembly(store, release, workers, AssemblyLimits(**limits))  # type: ignore[arg-type]


async def lines(path: Path, count: int) -> list[int]:
    for _ in range(2_000):
        text = await asyncio.to_thread(lambda: path.read_text() if path.exists() else "")
        if text.count("\n") >= count:
            return [int(line) for line in text.split()]
        await asyncio.sleep(0.01)
    raise AssertionError("it was not begun")


async def test_small_graphs_are_made_here_and_large_ones_elsewhere(store: FileStore, workers: Workers) -> None:
    made = assembly(store, workers)
    assert await made.made(samples.trace_id(1), Reach.TRACE, finishes.counted) == (3, os.getpid())
    nodes, pid = await made.made(samples.trace_id(2), Reach.TRACE, finishes.counted)
    assert nodes == LARGE
    assert pid != os.getpid()


async def test_a_graph_is_the_same_wherever_it_is_made(store: FileStore, workers: Workers) -> None:
    await store.log.append(read_logs(samples.logs_request([samples.evaluation(1, 1)]), 1).request)
    await store.feedback.submit([Feedback(SpanContext(samples.trace_id(1), samples.span_id(1)), "q", 0.5)], 1)
    here = await assembly(store, workers).made(samples.trace_id(1), Reach.TRACE, whole)
    nothing_inline = Workers(WorkerLimits(processes=1, inline_bytes=1))
    elsewhere = await assembly(store, nothing_inline).made(samples.trace_id(1), Reach.TRACE, whole)
    await nothing_inline.stop()
    assert here == elsewhere
    assert len(here.feedback) == 1


async def test_a_small_graph_does_not_wait_for_large_ones(store: FileStore, workers: Workers, tmp_path: Path) -> None:
    made = assembly(store, workers)
    slow = partial(finishes.noted, str(tmp_path / "begun"), 60)
    running = asyncio.create_task(made.made(samples.trace_id(2), Reach.TRACE, slow, "slow"))
    await lines(tmp_path / "begun", 1)
    assert (await made.made(samples.trace_id(1), Reach.TRACE, finishes.counted))[0] == 3
    running.cancel()


async def test_one_computation_serves_all_who_ask_for_the_same(
    store: FileStore, workers: Workers, tmp_path: Path
) -> None:
    made = assembly(store, workers)
    slow = partial(finishes.noted, str(tmp_path / "begun"), 1)
    ask = partial(made.made, samples.trace_id(2), Reach.TRACE, slow, "slow")
    assert await asyncio.gather(*(ask() for _ in range(5))) == [LARGE] * 5
    assert len(await lines(tmp_path / "begun", 1)) == 1


async def test_what_came_meanwhile_is_seen_by_who_asks_after_it(
    store: FileStore, workers: Workers, tmp_path: Path
) -> None:
    made = assembly(store, workers)
    slow = partial(finishes.noted, str(tmp_path / "begun"), 0.5)
    ask = partial(made.made, samples.trace_id(2), Reach.TRACE, slow, "slow")
    before = asyncio.create_task(ask())
    await lines(tmp_path / "begun", 1)
    await keep(store, 2, 1, first=5_000)
    after = asyncio.create_task(ask())
    assert (await before, await after) == (LARGE, LARGE + 1)
    before = asyncio.create_task(ask())
    await lines(tmp_path / "begun", 3)
    target = SpanContext(samples.trace_id(2), samples.span_id(1))
    await store.feedback.submit([Feedback(target, "q", 0.5)], 1)
    await asyncio.gather(before, ask())
    assert len(await lines(tmp_path / "begun", 4)) == 4


async def test_it_goes_on_while_somebody_waits_and_ends_when_nobody_does(
    store: FileStore, workers: Workers, tmp_path: Path
) -> None:
    made = assembly(store, workers)
    slow = partial(finishes.noted, str(tmp_path / "begun"), 60)
    tasks = [asyncio.create_task(made.made(samples.trace_id(2), Reach.TRACE, slow, "slow")) for _ in range(2)]
    (pid,) = await lines(tmp_path / "begun", 1)
    tasks[0].cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await tasks[0]
    os.kill(pid, 0)
    tasks[1].cancel()
    for _ in range(1_000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError("it goes on for nobody")


async def test_what_is_too_large_or_takes_too_long_says_what_is_allowed(
    store: FileStore, workers: Workers, tmp_path: Path
) -> None:
    with pytest.raises(TooLarge, match=r"more than 599 spans, the most that graph\.max_spans allows"):
        await assembly(store, workers, max_spans=LARGE - 1).made(samples.trace_id(2), Reach.TRACE, whole)
    with pytest.raises(TooLarge, match=r"more than 2,000 bytes of spans, the most that graph\.max_bytes allows"):
        await assembly(store, workers, max_bytes=2_000).made(samples.trace_id(2), Reach.TRACE, whole)
    slow = partial(finishes.noted, str(tmp_path / "begun"), 60)
    with pytest.raises(TooLarge, match=r"longer than 1 s to compute, the most that graph\.max_seconds"):
        await assembly(store, workers, max_seconds=1).made(samples.trace_id(2), Reach.TRACE, slow)
    with pytest.raises(NotFound):
        await assembly(store, workers).made(samples.trace_id(9), Reach.TRACE, whole)


async def test_log_records_are_bounded_alike(store: FileStore, workers: Workers) -> None:
    records = [samples.evaluation(1, 1, text=str(number)) for number in range(20)]
    await store.log.append(read_logs(samples.logs_request(records), 1).request)
    with pytest.raises(TooLarge, match=r"more than 10 log records, the most that graph\.max_spans allows"):
        await assembly(store, workers, max_spans=10).made(samples.trace_id(1), Reach.TRACE, whole)


async def test_a_crash_is_not_the_collectors(store: FileStore, workers: Workers, tmp_path: Path) -> None:
    made = assembly(store, workers)
    with pytest.raises(WorkerLost):
        await made.made(samples.trace_id(2), Reach.TRACE, partial(finishes.forgetful, str(tmp_path / "begun")))
    assert (await made.made(samples.trace_id(2), Reach.TRACE, finishes.counted))[0] == LARGE


async def test_neighbours_that_do_not_fit_are_left_out(store: FileStore, workers: Workers) -> None:
    near = samples.span(3, 9_999)
    for trace in (2, 1):
        near.links.add(trace_id=bytes.fromhex(samples.trace_id(trace)), span_id=bytes.fromhex(samples.span_id(1)))
    await store.log.append(read_traces(samples.traces_request([near]), 1).request)
    made = assembly(store, workers, max_spans=LARGE)
    assert (await made.made(samples.trace_id(3), Reach.LINKS, finishes.counted))[0] == 1 + 3
    made = assembly(store, workers)
    assert (await made.made(samples.trace_id(3), Reach.LINKS, finishes.counted))[0] == 1 + LARGE  # ids in common


async def test_a_study_goes_on_without_what_is_too_large_and_counts_it(store: FileStore, workers: Workers) -> None:
    async def release(_: int) -> None:
        return None

    counters = Counters()
    small = assembly(store, workers, max_spans=100)
    pipeline = Pipeline(store, TickingClock(), counters, lambda: None, release, assembly=small)
    batch = [Feedback(SpanContext(samples.trace_id(trace), samples.span_id(1)), "q", 0.5) for trace in (2, 1, 9, 2)]
    pairs = await pipeline.judged(Study("s", "shop", "q"), batch)
    assert [pair.feedback for pair in pairs] == [batch[1]]
    counted = counters.snapshot()
    assert counted[Counter.GRAPHS_TOO_LARGE] == 1
    assert counted[Counter.GRAPHS_REFUSED] == 3


async def test_a_judgement_finds_its_span_in_a_trace_that_is_too_large_for_a_graph(
    store: FileStore, workers: Workers
) -> None:
    async def release(_: int) -> None:
        return None

    counters = Counters()
    small = assembly(store, workers, max_spans=100)
    pipeline = Pipeline(store, TickingClock(), counters, lambda: None, release, assembly=small)
    await pipeline.submit([Feedback(SpanContext(samples.trace_id(2), samples.span_id(LARGE)), "q", 0.5)])
    assert await pipeline.attach() == 1


async def test_a_judgement_on_what_is_beyond_all_bounds_waits_and_holds_up_no_other(
    store: FileStore, workers: Workers
) -> None:
    async def release(_: int) -> None:
        return None

    counters = Counters()
    tiny = assembly(store, workers, max_spans=10)
    pipeline = Pipeline(store, TickingClock(), counters, lambda: None, release, assembly=tiny)
    await pipeline.submit(
        [Feedback(SpanContext(samples.trace_id(trace), samples.span_id(1)), "q", 0.5) for trace in (2, 1)]
    )
    assert await pipeline.attach() == 1
    assert await pipeline.attach() == 0
    assert counters.snapshot()[Counter.GRAPHS_TOO_LARGE] == 1
