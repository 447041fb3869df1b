"""Rollouts on every ledger: each step changes the rollout and what is in force, or nothing."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from collector.core.errors import AlreadyExists, Conflict, Damaged, NotFound, Outdated
from collector.core.ledger import Ledger, Recorded
from collector.core.release import Release, ReleaseDraft
from collector.core.rollout import Metric, RolloutPlan, RolloutState, Stage
from collector.core.study import Policy
from collector.counters import Counters
from collector.publisher.desk import Desk, aside, beside
from collector.publisher.hub import AssignmentHub
from collector.rollout.rollouts import Rollouts
from otel_opto.assignment import Arm, Assignment, bucket
from tests.clocks import TickingClock
from tests.contract.ledgers import LEDGERS

SALT = "c41fd10217612f06"
"""Of the rollout ``r`` of the candidate: sixteen digits of its stream and its content."""


@dataclass
class Office:
    ledger: Ledger
    desk: Desk
    rollouts: Rollouts
    control: Release
    candidate: Release

    def plan(self, policy: Policy = Policy.AUTOMATIC, service: str = "shop") -> RolloutPlan:
        stages = (Stage(500, 1.0), Stage(5_000, 2.0))
        of = self.candidate
        return RolloutPlan(service, of.number, of.hash, Metric("quality"), stages=stages, policy=policy)

    async def in_force(self) -> Assignment:
        found = await self.desk.assignment("shop")
        assert found is not None
        return found

    def again(self) -> Rollouts:
        """Another reader of the same ledger, as after a restart."""
        return Rollouts(self.ledger, self.desk)


@pytest.fixture(params=sorted(LEDGERS))
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    async with LEDGERS[request.param](tmp_path, TickingClock()) as ledger:
        desk = Desk(ledger, AssignmentHub(), Counters())
        control = await desk.publish(ReleaseDraft("shop", {"k": 1}, "control"), "me")
        candidate = await desk.publish(ReleaseDraft("shop", {"k": 2}, "candidate"), "me", aside)
        yield Office(ledger, desk, Rollouts(ledger, desk), control, candidate)


async def test_a_rollout_ramps_to_its_promotion(office: Office) -> None:
    rollouts, arm = office.rollouts, office.candidate.number
    drafted = await rollouts.draft("r", office.plan(), "me")
    assert (drafted.state, (await office.in_force()).arms) == (RolloutState.DRAFT, ())
    began = await rollouts.begin("r", "me")
    assert (began.state, began.stage) == (RolloutState.RAMPING, 0)
    first = await office.in_force()
    assert (first.control, first.arms, first.salt) == (office.control.number, (Arm(arm, 0, 500),), SALT)
    advanced = await rollouts.advance("r", "an hour without harm", "policy:r")
    assert (advanced.stage, advanced.message) == (1, "an hour without harm")
    assert advanced.began_unix_nano == began.began_unix_nano < advanced.stage_began_unix_nano
    assert (await office.in_force()).arms == (Arm(arm, 0, 5_000),)
    with pytest.raises(Conflict, match="has no next stage"):
        await rollouts.advance("r", "more", "me")
    promoted = await rollouts.promote("r", "no worse", "me")
    assert promoted.state is RolloutState.PROMOTED
    after = await office.in_force()
    assert (after.control, after.arms) == (arm, ())
    assert await rollouts.promote("r", "again", "me") == promoted == await office.again().rollout("r")
    assert (await office.in_force()).revision == after.revision
    assert await rollouts.holder("shop") == ""


async def test_an_abort_gives_all_keys_back_in_one_step(office: Office) -> None:
    await office.rollouts.draft("r", office.plan(), "me")
    await office.rollouts.begin("r", "me")
    before = (await office.in_force()).revision
    aborted = await office.rollouts.abort("r", "more errors", "policy:r")
    after = await office.in_force()
    assert (aborted.state, after.control, after.arms) == (RolloutState.ABORTED, office.control.number, ())
    assert after.revision == before + 1
    with pytest.raises(Conflict, match="is aborted and cannot be promoted"):
        await office.rollouts.promote("r", "", "me")
    with pytest.raises(Conflict, match="cannot begin"):
        await office.rollouts.begin("r", "me")


async def test_an_approval_is_bound_to_what_was_looked_at(office: Office) -> None:
    rollouts = office.rollouts
    await rollouts.draft("r", office.plan(Policy.APPROVAL), "study:s")
    waiting = await rollouts.begin("r", "study:s")
    assert (waiting.state, (await office.in_force()).arms) == (RolloutState.AWAITING_APPROVAL, ())
    with pytest.raises(Conflict, match="an approval holds for what was looked at"):
        await rollouts.approve("r", office.control.hash, "token:ann")
    approved = await rollouts.approve("r", office.candidate.hash, "token:ann")
    assert (await rollouts.approve("r", office.candidate.hash, "token:bob")).approved_by == "token:ann"
    assert approved.approved_by == "token:ann"
    assert (await rollouts.begin("r", "token:ann")).state is RolloutState.RAMPING


async def test_a_pause_keeps_every_key_where_it_is(office: Office) -> None:
    rollouts = office.rollouts
    await rollouts.draft("r", office.plan(), "me")
    await rollouts.begin("r", "me")
    before = await office.in_force()
    assert (await rollouts.pause("r", "lunch", "me")).state is RolloutState.PAUSED
    assert await office.in_force() == before
    resumed = await office.again().resume("r", "back", "me")
    assert (resumed.state, resumed.stage, await office.in_force()) == (RolloutState.RAMPING, 0, before)
    assert (await rollouts.ask("r", "a week is over", "policy:r")).state is RolloutState.INCONCLUSIVE
    assert (await rollouts.promote("r", "a person says so", "me")).state is RolloutState.PROMOTED


async def test_a_service_has_one_rollout_on_its_traffic(office: Office) -> None:
    rollouts = office.rollouts
    for name in ("one", "two"):
        await rollouts.draft(name, office.plan(), "me")
    await rollouts.begin("one", "me")
    with pytest.raises(Conflict, match="has the rollout 'one' on its traffic; a second one waits"):
        await rollouts.begin("two", "me")
    salt = (await office.in_force()).salt
    await rollouts.abort("one", "enough", "me")
    assert (await rollouts.begin("two", "me")).state is RolloutState.RAMPING
    dealt = await office.in_force()
    assert len({"", salt, dealt.salt}) == 3
    first = [str(unit) for unit in range(2_000) if bucket(salt, str(unit)) < 500]
    again = [unit for unit in first if dealt.release_for(unit) == office.candidate.number]
    assert len(again) < len(first) / 4  # about a twentieth
    assert [one.name for one in await rollouts.all()] == ["one", "two"]
    assert [one.name for one in await rollouts.live()] == ["two"]


async def test_arms_of_others_stay_and_so_does_the_salt(office: Office) -> None:
    other = await office.desk.publish(ReleaseDraft("shop", {"k": 3}, "trial"), "study:s", beside(9_000, 1_000))
    salt = (await office.in_force()).salt
    await office.rollouts.draft("r", office.plan(), "me")
    await office.rollouts.begin("r", "me")
    found = await office.in_force()
    assert found.arms == (Arm(office.candidate.number, 0, 500), Arm(other.number, 9_000, 1_000))
    assert found.salt == salt
    await office.rollouts.promote("r", "better", "me")
    assert (await office.in_force()).arms == (Arm(other.number, 9_000, 1_000),)


async def test_a_stage_that_would_reach_into_a_studys_arms_waits_in_words(office: Office) -> None:
    await office.desk.publish(ReleaseDraft("shop", {"k": 3}, "trial"), "study:s", beside(4_000, 1_000))
    await office.rollouts.draft("r", office.plan(), "me")
    before = await office.rollouts.begin("r", "me")
    with pytest.raises(Conflict, match="stage 2 has 50% of the traffic, and arms of studies begin at 40%"):
        await office.rollouts.advance("r", "on", "me")
    assert await office.rollouts.rollout("r") == before


async def test_a_name_stands_for_one_plan(office: Office) -> None:
    plan = office.plan()
    first = await office.rollouts.draft("r", plan, "me")
    assert await office.rollouts.draft("r", plan, "me") == first
    with pytest.raises(AlreadyExists, match="another plan"):
        await office.rollouts.draft("r", replace(plan, margin=0.2), "me")
    with pytest.raises(NotFound, match="'x'"):
        await office.rollouts.rollout("x")


async def test_a_persons_release_ends_the_rollout_with_it(office: Office) -> None:
    await office.rollouts.draft("r", office.plan(), "me")
    await office.rollouts.begin("r", "me")
    ends = await office.rollouts.aborting("shop", "a rollback took its place")
    back = await office.desk.publish(ReleaseDraft("shop", {"k": 1}, "back"), "me", also=lambda _: ends)
    assert (await office.rollouts.rollout("r")).state is RolloutState.ABORTED
    assert ((await office.in_force()).control, (await office.in_force()).arms) == (back.number, ())
    assert list(await office.rollouts.aborting("shop", "again")) == []


async def test_what_is_in_force_already_is_not_rolled_out(office: Office) -> None:
    rollouts = office.rollouts
    same = await office.desk.publish(ReleaseDraft("shop", {"k": 1}, "the same again"), "me", aside)
    plan = replace(office.plan(), release=same.number, content_hash=same.hash)
    with pytest.raises(Conflict, match="has the content of release 1, which is in force for everybody already"):
        await rollouts.draft("same", plan, "me")
    for name in ("one", "two"):
        await rollouts.draft(name, office.plan(), "me")
    await rollouts.begin("one", "me")
    await rollouts.promote("one", "better", "me")
    with pytest.raises(Conflict, match="in force for everybody already"):
        await rollouts.begin("two", "me")
    assert (await office.in_force()).arms == ()


async def test_the_arm_of_a_trial_is_not_taken_from_its_study(office: Office) -> None:
    trial = await office.desk.publish(ReleaseDraft("shop", {"k": 3}, "trial"), "study:s", beside(9_000, 1_000))
    before = await office.in_force()
    plan = replace(office.plan(), release=trial.number, content_hash=trial.hash)
    with pytest.raises(Conflict, match="is the arm of a trial"):
        await office.rollouts.draft("r", plan, "me")
    assert await office.in_force() == before


async def test_a_signed_and_an_unsigned_release_are_not_compared(office: Office) -> None:
    control, candidate = office.control.number, office.candidate.number
    await office.desk.sign(candidate, "signed", "me")
    with pytest.raises(Conflict, match=f"otel-opto releases sign {control}"):
        await office.rollouts.draft("r", office.plan(), "me")
    await office.desk.sign(control, "signed", "me")
    await office.rollouts.draft("r", office.plan(), "me")
    other = await office.desk.publish(ReleaseDraft("shop", {"k": 3}, "other"), "me", aside)
    with pytest.raises(Conflict, match=f"otel-opto releases sign {other.number}"):
        await office.rollouts.draft("o", replace(office.plan(), release=other.number, content_hash=other.hash), "me")


async def test_nobody_gives_everybody_a_release_while_a_rollout_takes_the_traffic(office: Office) -> None:
    guard = await office.rollouts.without_one("shop")
    await office.rollouts.draft("r", office.plan(), "me")
    await office.rollouts.begin("r", "me")
    before = await office.in_force()
    with pytest.raises(Outdated, match="rollouts/shop is at version 1 and not at 0"):
        await office.desk.publish(ReleaseDraft("shop", {"k": 9}, "whole"), "study:s", also=lambda _: [guard])
    with pytest.raises(Conflict, match="has the rollout 'r' on its traffic"):
        await office.rollouts.without_one("shop")
    assert await office.in_force() == before


class Holed:
    """A ledger out of which some events were lost, as damaged rows are."""

    def __init__(self, ledger: Ledger, stream: str, *versions: int) -> None:
        self._ledger, self._stream, self._versions = ledger, stream, versions

    async def read(self, stream: str, after_version: int = 0) -> Sequence[Recorded]:
        found = await self._ledger.read(stream, after_version)
        return [one for one in found if (one.stream, one.version) not in {(self._stream, v) for v in self._versions}]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


async def test_a_rollout_whose_end_was_lost_gets_no_traffic_back_and_holds_up_no_other(office: Office) -> None:
    await office.rollouts.draft("r", office.plan(), "me")
    await office.rollouts.begin("r", "me")
    await office.rollouts.abort("r", "bad", "me")
    again = Rollouts(Holed(office.ledger, "rollout/r", 3), office.desk)
    assert (await again.rollout("r")).state is RolloutState.RAMPING
    assert list(await again.live()) == []
    with pytest.raises(Damaged, match="reads ramping and has no traffic"):
        await again.advance("r", "on", "me")
    await again.draft("other", office.plan(), "me")
    assert (await again.begin("other", "me")).state is RolloutState.RAMPING


async def test_a_rollout_that_cannot_be_read_holds_up_neither_another_nor_a_rollback(office: Office) -> None:
    await office.rollouts.draft("r", office.plan(), "me")
    await office.rollouts.begin("r", "me")
    again = Rollouts(Holed(office.ledger, "rollout/r", 1), office.desk)
    with pytest.raises(Damaged):
        await again.rollout("r")
    ends = await again.aborting("shop", "a rollback took its place")
    await office.desk.publish(ReleaseDraft("shop", {"k": 1}, "back"), "me", also=lambda _: ends)
    assert (await office.in_force()).arms == ()
    await again.draft("other", office.plan(), "me")
    assert (await again.begin("other", "me")).state is RolloutState.RAMPING


async def test_what_would_set_back_what_came_into_force_since_is_not_rolled_out(office: Office) -> None:
    desk, rollouts = office.desk, office.rollouts
    await desk.publish(ReleaseDraft("shop", {"k": 1, "j": 1}, "another parameter"), "me")
    mine = await desk.publish(ReleaseDraft("shop", {"k": 1, "j": 5}, "of j"), "study:j", aside)
    await rollouts.draft("j", replace(office.plan(), release=mine.number, content_hash=mine.hash), "me")
    latest = await desk.publish(ReleaseDraft("shop", {"k": 7, "j": 1}, "of k"), "study:k")
    with pytest.raises(Conflict, match="k came into force since: it would set that back; propose its own values again"):
        await rollouts.begin("j", "me")
    assert not (await office.in_force()).arms
    back = await desk.publish(ReleaseDraft("shop", {"k": 7, "j": 2}, "more"), "me")
    again = await rollouts.draft("back", replace(office.plan(), release=latest.number, content_hash=latest.hash), "me")
    assert (await rollouts.begin("back", "me")).state is RolloutState.RAMPING  # it was in force: all of it is wanted
    assert (again.plan.release, (await office.in_force()).control) == (latest.number, back.number)
