"""The collector dies at each append of a rollout, before it or behind it: what is in force is what the rollout says."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from collector.core.ledger import Change, Ledger, Recorded
from collector.core.release import ReleaseDraft
from collector.core.rollout import Metric, RolloutPlan, RolloutState, Stage
from collector.counters import Counters
from collector.publisher.desk import Desk, aside
from collector.publisher.hub import AssignmentHub
from collector.rollout import history
from collector.rollout.rollouts import Rollouts
from otel_opto.assignment import Arm, Assignment
from tests.clocks import TickingClock
from tests.contract.ledgers import LEDGERS

LIVE = (RolloutState.RAMPING, RolloutState.PAUSED, RolloutState.INCONCLUSIVE)
STAGES = (Stage(500, 0.0), Stage(5_000, 0.0))
KINDS = {*history._STATES, history._DRAFTED, history._APPROVED, history._TAKEN, history._FREED}
Step = Callable[[Rollouts], Awaitable[object]]


class Died(Exception):
    """The process is gone."""


class Mortal:
    """A ledger whose process dies at one of its appends. `durable`: whether that one is on disk by then."""

    def __init__(self, ledger: Ledger, at: int, *, durable: bool) -> None:
        self._ledger, self._left, self._durable = ledger, at, durable

    async def append(self, changes: Sequence[Change], actor: str) -> Sequence[Recorded]:
        self._left -= 1
        if self._left == 0:
            if self._durable:
                await self._ledger.append(changes, actor)
            raise Died
        return await self._ledger.append(changes, actor)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


def steps(name: str, plan: RolloutPlan, end: RolloutState) -> list[Step]:
    """From the draft to the end, by way of every state; each is one append."""

    async def advance(rollouts: Rollouts) -> object:
        """As the loop does: it looks where the rollout stands."""
        found = await rollouts.rollout(name)
        return await rollouts.advance(name, "on", "policy") if found.stage == 0 else found

    async def end_it(rollouts: Rollouts) -> object:
        take = rollouts.promote if end is RolloutState.PROMOTED else rollouts.abort
        return await take(name, "enough", "ann")

    return [
        lambda rollouts: rollouts.draft(name, plan, "me"),
        lambda rollouts: rollouts.begin(name, "me"),
        lambda rollouts: rollouts.approve(name, plan.content_hash, "ann"),
        lambda rollouts: rollouts.begin(name, "me"),
        advance,
        lambda rollouts: rollouts.pause(name, "lunch", "me"),
        lambda rollouts: rollouts.resume(name, "on", "ann"),
        lambda rollouts: rollouts.ask(name, "no evidence", "policy"),
        end_it,
    ]


@pytest.fixture(params=sorted(LEDGERS))
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    async with LEDGERS[request.param](tmp_path, TickingClock()) as opened:
        yield opened


def process(ledger: Ledger) -> tuple[Desk, Rollouts]:
    desk = Desk(ledger, AssignmentHub(), Counters())
    return desk, Rollouts(ledger, desk)


async def in_force(desk: Desk) -> Assignment:
    found = await desk.assignment("shop")
    assert found is not None
    return found


async def stands(ledger: Ledger, name: str, plan: RolloutPlan, control: int) -> Assignment:
    """What is in force, which follows from where the rollout stands."""
    desk, rollouts = process(ledger)
    found = next((one for one in await rollouts.all() if one.name == name), None)
    state, now = found.state if found else RolloutState.DRAFT, await in_force(desk)
    assert now.control == (plan.release if state is RolloutState.PROMOTED else control)
    share = STAGES[found.stage].share if found else 0
    assert now.arms == ((Arm(plan.release, 0, share),) if state in LIVE else ())
    return now


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("end", [RolloutState.PROMOTED, RolloutState.ABORTED])
async def test_a_rollout_goes_on_where_it_was_whenever_the_collector_dies(
    ledger: Ledger, end: RolloutState, durable: bool
) -> None:
    for number in range(1, 10):
        desk, _ = process(ledger)
        control = await desk.publish(ReleaseDraft("shop", {"k": -number}, "control"), "me")
        candidate = await desk.publish(ReleaseDraft("shop", {"k": number}, "candidate"), "me", aside)
        plan = RolloutPlan("shop", candidate.number, candidate.hash, Metric("quality"), stages=STAGES)
        name, died = f"r{number}", 0
        _, rollouts = process(Mortal(ledger, number, durable=durable))
        for place, step in enumerate(steps(name, plan, end), 1):
            before = await in_force(desk)
            try:
                await step(rollouts)
            except Died:
                died = place
                after = await stands(ledger, name, plan, control.number)
                assert durable or after == before
                _, rollouts = process(ledger)  # it is started again, and whoever asked asks again
                await step(rollouts)
            after = await stands(ledger, name, plan, control.number)
            if before.arms and after.arms:  # who was in the arm still is, however it grew
                assert after.salt == before.salt
        assert died == number
        assert (await rollouts.rollout(name)).state is end
    kinds = {one.kind for one in await ledger.history(prefix="rollout", limit=1_000)}
    other = {RolloutState.PROMOTED: "rollout_aborted", RolloutState.ABORTED: "rollout_promoted"}[end]
    assert kinds == KINDS - {other}
