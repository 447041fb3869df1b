"""Rollouts on live traffic, simulated on a real store: promoted, aborted, frozen, taken up again after a restart."""

import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from collector.core.feedback import Feedback
from collector.core.release import Acknowledgement, Release, ReleaseDraft, ReleaseStatus
from collector.core.rollout import Guardrail, Metric, Rollout, RolloutPlan, RolloutState, Signal, Stage
from collector.core.span import SpanContext
from collector.core.study import Policy
from collector.core.telemetry import Signal as Telemetry
from collector.counters import Counters
from collector.pipeline import Pipeline
from collector.publisher.desk import Desk, aside
from collector.publisher.hub import AssignmentHub
from collector.rollout.rollouts import Rollouts
from collector.rollout.runner import RolloutRunner
from collector.rollout.watch import ArmWatch
from collector.storage.file_store import FileStore
from otel_opto.assignment import Assignment, unit_of
from tests import samples

SECOND = 1_000_000_000


class SetClock:
    """Stands still unless it sleeps."""

    def __init__(self) -> None:
        self.now = samples.START

    def now_unix_nano(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


@dataclass
class Street:
    """A service with traffic."""

    clock: SetClock
    store: FileStore
    desk: Desk
    rollouts: Rollouts
    watch: ArmWatch
    runner: RolloutRunner
    pipeline: Pipeline
    control: Release
    candidate: Release
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    users: int = 0

    def plan(self, *guardrails: Guardrail, policy: Policy = Policy.AUTOMATIC, cap: float = 10_000.0) -> RolloutPlan:
        return RolloutPlan(
            "shop", self.candidate.number, self.candidate.hash, Metric("quality"), 0.1,
            stages=(Stage(1_000, 10.0), Stage(5_000, 10.0)), guardrails=guardrails, policy=policy,
            feedback_delay_seconds=5.0, cap_seconds=cap,
        )  # fmt: skip

    async def traffic(
        self,
        users: int,
        score: Callable[[bool], float],
        *,
        error: float = 0.0,
        wrong: Callable[[bool], bool] | None = None,
    ) -> None:
        """Users come, one trace each, and are judged; `score` gets whether it is the arm's."""
        assignment = await self.desk.assignment("shop")
        assert assignment is not None
        spans, said = [], []
        for _ in range(users):
            self.users += 1
            unit = unit_of(f"user-{self.users}")
            number = assignment.release_for(unit)
            in_arm = number == self.candidate.number
            if wrong is not None and wrong(in_arm):
                continue
            values = {"opto.release": number, "opto.assignment": assignment.revision, "opto.unit": unit}
            failed = in_arm and self.rng.random() < error
            spans.append(
                samples.span(
                    self.users,
                    1,
                    values=values,
                    start=self.clock.now - samples.START,
                    error="e" if failed else None,
                )
            )
            target = SpanContext(samples.trace_id(self.users), samples.span_id(1))
            said.append(Feedback(target, "quality", score(in_arm), time_unix_nano=self.clock.now))
        await self.pipeline.ingest(Telemetry.TRACES, samples.traces_request(spans))
        await self.pipeline.submit(said)
        await self.pipeline.attach()
        await self.runner.round()
        await self.clock.sleep(6.0)
        await self.runner.round()

    def thumbs(self, arm: float, control: float) -> Callable[[bool], float]:
        return lambda in_arm: float(self.rng.random() < (arm if in_arm else control))

    async def rollout(self) -> Rollout:
        return await self.rollouts.rollout("r")

    async def begin(self, plan: RolloutPlan) -> None:
        await self.rollouts.draft("r", plan, "me")
        await self.rollouts.begin("r", "me")
        await self.runner.round()

    async def in_force(self) -> Assignment:
        found = await self.desk.assignment("shop")
        assert found is not None
        return found

    def again(self) -> None:
        """What a restart leaves: the store and nothing else."""
        self.desk = Desk(self.store.ledger, AssignmentHub(), Counters())
        self.rollouts = Rollouts(self.store.ledger, self.desk)
        self.watch = ArmWatch(self.store, self.desk, self.clock)
        self.runner = RolloutRunner(self.rollouts, self.watch, self.clock)


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    clock = SetClock()
    store = FileStore(tmp_path, clock)
    await store.start()
    desk = Desk(store.ledger, AssignmentHub(), Counters())
    rollouts = Rollouts(store.ledger, desk)
    pipeline = Pipeline(store, clock, Counters(), lambda: None, desk.release)
    control = await desk.publish(ReleaseDraft("shop", {"k": 1}, "control"), "me")
    candidate = await desk.publish(ReleaseDraft("shop", {"k": 2}, "candidate"), "me", aside)
    watch = ArmWatch(store, desk, clock)
    runner = RolloutRunner(rollouts, watch, clock)
    yield Street(clock, store, desk, rollouts, watch, runner, pipeline, control, candidate)
    await store.stop()


async def until(street: Street, state: RolloutState, score: Callable[[bool], float], most: int = 40) -> int:
    """Traffic in rounds of 100 users; how many rounds it took."""
    for number in range(most):
        await street.traffic(100, score)
        if (await street.rollout()).state is state:
            return number
    raise AssertionError(
        f"{(await street.rollout())}, {(await street.runner.progress(await street.rollout())).decision}"
    )


async def test_a_good_candidate_ramps_and_is_promoted(street: Street) -> None:
    await street.begin(street.plan(Guardrail(Signal.ERROR)))
    await until(street, RolloutState.PROMOTED, street.thumbs(0.9, 0.7))
    in_force = await street.in_force()
    assert (in_force.control, in_force.arms) == (street.candidate.number, ())
    kinds = [one.kind for one in reversed(await street.store.ledger.history(prefix="rollout/"))]
    assert kinds == ["rollout_drafted", "rollout_began", "stage_entered", "rollout_promoted"]


async def test_a_bad_candidate_is_taken_back(street: Street) -> None:
    await street.begin(street.plan())
    await until(street, RolloutState.ABORTED, street.thumbs(0.3, 0.8))
    in_force = await street.in_force()
    assert (in_force.control, in_force.arms) == (street.control.number, ())
    assert "metric quality: worse than the control" in (await street.rollout()).message


async def test_errors_take_a_candidate_back_that_scores_well(street: Street) -> None:
    await street.begin(street.plan(Guardrail(Signal.ERROR)))
    for _ in range(10):
        await street.traffic(100, lambda _: 0.9, error=0.6)
    assert (await street.rollout()).state is RolloutState.ABORTED
    assert "guardrail error" in (await street.rollout()).message


async def test_a_release_that_an_application_refuses_is_taken_back_at_once(street: Street) -> None:
    await street.begin(street.plan())
    word = Acknowledgement("shop", "app-1", street.candidate.number, ReleaseStatus.FAILED, "k: no", street.clock.now)
    await street.store.acknowledgements.acknowledge(word)
    await street.runner.round()
    rollout = await street.rollout()
    assert (rollout.state, rollout.message) == (
        RolloutState.ABORTED,
        "an application refuses the release: app-1: k: no",
    )


async def test_units_that_vanish_freeze_it(street: Street) -> None:
    await street.begin(street.plan())
    for _ in range(12):
        await street.traffic(100, lambda _: 0.9, wrong=lambda in_arm: in_arm)
    rollout = await street.rollout()
    assert (rollout.state, "sample-ratio mismatch" in rollout.message) == (RolloutState.PAUSED, True)


async def test_no_traffic_decides_nothing_and_a_person_is_asked_at_the_cap(street: Street) -> None:
    await street.begin(street.plan(cap=100.0))
    for _ in range(5):
        await street.traffic(0, lambda _: 1.0)
    assert ((await street.rollout()).state, (await street.rollout()).stage) == (RolloutState.RAMPING, 0)
    await street.clock.sleep(100.0)
    await street.runner.round()
    assert (await street.rollout()).state is RolloutState.INCONCLUSIVE


async def test_a_restart_goes_on_with_what_it_knew(street: Street) -> None:
    await street.begin(street.plan(Guardrail(Signal.ERROR)))
    for _ in range(3):
        await street.traffic(100, street.thumbs(0.9, 0.7))
    before = await street.watch.comparison(await street.rollout())
    in_force = await street.in_force()
    street.again()
    after = await street.watch.comparison(await street.rollout())
    assert (after, await street.in_force()) == (before, in_force)
    assert before.metric.arm_units > 0
    await until(street, RolloutState.PROMOTED, street.thumbs(0.9, 0.7))


async def test_traces_that_ran_with_two_releases_are_counted_apart(street: Street) -> None:
    await street.begin(street.plan())
    assignment = await street.in_force()
    entry = {"opto.release": 2, "opto.assignment": assignment.revision, "opto.unit": unit_of("x")}
    spans = [samples.span(1, 1, values=entry), samples.span(1, 2, 1, values={"opto.release": 1}, start=1)]
    await street.pipeline.ingest(Telemetry.TRACES, samples.traces_request(spans))
    await street.runner.round()
    await street.clock.sleep(6.0)
    await street.runner.round()
    comparison = await street.watch.comparison(await street.rollout())
    assert (comparison.mixed, comparison.ratio.units) == (1, 0)


async def test_what_an_application_refused_before_the_rollout_began_does_not_end_it(street: Street) -> None:
    number, before = street.candidate.number, street.clock.now
    await street.store.acknowledgements.acknowledge(
        Acknowledgement("shop", "gone", number, ReleaseStatus.FAILED, "not signed", before)
    )
    await street.clock.sleep(1.0)
    await street.begin(street.plan())
    await street.runner.round()
    assert (await street.rollout()).state is RolloutState.RAMPING
    await street.store.acknowledgements.acknowledge(
        Acknowledgement("shop", "here", number, ReleaseStatus.FAILED, "not signed", street.clock.now)
    )
    await street.runner.round()
    assert (await street.rollout()).state is RolloutState.ABORTED


@pytest.mark.parametrize("ahead", [-400 * 86_400, -600, 3_600])
async def test_a_unit_is_waited_for_from_when_it_was_seen_whatever_the_applications_clock_says(
    street: Street, ahead: int
) -> None:
    """A request of ten minutes is seen at its end, and what is said of it comes behind that."""
    await street.begin(street.plan())
    assignment = await street.in_force()
    entry = {"opto.release": assignment.control, "opto.assignment": assignment.revision, "opto.unit": unit_of("x")}
    start = street.clock.now - samples.START + ahead * SECOND
    await street.pipeline.ingest(
        Telemetry.TRACES, samples.traces_request([samples.span(1, 1, values=entry, start=start)])
    )
    await street.runner.round()
    await street.clock.sleep(3.0)
    target = SpanContext(samples.trace_id(1), samples.span_id(1))
    await street.pipeline.submit([Feedback(target, "quality", 1.0, time_unix_nano=street.clock.now)])
    await street.pipeline.attach()
    await street.runner.round()
    assert (await street.watch.comparison(await street.rollout())).ratio.units == 0
    await street.clock.sleep(3.0)
    await street.runner.round()
    comparison = await street.watch.comparison(await street.rollout())
    assert (comparison.metric.control_units, comparison.unscored) == (1, 0)
