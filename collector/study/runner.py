"""5 optimize and 6 publish: takes every running study forward, one durable step at a time.

A step reads the study's whole record and changes the store once, so that a collector that is killed between two
steps goes on where it was.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from collector.core.errors import CollectorError
from collector.core.protocols import Optimizer, Store
from collector.core.study import StudyRecord, StudyState
from collector.counters import Counters
from collector.pipeline import Pipeline
from collector.study.arms import TrialArms
from collector.study.ending import Ending
from collector.study.generation import Generation, Patience
from collector.study.steps import Steps
from collector.study.values import Values
from collector.study.window.measuring import Measuring

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """How patient the loop is.

    Attributes:
        feedback_ttl_seconds: Feedback that waits longer for its spans is given up and counted.
        parent_grace_seconds: Feedback on a whole trace waits so long for a parent of its topmost span.
        poll_seconds: A study is looked at this often even if nothing came in.
        gather_seconds: What comes in within this time is looked at together.
        retry_seconds: After a passing fault of an optimizer the next try waits this long, doubled each time.
        max_failures: Passing faults, or proposals that fail validation, in a row before the study fails.
    """

    feedback_ttl_seconds: float = 86_400.0
    parent_grace_seconds: float = 2.0
    poll_seconds: float = 1.0
    gather_seconds: float = 0.02
    retry_seconds: float = 1.0
    max_failures: int = 5


class StudyRunner:
    """The loop over all running studies of one collector."""

    def __init__(
        self,
        store: Store,
        pipeline: Pipeline,
        arms: TrialArms,
        load_optimizer: Callable[[str], Optimizer],
        counters: Counters,
        settings: RunnerSettings,
        woken: asyncio.Event,
    ) -> None:
        self._pipeline = pipeline
        self._studies = arms.studies
        self._settings = settings
        self._woken = woken
        self._tasks: dict[str, asyncio.Task[None]] = {}
        values = Values(store, arms.studies.desk)
        patience = Patience(settings.retry_seconds, settings.max_failures)
        generation = Generation(store, pipeline, arms.studies, values, load_optimizer, counters, patience)
        units = arms.units or Measuring(store, arms.studies.desk, arms.clock)
        self._ending = Ending(arms, values, units)
        self._steps = Steps(arms, values, units, generation, self._ending)

    async def run(self) -> None:
        """Goes on until it is cancelled. Studies run beside each other: a slow optimizer delays its own study only."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    await self._round(group)
                except CollectorError as error:
                    _LOG.warning("improving is delayed: %s", error)
                except Exception:  # noqa: BLE001 - the loop's boundary: said with its traceback, tried again at the next round
                    _LOG.exception("improving failed; it is tried again")
                await self._wait()

    async def _wait(self) -> None:
        await asyncio.sleep(self._settings.gather_seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.poll_seconds):
                await self._woken.wait()
            self._woken.clear()

    async def _round(self, group: asyncio.TaskGroup) -> None:
        await self._pipeline.recall()
        await self._pipeline.attach(self._settings.parent_grace_seconds)
        await self._pipeline.expire(self._settings.feedback_ttl_seconds)
        for name in await self._studies.all_running():
            task = self._tasks.get(name)
            if task is None or task.done():
                self._tasks[name] = group.create_task(self._improve_guarded(name))

    async def _improve_guarded(self, name: str) -> None:
        try:
            await self.improve(name)
        except CollectorError as error:
            _LOG.warning("study %s is delayed: %s", name, error)
        except Exception:  # noqa: BLE001 - one study's fault must not stop the others
            _LOG.exception("study %s failed in a step; it is tried again", name)

    async def improve(self, name: str) -> None:
        """Takes one study as far as the feedback that is there allows."""
        while True:
            record = await self._studies.study(name)
            if record is None or record.state is not StudyState.RUNNING:
                self._steps.forget(name)
                return
            if not await self._steps.step(record):
                return

    async def conclude(self, record: StudyRecord, state: StudyState, message: str, actor: str = "") -> None:
        """Ends a running study; what has won is released, see `Ending`."""
        await self._ending.conclude(record, state, message, actor)
