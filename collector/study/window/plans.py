"""A study's trials as what is compared: its metric, and what must not get worse."""

from collections.abc import Sequence
from dataclasses import replace

from collector.core.objective import MEASURED, Objective, bounds_of
from collector.core.rollout import DEFAULT_GUARDRAILS, Guardrail, Metric, Rollout, RolloutPlan, RolloutState, Signal
from collector.core.study import Study


def metric_of(study: Study) -> Metric:
    """The study's objective as arms are compared by it."""
    return Metric(
        study.metric, study.direction, study.lowest, study.highest, labels=study.labels,
        feedback_filter=study.feedback_filter,
    )  # fmt: skip


def metric_for(study: Study, objective: Objective) -> Metric:
    """An objective beside it as arms are compared by it."""
    return Metric(
        objective.name, objective.better, objective.lowest, objective.highest, labels=study.labels,
        feedback_filter=study.feedback_filter,
    )  # fmt: skip


def beside(study: Study) -> Sequence[Signal | Metric]:
    """Of what else a study needs the units' values."""
    bounds = {bound.of for bound in bounds_of(study.not_worse) if bound.quantile is not None}
    wanted = bounds | {one.name for one in study.objectives if one.measured}
    signals = [Signal(name) for name in MEASURED if name in wanted]
    return [*signals, *(metric_for(study, one) for one in study.objectives if not one.measured)]


def plan_of(study: Study, release: int = 0) -> RolloutPlan:
    """A study's trial as what is watched: by its metric, and by what must not get worse."""
    return RolloutPlan(
        study.service, release, "", metric_of(study), guardrails=(*DEFAULT_GUARDRAILS, *_limits(study)),
        feedback_delay_seconds=study.exploration.feedback_delay_seconds,
    )  # fmt: skip


def watched(study: Study, trial: int, release: int) -> Rollout:
    """A trial as an arm that is compared with what is in force."""
    plan = replace(plan_of(study, release), guardrails=(*DEFAULT_GUARDRAILS, *bounded(study)))
    return Rollout(f"study/{study.name}/{trial}", plan, RolloutState.RAMPING)


def bounded(study: Study) -> tuple[Guardrail, ...]:
    """Its limits that are bounds, and no part of the objective."""
    return tuple(rail for rail in _limits(study) if rail.signal.value not in study.weights)


def _limits(study: Study) -> tuple[Guardrail, ...]:
    return tuple(Guardrail(Signal(name), limit) for name, limit in study.limits.items())
