import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collector.core.errors import GraphError, TooLarge, Unavailable
from collector.workers.process import WorkerLost
from collector.workers.workers import WorkerLimits, Workers
from tests.unit.collector.workers import tasks

LARGE = 2**40
"""Work of that size never runs in a thread of the collector."""


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    made = Workers(WorkerLimits(processes=1, memory_bytes=2**30, waiting=1))
    yield made
    await made.stop()


async def until_gone(pid: int) -> None:
    for _ in range(1_000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"process {pid} is still there")


async def begun(path: Path) -> int:
    for _ in range(1_000):
        if text := await asyncio.to_thread(_read, path):
            return int(text)
        await asyncio.sleep(0.01)
    raise AssertionError("it never began")


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("size", [0, LARGE])
async def test_results_errors_and_questions_are_the_same_in_a_thread_and_in_a_process(
    workers: Workers, size: int
) -> None:
    assert await workers.run(tasks.doubled, 4, size=size) == 8
    assert await workers.run(tasks.large, 3_000_000, size=size) == bytes(3_000_000)
    with pytest.raises(GraphError, match=r"^in words$"):
        await workers.run(tasks.failing, "in words", size=size)
    asked = []

    async def answer(question: str) -> int:
        asked.append(question)
        return len(question)

    assert await workers.run(tasks.adding, 1, size=size, answer=answer) == 9
    assert asked == ["one", "other"]


async def test_small_work_needs_no_process_and_large_work_keeps_its_own(workers: Workers) -> None:
    here = await workers.run(tasks.own_pid, size=0)
    first, second = [await workers.run(tasks.own_pid, size=LARGE) for _ in range(2)]
    assert here == os.getpid() != first == second


async def test_what_nobody_waits_for_is_killed_and_the_next_one_has_a_new_process(
    workers: Workers, tmp_path: Path
) -> None:
    running = asyncio.create_task(workers.run(tasks.endless, str(tmp_path / "pid"), size=LARGE))
    pid = await begun(tmp_path / "pid")
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await until_gone(pid)
    assert await workers.run(tasks.doubled, 1, size=LARGE) == 2


async def test_what_takes_too_long_is_killed(workers: Workers, tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match=r"longer than 0\.5 s"):
        await workers.run(tasks.endless, str(tmp_path / "pid"), size=LARGE, seconds=0.5)
    if (tmp_path / "pid").exists():
        await until_gone(await begun(tmp_path / "pid"))


async def test_what_takes_too_much_memory_is_refused(workers: Workers) -> None:
    with pytest.raises(TooLarge, match="more than 1,073,741,824 bytes of memory"):
        await workers.run(tasks.greedy, size=LARGE)


async def test_a_crash_is_said_and_the_next_one_has_a_new_process(workers: Workers) -> None:
    with pytest.raises(WorkerLost, match="code -9"):
        await workers.run(tasks.crashing, size=LARGE)
    with pytest.raises(RuntimeError, match="Local"):
        await workers.run(tasks.unspeakable, size=LARGE)
    assert await workers.run(tasks.doubled, 1, size=LARGE) == 2


async def test_small_work_does_not_wait_for_large_work_and_too_much_of_it_is_refused(
    workers: Workers, tmp_path: Path
) -> None:
    running = asyncio.create_task(workers.run(tasks.endless, str(tmp_path / "pid"), size=LARGE))
    await begun(tmp_path / "pid")
    waiting = asyncio.create_task(workers.run(tasks.doubled, 1, size=LARGE))
    assert await workers.run(tasks.doubled, 3, size=0) == 6
    with pytest.raises(Unavailable):
        await workers.run(tasks.doubled, 1, size=LARGE)
    running.cancel()
    assert await waiting == 2


async def test_a_process_that_nobody_needs_ends() -> None:
    workers = Workers(WorkerLimits(idle_seconds=0.05))
    pid = await workers.run(tasks.own_pid, size=LARGE)
    await until_gone(pid)
    await workers.stop()


async def test_stopping_ends_what_works_and_what_rests(tmp_path: Path) -> None:
    workers = Workers(WorkerLimits(processes=2))
    resting = await workers.run(tasks.own_pid, size=LARGE)
    busy = asyncio.create_task(workers.run(tasks.endless, str(tmp_path / "pid"), size=LARGE))
    pids = {resting, await begun(tmp_path / "pid")}
    await workers.stop()
    with pytest.raises(WorkerLost):
        await busy
    for pid in pids:
        await until_gone(pid)
