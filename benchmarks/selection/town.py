"""A service with simulated users and one study: the real study code on a store in memory, with a clock that is set."""
# ruff: noqa: ARG002 - the doubles below answer whatever they are asked

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from collector.core.errors import NotFound
from collector.core.feedback import Feedback, FeedbackState, StoredFeedback
from collector.core.page import Page, PageRequest
from collector.core.protocols import OptimizationRequest
from collector.core.release import ReleaseDraft
from collector.core.span import SpanContext
from collector.core.study import Exploration, Proposal, Study, StudyRecord, StudyState
from collector.core.telemetry import OtlpRequest, Signal
from collector.pipeline import Pipeline
from collector.storage.memory.feedback import MemoryFeedback
from collector.storage.memory.store import MemoryStore
from collector.study.runner import RunnerSettings, StudyRunner
from otel_opto.assignment import Assignment
from otel_opto.spec import Constraint, ParameterSpec, ParameterType
from tests import samples
from tests.control import Control, control_of

_SPEC = ParameterSpec("x", ParameterType.INTEGER, 0, Constraint(minimum=0, maximum=1_000))
_AT_ONCE = 10
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


class Thumbs(MemoryFeedback):
    """Feedback that is attached as it comes, found by its trace at once."""

    by_trace: dict[str, StoredFeedback]

    def put(self, feedback: Feedback, release: int, now_unix_nano: int) -> None:
        """Keeps one."""
        known = self.__dict__.setdefault("by_trace", {})
        known[feedback.target.trace_id] = StoredFeedback(
            feedback.id, feedback, FeedbackState.ATTACHED, now_unix_nano, release, superseded=False
        )

    async def listed(
        self, page: PageRequest, *, trace_id: str = "", states: Sequence[FeedbackState] = ()
    ) -> Page[StoredFeedback]:
        """See `FeedbackStore`."""
        found = self.__dict__.get("by_trace", {}).get(trace_id)
        return Page((found,) if found is not None else (), "")

    async def of_release(self, release: int, name: str) -> Sequence[StoredFeedback]:
        """See `FeedbackStore`; nobody reads here."""
        return ()


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
        fall: How far all fall, from the first unit to the last.
        units: Over which they fall.
        silent: How many give no feedback.
    """

    chances: Mapping[int, float]
    fall: float = 0.0
    units: int = 3_000
    silent: float = 0.0
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    came: int = 0

    def thumb(self, value: int) -> float | None:
        """Of the next one, with that value of x; None where nothing is said."""
        chance = self.chances[value] - self.fall * min(self.came / self.units, 1.0)
        up = float(self.rng.random() < chance)
        return None if self.rng.random() < self.silent else up


class Town:
    """One service, its users, and a study."""

    def __init__(self, users: Users, study: Study) -> None:
        self.clock = SetClock()
        self.store = MemoryStore(self.clock)
        self.feedback = Thumbs(self.store.log)
        self.store.feedback = self.feedback
        self.control: Control = control_of(self.store, self.clock)
        pipeline = Pipeline(self.store, self.clock, self.control.counters, lambda: None, self.control.desk.release)
        self.optimizer = Variants([value for value in users.chances if value])
        self.runner = StudyRunner(
            self.store, pipeline, self.control.arms, lambda _: self.optimizer, self.control.counters,
            RunnerSettings(), asyncio.Event(),
        )  # fmt: skip
        self.users, self.study = users, study

    async def begin(self) -> None:
        """The study begins on what the code has."""
        await self.store.parameters.declare(SERVICE, (_SPEC,))
        await self.control.desk.publish(ReleaseDraft(SERVICE, {"x": 0}, "by hand"), "me")
        await self.control.studies.create(self.study, "benchmark")
        await self.runner.improve(NAME)

    async def traffic(self, users: int, seconds: float = 1.0) -> None:
        """So many come, each once; then the study looks."""
        in_force = await self.control.desk.assignment(SERVICE)
        if in_force is None:
            raise NotFound("nothing is in force")
        for first in range(0, users, _AT_ONCE):
            await self._come(in_force, min(_AT_ONCE, users - first))
        await self.clock.sleep(seconds)
        await self.runner.improve(NAME)

    async def _come(self, in_force: Assignment, count: int) -> None:
        spans, traces = [], set()
        for _ in range(count):
            self.users.came += 1
            number = self.users.rng.getrandbits(120)
            trace = samples.trace_id(number)
            release = await self.control.desk.release(in_force.release_for(trace))
            assert release is not None
            self.clock.now += 1_000_000
            values = {"opto.release": release.number, "opto.assignment": in_force.revision}
            spans.append(samples.span(number, 1, values=values, start=self.clock.now - samples.START))
            traces.add(bytes.fromhex(trace))
            value = release.values["x"].value
            assert isinstance(value, int)
            if (score := self.users.thumb(value)) is not None:
                said = Feedback(SpanContext(trace, samples.span_id(1)), METRIC, score, time_unix_nano=self.clock.now)
                self.feedback.put(said, release.number, self.clock.now)
        body = samples.traces_request(spans, SERVICE)
        await self.store.log.append(OtlpRequest(Signal.TRACES, body, frozenset(traces), count, self.clock.now))

    async def record(self) -> StudyRecord:
        """Where the study stands."""
        found = await self.control.studies.study(NAME)
        assert found is not None
        return found


def study(**more: object) -> Study:
    """A study on traffic that is there to evaluate, as it is by default."""
    made = Study(NAME, SERVICE, METRIC, optimizer="variants", exploration=Exploration(share=1.0))
    return replace(made, **more)  # type: ignore[arg-type]


async def studied(users: Users, of: Study, *, at_once: int = 10, most: int = 20_000) -> StudyRecord:
    """A study to its end."""
    town = Town(users, of)
    await town.begin()
    while (await town.record()).state is StudyState.RUNNING and users.came < most:
        await town.traffic(at_once)
    return await town.record()
