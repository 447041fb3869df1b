"""A candidate beside the incumbent on the same examples: by how much it is better, and how sure that is.

Of one example the difference D of both outcomes is in [-1, 1]. A gambler who stakes the part f of what he has on
"better by more than m" has the product of all 1 + f (D - m) / (1 + m); if it is not so, the mean over several f exceeds
1/alpha, ever, with a probability of at most alpha (see `collector.selection.evidence`, whose parts these are). The gain
is at least the largest m that is excluded. It may be looked at after every example, and more may be added after that.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.core.problem import Objective
from collector.core.study import Direction
from collector.selection.evidence import FRACTIONS, mean_of_exponentials
from collector.selection.interval import Interval

Outcomes = Mapping[str, float | None]
"""By example, in [0, 1] with 1 the best; None where it failed."""

_HALVINGS = 20


def outcome_of(score: float | None, objective: Objective) -> float | None:
    """A score as an outcome; what lies outside of the metric's range counts as its end."""
    if score is None:
        return None
    part = (min(max(score, objective.lowest), objective.highest) - objective.lowest) / _range(objective)
    return part if objective.direction is Direction.MAXIMIZE else 1 - part


def _range(objective: Objective) -> float:
    return objective.highest - objective.lowest


@dataclass(frozen=True, slots=True)
class Compared:
    """Two candidates on examples on which both have an outcome.

    Attributes:
        pairs: How many these are.
        gain: The mean difference, in outcomes.
        error: Its standard error; infinite for fewer than two pairs.
        lowest: The gain is at least that, with 1 - alpha, at every moment at which one looks; above 0 if it is better.
        highest: It is at most that, in the same sense.
        e_value: Against "it is no better": above 1/alpha with a probability of at most alpha if that is so.
        failures: Examples on which only the incumbent, and only the candidate, failed.
        more: About how many more pairs would show it; infinite where it does not lead.
        better: Whether it is shown to be better.
    """

    pairs: int
    gain: float
    error: float
    lowest: float
    highest: float
    e_value: float
    failures: tuple[int, int]
    more: float
    better: bool

    @property
    def looks_better(self) -> bool:
        """Better by its standard error at least, and no more failures: enough to go on with, not to release."""
        return self.gain > 0 and self.gain >= self.error and self.failures[1] <= self.failures[0]

    def words(self) -> str:
        """The gain, and what may be said of it."""
        if not self.pairs:
            return "no example on which both ran without failing"
        shown = f"{self.gain:+.3g} ({self.lowest:+.2g} to {self.highest:+.2g}) on {self.pairs} pairs"
        if self.better:
            return f"better by {shown}"
        if self.gain <= 0:
            return f"not better: {shown}"
        if not math.isfinite(self.more):
            return f"no evidence yet: {shown}"
        return f"no evidence yet: {shown}; about {max(math.ceil(self.more), 1)} more would show it"


def compared(candidate: Outcomes, incumbent: Outcomes, alpha: float) -> Compared:
    """Both, paired by example, in the order of the incumbent's."""
    shared = [key for key in incumbent if key in candidate]
    differences, only = [], [0, 0]
    for key in shared:
        ours, theirs = candidate[key], incumbent[key]
        if ours is not None and theirs is not None:
            differences.append(ours - theirs)
        elif (ours is None) != (theirs is None):
            only[ours is None] += 1
    mean = statistics.fmean(differences) if differences else 0.0
    error = statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.inf
    bets = _bets(differences, 0.0)
    sure = mean_of_exponentials(bets) >= 1 / alpha and only[1] <= only[0]
    return Compared(
        len(differences), mean, error, _lowest(differences, alpha), -_lowest([-one for one in differences], alpha),
        mean_of_exponentials(bets), (only[0], only[1]), _more(max(bets), len(differences), alpha), sure,
    )  # fmt: skip


def _bets(differences: Sequence[float], margin: float) -> Sequence[float]:
    """Logarithms of what the bets on "better by more than the margin", above -1, have become."""
    scaled = [(one - margin) / (1 + margin) for one in differences]
    return [sum(math.log1p(part * one) for one in scaled) for part in FRACTIONS]


def _lowest(differences: Sequence[float], alpha: float) -> float:
    low, high = -1.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        excluded = mean_of_exponentials(_bets(differences, middle)) >= 1 / alpha
        low, high = (middle, high) if excluded else (low, middle)
    return low


def _more(best: float, pairs: int, alpha: float) -> float:
    """About how many more pairs it takes, if they are as those before and only the best bet counts."""
    missing = math.log(len(FRACTIONS) / alpha) - best
    return max(missing, 0.0) * pairs / best if best > 0 else math.inf


@dataclass(frozen=True, slots=True)
class Mean:
    """Of the scores of one candidate on one part.

    Attributes:
        n: Examples with a score.
        mean: None without any.
        lowest: Of a confidence sequence.
        highest: The same above.
        failures: Examples without a score.
    """

    n: int
    mean: float | None
    lowest: float
    highest: float
    failures: int


def mean_of(scores: Sequence[float | None], objective: Objective, alpha: float) -> Mean:
    """In the metric's own unit; the interval is that of a confidence sequence for scores within the range."""
    found = [score for score in scores if score is not None]
    middle, half = (objective.highest + objective.lowest) / 2, _range(objective) / 2
    interval = Interval()
    for score in found:
        within = min(max(score, objective.lowest), objective.highest)
        interval = interval.with_difference((within - middle) / half, 1.0)
    low, high = interval.bounds(alpha)
    mean = statistics.fmean(found) if found else None
    return Mean(len(found), mean, middle + half * low, middle + half * high, len(scores) - len(found))
