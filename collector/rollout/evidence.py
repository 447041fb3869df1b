"""Whether an arm is worse or no worse than the control: betting e-values that may be looked at after every unit.

Units are compared that came at the same time, each weighted by the probability with which it was given its arm. With
T = 1 for the arm and 0 for the control, p the arm's share among the two when the unit was assigned, Y its outcome in
[0, 1] and m the mean of all earlier outcomes,

    Z = (T / p - (1 - T) / (1 - p)) (Y - m)

has the difference of the two means as its expectation, whatever m and p are as long as they were known before: shares
that ramp up and days that differ do no harm (means that are pooled over stages do). A gambler who bets a fixed
fraction of what he has on "worse" gets rich only if it is so; the mean over several fractions is an e-value: under the
hypothesis it exceeds 1/alpha at any time with a probability of at most alpha (Ville's inequality; Waudby-Smith and
Ramdas, "Estimating means of bounded random variables by betting", JRSS B 2024).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

_FRACTIONS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
_NOTHING = (0.0,) * len(_FRACTIONS)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one arm and one metric after some units.

    Attributes:
        control_units: Of the control, as is the next of the arm.
        arm_units: See there.
        mean: Of the outcomes of all units so far.
        worse: Logarithms of what the bets on "worse than the control" have become.
        sound: The same for the bets on "no worse than the control by more than the margin".
    """

    control_units: int = 0
    arm_units: int = 0
    mean: float = 0.5
    worse: tuple[float, ...] = _NOTHING
    sound: tuple[float, ...] = _NOTHING

    def with_unit(self, outcome: float, *, in_arm: bool, share: float, margin: float) -> "Evidence":
        """Takes in one unit.

        Args:
            outcome: In [0, 1], more is better.
            in_arm: Whether the unit was given the arm; else it was given the control.
            share: The arm's share among the two when the unit was assigned, above 0 and below 1.
            margin: How much worse still counts as no worse, at least 0.
        """
        difference = (1 / share if in_arm else -1 / (1 - share)) * (outcome - self.mean)
        bound = max(1 / share, 1 / (1 - share))
        loss, gain = -difference / bound, (difference + margin) / bound
        units = self.control_units + self.arm_units
        return replace(
            self,
            control_units=self.control_units + (not in_arm),
            arm_units=self.arm_units + in_arm,
            mean=(self.mean * (units + 1) + outcome) / (units + 2),
            worse=tuple([had + math.log1p(part * loss) for part, had in zip(_FRACTIONS, self.worse, strict=True)]),
            sound=tuple([had + math.log1p(part * gain) for part, had in zip(_FRACTIONS, self.sound, strict=True)]),
        )

    @property
    def worse_e_value(self) -> float:
        """Against "the arm is at least as good as the control"."""
        return _mean_of(self.worse)

    @property
    def sound_e_value(self) -> float:
        """Against "the arm is worse than the control by the margin or more"."""
        return _mean_of(self.sound)


def _mean_of(logarithms: Sequence[float]) -> float:
    most = max(logarithms)
    if most > 600:
        return math.inf
    return sum(math.exp(one) for one in logarithms) / len(logarithms)
