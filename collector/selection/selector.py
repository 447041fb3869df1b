"""What is measured next: the contract of selectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collector.selection.archive import Standing


@dataclass(frozen=True, slots=True)
class Field:
    """All that a selector may look at.

    Attributes:
        open: The candidates that may still win, in the order in which they were generated.
        entered: How many candidates there have been that could be measured, these included.
        batch_units: How many units the next batch has, those of the incumbent included.
        least_units: How many of its own a candidate should have before it is judged.
        looking: How many units there are for looking around in all; those for fresh data are not among them.
        left: How many of these are left.
        number: Of the next batch; with the seed it makes chance repeatable.
        seed: Of the race.
        covariance: Of the leads of those that are open, in their order; empty where some have none yet, or they
            are very many.
    """

    open: tuple[Standing, ...]
    entered: int
    batch_units: int
    least_units: int
    looking: int
    left: int
    number: int
    seed: int = 0
    covariance: Sequence[Sequence[float]] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """What a selector wants.

    Attributes:
        shares: How the candidates' part of the next batch is divided: positive numbers by key, of any scale. The
            incumbent is in every batch and is not named.
        confirm: The candidate that should meet the incumbent on fresh data now; then `shares` is not looked at.
        dropped: Candidates that are not worth another unit, with the reason in words.
    """

    shares: Mapping[str, float] = field(default_factory=dict)
    confirm: str = ""
    dropped: Mapping[str, str] = field(default_factory=dict)


class Selector(Protocol):
    """Decides what is measured next, and what is promising enough to be confirmed.

    It may be as bold as it likes: nothing is released on what it saw. Who is confirmed meets the incumbent on fresh
    data, with a test that a selector has no hand in.
    """

    def choose(self, field: Field) -> Move:
        """The next move. Pure: the same field gives the same move, so that any process can go on with a race.

        It names candidates of `field.open` only, and never one both as dropped and as measured or confirmed. With
        candidates open it measures, confirms or drops; with none it wants nothing. It need not come to an end by
        itself: when nothing is left for looking around, the one that leads by most is confirmed.
        """
        ...
