"""Who watches a rollout is woken by what happens to it, and by nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from collector.api.rollouts import RolloutOperations, RolloutReport
from collector.core.release import ReleaseDraft
from collector.core.requests import Caller, Requests
from collector.core.rollout import RolloutPlan, RolloutState
from collector.core.study import Policy
from collector.counters import Counters
from collector.publisher.desk import Desk, aside
from collector.publisher.hub import AssignmentHub
from collector.rollout.rollouts import Rollouts
from collector.rollout.runner import RolloutRunner
from collector.rollout.wakings import Wakings
from collector.rollout.watch import ArmWatch
from collector.storage.memory.store import MemoryStore
from tests.clocks import TickingClock

ANN = Caller("token:ann", may_approve=True)


@dataclass
class Office:
    operations: RolloutOperations
    wakings: Wakings


@pytest.fixture
async def office() -> Office:
    clock, wakings = TickingClock(), Wakings()
    store = MemoryStore(clock)
    requests = Requests(store.ledger, wakings.appended)
    desk = Desk(requests, AssignmentHub(), Counters())
    rollouts, watch = Rollouts(requests, desk), ArmWatch(store, desk, clock)
    runner = RolloutRunner(rollouts, watch, clock)
    await desk.publish(ReleaseDraft("shop", {"k": 1}, "control"), "me")
    for k in (2, 3):
        await desk.publish(ReleaseDraft("shop", {"k": k}, "candidate"), "me", aside)
    operations = RolloutOperations(requests, store.parameters, desk, rollouts, watch, runner, wakings)
    await operations.start("r", RolloutPlan("shop", 2, "", policy=Policy.AUTOMATIC), ANN)
    return Office(operations, wakings)


async def next_of(reports: AsyncIterator[RolloutReport]) -> RolloutReport:
    return await asyncio.wait_for(anext(reports), 20)


async def test_it_waits_without_looking_until_something_happens(office: Office) -> None:
    looked = 0
    report = office.operations.report

    async def counted(name: str) -> RolloutReport:
        nonlocal looked
        looked += 1
        return await report(name)

    office.operations.report = counted  # type: ignore[method-assign]
    async with aclosing(office.operations.watch("r")) as reports:
        assert (await next_of(reports)).rollout.state is RolloutState.RAMPING
        waiting = asyncio.ensure_future(anext(reports))
        for _ in range(100):
            await asyncio.sleep(0)
        assert (looked, waiting.done()) == (1, False)
        await office.operations.pause("r", "lunch", ANN)
        assert (await asyncio.wait_for(waiting, 20)).rollout.message == "lunch"
        await office.operations.abort("r", "bad", ANN)
        assert [one.rollout.state async for one in reports] == [RolloutState.ABORTED]
    assert looked == 3


async def test_who_waits_for_one_is_not_woken_by_another() -> None:
    wakings = Wakings()
    with wakings.of("rollout/r") as one, wakings.of("rollout/r") as other, wakings.of("rollout/s") as third:
        wakings.changed("rollout/r")
        assert (one.is_set(), other.is_set(), third.is_set()) == (True, True, False)
