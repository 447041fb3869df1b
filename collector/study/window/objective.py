"""What a unit is worth to a study, and what a candidate may not make worse. Pure.

One rule picks the release: of the candidates, tested one after another, the first whose fresh units show it better in
the weighted mean of all objectives, show that it keeps each bound beside what is in force, and are beyond no limit more
often than those of what is in force, by 2 %.
"""

from collections.abc import Sequence

from collector.core.objective import Objective
from collector.core.rollout import Signal
from collector.core.study import Study
from collector.core.units import Unit
from collector.study.window.measuring import Counted
from collector.study.window.plans import metric_for

_MARGIN = 0.02


def outcome_of(study: Study, unit: Unit) -> float | None:
    """The weighted mean of the metric's outcome, of the objectives beside it, and of limits that were kept; in [0, 1].

    None where the metric has no score. A signal that could not be read off its spans counts as kept; an objective of
    which nothing is known is left out of the mean.
    """
    if unit.outcome is None or not (study.weights or study.objectives):
        return unit.outcome
    parts = [(1.0, unit.outcome)]
    parts += [(weight, float(not unit.signals.get(Signal(name), False))) for name, weight in study.weights.items()]
    parts += [(one.weight, found) for one in study.objectives if (found := reached(study, one, unit)) is not None]
    return sum(weight * outcome for weight, outcome in parts) / sum(weight for weight, _ in parts)


def reached(study: Study, objective: Objective, unit: Unit) -> float | None:
    """The outcome of one objective beside the metric, in [0, 1], more is better; None where nothing says it."""
    value = unit.values.get(objective.name)
    if value is None or not objective.measured:
        return value
    return metric_for(study, objective).outcome(value)


def beyond(study: Study, trial: int, fresh: Sequence[Counted]) -> str:
    """Which limit a candidate's fresh units do not keep, in words; empty if they keep all.

    Args:
        fresh: The units of its confirmation: its own, and those of what was in force.
    """
    for name in study.limits.keys() - study.weights.keys():
        rates = {number: _rate(Signal(name), number, fresh) for number in (0, trial)}
        if rates[trial] > rates[0] + _MARGIN:
            return (
                f"{name}: {rates[trial]:.1%} of its fresh units are beyond {study.limits[name]:g}, of what is in force "
                f"{rates[0]:.1%}"
            )
    return ""


def _rate(signal: Signal, trial: int, fresh: Sequence[Counted]) -> float:
    told = [one.unit.signals[signal] for one in fresh if one.trial == trial and signal in one.unit.signals]
    return sum(told) / len(told) if told else 0.0
