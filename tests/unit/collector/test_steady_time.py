"""Clocks that leap by a day, stand before 1970 or go back: nothing is thrown away for it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.core.feedback import Feedback, FeedbackState
from collector.core.page import PageRequest
from collector.core.release import Release
from collector.core.span import SpanContext
from collector.core.steady import DOUBT_NANO, LEAP_NANO, TimeMark, believed
from collector.core.telemetry import Signal
from collector.counters import Counters
from collector.pipeline import Pipeline
from collector.retention import Retention, RetentionLimits
from collector.steady_time import SteadyTime
from collector.storage.file_store import FileStore
from collector.storage.segments.segments import SegmentLimits
from tests import samples

HOUR = 3_600 * 10**9
DAY = 24 * HOUR


class SetClock:
    """Says what it is told."""

    def __init__(self, now: int = samples.START) -> None:
        self.now = now

    def now_unix_nano(self) -> int:
        return self.now


class Running:
    """A store with what throws away by age."""

    def __init__(self, directory: Path, clock: SetClock) -> None:
        self.clock = clock
        self.store = FileStore(directory, clock, SegmentLimits(bytes=1))

        async def release(number: int) -> Release | None:
            return None

        self.pipeline = Pipeline(self.store, clock, Counters(), lambda: None, release)
        log, limits = self.store.log, RetentionLimits(max_age_seconds=2 * 3_600)
        time = SteadyTime(self.store.marks, log, clock)
        self.retention = Retention(log, self.store.deliveries, time, limits, Counters())

    async def pass_hours(self, hours: float) -> None:
        for _ in range(int(hours * 12)):
            self.clock.now += HOUR // 12
            await self.look()

    async def look(self) -> None:
        await self.retention.look()
        await self.pipeline.expire(3 * 3_600)

    async def ingest(self, number: int) -> None:
        await self.pipeline.ingest(Signal.TRACES, samples.traces_request([samples.span(number, 1)]))

    async def held(self) -> list[int]:
        return [number for number in range(1, 60) if await self.store.log.trace(samples.trace_id(number))]

    async def states(self) -> list[FeedbackState]:
        return [one.state for one in (await self.store.feedback.listed(PageRequest(1_000))).items]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("looked_before", [False, True])
async def test_a_day_forward_and_back_throws_nothing_away(tmp_path: Path, restarted: bool, looked_before: bool) -> None:
    clock = SetClock()
    running = Running(tmp_path, clock)
    await running.store.start()
    for number in range(1, 6):
        await running.ingest(number)
    await running.pipeline.submit([Feedback(SpanContext(samples.trace_id(999), ""), "quality", 1.0)])
    if looked_before:
        await running.look()
    clock.now += DAY
    await running.look()
    await running.ingest(6)
    if restarted:
        await running.store.stop()
        running = Running(tmp_path, clock)
        await running.store.start()
    await running.pass_hours(1)
    clock.now -= DAY
    await running.look()
    await running.ingest(7)
    assert await running.held() == list(range(1, 8))
    assert await running.states() == [FeedbackState.WAITING]
    assert [one.trace_id for one in (await running.store.search.traces(PageRequest(3))).items] == [
        samples.trace_id(n) for n in (7, 6, 5)
    ]
    await running.pass_hours(4)
    await running.ingest(8)
    assert await running.states() == [FeedbackState.EXPIRED]
    await running.pass_hours(26)
    await running.ingest(9)
    await running.look()
    assert set(await running.held()) <= {8, 9}
    await running.store.stop()


async def test_a_clock_that_stays_ahead_is_believed_after_a_day(tmp_path: Path) -> None:
    clock = SetClock()
    running = Running(tmp_path, clock)
    await running.store.start()
    await running.look()
    for number in range(1, 4):
        await running.ingest(number)
    clock.now += 2 * DAY
    await running.ingest(4)
    await running.pass_hours(1)
    assert await running.held() == [1, 2, 3, 4]
    await running.pass_hours(24)
    assert await running.held() == []
    await running.store.stop()


@pytest.mark.parametrize("wrong", [-DAY, 0, 5, 2**63 - 1, 2**64])
async def test_times_of_reception_by_a_clock_that_is_far_off_neither_lose_nor_keep_anything(
    tmp_path: Path, wrong: int
) -> None:
    clock = SetClock()
    running = Running(tmp_path, clock)
    await running.store.start()
    await running.ingest(1)
    await running.look()
    clock.now = wrong
    await running.ingest(2)
    await running.look()
    clock.now = samples.START + HOUR // 12
    await running.ingest(3)
    await running.look()
    assert await running.held() == [1, 2, 3]
    await running.pass_hours(3)
    await running.ingest(4)
    await running.look()
    assert await running.held() in ([4], [3, 4])
    await running.store.stop()


@given(st.lists(st.integers(-2 * DAY, 2 * DAY), max_size=30))
def test_the_time_that_counts_is_never_ahead_of_the_clock_and_never_leaps_unless_it_was_doubted_for_a_day(
    steps: list[int],
) -> None:
    known = TimeMark(samples.START, samples.START)
    for step in steps:
        after = believed(known, known.wall + step)
        assert after.counts <= after.wall
        if after.believed - known.believed > LEAP_NANO:
            assert known.doubted_since is not None
            assert after.wall - known.doubted_since >= DOUBT_NANO
        known = after
