"""A board of 8 by 8 with five ships.

As in the examples of Trace (Cheng, Nie, Swaminathan, NeurIPS 2024, figure 1 and appendix C.1): ships of 5, 4, 3, 3 and
2 squares, across or down, that may touch and never overlap.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

SIZE = 8
SHIPS = (5, 4, 3, 3, 2)
SQUARES = sum(SHIPS)
UNKNOWN, HIT, MISS = ".", "X", "O"

Square = tuple[int, int]
"""Row and column, from 0."""

Seen = list[list[str]]
"""What is known: rows of UNKNOWN, HIT, MISS."""


def placed(seed: str) -> frozenset[Square]:
    """The squares of all ships."""
    drawn = random.Random(seed)
    taken: set[Square] = set()
    for length in SHIPS:
        while True:
            down = drawn.random() < 0.5
            row, column = drawn.randrange(SIZE - (length - 1) * down), drawn.randrange(SIZE - (length - 1) * (not down))
            ship = {(row + step * down, column + step * (not down)) for step in range(length)}
            if not ship & taken:
                taken |= ship
                break
    return frozenset(taken)


@dataclass(slots=True)
class Board:
    """One game.

    Attributes:
        ships: The squares of all ships.
        seen: What the player knows.
        shots: So many so far.
        wasted: Of these, beside the board or where one was before.
    """

    ships: frozenset[Square]
    seen: Seen
    shots: int = 0
    wasted: int = 0

    @classmethod
    def of(cls, seed: str) -> "Board":
        """A new game; the same seed gives the same board."""
        return cls(placed(seed), [[UNKNOWN] * SIZE for _ in range(SIZE)])

    @property
    def hits(self) -> int:
        """Squares of ships that were hit."""
        return sum(row.count(HIT) for row in self.seen)

    @property
    def known(self) -> Seen:
        """A copy for somebody who may write on it."""
        return [list(row) for row in self.seen]

    def shoot(self, shot: object) -> str:
        """Says what became of it.

        Raises:
            ValueError: it is no pair of whole numbers.
        """
        row, column = _square(shot)
        self.shots += 1
        if not (0 <= row < SIZE and 0 <= column < SIZE):
            self.wasted += 1
            return f"[{row}, {column}] is beside the board"
        if self.seen[row][column] != UNKNOWN:
            self.wasted += 1
            return f"[{row}, {column}] was shot at before"
        hit = (row, column) in self.ships
        self.seen[row][column] = HIT if hit else MISS
        return f"[{row}, {column}] is a {'hit' if hit else 'miss'}"


def _square(shot: object) -> Square:
    if not isinstance(shot, Sequence) or isinstance(shot, str) or len(shot) != 2:
        raise ValueError(f"the shot is {shot!r:.80}, wanted is [row, column]")
    row, column = shot
    if not isinstance(row, int) or not isinstance(column, int):
        raise ValueError(f"the shot is {shot!r:.80}, wanted are two whole numbers")
    return row, column
