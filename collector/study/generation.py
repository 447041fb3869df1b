"""5 optimize: asks a study's optimizer for candidates, and begins a trial with each that is new and fits."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from collector.core.candidate import Repeat
from collector.core.errors import BudgetSpent, OptimizerError
from collector.core.feedback import StoredFeedback
from collector.core.parameter import validated
from collector.core.protocols import OptimizationRequest, Optimizer, Store
from collector.core.release import ReleaseDraft
from collector.core.study import Direction, Proposal, RejectedProposal, Remarks, Study, StudyRecord, Trial
from collector.counters import Counter, Counters
from collector.feedback.batch import remarks_of, select
from collector.pipeline import Pipeline
from collector.study.calls import LedgerCalls
from collector.study.seen import SeenCalls
from collector.study.studies import Studies
from collector.study.values import Values
from otel_opto.spec import ParameterSpec, ParameterValue, content_hash

_LOG = logging.getLogger(__name__)
_SUGGESTED = "suggestion"
_REMARKED = 6
"""Best trials, and last ones, of whose outputs an optimizer is told what was said."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking an optimizer.

    Attributes:
        failed: Why the study has failed; empty if it has not.
        repeated: Trials that were proposed again: they get more units.
    """

    failed: str = ""
    repeated: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Patience:
    """How often an optimizer is asked in vain.

    Attributes:
        retry_seconds: After a passing fault of an optimizer the next try waits this long, doubled each time.
        max_failures: Passing faults, or proposals that are of no use, in a row before it is given up.
    """

    retry_seconds: float = 1.0
    max_failures: int = 5


class Generation:
    """Makes trials of what optimizers propose.

    Args:
        store: Feedback is read from it, and calls of models are written down.
        pipeline: Makes graphs of judged outputs.
        studies: Are changed through it.
        values: Puts releases together.
        load_optimizer: By name.
        patience: How often it is tried again.
    """

    def __init__(
        self,
        store: Store,
        pipeline: Pipeline,
        studies: Studies,
        values: Values,
        load_optimizer: Callable[[str], Optimizer],
        counters: Counters,
        patience: Patience,
    ) -> None:
        self._store = store
        self._pipeline = pipeline
        self._studies = studies
        self._values = values
        self._load_optimizer = load_optimizer
        self._counters = counters
        self._patience = patience
        self._failures: dict[str, int] = {}

    async def more(self, record: StudyRecord, scored: tuple[Trial, ...]) -> Asked:
        """Asks once; each candidate that is new and fits becomes a trial.

        Args:
            scored: The trials, with what is known of them now.
        """
        study = record.study
        if study.suggestions:
            specs = await self._values.specs(record)
            if first := await asyncio.to_thread(_suggested, record, specs):
                return await self._taken(record, specs, record.trials[0].values, first)
        try:
            request = await self._request(record, scored)
            proposals = await self._load_optimizer(study.optimizer).propose(request)
        except BudgetSpent as spent:
            await self._studies.exhaust(study.name, str(spent))
            return Asked()
        except OptimizerError as error:
            return await self._failed(record, str(error), permanent=error.permanent)
        if not proposals:
            await self._studies.exhaust(study.name, f"{study.optimizer} has nothing more to suggest")
            return Asked()
        return await self._taken(record, request.parameters, request.current, proposals)

    async def _taken(
        self,
        record: StudyRecord,
        parameters: Sequence[ParameterSpec],
        current: Mapping[str, ParameterValue],
        proposals: Sequence[Proposal],
    ) -> Asked:
        study, begun = record.study, 0
        known = {content_hash(trial.values.items()): trial.number for trial in record.trials}
        faulty, repeated = False, []
        for proposal in proposals:
            values, faults = await asyncio.to_thread(validated, proposal.values, parameters)
            faults = (*faults, *proposal.faults)
            self._counters.add(Counter.ANSWERS_REFUSED, proposal.cost.refused)
            key = content_hash({**current, **values}.items())
            if faults:
                faulty = True
                self._counters.add(Counter.PROPOSALS_REJECTED)
                await self._studies.reject(study.name, RejectedProposal(proposal, faults, len(record.trials) + begun))
            elif key in known:
                repeated.append(known[key])
                await self._studies.repeat(study.name, Repeat(known[key], proposal.reasoning))
            elif len(record.trials) + begun <= study.max_trials:
                known[key] = len(record.trials) + begun
                await self._begin(record, known[key], proposal, {**current, **values})
                begun += 1
            else:
                why = f"max_trials: {study.max_trials} were there already; it fits, and was not tried"
                await self._studies.reject(study.name, RejectedProposal(proposal, (why,), len(record.trials) + begun))
        if begun:
            self._failures.pop(study.name, None)
            return Asked(repeated=tuple(repeated))
        if proposals[0].origin == _SUGGESTED:
            return Asked()
        if not repeated and faulty:
            return await self._failed(record, "every proposal failed validation", permanent=False, wait=False)
        if self._counted(study.name) >= self._patience.max_failures:
            await self._studies.exhaust(study.name, f"{study.optimizer} repeats what was tried")
        return Asked(repeated=tuple(repeated))

    async def _begin(
        self, record: StudyRecord, number: int, proposal: Proposal, values: Mapping[str, ParameterValue]
    ) -> None:
        study = record.study
        whole = await self._values.whole(study.service, values)
        draft = ReleaseDraft(study.service, whole, f"study {study.name}: trial {number}")
        keys = [key for key in record.trials[0].values if key in whole]
        await self._studies.open_trial(study.name, proposal, draft, keys)
        self._counters.add(Counter.PROPOSALS_ACCEPTED)

    async def _request(self, record: StudyRecord, scored: tuple[Trial, ...]) -> OptimizationRequest:
        study = record.study
        best = _leading(study.direction, scored)
        stored = await self._said_of(study, best)
        batch = await self._pipeline.judged(study, await asyncio.to_thread(select, study, stored))
        book = LedgerCalls(self._store.ledger, study.name, study.service)
        return OptimizationRequest(
            study=study,
            parameters=await self._values.specs(record),
            current=best.values,
            batch=batch,
            trials=scored,
            rejected=record.rejected,
            remarks=await self._remarks(record, scored),
            calls=SeenCalls(book, study, self._pipeline, self._pipeline.clock),
        )

    async def _said_of(self, study: Study, trial: Trial) -> Sequence[StoredFeedback]:
        """Feedback on a trial's outputs, those of units that are in another study's arm, too, among it."""
        in_force = await self._studies.desk.assignment(study.service)
        crossings = in_force.crossings if in_force is not None else ()
        numbers = [trial.release, *(one.release for one in crossings if trial.release in one.of)]
        found = [await self._store.feedback.of_release(number, study.metric) for number in numbers]
        return [one for said in found for one in said]

    async def _remarks(self, record: StudyRecord, scored: tuple[Trial, ...]) -> Mapping[int, Remarks]:
        """What was said of the best trials and of the last ones."""
        study = record.study
        judged = [trial for trial in scored if trial.complete]
        best = sorted(judged, key=lambda trial: trial.score or 0.0, reverse=study.direction is Direction.MAXIMIZE)
        wanted = {trial.number: trial for trial in [*best[:_REMARKED], *judged[-_REMARKED:]]}
        said = {}
        for number, trial in wanted.items():
            stored = await self._said_of(study, trial)
            said[number] = await asyncio.to_thread(remarks_of, study, select(study, stored))
        return said

    async def _failed(self, record: StudyRecord, reason: str, *, permanent: bool, wait: bool = True) -> Asked:
        """Counts a failure, and says that the study has failed, where it should not try again."""
        name = record.study.name
        self._counters.add(Counter.OPTIMIZER_ERRORS)
        failures = self._counted(name)
        _LOG.warning("study %s: try %d of trial %d: %s", name, failures, len(record.trials), reason)
        if permanent or failures >= self._patience.max_failures:
            return Asked(reason)
        if wait:
            await asyncio.sleep(self._patience.retry_seconds * 2 ** (failures - 1))
        return Asked()

    def _counted(self, name: str) -> int:
        self._failures[name] = self._failures.get(name, 0) + 1
        return self._failures[name]


def _suggested(record: StudyRecord, specs: Sequence[ParameterSpec]) -> Sequence[Proposal]:
    """What was to be tried first and has not been taken up yet, as far as there is room; by what the record says."""
    study, began = record.study, record.trials[0].values
    if len(record.trials) > study.max_trials:
        return ()
    known = {content_hash(trial.values.items()) for trial in record.trials}
    refused = [dict(one.proposal.values) for one in record.rejected]
    found: dict[str, Proposal] = {}
    for place, one in enumerate(study.suggestions):
        good, faults = validated(one.values, specs)
        key = f"faulty {place}" if faults else content_hash({**began, **good}.items())
        if key not in known and dict(one.values) not in refused:
            found.setdefault(key, Proposal(one.values, one.reasoning, origin=_SUGGESTED))
    return list(found.values())


def _leading(direction: Direction, scored: Sequence[Trial]) -> Trial:
    """The trial that looks best of those that still may win, and by how much it may be trusted; the baseline else."""
    best = scored[0]
    for trial in scored[1:]:
        lead, most = trial.lead(), best.lead()
        if trial.given_up or lead is None:
            continue
        if most is None or direction.better(lead, most):
            best = trial
    return best
