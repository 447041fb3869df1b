"""An arm beside the control: what all units together say, metric by metric."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from collector.core.rollout import Guardrail, RolloutPlan, Rule
from collector.core.units import Unit
from collector.rollout.ratio import SampleRatio
from collector.selection.evidence import Evidence, Margins


@dataclass(frozen=True, slots=True)
class Comparison:
    """State of a few floats per metric; streaming, so that a unit is looked at once.

    Attributes:
        metric: Of the plan's metric.
        rails: Of each guardrail, in the plan's order; an outcome of 1 is "not bad".
        ratio: Whether units come as the shares say.
        unscored: Units of the arm and of the control without a score.
        clipped: Scores outside of the metric's bounds.
        mixed: Traces that ran with more than one release of the service; not counted in anything else.
    """

    metric: Evidence = field(default_factory=Evidence)
    rails: tuple[Evidence, ...] = ()
    ratio: SampleRatio = field(default_factory=SampleRatio)
    unscored: int = 0
    clipped: int = 0
    mixed: int = 0

    def with_unit(self, unit: Unit, plan: RolloutPlan) -> "Comparison":
        """Takes in one unit."""
        metric = self.metric
        if unit.outcome is not None:
            metric = metric.with_unit(unit.outcome, in_arm=unit.in_arm, share=unit.share, margins=metric_margins(plan))
        before = self.rails or (Evidence(),) * len(plan.guardrails)
        return replace(
            self,
            metric=metric,
            rails=tuple([_railed(had, rail, unit) for had, rail in zip(before, plan.guardrails, strict=True)]),
            ratio=self.ratio.with_unit(in_arm=unit.in_arm, share=unit.share),
            unscored=self.unscored + (unit.outcome is None),
            clipped=self.clipped + unit.clipped,
        )


def compared(units: Sequence[Unit], plan: RolloutPlan) -> Comparison:
    """All units, in the order in which their times were over."""
    comparison = Comparison()
    for unit in units:
        comparison = comparison.with_unit(unit, plan)
    return comparison


def metric_margins(plan: RolloutPlan) -> Margins:
    """What counts as harm and as sound for the plan's metric."""
    return Margins(0.0, 0.0 if plan.rule is Rule.BETTER else plan.margin)


def _railed(had: Evidence, rail: Guardrail, unit: Unit) -> Evidence:
    bad = unit.signals.get(rail.signal)
    if bad is None:
        return had
    margins = Margins(rail.margin, rail.margin)
    return had.with_unit(0.0 if bad else 1.0, in_arm=unit.in_arm, share=unit.share, margins=margins)
