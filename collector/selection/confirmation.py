"""A promising candidate meets the incumbent on fresh data: what shows that it is better, and by how much."""

import math
from dataclasses import dataclass, field, replace
from statistics import NormalDist

from collector.selection.evidence import difference_of
from collector.selection.interval import Interval

_LEAST = 30
"""Units of each, before the evidence counts."""

_NORMAL = NormalDist()

_SHORT = 0.99
"""He aims a little higher, since 1/alpha itself would be reached only at the very end."""

_FIRST = 20
"""Units that the first guess of the variance is worth."""

_LAST = 100
"""Units for which stakes are set at least: in the last ones all would be at stake at once."""

_MOST = 0.9
"""The part that is staked at most: who loses all cannot go on."""

_ERROR_MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class Gain:
    """What fresh data say of a candidate: the only gain that is ever shown.

    Attributes:
        mean: How much better than the incumbent, as a part of the metric's range.
        lowest: Of a confidence sequence, which may be looked at at any time.
        highest: The same above.
        units: Of both together.
    """

    mean: float
    lowest: float
    highest: float
    units: int


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A test of one candidate on data that nothing was selected by. It may be looked at after every unit.

    Attributes:
        key: Of the candidate.
        alpha: How often one that is no better may pass.
        planned: How many units there will be about, of both together. The test is best if that is so, and right if not.
        scored: Units with an outcome: of the incumbent, of the candidate.
        total: Of all these outcomes.
        e_value: Against "it is no better": above 1/alpha, ever, with a probability of at most alpha if that is so.
        failed: Units without an outcome: of the incumbent, of the candidate.
        weight: What the units say together: one counts most where both are dealt alike, 4 p (1 - p) at a share p.
        margin: How much worse it may be and pass: then it is tested against "it is worse by the margin or more".
    """

    key: str
    alpha: float
    planned: int
    scored: tuple[int, int] = (0, 0)
    total: float = 0.0
    interval: Interval = field(default_factory=Interval)
    e_value: float = 1.0
    failed: tuple[int, int] = (0, 0)
    weight: float = 0.0
    margin: float = 0.0

    def with_unit(self, outcome: float | None, *, challenger: bool, share: float) -> "Confirmation":
        """Takes in a unit; `share`: the challenger's when the unit was assigned. None: it failed."""
        if outcome is None:
            incumbent, own = self.failed
            return replace(self, failed=(incumbent + (not challenger), own + challenger))
        mean = (self.total + 0.5) / (self.units + 1)
        difference, bound = difference_of(outcome, mean, in_arm=challenger, share=share)
        scored = self.scored[0] + (not challenger), self.scored[1] + challenger
        return self._taken(difference, bound, scored, self.total + outcome, 4 * share * (1 - share))

    def with_pair(self, challenger: float | None, incumbent: float | None) -> "Confirmation":
        """Takes in an example on which both ran. Where one failed, the outcomes are not compared."""
        if challenger is None or incumbent is None:
            missing = self.failed[0] + (incumbent is None), self.failed[1] + (challenger is None)
            return replace(self, failed=missing)
        scored = self.scored[0] + 1, self.scored[1] + 1
        return self._taken(challenger - incumbent, 1.0, scored, self.total + challenger + incumbent, 2.0)

    def _taken(
        self, difference: float, bound: float, scored: tuple[int, int], total: float, weight: float
    ) -> "Confirmation":
        difference, bound = difference + self.margin, bound + self.margin
        return replace(
            self,
            scored=scored,
            total=total,
            interval=self.interval.with_difference(difference, bound),
            e_value=self._staked(difference, bound),
            weight=self.weight + weight,
        )

    def _staked(self, difference: float, bound: float) -> float:
        """The capital behind one more difference: with what was won or lost by the stake that was set before it.

        The stake is that of a player who has to have 1/alpha when the units that are planned have come, and not more:
        in Brownian motion he has, at any time, the probability that he gets there, over alpha (Dubins and Savage, "How
        to gamble if you must", 1965; Shafer, JRSS A 2021). That is the test of fixed size, as powerful at its end, and
        still a bet: whatever the outcomes are distributed like, 1/alpha is reached with a probability of at most alpha.
        """
        have = min(max(self.e_value * self.alpha * _SHORT, 1e-9), 1 - 1e-9)
        second = (_FIRST * bound**2 / 4 + self.units * self.interval.second_moment) / (_FIRST + self.units)
        left = max(self.planned - self.weight, _LAST) * (self.units / self.weight if self.weight else 1.0)
        stake = _NORMAL.pdf(_NORMAL.inv_cdf(have)) / have / math.sqrt(second * left)
        return self.e_value * (1 + min(stake, _MOST / bound) * difference)

    @property
    def passed(self) -> bool:
        """Whether the fresh data exclude "not better", and it does not fail more often."""
        enough = min(self.scored) >= _LEAST and self.e_value >= 1 / self.alpha
        return enough and self.interval.mean > 0 and self._fails_no_more

    @property
    def units(self) -> int:
        """With an outcome, of both together."""
        return sum(self.scored)

    @property
    def gain(self) -> Gain:
        """As it looks now."""
        lowest, highest = self.interval.bounds(self.alpha)
        if self.e_value >= 1 / self.alpha:
            lowest = max(lowest, 0.0)  # the bet excludes what lies below
        return Gain(self.interval.mean - self.margin, lowest - self.margin, highest - self.margin, self.units)

    def more(self, lead: float | None = None) -> float:
        """About how many more units it takes until it passes; infinite if it does not lead.

        Args:
            lead: How much better it is; as it looks on fresh data, if nothing is said.
        """
        lead = self.interval.mean if lead is None else lead
        return units_needed(lead, self.alpha * max(self.e_value, 1e-300))

    @property
    def _fails_no_more(self) -> bool:
        incumbent, own = self.failed
        of_incumbent = incumbent / max(incumbent + self.scored[0], 1)
        return own / max(own + self.scored[1], 1) <= of_incumbent + _ERROR_MARGIN


def units_needed(lead: float, alpha: float) -> float:
    """About how many fresh units, of both together, show that lead; infinite if there is none.

    As if outcomes were thumbs of which half are up: no others vary more.
    """
    return max(math.log(1 / alpha), 0.0) * 2 / lead**2 if lead > 0 else math.inf
