"""Means with what they may be: Student's t, since there are few seeds."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""The 97.5 % quantile of Student's t by degrees of freedom, from 1; beyond 30 the last one, which is a little wide."""

_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean of n values.

    Attributes:
        half: Half of the 95 % interval's width; infinite for fewer than three values, of which it would say nothing.
    """

    n: int
    mean: float
    half: float

    def __str__(self) -> str:
        if math.isinf(self.half):
            return f"{self.mean:.3g}"
        return f"{self.mean:.3g} ({self.mean - self.half:.3g} to {self.mean + self.half:.3g})"


def interval(values: Sequence[float]) -> Interval | None:
    """Of values that are independent; None where there is none."""
    if not values:
        return None
    n = len(values)
    if n < _FEWEST:
        return Interval(n, statistics.fmean(values), math.inf)
    quantile = _T[min(n - 2, len(_T) - 1)]
    return Interval(n, statistics.fmean(values), quantile * statistics.stdev(values) / math.sqrt(n))
