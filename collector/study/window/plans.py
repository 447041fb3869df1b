"""A study's trials as what is compared: its metric, and what must not get worse."""

from collector.core.rollout import DEFAULT_GUARDRAILS, Metric, Rollout, RolloutPlan, RolloutState
from collector.core.study import Study


def metric_of(study: Study) -> Metric:
    """The study's objective as arms are compared by it."""
    return Metric(
        study.metric, study.direction, study.lowest, study.highest, labels=study.labels,
        feedback_filter=study.feedback_filter,
    )  # fmt: skip


def plan_of(study: Study, release: int = 0) -> RolloutPlan:
    """A study's trial as what is watched: by its metric, and by what must not get worse."""
    return RolloutPlan(
        study.service, release, "", metric_of(study), guardrails=DEFAULT_GUARDRAILS,
        feedback_delay_seconds=study.exploration.feedback_delay_seconds,
    )  # fmt: skip


def watched(study: Study, trial: int, release: int) -> Rollout:
    """A trial as an arm that is compared with what is in force."""
    return Rollout(f"study/{study.name}/{trial}", plan_of(study, release), RolloutState.RAMPING)
