"""The programs: a controller whose source is trained, and one by hand whose constants are."""

from collections.abc import Callable

import otel_opto
from examples.experiments.robot.fixed import CONSTANTS, fixed
from examples.experiments.robot.table import Controller, Rollout, Start, Table
from otel_opto.code.process import Call, Limits, evaluate

_LIMITS = Limits(seconds=60.0, cpu_seconds=5)
_PLACES = ([-0.2, 0.1], [0.0, 0.05], [0.2, -0.1])

GAIN, BEHIND, ASIDE = (
    otel_opto.parameter(f"robot.{name}", default=value, minimum=least, maximum=most)
    for name, (value, least, most) in CONSTANTS.items()
)


def comes_to_an_end(function: Callable[..., object]) -> str:
    """Tried in a process of its own before it runs in this one: it may be wrong, and may not hang or kill."""
    return evaluate(function, [Call(_PLACES)], limits=_LIMITS).ended


@otel_opto.node(
    trainable=otel_opto.Trainable(
        key="robot.controller",
        imports=["math"],
        constraint=comes_to_an_end,
        description=(
            "from [x, y] of hand, puck and goal, in metres, to the hand's velocity [x, y], each between -1 and 1; it "
            "is called ten times a second"
        ),
        fallback=False,
    )
)
def controller(hand: list[float], puck: list[float], goal: list[float]) -> list[float]:
    """Stands still."""
    return [0.0, 0.0]


def by_constants(task: str) -> Controller:
    """The controller by hand with the constants in force."""
    return fixed(task, GAIN.value, BEHIND.value, ASIDE.value)


def rolled_out(table: Table, task: str, start: Start, by: Controller) -> Rollout:
    """A rollout, traced.

    Raises:
        Exception: whatever the controller raises, or ValueError, because what it gives is no velocity.
    """
    places = {"hand": start.hand, "puck": start.puck, "goal": start.goal}
    with otel_opto.start_node("rollout", {"task": task, **places}) as node:
        found = table.rollout(task, start, by)
        hand, puck = found.path[-1]
        node.output({"hand": hand, "puck": puck, "left": round(found.left, 3)})
    return found
