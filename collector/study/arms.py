"""Trials as arms of live traffic: where they stand, what is compared, and when one ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.core.ledger import Change
from collector.core.protocols import Clock
from collector.core.rollout import DEFAULT_GUARDRAILS, Metric, Rollout, RolloutPlan, RolloutState, Rule
from collector.core.study import Study, StudyRecord, Trial
from collector.rollout.comparison import Comparison
from collector.rollout.decision import harm_in
from collector.rollout.rollouts import Rollouts
from collector.rollout.watch import ArmWatch
from collector.study.studies import Studies
from otel_opto.assignment import BUCKETS, Assignment


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of buckets for a trial."""

    start: int
    share: int


def free_slot(study: Study, in_force: Assignment) -> Slot | None:
    """The first stretch of the study's share in which no arm is; None if all are taken.

    They stand at the upper end: a rollout's arm grows from the lower one.
    """
    exploration = study.exploration
    width = max(int(exploration.share * BUCKETS) // exploration.parallel, 1)
    for number in range(exploration.parallel):
        slot = Slot(BUCKETS - (number + 1) * width, width)
        if not any(arm.start < slot.start + slot.share and slot.start < arm.start + arm.share for arm in in_force.arms):
            return slot
    return None


class TrialArms:
    """Ends the trials of a study that are arms: with their scores, or without.

    Args:
        studies: Are changed through it.
        rollouts: The best trial goes on as one.
        watch: Knows what the units of each arm say.
        clock: For deadlines.
    """

    def __init__(self, studies: Studies, rollouts: Rollouts, watch: ArmWatch, clock: Clock) -> None:
        self.studies = studies
        self._rollouts = rollouts
        self._watch = watch
        self._clock = clock

    async def look(self, record: StudyRecord) -> bool:
        """Ends every trial whose time has come; whether there was one."""
        study, ended = record.study, False
        for trial in record.running_trials():
            if trial.number == 0:
                continue
            arm = _as_rollout(study, trial)
            comparison = await self._watch.look(arm)
            reason = await self._watch.refused(arm) or harm_in(arm, comparison) or self._late(study, trial)
            if reason:
                await self.studies.give_up(study.name, trial.number, reason)
            elif comparison.metric.arm_units >= study.batch_size and comparison.metric.control_units:
                await self._complete(study, trial, comparison)
            else:
                continue
            self._watch.forget(arm.name)
            ended = True
        return ended

    async def promote(self, record: StudyRecord, best: Trial) -> Rollout:
        """The best trial's release is rolled out: its lead is tested on new traffic before it is everybody's."""
        study = record.study
        release = await self.studies.desk.release(best.release)
        assert release is not None  # the trial had it
        plan = RolloutPlan(
            study.service, release.number, release.hash, metric_of(study), rule=Rule.BETTER, policy=study.promotion,
            feedback_delay_seconds=study.exploration.feedback_delay_seconds,
        )  # fmt: skip
        actor = f"study:{study.name}"
        await self._rollouts.draft(study.name, plan, actor)
        return await self._rollouts.begin(study.name, actor)

    async def rollout_under_way(self, service: str) -> bool:
        """Whether a rollout has an arm of the service's traffic."""
        return bool(await self._rollouts.holder(service))

    async def for_everybody(self, service: str) -> Sequence[Change]:
        """What belongs to a release that everybody gets: that no rollout has an arm of the traffic.

        Raises:
            Conflict: one has.
        """
        return [await self._rollouts.without_one(service)]

    def _late(self, study: Study, trial: Trial) -> str:
        seconds = (self._clock.now_unix_nano() - trial.opened_unix_nano) / 1e9
        if seconds < study.exploration.deadline_seconds:
            return ""
        return f"no {study.batch_size} scored units within {study.exploration.deadline_seconds:g} s"

    async def _complete(self, study: Study, trial: Trial, comparison: Comparison) -> None:
        metric, evidence = metric_of(study), comparison.metric
        assert evidence.arm_mean is not None
        assert evidence.control_mean is not None
        await self.studies.complete_trial(
            study.name, trial.number, metric.score(evidence.arm_mean), evidence.arm_units,
            metric.score(evidence.control_mean),
        )  # fmt: skip


def metric_of(study: Study) -> Metric:
    """The study's objective as arms are compared by it."""
    return Metric(
        study.metric, study.direction, study.lowest, study.highest, labels=study.labels,
        feedback_filter=study.feedback_filter,
    )  # fmt: skip


def _as_rollout(study: Study, trial: Trial) -> Rollout:
    """A trial as what is watched: an arm that is compared with the control."""
    plan = RolloutPlan(
        study.service, trial.release, "", metric_of(study), guardrails=DEFAULT_GUARDRAILS,
        feedback_delay_seconds=study.exploration.feedback_delay_seconds,
    )  # fmt: skip
    return Rollout(f"study/{study.name}/{trial.number}", plan, RolloutState.RAMPING)
