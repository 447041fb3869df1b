"""5 optimize and 6 publish: takes every running study forward, one durable step at a time.

A step reads the study's whole record and changes the store once, so that a collector that is killed between two
steps goes on where it was.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from collector.core.errors import BudgetSpent, CollectorError, Conflict, OptimizerError
from collector.core.feedback import Feedback
from collector.core.parameter import validated
from collector.core.protocols import OptimizationRequest, Optimizer, Store
from collector.core.release import ReleaseDraft
from collector.core.study import Direction, Proposal, RejectedProposal, Remarks, Study, StudyRecord, StudyState, Trial
from collector.counters import Counter, Counters
from collector.feedback.batch import mean_score, remarks_of, select
from collector.pipeline import Pipeline
from collector.publisher.desk import beside
from collector.publisher.desk import whole as whole_place
from collector.study.arms import Slot, TrialArms, free_slot
from collector.study.calls import LedgerCalls
from collector.study.seen import SeenCalls
from otel_opto.spec import ParameterSpec, ParameterValue, content_hash

_LOG = logging.getLogger(__name__)
_REMARKED = 6
"""Best trials, and last ones, of whose outputs an optimizer is told what was said."""


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
        self._store = store
        self._pipeline = pipeline
        self._desk = arms.studies.desk
        self._studies = arms.studies
        self._arms = arms
        self._load_optimizer = load_optimizer
        self._counters = counters
        self._settings = settings
        self._woken = woken
        self._failures: dict[str, int] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

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
                return
            if not await self._step(record):
                return

    async def _step(self, record: StudyRecord) -> bool:
        """One durable change; False if the study has to wait."""
        study, running = record.study, record.running_trials()
        if not record.trials:
            return await self._open_baseline(study)
        if running and (study.exploration.whole or running[0].number == 0):
            return await self._judge(study, running[0])
        if running and await self._arms.look(record):
            return True
        if len(record.trials) > study.max_trials:
            if not running:
                await self.conclude(record, StudyState.FINISHED, f"all {study.max_trials} trials have ended")
            return False
        return await self._room(record) and await self._propose(record)

    async def _room(self, record: StudyRecord) -> bool:
        """Whether another trial can begin: where it is for everybody, no rollout may have an arm of the traffic."""
        study = record.study
        if study.exploration.whole:
            return not await self._arms.rollout_under_way(study.service)
        return len(record.running_trials()) < study.exploration.parallel and await self._slot(study) is not None

    async def _slot(self, study: Study) -> Slot | None:
        in_force = await self._desk.assignment(study.service)
        return free_slot(study, in_force) if in_force is not None else None

    async def _open_baseline(self, study: Study) -> bool:
        specs = await self._trained(study)
        if not specs:
            return False
        keys = [spec.key for spec in specs]
        values = await self._whole(study.service, {})
        control = await self._desk.control(study.service)
        if control is not None and not study.exploration.whole and control.hash == content_hash(values.items()):
            await self._studies.begin_with_control(study.name, keys)
            return True
        if await self._arms.rollout_under_way(study.service):
            return False
        draft = ReleaseDraft(study.service, values, f"study {study.name}: baseline")
        also = await self._arms.for_everybody(study.service)
        await self._studies.open_trial(study.name, Proposal({}, "the baseline"), draft, keys, also=also)
        return True

    async def _trained(self, study: Study) -> Sequence[ParameterSpec]:
        """The study's parameters; () while one of them has not been declared."""
        declared = {spec.key: spec for spec in await self._store.parameters.of(study.service)}
        keys = study.parameters or [key for key, spec in declared.items() if spec.trainable]
        return [declared[key] for key in keys] if all(key in declared for key in keys) else ()

    async def _whole(self, service: str, better: Mapping[str, ParameterValue]) -> dict[str, ParameterValue]:
        """All values of a release: the better ones, those in force beside them, the code's default for the rest.

        Whatever no longer fits its parameter, which may have been declared anew since, is not released again.
        """
        specs = {spec.key: spec for spec in await self._store.parameters.of(service)}
        current = await self._desk.control(service)
        released = {key: released.value for key, released in current.values.items()} if current else {}
        known = {key: value for key, value in {**released, **better}.items() if key in specs}
        good, faults = await asyncio.to_thread(validated, known, list(specs.values()))  # patterns may take their time
        for fault in faults:
            _LOG.warning("service %s: a value no longer fits and its default takes its place: %s", service, fault)
        return {key: good.get(key, spec.default) for key, spec in specs.items()}

    async def _judge(self, study: Study, trial: Trial) -> bool:
        if len(await self._counting(study, trial)) < study.batch_size:
            return False
        await self._store.feedback.settle_counted(trial.release, study.metric)  # what is counted does not move any more
        batch = await self._counting(study, trial)
        if len(batch) < study.batch_size:
            return False
        score = mean_score(batch)
        control = None if study.exploration.whole else score  # the baseline of arms is the control itself
        await self._studies.complete_trial(study.name, trial.number, score, len(batch), control)
        return True

    async def _counting(self, study: Study, trial: Trial) -> Sequence[Feedback]:
        stored = await self._store.feedback.of_release(trial.release, study.metric)
        return await asyncio.to_thread(select, study, stored)  # of any amount

    async def _propose(self, record: StudyRecord) -> bool:
        study = record.study
        try:
            request = await self._request(record)
            proposals = await self._load_optimizer(study.optimizer).propose(request)
        except BudgetSpent as spent:
            await self.conclude(record, StudyState.FINISHED, str(spent))
            return False
        except OptimizerError as error:
            return await self._failed(record, str(error), permanent=error.permanent)
        if not proposals:
            await self.conclude(record, StudyState.FINISHED, f"{study.optimizer} has nothing more to suggest")
            return False
        for proposal in proposals:
            values, faults = await asyncio.to_thread(validated, proposal.values, request.parameters)
            if not faults:
                await self._open_trial(record, proposal, {**request.current, **values})
                return True
            self._counters.add(Counter.PROPOSALS_REJECTED)
            await self._studies.reject(study.name, RejectedProposal(proposal, faults, len(record.trials)))
        return await self._failed(record, "every proposal failed validation", permanent=False, wait=False)

    async def _request(self, record: StudyRecord) -> OptimizationRequest:
        best = record.best_trial()
        assert best is not None  # a trial is complete here
        stored = await self._store.feedback.of_release(best.release, record.study.metric)
        batch = await self._pipeline.judged(record.study, await asyncio.to_thread(select, record.study, stored))
        declared = {spec.key: spec for spec in await self._store.parameters.of(record.study.service)}
        return OptimizationRequest(
            study=record.study,
            parameters=tuple(declared[key] for key in record.trials[0].values if key in declared),
            current=best.values,
            batch=batch,
            trials=record.trials,
            rejected=record.rejected,
            remarks=await self._remarks(record),
            calls=SeenCalls(
                LedgerCalls(self._store.ledger, record.study.name, record.study.service),
                record.study,
                self._pipeline,
                self._pipeline.clock,
            ),
        )

    async def _remarks(self, record: StudyRecord) -> Mapping[int, Remarks]:
        """What was said of the best trials and of the last ones."""
        study = record.study
        judged = [trial for trial in record.trials if trial.complete]
        best = sorted(judged, key=lambda trial: trial.score or 0.0, reverse=study.direction is Direction.MAXIMIZE)
        wanted = {trial.number: trial for trial in [*best[:_REMARKED], *judged[-_REMARKED:]]}
        said = {}
        for number, trial in wanted.items():
            stored = await self._store.feedback.of_release(trial.release, study.metric)
            said[number] = await asyncio.to_thread(remarks_of, study, select(study, stored))
        return said

    async def _open_trial(self, record: StudyRecord, proposal: Proposal, values: Mapping[str, ParameterValue]) -> None:
        study = record.study
        whole = await self._whole(study.service, values)
        draft = ReleaseDraft(study.service, whole, f"study {study.name}: trial {len(record.trials)}")
        keys = [key for key in record.trials[0].values if key in whole]
        slot = None if study.exploration.whole else await self._slot(study)
        place = whole_place if slot is None else beside(slot.start, slot.share)
        also = await self._arms.for_everybody(study.service) if slot is None else ()
        await self._studies.open_trial(study.name, proposal, draft, keys, place, also)
        self._failures.pop(study.name, None)
        self._counters.add(Counter.PROPOSALS_ACCEPTED)

    async def _failed(self, record: StudyRecord, reason: str, *, permanent: bool, wait: bool = True) -> bool:
        """Counts a failure; True if the study should try again."""
        name = record.study.name
        self._counters.add(Counter.OPTIMIZER_ERRORS)
        failures = self._failures[name] = self._failures.get(name, 0) + 1
        _LOG.warning("study %s: try %d of trial %d: %s", name, failures, len(record.trials), reason)
        if permanent or failures >= self._settings.max_failures:
            await self.conclude(record, StudyState.FAILED, reason)
            return False
        if wait:
            await asyncio.sleep(self._settings.retry_seconds * 2 ** (failures - 1))
        return True

    async def conclude(self, record: StudyRecord, state: StudyState, message: str, actor: str = "") -> None:
        """Ends a running study and brings its best trial's values into force, both or neither.

        Args:
            actor: Who says so; the study itself if it is empty.
        """
        study = record.study
        if not study.exploration.whole:
            message += await self._rolled_out(record, state)
            await self._studies.conclude(study.name, state, message, None, actor)
            return
        draft = await self._best_of_all(record)
        if draft is None:
            await self._studies.conclude(study.name, state, message, None, actor)
            return
        try:
            also = await self._arms.for_everybody(study.service)
        except Conflict as error:  # a person began it, and the study does not end it
            message = f"{message}; the best trial is not in force for everybody: {error}"
            await self._studies.conclude(study.name, state, message, None, actor)
            return
        await self._studies.conclude(study.name, state, message, draft, actor, also)

    async def _best_of_all(self, record: StudyRecord) -> ReleaseDraft | None:
        """The best trial's values for everybody; None where they are in force already."""
        study, best = record.study, record.best_trial()
        if best is None:
            return None
        in_force = await self._whole(study.service, {})
        whole = await self._whole(study.service, best.values)
        if content_hash(whole.items()) == content_hash(in_force.items()):
            return None
        reason = f"study {study.name}: trial {best.number}, the best of {len(record.trials)}"
        return ReleaseDraft(study.service, whole, reason)

    async def _rolled_out(self, record: StudyRecord, state: StudyState) -> str:
        """What becomes of the best trial of a study on arms, in words; it comes before the study's end."""
        best = record.best_trial()
        if best is None or best.number == 0 or state is StudyState.FAILED:
            return "; nothing was better than the control"
        try:
            rollout = await self._arms.promote(record, best)
        except CollectorError as error:
            return f"; trial {best.number} was the best and is not rolled out: {error}"
        return f"; trial {best.number} was the best, its rollout {rollout.name!r} is {rollout.state.value}"
