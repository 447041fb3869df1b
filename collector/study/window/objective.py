"""What a unit is worth to a study, and what a candidate may not make worse. Pure.

One rule picks the release: of the candidates, tested one after another, the first whose fresh units show it better in
the objective, and of whose fresh units no more are beyond any limit than of those of what is in force, by 2 %.
"""

from collections.abc import Sequence

from collector.core.rollout import Signal
from collector.core.study import Study
from collector.core.units import Unit
from collector.study.window.measuring import Counted

_MARGIN = 0.02


def outcome_of(study: Study, unit: Unit) -> float | None:
    """The metric's outcome and, with their weights, whether the unit kept within limits; in [0, 1].

    None where nothing scored it. A signal that could not be read off its spans counts as kept.
    """
    if unit.outcome is None or not study.weights:
        return unit.outcome
    kept = sum(weight for name, weight in study.weights.items() if not unit.signals.get(Signal(name), False))
    return (unit.outcome + kept) / (1 + sum(study.weights.values()))


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
