"""A service with simulated users and one study: the real study code on a store in memory, with a clock that is set."""
# ruff: noqa: ARG002 - the doubles below answer whatever they are asked

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

from collector.core.candidate import Window
from collector.core.protocols import OptimizationRequest
from collector.core.release import ReleaseDraft
from collector.core.rollout import Signal
from collector.core.study import Exploration, Proposal, Study, StudyRecord, StudyState
from collector.core.units import Unit
from collector.pipeline import Pipeline
from collector.publisher.desk import Desk
from collector.storage.memory.store import MemoryStore
from collector.study.runner import RunnerSettings, StudyRunner
from collector.study.window.measuring import Counted
from otel_opto.assignment import BUCKETS
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from tests import samples
from tests.control import control_of

_SPEC = ParameterSpec("x", ParameterType.INTEGER, 0, Constraint(minimum=0, maximum=1_000))
SERVICE, METRIC, NAME = "shop", "quality", "tune"


class SetClock:
    """Goes on when it is told."""

    def __init__(self) -> None:
        self.now = samples.START

    def now_unix_nano(self) -> int:
        """See `Clock`."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        self.now += int(seconds * 1e9)


@dataclass
class Variants:
    """An optimizer that has a list of values, and gives it as one answer."""

    values: Sequence[int]
    given: bool = False

    def check(self, study: Study, parameters: Sequence[ParameterSpec]) -> Sequence[str]:
        """See `Optimizer`."""
        return ()

    async def propose(self, request: OptimizationRequest) -> Sequence[Proposal]:
        """See `Optimizer`."""
        if self.given:
            return ()
        self.given = True
        return [Proposal({"x": value}, "a variant") for value in self.values]


@dataclass
class Users:
    """What becomes of users: thumbs up with a chance that depends on x and on the time.

    Attributes:
        chances: By the value of x.
        fall: How far all fall, from the first user to the last.
        last: So many users come until then.
        failing: How many of them meet an error, by the value of x.
    """

    chances: Mapping[int, float]
    fall: float = 0.0
    last: int = 3_000
    failing: Mapping[int, float] = field(default_factory=dict)
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    came: int = 0

    def next(self, value: int, *, in_arm: bool, share: float) -> Unit:
        """What becomes of the next one, with that value of x."""
        self.came += 1
        if self.rng.random() < self.failing.get(value, 0.0):
            return Unit(in_arm, share, None, {Signal.ERROR: True, Signal.SILENT: True})
        chance = self.chances[value] - self.fall * min(self.came / self.last, 1.0)
        return Unit(in_arm, share, float(self.rng.random() < chance), {Signal.ERROR: False, Signal.SILENT: False})


class AtOnce(ThreadPoolExecutor):
    """Does in the calling thread what others do in another: nobody else waits, and changing threads takes long."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """See `ThreadPoolExecutor`."""
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is told to who waits
            done.set_exception(error)
        return done


class SimulatedUnits:
    """Some users come whenever a study looks; each gets the release that the assignment in force gives.

    Attributes:
        at_once: How many, at most: the last ones of a window come one by one, so that no more come than it is for.
    """

    def __init__(self, desk: Desk, users: Users, at_once: int) -> None:
        self._desk, self._users, self.at_once = desk, users, at_once
        self._counted: list[Counted] = []

    async def look(self, record: StudyRecord, *, late: bool = False) -> Sequence[Counted]:
        """See `Units`."""
        window = record.window()
        in_force = await self._desk.assignment(record.study.service)
        if window is None or in_force is None or late:
            return self._counted
        trials = {release: trial for trial, release in window.releases.items()}
        layer = in_force.layer(record.study.name)
        taken = layer.taken if layer is not None else 0
        for _ in range(self._wanted(window)):
            number = in_force.release_for(f"{self._users.rng.getrandbits(128):032x}")
            trial = trials[number]
            arms = layer.share(number) if layer is not None and trial else taken
            release = await self._desk.release(number)
            assert release is not None
            value = release.values["x"].value
            assert isinstance(value, int)
            share = arms / (arms + BUCKETS - taken) if arms else 0.5
            unit = self._users.next(value, in_arm=trial > 0, share=share)
            self._counted.append(Counted(window.number, trial, unit))
        return self._counted

    def _wanted(self, window: Window) -> int:
        """So many as do not fill the window to more than nine tenths of what is missing, one at least."""
        last = takewhile(lambda one: one.window == window.number, reversed(self._counted))
        mine = [one.trial for one in last if one.counts]
        came = sum(trial > 0 for trial in mine) if window.trials else len(mine)
        part = (1 - window.shares[0] if window.trials else 1.0) or 1.0
        return max(min(self.at_once, int(0.9 * (window.least - came) / part)), 1)

    def forget(self, name: str) -> None:
        """See `Units`."""


def study(**more: object) -> Study:
    """A study on traffic that is there to evaluate, as it is by default."""
    made = Study(NAME, SERVICE, METRIC, optimizer="variants", exploration=Exploration(share=1.0))
    return replace(made, **more)  # type: ignore[arg-type]


async def studied(users: Users, of: Study, *, at_once: int = 50, most: int = 20_000) -> StudyRecord:
    """A study to its end, or until so many users came."""
    asyncio.get_running_loop().set_default_executor(AtOnce())
    clock = SetClock()
    store = MemoryStore(clock)
    control = control_of(store, clock)
    pipeline = Pipeline(store, clock, control.counters, lambda: None, control.desk.release)
    optimizer = Variants([value for value in users.chances if value])
    arms = replace(control.arms, units=SimulatedUnits(control.desk, users, at_once))
    runner = StudyRunner(
        store, pipeline, arms, lambda _: optimizer, control.counters, RunnerSettings(), asyncio.Event()
    )  # fmt: skip
    await store.parameters.declare(SERVICE, (_SPEC,))
    await control.desk.publish(ReleaseDraft(SERVICE, {"x": 0}, "by hand"), "me")
    await control.studies.create(of, "benchmark")
    while users.came < most:
        await runner.improve(NAME)
        await clock.sleep(1.0)
        record = await control.studies.study(NAME)
        assert record is not None
        if record.state is not StudyState.RUNNING:
            break
    return record


def released(record: StudyRecord, users: Users) -> float | None:
    """How much better than what was in force the release truly is; None where nothing was released."""
    winner = record.winner()
    if winner is None:
        return None
    value = winner.values["x"]
    assert isinstance(value, int)
    return users.chances[value] - users.chances[0]


def town(seed: int, candidates: Sequence[float], fall: float = 0.0) -> Users:
    """Users of whom 0.6 are content with what is in force, and so many with each candidate, in an order by chance."""
    order = random.Random(f"order/{seed}").sample(candidates, len(candidates))
    chances = {0: 0.6} | dict(enumerate(order, 1))
    return Users(chances, fall, rng=random.Random(seed))
