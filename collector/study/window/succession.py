"""How a study's winner goes on: what its rollout takes over of what the study may not make worse. Pure.

A rollout knows a bound for each signal, and by how many units more the arm may be beyond it. A study's quantile becomes
that: with b the quantile of what is in force among its last units, the bound is b (1 + part). Of what is in force a
part c was beyond that; of an arm whose quantile is higher by no more than that part 1 - q may be: so many more are
allowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from collector.core.objective import Bound, bounds_of
from collector.core.release import Release
from collector.core.rollout import DEFAULT_GUARDRAILS, Guardrail, RolloutPlan, Rule, Signal
from collector.core.study import Study
from collector.study.window.bounds import MARGIN, ROUNDING, Usual
from collector.study.window.measuring import Counted
from collector.study.window.plans import bounded, metric_of


@dataclass(frozen=True, slots=True)
class Succession:
    """The rollout of a winner.

    Attributes:
        left: What of the study's bounds no guardrail of a rollout can hold, by name.
    """

    plan: RolloutPlan
    left: tuple[str, ...]


def succession(study: Study, release: Release, counted: Sequence[Counted]) -> Succession:
    """What a winner's release is rolled out by.

    Where the study improved more than its metric, the rollout asks for "no worse": by the metric alone the winner need
    not be better.

    Args:
        release: The winner's.
        counted: The study's units.
    """
    more = bool(study.weights) or any(one.weight for one in study.objectives)
    bounds = bounds_of(study.not_worse)
    limits = bounded(study)
    taken, left = {rail.signal for rail in limits}, []
    rails: list[Guardrail] = []
    for bound in sorted(bounds, key=lambda one: -(one.quantile or 0)):  # of several quantiles the highest
        rail = _guardrail(bound, counted)
        if rail is not None and rail.signal not in taken:
            rails.append(rail)
            taken.add(rail.signal)
        elif bound.of != study.metric:
            left.append(bound.name)
    plan = RolloutPlan(
        study.service, release.number, release.hash, metric_of(study), policy=study.promotion,
        rule=Rule.NON_INFERIOR if more else Rule.BETTER,
        guardrails=(*DEFAULT_GUARDRAILS, *limits, *rails),
        feedback_delay_seconds=study.exploration.feedback_delay_seconds,
    )  # fmt: skip
    if study.metric in study.not_worse:
        plan = replace(plan, margin=study.not_worse[study.metric])
    return Succession(plan, tuple(sorted(left)))


def _guardrail(bound: Bound, counted: Sequence[Counted]) -> Guardrail | None:
    """None for a feedback, and where too little is known of what is in force."""
    if bound.quantile is None:
        return None
    usual = Usual(bound.quantile)
    for one in counted:
        value = one.unit.values.get(bound.of)
        if value is not None and one.trial == 0 and not (one.late or one.failed):
            usual.add(value)
    known = usual.value()
    if known is None:
        return None
    threshold = known * (1 + bound.part) * (1 + ROUNDING)
    margin = max(1 - bound.quantile - usual.beyond(threshold), 0.0) + MARGIN
    return Guardrail(Signal(bound.of), threshold, round(margin, 4))
