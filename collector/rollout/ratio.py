"""Whether as many units came to an arm as its share says: a sample-ratio test that may be looked at at any time."""

import math
from dataclasses import dataclass, replace

_ODDS = (-1.0, -0.5, -0.25, -0.1, 0.1, 0.25, 0.5, 1.0)
"""Logarithms of how much higher than they should be the odds of the arm would be."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Evidence that units are dealt otherwise than they should be: likelihood ratios against the shares in force.

    A mixture over alternatives is an e-value, valid however long one looks and however shares change meanwhile (cf.
    Lindon and Malek, "Anytime-valid inference for multinomial count data", arXiv 2011.01808).

    Attributes:
        units: Seen so far.
        ratios: Logarithms of the likelihood ratios.
    """

    units: int = 0
    ratios: tuple[float, ...] = (0.0,) * len(_ODDS)

    def with_unit(self, *, in_arm: bool, share: float) -> "SampleRatio":
        """Takes in one unit; `share` is the arm's among the two when it was dealt, above 0 and below 1."""
        return replace(
            self,
            units=self.units + 1,
            ratios=tuple(
                [
                    had + (odds if in_arm else 0.0) - math.log1p(share * math.expm1(odds))
                    for odds, had in zip(_ODDS, self.ratios, strict=True)
                ]
            ),
        )

    @property
    def e_value(self) -> float:
        """Against "the units are dealt as the shares say"; 1,000 and more is a fault somewhere."""
        most = max(self.ratios)
        return math.inf if most > 600 else sum(math.exp(one) for one in self.ratios) / len(self.ratios)
