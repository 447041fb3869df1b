"""Control on the spot, in the manner of SCATS: greens follow the traffic, cycle by cycle.

After Sims and Dobinson, "The Sydney coordinated adaptive traffic (SCAT) system" (1980): each road's degree of
saturation, its used share of green, decides; the split moves by at most a few seconds a cycle towards the road that is
fuller, and the cycle gets longer or shorter so that the fuller one is at 0.9. The real system knows more: several
plans, offsets between crossings.
"""

from collections.abc import Sequence
from typing import Any

from examples.experiments.traffic.crossing import GROUPS, LEAST_GREEN, MOST_GREEN, cycle

_WANTED = 0.9
_MOST_MOVED = 4.0
"""Seconds of green in one cycle."""


class Adaptive:
    """A `Control`. It keeps its greens from one simulation to the next, as it would from one day to the next.

    Args:
        greens: To begin with, seconds.
    """

    def __init__(self, greens: tuple[int, int]) -> None:
        self.greens: list[float] = [float(green) for green in greens]
        self._ended = 0
        self._left = [0.0, 0.0]

    def __call__(self, world: Any, node: Any) -> None:
        """Once a step; changes the greens when a cycle has ended."""
        if world.T == 0:
            self._ended, self._left = 0, [0.0, 0.0]
            node.signal[:] = cycle(*self.signal)
        seconds = world.T * world.DELTAT
        if seconds - self._ended < sum(node.signal):
            return
        self._ended = seconds
        left = [_crossed(node, group) for group in GROUPS]
        capacity = next(iter(node.inlinks.values())).capacity
        used = [
            (now - before) / (2 * capacity * green)  # two directions share a green
            for now, before, green in zip(left, self._left, self.signal, strict=True)
        ]
        self._left = left
        self._adapt(used)
        node.signal[:] = cycle(*self.signal)

    @property
    def signal(self) -> tuple[int, int]:
        """Whole seconds of green."""
        return round(self.greens[0]), round(self.greens[1])

    def _adapt(self, used: Sequence[float]) -> None:
        cycle = sum(self.greens)
        grown = min(max(cycle * max(used) / _WANTED, cycle - _MOST_MOVED), cycle + _MOST_MOVED)
        wanted = grown * used[0] / (used[0] + used[1]) if sum(used) else grown / 2
        first = min(max(wanted, self.greens[0] - _MOST_MOVED), self.greens[0] + _MOST_MOVED)
        self.greens = [min(max(green, LEAST_GREEN), MOST_GREEN) for green in (first, grown - first)]


def _crossed(node: Any, group: int) -> float:
    return float(sum(link.cum_departure[-1] for link in node.inlinks.values() if group in link.signal_group))
