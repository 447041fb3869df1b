"""What a study improves beside its metric, and what may not get worse than with what is in force."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

MEASURED = ("latency", "tokens", "cost")
"""What spans say of a unit without any instrumentation: seconds of its entry span, tokens and cost of model calls."""

_QUANTILE = re.compile(rf"({'|'.join(MEASURED)})\.p(.*)")
_MEDIAN = 0.5
_QUANTILES = tuple(str(percent) for percent in range(50, 100))
_MOST_WORSE = 10.0
MOST_WEIGHT = 1_000_000
"""Beside the metric's 1; a mean of larger ones would be lost in rounding."""

_MOST_OBJECTIVES = 8


class Direction(Enum):
    """Which way the objective is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"

    def better(self, new: float, old: float) -> bool:
        """Whether a score is strictly better than another."""
        return new > old if self is Direction.MAXIMIZE else new < old


@dataclass(frozen=True, slots=True)
class Objective:
    """Something that a study improves beside its metric.

    Attributes:
        name: Of a feedback; or ``latency``, ``tokens``, ``cost``, which are read off the spans.
        direction: None: less of what is read off the spans, more of a feedback.
        lowest: Lower ones count as this.
        highest: The same above.
        weight: Beside the metric's 1; 0: it is measured and shown, and decides nothing.
    """

    name: str
    direction: Direction | None = None
    lowest: float = 0.0
    highest: float = 1.0
    weight: float = 1.0

    @property
    def measured(self) -> bool:
        """Whether it is read off the spans; else it is a feedback."""
        return self.name in MEASURED

    @property
    def better(self) -> Direction:
        """Which way it is better."""
        return self.direction or (Direction.MINIMIZE if self.measured else Direction.MAXIMIZE)

    def faults(self) -> list[str]:
        """Every fault of its fields: what was found, what is allowed."""
        where = f"objectives: {self.name!r}"
        faults = []
        if not self.name:
            faults.append(f"objectives: found one without a name; it is a feedback's, or {', '.join(MEASURED)}")
        if self.measured and self.better is Direction.MAXIMIZE:
            faults.append(f"{where}: found maximize; less of it is better")
        if not (math.isfinite(self.highest - self.lowest) and self.lowest < self.highest):
            faults.append(
                f"{where}: found the range {self.lowest:g} to {self.highest:g}, allowed are finite ends, the lowest "
                "first"
            )
        if not 0 <= self.weight <= MOST_WEIGHT:
            faults.append(f"{where}: found the weight {self.weight:g}, allowed is 0 to {MOST_WEIGHT:,}")
        return faults


@dataclass(frozen=True, slots=True)
class Bound:
    """How much worse than with what is in force something may be.

    Attributes:
        name: As the study has it: ``latency.p95``, ``cost``, ``quality``.
        of: What is compared: ``latency``, or a feedback's name.
        part: Of what is read off the spans: by which part of its own value the quantile may be higher. Of a feedback:
            by which part of its range the mean may be worse.
        quantile: Of the units' values; None: the mean of a feedback.
    """

    name: str
    of: str
    part: float
    quantile: float | None


def bounds_of(not_worse: Mapping[str, float]) -> tuple[Bound, ...]:
    """A study's bounds, which have been checked."""
    return tuple(_bound(name, part) for name, part in not_worse.items())


def _bound(name: str, part: float) -> Bound:
    if name in MEASURED:
        return Bound(name, name, part, _MEDIAN)
    found = _QUANTILE.fullmatch(name)
    return Bound(name, name, part, None) if found is None else Bound(name, found[1], part, int(found[2]) / 100)


def objective_faults(metric: str, objectives: Sequence[Objective], not_worse: Mapping[str, float]) -> list[str]:
    """Every fault of what stands beside a study's metric: what was found, what is allowed."""
    if len(objectives) > _MOST_OBJECTIVES:
        return [f"objectives: found {len(objectives)}, allowed are {_MOST_OBJECTIVES} at most"]
    names = [one.name for one in objectives]
    faults = [fault for one in objectives for fault in one.faults()]
    faults += [f"objectives: {name!r} stands there twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if metric and metric in names:
        faults.append(f"objectives: {metric!r} is the metric already; its weight is 1")
    judged = [metric, *(one.name for one in objectives if not one.measured)]
    return faults + [fault for name, part in not_worse.items() if (fault := _bound_fault(name, part, judged))]


def _bound_fault(name: str, part: float, judged: Sequence[str]) -> str:
    where, quantile = f"not_worse: {name!r}", _QUANTILE.fullmatch(name)
    if quantile is not None and quantile[2] not in _QUANTILES:
        return f"{where}: found the quantile {'p' + quantile[2]!r}, allowed are p{_QUANTILES[0]} to p{_QUANTILES[-1]}"
    if quantile is not None or name in MEASURED:
        if 0 < part <= _MOST_WORSE:
            return ""
        return f"{where}: found {part:g}, allowed is above 0 and up to {_MOST_WORSE:g}: 0.1 is 10 % more than now"
    if name not in judged:
        return (
            f"not_worse: found {name!r}, allowed are {', '.join(MEASURED)}, with .p{_QUANTILES[0]} to "
            f".p{_QUANTILES[-1]} behind them, the metric {judged[0]!r}, and feedbacks that are objectives "
            "(of weight 0, if they are only to be kept)"
        )
    if not 0 < part < 1:
        return f"{where}: found {part:g}, allowed is above 0 and below 1: 0.02 is 2 % of its range"
    return ""
