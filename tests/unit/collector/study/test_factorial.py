"""Studies of one service that have no parameter in common, side by side: every unit takes part in both."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from collector.core.candidate import Fate, Selection
from collector.core.feedback import Feedback
from collector.core.protocols import OptimizationRequest
from collector.core.release import Acknowledgement, ReleaseDraft, ReleaseStatus
from collector.core.rollout import RolloutPlan, RolloutState
from collector.core.span import SpanContext
from collector.core.study import Exploration, Policy, Proposal, Study, StudyRecord, StudyState
from collector.core.telemetry import Signal
from collector.pipeline import Pipeline
from collector.storage.file_store import FileStore
from collector.study.crossings import room
from collector.study.runner import RunnerSettings, StudyRunner
from collector.study.window.measuring import Counted, Measuring
from otel_opto.assignment import Arm, Assignment, Layer, unit_of
from otel_opto.spec import Constraint, ParameterSpec, ParameterType, ParameterValue
from tests import samples
from tests.control import Control, control_of
from tests.unit.collector.rollout.test_runner import SetClock

WHOLE = Exploration(share=1.0, feedback_delay_seconds=5.0)
ENDLESS = Selection(units=100_000, alpha=1e-12)
"""Nothing is ever shown."""

HALF = Exploration(share=0.5, feedback_delay_seconds=5.0)


def parameter(key: str, highest: int = 9) -> ParameterSpec:
    return ParameterSpec(key, ParameterType.INTEGER, 5, Constraint(minimum=0, maximum=highest))


def study(key: str, **more: object) -> Study:
    made = Study(
        key, "shop", "quality", optimizer=key, parameters=(key,), max_trials=1, batch_size=30, exploration=WHOLE,
        promotion=Policy.AUTOMATIC, selection=Selection(units=1_200),
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


@dataclass
class Listed:
    """Gives its values one by one."""

    values: list[int]

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        return ()

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        return [Proposal({request.study.name: self.values.pop(0)}, "try it")] if self.values else []


Goodness = Callable[[int, int], float]


@dataclass
class Town:
    """A service with two parameters, x and y, and users."""

    clock: SetClock
    store: FileStore
    pipeline: Pipeline
    control: Control
    runner: StudyRunner
    optimizers: dict[str, Listed]
    good: Goodness = lambda x, y: 0.5
    fails: Goodness = lambda x, y: 0.0
    rng: random.Random = field(default_factory=lambda: random.Random(5))
    users: int = 0

    async def begin(self, *studies: Study) -> None:
        for one in studies:
            await self.control.studies.create(one, "me")
            await self.runner.improve(one.name)

    async def traffic(self, users: int, *names: str) -> None:
        """So many users. Then every study takes its step."""
        assignment, spans, said = await self.in_force(), [], []
        for _ in range(users):
            self.users += 1
            unit = unit_of(f"user-{self.users}")
            values = await self.values(assignment.release_for(unit))
            x, y = int(values["x"]), int(values["y"])
            failed = self.rng.random() < self.fails(x, y)
            told = {"opto.release": assignment.release_for(unit), "opto.assignment": assignment.revision,
                    "opto.unit": unit}  # fmt: skip
            start = self.clock.now - samples.START
            spans.append(samples.span(self.users, 1, values=told, start=start, error="Broken" if failed else ""))
            if not failed:
                score = float(self.rng.random() < self.good(x, y))
                target = SpanContext(samples.trace_id(self.users), samples.span_id(1))
                said.append(Feedback(target, "quality", score, time_unix_nano=self.clock.now))
        if spans:
            await self.pipeline.ingest(Signal.TRACES, samples.traces_request(spans))
            await self.pipeline.submit(said)
            await self.pipeline.attach(0.0)
        await self.step(*names)
        await self.clock.sleep(6.0)
        await self.step(*names)

    async def step(self, *names: str) -> None:
        for name in names or ("x", "y"):
            await self.runner.improve(name)

    async def values(self, release: int) -> dict[str, ParameterValue]:
        found = await self.control.desk.release(release)
        assert found is not None
        return {key: one.value for key, one in found.values.items()}

    async def record(self, name: str) -> StudyRecord:
        record = await self.control.studies.study(name)
        assert record is not None
        return record

    async def counted(self, name: str) -> Sequence[Counted]:
        return await Measuring(self.store, self.control.desk, self.clock).look(await self.record(name))

    async def in_force(self) -> Assignment:
        found = await self.control.desk.assignment("shop")
        assert found is not None
        return found


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    clock = SetClock()
    store = FileStore(tmp_path, clock)
    await store.start()
    control = control_of(store, clock)
    pipeline = Pipeline(store, clock, control.counters, lambda: None, control.desk.release)
    optimizers = {"x": Listed([9]), "y": Listed([1])}
    runner = StudyRunner(
        store, pipeline, control.arms, lambda name: optimizers[name], control.counters, RunnerSettings(),
        asyncio.Event(),
    )  # fmt: skip
    await store.parameters.declare("shop", [parameter("x"), parameter("y")])
    await control.desk.publish(ReleaseDraft("shop", {"x": 5, "y": 5}, "by hand"), "me")
    yield Town(clock, store, pipeline, control, runner, optimizers)
    await store.stop()


async def test_each_study_deals_every_unit_by_itself_and_a_release_says_both(town: Town) -> None:
    await town.begin(study("x"), study("y"))
    await town.traffic(60)
    in_force = await town.in_force()
    assert [layer.name for layer in in_force.layers] == ["x", "y"]
    shares = [layer.taken / 10_000 for layer in in_force.layers]
    had = Counter(in_force.release_for(unit_of(f"somebody-{number}")) for number in range(5_000))
    (crossing,) = in_force.crossings
    assert had.keys() == {in_force.control, *crossing.of, crossing.release}
    for release, count in had.items():
        x, y = (await town.values(release)).values()
        parts = (shares[0] if x == 9 else 1 - shares[0]) * (shares[1] if y == 1 else 1 - shares[1])
        assert count / 5_000 == pytest.approx(parts, abs=0.04)
        assert in_force.share(release) / 10_000 == pytest.approx(parts)
    crossed, *arms = [await town.control.desk.release(number) for number in (crossing.release, *crossing.of)]
    assert crossed is not None
    assert [in_force.arm_of(name, crossing.release) for name in ("x", "y")] == list(crossing.of)
    assert "units in arms of several studies" in crossed.reason
    for arm, key in zip(arms, ("x", "y"), strict=True):
        assert arm is not None
        assert crossed.values[key] == arm.values[key]  # its version, too: spans name the release that brought it


async def test_an_estimate_is_the_mean_over_the_arms_of_the_other_study(town: Town) -> None:
    """With y at 1 what x gains is lost: each sees what its value is worth on the traffic that there is."""
    town.good = lambda x, y: 0.2 + 0.4 * (x == 9 and y == 5) + 0.3 * (y == 1)
    await town.begin(study("x", selection=ENDLESS), study("y", selection=ENDLESS))
    await town.traffic(40)
    share = {layer.name: layer.taken / 10_000 for layer in (await town.in_force()).layers}
    for _ in range(8):
        await town.traffic(150)
    for name, expected in (("x", 0.4 * (1 - share["y"])), ("y", 0.3 - 0.4 * share["x"])):
        record = await town.record(name)
        trial = record.trials[1]
        assert trial.found is not None
        assert trial.found.lead == pytest.approx(expected, abs=0.08)
        assert trial.found.deviation is not None
        assert trial.found.deviation < 0.04


async def test_what_breaks_the_application_is_the_study_whose_value_does(town: Town) -> None:
    town.fails = lambda x, y: 0.6 * (y == 1)
    town.good = lambda x, y: 0.3 + 0.6 * (x == 9)
    await town.begin(study("x"), study("y"))
    for _ in range(12):
        await town.traffic(100)
    broken = (await town.record("y")).trials[1]
    assert broken.fate is Fate.BROKEN
    assert "guardrail error: worse than the control" in broken.why
    found = await town.record("x")
    assert found.winner() == found.trials[1]
    assert (await town.values((await town.in_force()).control)) == {"x": 9, "y": 5}


async def test_what_breaks_only_where_both_meet_is_said_of_who_meets_it(town: Town) -> None:
    town.fails = lambda x, y: 0.9 * (x == 9 and y == 1)
    await town.begin(study("x"), study("y"))
    for _ in range(8):
        await town.traffic(200)
    fates = {name: (await town.record(name)).trials[1] for name in ("x", "y")}
    assert "guardrail error" in " ".join(trial.why for trial in fates.values() if trial.fate is Fate.BROKEN)
    assert not (await town.in_force()).crossings


async def test_a_release_of_one_neither_resets_nor_undoes_the_other(town: Town) -> None:
    town.good = lambda x, y: 0.3 + 0.4 * (x == 9) + 0.05 * (y == 1)
    await town.begin(study("x"), study("y", selection=ENDLESS))
    before = await town.in_force()
    while (await town.record("x")).state is StudyState.RUNNING:
        before = await town.in_force()
        counts = [trial.feedback_count for trial in (await town.record("y")).trials]
        await town.traffic(100)
    await town.step("y")
    after, record = await town.in_force(), await town.record("y")
    assert await town.values(after.control) == {"x": 9, "y": 5}
    assert record.state is StudyState.RUNNING
    layers = [one.layer("y") for one in (before, after)]
    assert layers[0] is not None
    assert layers[1] is not None
    assert [await town.values(arm.release) for arm in layers[1].arms] == [
        {"x": 9, "y": value["y"]} for value in [await town.values(arm.release) for arm in layers[0].arms]
    ]
    assert [trial.feedback_count for trial in record.trials[: len(counts)]] >= counts
    for _ in range(3):
        await town.traffic(100)
    now = [trial.feedback_count for trial in (await town.record("y")).trials]
    assert sum(now) > sum(counts) > 0


async def test_where_only_the_control_changes_every_unit_keeps_its_arm(town: Town) -> None:
    await town.begin(study("y", batch_size=100))
    await town.traffic(110, "y")
    before = (await town.in_force()).layer("y")
    await town.traffic(100, "y")
    await town.control.desk.publish(ReleaseDraft("shop", {"x": 7, "y": 5}, "by hand"), "me")
    await town.step("y")
    after = (await town.in_force()).layer("y")
    assert before is not None
    assert after is not None
    assert (after.salt, [(arm.start, arm.share) for arm in after.arms]) == (
        before.salt, [(arm.start, arm.share) for arm in before.arms],
    )  # fmt: skip
    assert await town.values(after.arms[0].release) == {"x": 7, "y": 1}
    windows = (await town.record("y")).windows
    assert windows[-2].closed == "what is in force for everybody has changed"


async def test_a_rollout_back_to_what_was_in_force_keeps_its_arm_when_a_study_deals_anew(town: Town) -> None:
    await town.begin(study("y", batch_size=100, exploration=HALF))
    await town.traffic(110, "y")
    await town.traffic(100, "y")
    before = await town.control.desk.control("shop")
    assert before is not None
    await town.control.desk.publish(ReleaseDraft("shop", {"x": 7, "y": 5}, "by hand"), "me")
    back = RolloutPlan("shop", before.number, before.hash, policy=Policy.AUTOMATIC)
    await town.control.rollouts.draft("back", back, "me")
    await town.control.rollouts.begin("back", "me")
    arms = (await town.in_force()).arms
    await town.step("y")
    assert [arm.release for arm in arms] == [before.number]
    assert (await town.in_force()).arms == arms


async def test_a_deploy_that_narrows_a_parameter_ends_the_candidates_of_its_study_only(town: Town) -> None:
    await town.begin(study("x", batch_size=100), study("y", batch_size=100))
    await town.traffic(110)
    windows = len((await town.record("x")).windows)
    assert (await town.in_force()).crossings
    narrowed = replace(parameter("y"), constraint=Constraint(minimum=3, maximum=9))
    await town.store.parameters.declare("shop", [parameter("x"), narrowed])
    await town.step()
    record = await town.record("x")
    assert (await town.record("y")).trials[1].fate is Fate.INVALID
    assert (record.trials[1].fate, len(record.windows), record.windows[-1].closed) == (Fate.OPEN, windows, "")
    in_force = await town.in_force()
    assert [layer.name for layer in in_force.layers] == ["x"]
    assert not in_force.crossings


@pytest.mark.parametrize("alone", [True, False])
async def test_a_refusal_ends_whose_value_is_refused(town: Town, *, alone: bool) -> None:
    """What is refused only where both meet ends the first of them that looks, in words that name the other."""
    await town.begin(study("x", batch_size=100), study("y", batch_size=100))
    await town.traffic(110)
    (crossing,) = (await town.in_force()).crossings
    for release in [crossing.release, *([crossing.of[1]] if alone else [])]:
        word = Acknowledgement("shop", "app", release, ReleaseStatus.FAILED, "no", 1)
        await town.store.acknowledgements.acknowledge(word)
    await town.step()
    trials = {name: (await town.record(name)).trials[1] for name in ("x", "y")}
    broken = trials.pop("y" if alone else "x")
    assert broken.fate is Fate.BROKEN
    assert (f"beside release {crossing.of[1]} of another study" in broken.why) is not alone
    assert [trial.fate for trial in trials.values()] == [Fate.OPEN]


async def test_a_winner_waits_for_the_rollout_of_the_other_and_stands_beside_what_that_leaves(town: Town) -> None:
    town.good = lambda x, y: 0.1 + 0.4 * (x == 9) + 0.4 * (y == 1)
    await town.begin(study("x", exploration=HALF), study("y", exploration=HALF))
    for _ in range(40):
        await town.traffic(150)
        won = [(await town.record(name)).state is StudyState.FINISHED for name in ("x", "y")]
        if any(won) and not (await town.in_force()).layers:
            break
    (first,) = await town.control.rollouts.all()
    second = next(name for name in ("x", "y") if name != first.name)
    assert (await town.record(second)).state is StudyState.RUNNING
    assert (await town.in_force()).layers == ()  # its arms are free while it waits
    counted = len(await town.counted(second))
    town.good = lambda x, y: 0.9  # nobody is dealt who could be compared with these
    for _ in range(3):
        await town.traffic(150)
    assert len(await town.counted(second)) == counted
    await town.control.rollouts.promote(first.name, "better", "me")
    await town.step()
    assert (await town.record(second)).state is StudyState.FINISHED
    rollout = await town.control.rollouts.rollout(second)
    assert rollout.state is RolloutState.RAMPING
    assert await town.values(rollout.plan.release) == {"x": 9, "y": 1}


def test_studies_side_by_side_have_room_alike() -> None:
    alone = Assignment("shop", 1, 1)
    assert [room(alone, "x", running) for running in (1, 2, 3, 10)] == [63, 7, 3, 1]
    arms = tuple(Arm(number + 2, number * 100, 100) for number in range(20))
    assert room(Assignment("shop", 1, 1, layers=(Layer("y", "s", arms),)), "x", 2) == 2
    many = tuple(Arm(number + 2, number * 100, 100) for number in range(63))
    assert room(Assignment("shop", 1, 1, layers=(Layer("y", "s", many),)), "x", 2) == 0
