"""A study in one process: the real store, pipeline, runner and optimizer; OTLP bytes go in as from an application."""

import asyncio
import json
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from collector.core.study import Study, StudyRecord, Trial
from collector.core.telemetry import Signal
from collector.optimizer.generators.optoprime import OptoPrime
from collector.pipeline import Pipeline
from collector.storage.file_store import FileStore
from collector.study.runner import RunnerSettings, StudyRunner
from otel_opto.spec import ParameterSpec, ParameterValue
from tests import samples
from tests.clocks import TickingClock
from tests.control import Control, control_of

Values = Mapping[str, ParameterValue]


@dataclass(frozen=True)
class Step:
    """A span of the application."""

    name: str
    parent: int | None
    output: object
    inputs: Mapping[str, object] = field(default_factory=dict)
    parameters: Sequence[str] = ()
    links: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True)
class Judged:
    """One run: its spans, numbered from 1, and what is said of the first one's output."""

    steps: Sequence[Step]
    score: float
    said: str


class World:
    """One service, one study, on traffic that is there to evaluate; what was made of an input is remembered."""

    def __init__(self, specs: Sequence[ParameterSpec], study: Study, optimizer: OptoPrime) -> None:
        self._specs, self._study, self._optimizer, self._traces = specs, study, optimizer, 0
        self._directory = tempfile.TemporaryDirectory()
        self._chance = random.Random(study.seed)
        self._known: dict[str, Judged] = {}

    async def __aenter__(self) -> Self:
        self._store = FileStore(Path(self._directory.name), TickingClock())
        await self._store.start()
        self._control: Control = control_of(self._store)
        counters, desk = self._control.counters, self._control.desk
        self._pipeline = Pipeline(self._store, TickingClock(), counters, lambda: None, desk.release)
        settings = RunnerSettings(retry_seconds=0.001, max_failures=3)
        self._runner = StudyRunner(
            self._store, self._pipeline, self._control.arms, lambda _: self._optimizer, counters, settings,
            asyncio.Event(),
        )  # fmt: skip
        await self._store.parameters.declare(self._study.service, self._specs)
        await self._control.studies.create(self._study, "benchmark")
        await self._runner.improve(self._study.name)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._store.stop()
        self._directory.cleanup()

    async def record(self) -> StudyRecord:
        """Where the study stands."""
        record = await self._control.studies.study(self._study.name)
        assert record is not None
        return record

    async def batch(self, application: Callable[[Values, Any], Judged], inputs: Sequence[Any]) -> Trial:
        """Every input once with each release of the window, in an order by chance; gives the newest trial with a score.

        The traffic is there to evaluate: nothing is left to the assignment, so that all have the same inputs.
        """
        window = (await self.record()).windows[-1]
        for item in inputs:
            for number in self._chance.sample(list(window.releases.values()), len(window.releases)):
                release = await self._control.desk.release(number)
                assert release is not None
                values = {key: one.value for key, one in release.values.items()}
                name = repr((sorted(values.items()), item))
                if name not in self._known:
                    self._known[name] = await asyncio.to_thread(application, values, item)
                self._traces += 1
                await self._send(release, self._known[name])
        await self._pipeline.attach()
        await self._runner.improve(self._study.name)
        return [trial for trial in (await self.record()).trials if trial.complete][-1]

    async def _send(self, release: Any, judged: Judged) -> None:
        spans = []
        for number, step in enumerate(judged.steps, 1):
            said = {f"opto.input.{key}": json.dumps(value) for key, value in step.inputs.items()}
            said |= {f"opto.param.{key}.version": release.values[key].version for key in step.parameters}
            said |= {"opto.release": release.number, "opto.output": json.dumps(step.output)}
            spans.append(
                samples.span(self._traces, number, step.parent, step.name, values=said, links=step.links, start=number)
            )
        traces = samples.traces_request(spans, self._study.service)
        await self._pipeline.ingest(Signal.TRACES, traces)
        said_of = samples.evaluation(self._traces, 1, judged.score, judged.said, time=self._traces)
        await self._pipeline.ingest(Signal.LOGS, samples.logs_request([said_of], self._study.service))
