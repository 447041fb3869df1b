"""How large a difference is: a confidence sequence, valid at every moment at which one may look or stop.

For differences Z of mean d in [-b, b] and any guess g of each that was made before it, with c = 1.25 b and
|g| <= b / 4,

    exp(L (Z - d) / c - psi(L) ((Z - g) / c)^2),   psi(L) = -log(1 - L) - L

has an expectation of at most 1 for every L in [0, 1) (Fan, Grama, Liu, "Exponential inequalities for martingales with
applications", EJP 2015; Howard, Ramdas, McAuliffe, Sekhon, Annals of Statistics 2021). Its logarithm is a straight
line in d, so that three sums are enough to ask it for any d: those whose mixture over L stays below 2/alpha are
inside.
"""

import math
from dataclasses import dataclass

from collector.selection.evidence import FRACTIONS, mean_of_exponentials

_GUESS = 0.25
_PSI = tuple(-math.log1p(-part) - part for part in FRACTIONS)
_HALVINGS = 30


@dataclass(frozen=True, slots=True)
class Interval:
    """What is known of a difference of two means after some units.

    Attributes:
        weight: Sum of 1/c.
        total: Sum of Z/c.
        spread: Sum of ((Z - g)/c) squared.
        squares: Sum of Z squared over c.
    """

    weight: float = 0.0
    total: float = 0.0
    spread: float = 0.0
    squares: float = 0.0

    def with_difference(self, difference: float, bound: float) -> "Interval":
        """Takes in what one unit, or one pair, says of the difference; `bound`: how far from 0 it could have been."""
        scale = bound * (1 + _GUESS)
        guess = min(max(self.mean, -bound * _GUESS), bound * _GUESS)
        return Interval(
            self.weight + 1 / scale,
            self.total + difference / scale,
            self.spread + ((difference - guess) / scale) ** 2,
            self.squares + difference**2 / scale,
        )

    @property
    def mean(self) -> float:
        """The difference as it looks now; 0 before there is any unit."""
        return self.total / self.weight if self.weight else 0.0

    @property
    def second_moment(self) -> float:
        """The mean square of what single units say; 0 before there is any."""
        return self.squares / self.weight if self.weight else 0.0

    def bounds(self, alpha: float) -> tuple[float, float]:
        """Differences that are not excluded, within [-1, 1]: the true one is outside, ever, in alpha at most."""
        return self._lowest(1, alpha), -self._lowest(-1, alpha)

    def _lowest(self, sign: int, alpha: float) -> float:
        low, high = -1.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            lead = sign * self.total - middle * self.weight
            bets = [part * lead - psi * self.spread for part, psi in zip(FRACTIONS, _PSI, strict=True)]
            low, high = (middle, high) if mean_of_exponentials(bets) >= 2 / alpha else (low, middle)
        return low
