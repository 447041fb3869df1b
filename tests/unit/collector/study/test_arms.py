"""Studies on live traffic: trials are arms, several at once; the control keeps the rest; the best one is rolled out."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from collector.core.candidate import Fate
from collector.core.feedback import Feedback
from collector.core.protocols import OptimizationRequest
from collector.core.release import Acknowledgement, ReleaseDraft, ReleaseStatus
from collector.core.rollout import RolloutState
from collector.core.span import SpanContext
from collector.core.study import Exploration, Policy, Proposal, Study, StudyRecord, StudyState
from collector.core.telemetry import Signal
from collector.pipeline import Pipeline
from collector.storage.file_store import FileStore
from collector.study.runner import RunnerSettings, StudyRunner
from collector.study.window.measuring import Measuring
from collector.study.window.placing import shares_of
from otel_opto.assignment import Arm, Assignment, unit_of
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from tests import samples
from tests.control import Control, control_of
from tests.unit.collector.rollout.test_runner import SetClock

SPECS = (ParameterSpec("x", ParameterType.INTEGER, 5, Constraint(minimum=0, maximum=9)),)
EXPLORATION = Exploration(share=0.4, parallel=2, deadline_seconds=1_000.0, feedback_delay_seconds=5.0)
STUDY = Study(
    "tune", "shop", "quality", batch_size=30, max_trials=3, optimizer="scripted", exploration=EXPLORATION,
    promotion=Policy.AUTOMATIC,
)  # fmt: skip


@dataclass
class Scripted:
    script: list[int]
    requests: list[OptimizationRequest] = field(default_factory=list)

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        return ()

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        self.requests.append(request)
        return [Proposal({request.parameters[0].key: self.script.pop(0)}, "try it")]


@dataclass
class Town:
    """A service with users; how good it is depends on x."""

    clock: SetClock
    store: FileStore
    pipeline: Pipeline
    control: Control
    optimizer: Scripted
    runner: StudyRunner
    rng: random.Random = field(default_factory=lambda: random.Random(3))
    users: int = 0
    drift: float = 0.0

    async def traffic(self, users: int) -> None:
        assignment = await self.in_force()
        spans, said = [], []
        for _ in range(users):
            self.users += 1
            unit = unit_of(f"user-{self.users}")
            release = await self.control.desk.release(assignment.release_for(unit))
            assert release is not None
            x = release.values["x"].value
            assert isinstance(x, int)
            values = {"opto.release": release.number, "opto.assignment": assignment.revision, "opto.unit": unit,
                      "opto.param.x.version": release.values["x"].version}  # fmt: skip
            spans.append(samples.span(self.users, 1, values=values, start=self.clock.now - samples.START))
            good = self.rng.random() < min(max(x / 10 - self.drift, 0.0), 1.0)
            target = SpanContext(samples.trace_id(self.users), samples.span_id(1))
            said.append(Feedback(target, "quality", float(good), time_unix_nano=self.clock.now))
        await self.pipeline.ingest(Signal.TRACES, samples.traces_request(spans))
        await self.pipeline.submit(said)
        await self.pipeline.attach(0.0)
        await self.runner.improve("tune")
        await self.clock.sleep(6.0)
        await self.runner.improve("tune")

    async def record(self) -> StudyRecord:
        record = await self.control.studies.study("tune")
        assert record is not None
        return record

    async def arms(self, study: str = "tune") -> Sequence[Arm]:
        layer = (await self.in_force()).layer(study)
        return layer.arms if layer is not None else ()

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
    optimizer = Scripted([])
    runner = StudyRunner(
        store, pipeline, control.arms, lambda _: optimizer, control.counters, RunnerSettings(), asyncio.Event()
    )
    await store.parameters.declare("shop", SPECS)
    await control.desk.publish(ReleaseDraft("shop", {"x": 5}, "by hand"), "me")
    yield Town(clock, store, pipeline, control, optimizer, runner)
    await store.stop()


async def begin(town: Town, *values: int, study: Study = STUDY) -> None:
    town.optimizer.script = list(values)
    await town.control.studies.create(study, "me")
    await town.runner.improve("tune")


async def test_the_control_is_the_baseline_and_stays_in_force(town: Town) -> None:
    await begin(town, 9, 1, 6)
    record = await town.record()
    assert [(trial.number, trial.release, trial.running) for trial in record.trials] == [(0, 1, True)]
    assert not (await town.in_force()).splits
    await town.traffic(40)
    assert (await town.in_force()).control == 1
    assert [(arm.start, arm.share) for arm in await town.arms()] == [(6_000, 2_000), (8_000, 2_000)]


async def test_the_best_of_several_arms_goes_on_as_a_rollout(town: Town) -> None:
    await begin(town, 9, 6, 4)
    for _ in range(40):
        await town.traffic(100)
        if (await town.record()).state is not StudyState.RUNNING:
            break
    record = await town.record()
    assert record.state is StudyState.FINISHED
    assert [trial.values["x"] for trial in record.trials] == [5, 9, 6, 4]
    best = record.winner()
    assert best is not None
    assert best.values["x"] == 9
    assert "the rollout 'tune' of trial 1 is ramping" in record.message
    rollout = await town.control.rollouts.rollout("tune")
    assert (rollout.state, rollout.plan.release) == (RolloutState.RAMPING, best.release)
    in_force = await town.in_force()
    assert (in_force.control, [arm.release for arm in in_force.arms]) == (1, [best.release])


async def test_a_trial_that_does_harm_is_given_up_early_and_frees_its_traffic(town: Town) -> None:
    await begin(town, 0, 9, 6, study=replace(STUDY, batch_size=400, exploration=replace(EXPLORATION, parallel=1)))
    await town.traffic(500)
    for _ in range(6):
        await town.traffic(100)
    record = await town.record()
    assert "metric quality: worse than the control" in record.trials[1].given_up
    assert (record.trials[1].state, record.trials[1].fate) == ("aborted", Fate.BROKEN)
    assert [arm.release for arm in await town.arms()] == [record.trials[2].release]


async def test_a_trial_that_an_application_refuses_ends_at_once(town: Town) -> None:
    await begin(town, 9, 6, 4)
    await town.traffic(40)
    trial = (await town.record()).trials[1]
    await town.store.acknowledgements.acknowledge(
        Acknowledgement("shop", "app", trial.release, ReleaseStatus.FAILED, "x: no", 1)
    )
    await town.runner.improve("tune")
    ended = (await town.record()).trials[1]
    assert (ended.state, ended.given_up) == ("aborted", "an application refuses the release: app: x: no")


async def test_a_trial_without_traffic_ends_at_its_deadline(town: Town) -> None:
    await begin(town, 9, 6, 4)
    await town.traffic(40)
    await town.clock.sleep(1_001.0)
    for _ in range(3):
        await town.traffic(0)
    first, second = (await town.record()).trials[1:3]
    assert first.given_up == second.given_up == "no 30 scored units within 1000 s"


async def test_traffic_that_gets_worse_hits_arms_and_control_alike(town: Town) -> None:
    """The better value comes on the worse day: by its score alone it would lose."""
    one_by_one = replace(STUDY, batch_size=60, max_trials=2, exploration=replace(EXPLORATION, parallel=1))
    await begin(town, 4, 8, study=one_by_one)
    await town.traffic(200)
    while len((await town.record()).trials) < 3:
        await town.traffic(100)
    town.drift = 0.4
    for _ in range(60):
        await town.traffic(100)
        if (await town.record()).state is not StudyState.RUNNING:
            break
    record = await town.record()
    worse, better = record.trials[1:3]
    assert record.winner() == better
    assert better.score is not None
    assert (worse.lead() or 0) < 0 < (better.lead() or 0)


async def test_busy_traffic_is_judged_in_parts_and_all_of_it_at_last(town: Town) -> None:
    """However much has come, a look is over soon, and the study can go on when its window is full."""
    await begin(town, 9, study=replace(STUDY, batch_size=900))
    await town.traffic(800)
    units = Measuring(town.store, town.control.desk, town.clock)
    found = [len(await units.look(await town.record())) for _ in range(3)]
    assert found == [600, 800, 800]  # the runner has looked once


async def test_two_studies_of_a_service_run_side_by_side(town: Town) -> None:
    """They have no parameter in common: each has buckets of its own, and both are compared with the same control."""
    other = ParameterSpec("y", ParameterType.INTEGER, 1, Constraint(minimum=0, maximum=9))
    await town.store.parameters.declare("shop", [*SPECS, other])
    await town.control.desk.publish(ReleaseDraft("shop", {"x": 5, "y": 1}, "by hand"), "me")
    narrow = replace(EXPLORATION, share=0.2, parallel=1)
    town.optimizer.script = [9, 6]
    await town.control.studies.create(replace(STUDY, parameters=("x",), exploration=narrow), "me")
    second = replace(STUDY, name="second", optimizer="other", parameters=("y",), exploration=narrow)
    await town.control.studies.create(second, "me")
    for _ in range(3):
        await town.runner.improve("second")
        await town.traffic(60)
    of = {name: await town.control.studies.study(name) for name in ("tune", "second")}
    windows = [record.windows[-1] for record in of.values() if record is not None]
    assert [window.trials for window in windows] == [(1,), (1,)]
    layers = (await town.in_force()).layers
    assert [[(arm.start, arm.share) for arm in layer.arms] for layer in layers] == [[(8_000, 2_000)], [(8_000, 2_000)]]
    assert {arm.release for layer in layers for arm in layer.arms} == {window.releases[1] for window in windows}


async def test_a_study_that_is_stopped_leaves_no_arm(town: Town) -> None:
    await begin(town, 9, 6, 4)
    await town.traffic(40)
    assert len(await town.arms()) == 2
    await town.runner.conclude(await town.record(), StudyState.STOPPED, "enough", "me")
    assert not (await town.in_force()).splits
    assert (await town.record()).state is StudyState.STOPPED


async def test_the_optimizer_sees_what_is_being_tried_and_does_not_propose_it_again(town: Town) -> None:
    await begin(town, 9, 6, 4)
    await town.traffic(40)
    second = town.optimizer.requests[1]
    assert [(trial.values["x"], trial.score is None) for trial in second.trials] == [(5, False), (9, True)]


def test_everybody_in_a_window_has_a_share() -> None:
    study = replace(STUDY, exploration=Exploration(share=0.1))
    assert shares_of(study, {0: 0.5, 1: 0.25, 2: 0.25}) == {0: 0.9, 1: 0.05, 2: 0.05}
    assert shares_of(study, {0: 0.5, 1: 0.5 - 1e-5, 2: 1e-5}) is None
    whole = replace(STUDY, exploration=Exploration(share=1.0))
    assert shares_of(whole, {0: 0.6, 1: 0.4}) == {0: 0.6, 1: 0.4}
    assert shares_of(whole, {0: 1.0}) == {0: 1.0}
