"""A table with a hand and a puck, simulated by MuJoCo: reach a place, push the puck to one.

After the robot task of Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 5.4, which has
Meta-World's Reach and Push (Yu and others 2019) with the words of LLF-Bench. This is a plainer one of our own: flat, a
round hand that is moved at a wanted velocity, and a round puck that slides with friction when it is pushed.
"""

import importlib
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Place = tuple[float, float]
"""Metres to the right and away from the middle of the table."""

Controller = Callable[[list[float], list[float], list[float]], list[float]]
"""From the places of hand, puck and goal to the hand's velocity, each -1 to 1, which is 0.5 m/s."""

STEPS = 50
HAND_RADIUS, PUCK_RADIUS = 0.02, 0.04
REACHED = 0.03
"""Metres from the goal."""

_EDGE = 0.4
_FASTEST = 0.5
_SUBSTEPS = 20
_MODEL = f"""
<mujoco>
  <option timestep="0.005"/>
  <worldbody>
    <geom type="plane" size="1 1 0.1" friction="0.4 0.005 0.0001"/>
    <body name="hand" pos="0 0 0.03">
      <joint name="hand_x" type="slide" axis="1 0 0"/>
      <joint name="hand_y" type="slide" axis="0 1 0"/>
      <geom type="cylinder" size="{HAND_RADIUS} 0.025" mass="1" friction="0.4 0.005 0.0001"/>
    </body>
    <body name="puck" pos="0 0 0.02">
      <joint name="puck_x" type="slide" axis="1 0 0" frictionloss="0.5" damping="1"/>
      <joint name="puck_y" type="slide" axis="0 1 0" frictionloss="0.5" damping="1"/>
      <geom type="cylinder" size="{PUCK_RADIUS} 0.019" mass="0.2" friction="0.4 0.005 0.0001"/>
    </body>
  </worldbody>
  <actuator>
    <velocity joint="hand_x" kv="50"/>
    <velocity joint="hand_y" kv="50"/>
  </actuator>
</mujoco>
"""


@dataclass(frozen=True, slots=True)
class Start:
    """Where everything is at first."""

    hand: Place
    puck: Place
    goal: Place


@dataclass(frozen=True, slots=True)
class Rollout:
    """What a controller came to.

    Attributes:
        task: ``reach`` or ``push``.
        path: Places of hand and puck after each step.
    """

    task: str
    start: Start
    path: Sequence[tuple[Place, Place]]

    @property
    def left(self) -> float:
        """Metres between the goal and what should be there, in the end."""
        return math.dist(self._moved(self.path[-1]), self.start.goal)

    @property
    def score(self) -> float:
        """1 if it is there; else the part of the way that was made, at most 0.9; 0 if it got no nearer."""
        if self.left <= REACHED:
            return 1.0
        way = math.dist(self._moved((self.start.hand, self.start.puck)), self.start.goal)
        return min(0.9, max(0.0, 1 - self.left / way))

    def __str__(self) -> str:
        hand, puck = self.path[-1]
        if self.left <= REACHED:
            return "Done."
        if self.task == "reach":
            return f"The hand ended {self.left:.2f} m from the goal: move {_way(hand, self.start.goal)}."
        if math.dist(puck, self.start.puck) < 0.01:
            behind = _behind(self.start)
            return (
                f"The puck was never moved. The goal is {_way(self.start.puck, self.start.goal)} of it, so the hand "
                f"has to go to the opposite side of the puck first; it ended {math.dist(hand, behind):.2f} m away."
            )
        said = f"The puck ended {self.left:.2f} m from the goal: push it {_way(puck, self.start.goal)}"
        return f"{said}, with the hand on its opposite side."

    def _moved(self, places: tuple[Place, Place]) -> Place:
        return places[0 if self.task == "reach" else 1]


def starts(seed: str, count: int) -> Sequence[Start]:
    """Places that are not too near to each other; the puck and the goal have room around them."""
    drawn = random.Random(seed)
    found: list[Start] = []
    while len(found) < count:
        hand, puck, goal = ((drawn.uniform(-reach, reach), drawn.uniform(-reach, reach)) for reach in (0.3, 0.15, 0.25))
        if min(math.dist(hand, puck), math.dist(puck, goal), math.dist(hand, goal)) > 0.12:
            found.append(Start(hand, puck, goal))
    return found


class Table:
    """Simulates; the same start and the same controller come to the same.

    Raises:
        ImportError: MuJoCo is not installed; says how it is.
    """

    def __init__(self) -> None:
        self._mujoco = _mujoco()
        self._model = self._mujoco.MjModel.from_xml_string(_MODEL)

    def rollout(self, task: str, start: Start, controller: Controller) -> Rollout:
        """Five seconds, ten decisions in each.

        Raises:
            ValueError, TypeError: what the controller gives is no pair of numbers; or whatever it raises itself.
        """
        data = self._mujoco.MjData(self._model)
        data.qpos[:] = [*start.hand, *start.puck]
        self._mujoco.mj_forward(self._model, data)
        path = []
        for _ in range(STEPS):
            hand, puck = _places(data)
            data.ctrl[:] = _velocity(controller(list(hand), list(puck), list(start.goal)))
            for _ in range(_SUBSTEPS):
                self._mujoco.mj_step(self._model, data)
            path.append(_places(data))
        return Rollout(task, start, path)


def _places(data: Any) -> tuple[Place, Place]:
    hand_x, hand_y, puck_x, puck_y = (round(float(value), 4) for value in data.qpos)
    return (hand_x, hand_y), (puck_x, puck_y)


def _velocity(said: object) -> list[float]:
    if not isinstance(said, list | tuple) or len(said) != 2:
        raise ValueError(f"the controller gave {said!r:.100}, wanted are two numbers [x, y]")
    pair = [float(value) for value in said]
    if not all(math.isfinite(value) for value in pair):
        raise ValueError(f"the controller gave {said!r:.100}, wanted are two finite numbers")
    return [_FASTEST * min(1.0, max(-1.0, value)) for value in pair]


def _behind(start: Start) -> Place:
    away = math.dist(start.puck, start.goal)
    back = (HAND_RADIUS + PUCK_RADIUS) / away
    x, y = (place + (place - goal) * back for place, goal in zip(start.puck, start.goal, strict=True))
    return x, y


def _way(here: Place, there: Place) -> str:
    x, y = there[0] - here[0], there[1] - here[1]
    across = f"{abs(x):.2f} m to the {'right (+x)' if x > 0 else 'left (-x)'}"
    along = f"{abs(y):.2f} m {'away (+y)' if y > 0 else 'near (-y)'}"
    return f"{across} and {along}"


def _mujoco() -> Any:
    try:
        return importlib.import_module("mujoco")
    except ModuleNotFoundError as error:
        raise ImportError("the robot experiment needs the package mujoco: pip install '.[experiments]'") from error
