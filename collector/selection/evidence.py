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
from dataclasses import dataclass

FRACTIONS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Of what the gambler has: the part that each of his bets stakes, every time."""
_NOTHING = (0.0,) * len(FRACTIONS)
_BEYOND = 600.0
"""The exponential of more is no float."""


@dataclass(frozen=True, slots=True)
class Margins:
    """How much worse than the control counts as what, as a part of the range of outcomes.

    Attributes:
        harm: An arm that is worse by more than this does harm.
        sound: An arm that is worse by less than this is sound; 0 asks that it is better.
    """

    harm: float = 0.0
    sound: float = 0.05


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one arm and one metric after some units.

    Attributes:
        control_units: Of the control.
        control_sum: Of their outcomes.
        arm_units: Of the arm.
        arm_sum: Of their outcomes.
        harm: Logarithms of what the bets on "worse than the control by more than the margin" have become.
        sound: The same for the bets on "not worse than the control by the margin".
    """

    control_units: int = 0
    control_sum: float = 0.0
    arm_units: int = 0
    arm_sum: float = 0.0
    harm: tuple[float, ...] = _NOTHING
    sound: tuple[float, ...] = _NOTHING

    def with_unit(self, outcome: float, *, in_arm: bool, share: float, margins: Margins) -> "Evidence":
        """Takes in one unit.

        Args:
            outcome: In [0, 1], more is better.
            in_arm: Whether the unit was given the arm; else it was given the control.
            share: The arm's share among the two when the unit was assigned, above 0 and below 1.
            margins: The same for every unit.
        """
        mean = (self.control_sum + self.arm_sum + 0.5) / (self.control_units + self.arm_units + 1)
        difference, bound = difference_of(outcome, mean, in_arm=in_arm, share=share)
        loss = -(difference + margins.harm) / (bound + margins.harm)
        gain = (difference + margins.sound) / bound
        return Evidence(
            self.control_units + (not in_arm),
            self.control_sum + (0.0 if in_arm else outcome),
            self.arm_units + in_arm,
            self.arm_sum + (outcome if in_arm else 0.0),
            tuple([had + math.log1p(part * loss) for part, had in zip(FRACTIONS, self.harm, strict=True)]),
            tuple([had + math.log1p(part * gain) for part, had in zip(FRACTIONS, self.sound, strict=True)]),
        )

    @property
    def fewest(self) -> int:
        """Units of the arm that has fewer."""
        return min(self.control_units, self.arm_units)

    @property
    def control_mean(self) -> float | None:
        """Of the control's outcomes; None without any. For people: what decides is the bets."""
        return self.control_sum / self.control_units if self.control_units else None

    @property
    def arm_mean(self) -> float | None:
        """The same of the arm."""
        return self.arm_sum / self.arm_units if self.arm_units else None

    @property
    def harm_e_value(self) -> float:
        """Against "the arm is not worse than the control by more than the margin of harm"."""
        return mean_of_exponentials(self.harm)

    @property
    def sound_e_value(self) -> float:
        """Against "the arm is worse than the control by the margin of soundness or more"."""
        return mean_of_exponentials(self.sound)


def difference_of(outcome: float, mean: float, *, in_arm: bool, share: float) -> tuple[float, float]:
    """What a unit says of the difference of the means (Z above), and how far from 0 that could have been.

    Args:
        outcome: Of the unit.
        mean: Of what is known from before it, m above.
        in_arm: Whether it was given the arm.
        share: The arm's when it was.
    """
    weight = 1 / share if in_arm else -1 / (1 - share)
    return weight * (outcome - mean), max(1 / share, 1 / (1 - share))


def mean_of_exponentials(logarithms: Sequence[float]) -> float:
    """What a gambler has who divided his stake evenly among some bets, of which the logarithms are given."""
    most = max(logarithms)
    return math.inf if most > _BEYOND else sum(math.exp(one) for one in logarithms) / len(logarithms)
