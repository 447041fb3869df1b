"""A controller by hand, with constants that can be searched."""

import math
from collections.abc import Mapping, Sequence

from examples.experiments.robot.table import Controller

CONSTANTS: Mapping[str, tuple[float, float, float]] = {
    "gain": (2.0, 1.0, 30.0),
    "behind": (0.03, 0.03, 0.15),
    "aside": (0.005, 0.005, 0.06),
}
"""By name: value, least, most. How fast for each metre that is left; how far behind the puck the hand lines up, and how
far beside that line it may be when it pushes, both in metres."""


def fixed(task: str, gain: float, behind: float, aside: float) -> Controller:
    """To the goal, or behind the puck and then through it."""

    def reach(hand: Sequence[float], _: Sequence[float], goal: Sequence[float]) -> list[float]:
        return _towards(hand, goal, gain)

    def push(hand: Sequence[float], puck: Sequence[float], goal: Sequence[float]) -> list[float]:
        away = math.dist(puck, goal)
        if away < 0.01:
            return [0.0, 0.0]
        ahead = [(there - here) / away for here, there in zip(puck, goal, strict=True)]
        along = sum((here - middle) * way for here, middle, way in zip(hand, puck, ahead, strict=True))
        across = (hand[0] - puck[0]) * -ahead[1] + (hand[1] - puck[1]) * ahead[0]
        if along < 0 and abs(across) < aside:
            return _towards(hand, goal, gain)
        wanted = [middle - way * (behind + 0.06) for middle, way in zip(puck, ahead, strict=True)]
        if along > -0.06 and abs(across) < 0.08:  # around it, not through it
            side = 1.0 if across >= 0 else -1.0
            wanted = [
                middle + side * off * 0.12 - way * 0.05
                for middle, off, way in zip(puck, (-ahead[1], ahead[0]), ahead, strict=True)
            ]
        return _towards(hand, wanted, gain)

    return reach if task == "reach" else push


def _towards(here: Sequence[float], there: Sequence[float], gain: float) -> list[float]:
    return [gain * (wanted - now) for now, wanted in zip(here, there, strict=True)]
