"""What is believed of candidates: their leads together with how far candidates usually are from what is in force.

Leads are compared with the same incumbent, so its luck is in all of them, and no candidate's lead says by itself how
much of it is that. Together they do: where all lead by as much, what is in force had bad luck. With leads x of
covariance S, and true leads that are normal around 0 with a standard deviation of t, each by itself, what is believed
of the true ones is normal with the mean t² (S + t² I)⁻¹ x and the covariance t² I - t⁴ (S + t² I)⁻¹ (Lindley and Smith,
"Bayes estimates for the linear model", JRSS B 1972).
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

from collector.selection.archive import Standing
from collector.selection.leads import inverse

PRIOR = 0.05
"""How far candidates usually are from what is in force. Few lucky units promise little by it."""


@dataclass(frozen=True, slots=True)
class Belief:
    """Of true leads, in the order of the candidates.

    Attributes:
        means: What is to be expected.
        root: Of the covariance: the lower triangle by which independent luck becomes theirs (Cholesky).
    """

    means: Sequence[float]
    root: Sequence[Sequence[float]]

    def drawn(self, rng: random.Random) -> list[float]:
        """True leads as they may be."""
        luck = [rng.gauss() for _ in self.means]
        return [mean + sum(map(mul, row, luck)) for mean, row in zip(self.means, self.root, strict=True)]

    def positive(self, at: int) -> float:
        """How probable it is that a candidate is better than what is in force."""
        deviation = math.hypot(*self.root[at])
        return 0.5 * math.erfc(-self.means[at] / deviation / math.sqrt(2))


def belief_of(
    candidates: Sequence[Standing], covariance: Sequence[Sequence[float]] = (), prior: float = PRIOR
) -> Belief:
    """What is believed of candidates that were compared with what is in force, all of them.

    Args:
        candidates: With their leads.
        covariance: Of these; empty where no more is known than which part of each error is shared by all.
        prior: How far true leads usually are from 0.
    """
    known = covariance or _covariance(candidates)
    whole = inverse([[value + prior**2 * (at == to) for to, value in enumerate(row)] for at, row in enumerate(known)])
    leads = [one.lead for one in candidates]
    means = [prior**2 * sum(map(mul, row, leads)) for row in whole]
    left = [[prior**2 * (at == to) - prior**4 * value for to, value in enumerate(row)] for at, row in enumerate(whole)]
    return Belief(means, _root(left))


def _covariance(candidates: Sequence[Standing]) -> list[list[float]]:
    """If all that leads have in common is the incumbent's luck."""
    return [
        [one.deviation**2 if one is other else one.shared * other.shared for other in candidates] for one in candidates
    ]


def _root(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    rows: list[list[float]] = []
    for at, values in enumerate(matrix):
        row: list[float] = []
        for to in range(at):
            taken = sum(map(mul, row, rows[to]))
            row.append((values[to] - taken) / rows[to][to])
        row.append(math.sqrt(max(values[at] - math.fsum(value**2 for value in row), 1e-18)))
        rows.append(row)
    return rows
