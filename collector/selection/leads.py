"""How much higher each arm's outcomes are than those of what is in force, when not all were measured at the same time.

An outcome is taken as the level of its arm, the level of its batch, and chance: what all in a batch have in common -
the traffic, the hour, a model's mood - is no arm's lead. The levels are those of least squares, the intra-block
analysis of incomplete blocks (Yates, "Incomplete randomized blocks", Annals of Eugenics 1936): of all estimates that no
batch's level has a hand in, it is the one of least variance (Gauss and Markov). Who was measured beside others says how
good a time it was, for these others too; so a candidate is compared with what is in force not only by the few units
that this had in the same batches, but by way of all others. With one candidate it is the difference of the two means
within batches, weighted by n m / (n + m).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

MOST_TOGETHER = 100
"""Arms that are compared by way of each other: it takes the cube of their number."""


@dataclass(slots=True)
class Cell:
    """All outcomes of one arm in one batch: how many, and their sum."""

    units: int = 0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Leads:
    """Of arms over the control.

    Attributes:
        place: Of each arm in the lists.
        means: Their leads, as differences of outcomes.
        spread: What the variances and covariances of these are, if that of a single outcome is 1.
    """

    place: Mapping[str, int]
    means: Sequence[float]
    spread: Sequence[Sequence[float]]

    def of(self, arm: str) -> tuple[float, float] | None:
        """An arm's lead, and its variance if that of an outcome is 1; None where nothing compares it."""
        at = self.place.get(arm)
        return None if at is None else (self.means[at], self.spread[at][at])


def leads_of(control: str, cells: Mapping[str, Mapping[int, Cell]]) -> Leads:
    """The leads of all arms that share a batch with the control, or with another arm that has a lead.

    Takes time in the number of cells times that of arms, and in the cube of the number of arms.

    Args:
        control: The arm that leads are over.
        cells: By arm and by batch; in each there is at least one unit.
    """
    batches: dict[int, dict[str, Cell]] = {}
    for arm, own in cells.items():
        for batch, cell in own.items():
            batches.setdefault(batch, {})[arm] = cell
    place = {arm: at for at, arm in enumerate(_compared(control, batches.values()))}
    matrix = [[0.0] * len(place) for _ in place]
    sums = [0.0] * len(place)
    for there in batches.values():
        units, total = sum(cell.units for cell in there.values()), sum(cell.total for cell in there.values())
        known = [(place[arm], cell) for arm, cell in there.items() if arm in place]
        for at, cell in known:
            sums[at] += cell.total - cell.units * total / units
            row = matrix[at]
            row[at] += cell.units
            for other, beside in known:
                row[other] -= cell.units * beside.units / units
    spread = inverse(matrix)
    means = [sum(part * value for part, value in zip(row, sums, strict=True)) for row in spread]
    return Leads(place, means, spread)


def _compared(control: str, batches: Collection[Mapping[str, Cell]]) -> list[str]:
    """The arms that a chain of common batches joins with the control."""
    reached, left, touched = {control: None}, list(batches), [True]
    while any(touched):
        touched = [not reached.keys().isdisjoint(there) for there in left]
        for there, joined in zip(left, touched, strict=True):
            if joined:
                reached.update(dict.fromkeys(there))
        left = [there for there, joined in zip(left, touched, strict=True) if not joined]
    return [arm for arm in reached if arm != control]


def inverse(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Of a symmetric matrix that is positive definite, by Gauss and Jordan; such a one needs no pivots."""
    rows = [list(row) for row in matrix]
    for at in range(len(rows)):
        part = 1 / rows[at][at]
        pivot = [value * part for value in rows[at]]
        for other, row in enumerate(rows):
            if other != at:
                times = row[at]
                rows[other] = [value - times * beside for value, beside in zip(row, pivot, strict=True)]
                rows[other][at] = -times * part
        pivot[at] = part
        rows[at] = pivot
    return rows
