"""Random arithmetic graphs, as plain Python, as traced operations, and with their gradient.

After the numerical task of Cheng, Nie, Swaminathan, "Trace is the Next AutoDiff" (NeurIPS 2024), section 5.1: minimise
|h(x) - y*| where h is a random graph of arithmetic and y* the output at a hidden x*.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import otel_opto

KEYS = ("x0", "x1")
LOWEST, HIGHEST = -10.0, 10.0
_STEPS, _TRIES = 5, 200
_LEAST_DISTANCE = 3.0


class Number(Protocol):
    """What arithmetic can be done with: floats, and floats that know their gradient."""

    def __add__(self, other: Self, /) -> Self:
        """Sum."""
        ...

    def __sub__(self, other: Self, /) -> Self:
        """Difference."""
        ...

    def __mul__(self, other: Self, /) -> Self:
        """Product."""
        ...


T = TypeVar("T", bound=Number)


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: its name, and the places of what it takes among inputs, constants and earlier steps."""

    operation: str
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Graph:
    """One problem.

    Attributes:
        start: Of the inputs.
        hidden: Inputs that solve it.
        constants: Come after the inputs.
        steps: Come after the constants; the last one is the output.
    """

    start: tuple[float, ...]
    hidden: tuple[float, ...]
    constants: tuple[float, ...]
    steps: tuple[Step, ...]

    @property
    def wanted(self) -> float:
        """The output at the hidden inputs."""
        return self.output(self.hidden)

    def output(self, inputs: Sequence[float]) -> float:
        """h(x)."""
        values = [*inputs, *self.constants]
        for step in self.steps:
            values.append(_done(step.operation, values[step.left], values[step.right]))
        return values[-1]

    def error(self, inputs: Sequence[float]) -> float:
        """|h(x) - y*| as a share of what it is at the start: 1 there, 0 where it is solved."""
        return abs(self.output(inputs) - self.wanted) / abs(self.output(self.start) - self.wanted)

    def gradient(self, inputs: Sequence[float]) -> Sequence[float]:
        """Of the error, by the inputs; the true one, forward mode."""
        duals: list[Dual] = [
            Dual(value, tuple(float(place == other) for other in range(len(inputs))))
            for place, value in enumerate(inputs)
        ]
        duals += [Dual(value, (0.0,) * len(inputs)) for value in self.constants]
        for step in self.steps:
            duals.append(_done(step.operation, duals[step.left], duals[step.right]))
        sign = math.copysign(1.0, duals[-1].value - self.wanted)
        scale = abs(self.output(self.start) - self.wanted)
        return [sign * slope / scale for slope in duals[-1].slopes]

    def words(self, inputs: Sequence[float]) -> str:
        """The feedback: a direction, and nothing else."""
        difference = self.output(inputs) - self.wanted
        if self.error(inputs) < 0.01:
            return "The output is right."
        return f"The output should be {'smaller' if difference > 0 else 'larger'}."


@dataclass(frozen=True, slots=True)
class Dual:
    """A number and its derivatives by the inputs."""

    value: float
    slopes: tuple[float, ...]

    def __add__(self, other: "Dual") -> "Dual":
        return Dual(self.value + other.value, tuple(a + b for a, b in zip(self.slopes, other.slopes, strict=True)))

    def __sub__(self, other: "Dual") -> "Dual":
        return Dual(self.value - other.value, tuple(a - b for a, b in zip(self.slopes, other.slopes, strict=True)))

    def __mul__(self, other: "Dual") -> "Dual":
        slopes = tuple(a * other.value + b * self.value for a, b in zip(self.slopes, other.slopes, strict=True))
        return Dual(self.value * other.value, slopes)


def _done(operation: str, left: T, right: T) -> T:
    if operation == "add":
        return left + right
    return left - right if operation == "subtract" else left * right


def sampled(seed: int) -> Graph:
    """The graph of a seed: two inputs that both count, five operations, a start that is no solution."""
    chance = random.Random(f"numerical/{seed}")
    for _ in range(_TRIES):
        found = _drawn(chance)
        slopes = found.gradient(found.start) if found.output(found.start) != found.wanted else ()
        apart = abs(found.output(found.start) - found.wanted)
        if apart >= _LEAST_DISTANCE and all(abs(slope) * apart >= 0.5 for slope in slopes):
            return found
    raise AssertionError("no graph: the conditions are too hard")


def _drawn(chance: random.Random) -> Graph:
    start = tuple(round(chance.uniform(-5, 5), 1) for _ in KEYS)
    hidden = tuple(round(chance.uniform(-5, 5), 1) for _ in KEYS)
    constants = tuple(float(chance.choice([-3, -2, 2, 3])) for _ in range(2))
    steps: list[Step] = []
    unused = list(range(len(start) + len(constants)))
    multiplied = 0
    for place in range(len(unused), len(unused) + _STEPS):
        left = unused.pop(chance.randrange(len(unused)))
        right = unused.pop(chance.randrange(len(unused))) if unused else chance.randrange(place)
        operation = chance.choice(["add", "subtract", "multiply"] if multiplied < 2 else ["add", "subtract"])
        multiplied += operation == "multiply"
        steps.append(Step(operation, left, right))
        unused.append(place)
    return Graph(start, hidden, constants, tuple(steps))


@dataclass(frozen=True)
class Quantity:
    """A number as an object: what flowed into what is seen by identity, which numbers in Python do not have."""

    value: float


@otel_opto.node
def add(a: Quantity, b: Quantity) -> Quantity:
    """The sum."""
    return Quantity(a.value + b.value)


@otel_opto.node
def subtract(a: Quantity, b: Quantity) -> Quantity:
    """The difference a - b."""
    return Quantity(a.value - b.value)


@otel_opto.node
def multiply(a: Quantity, b: Quantity) -> Quantity:
    """The product."""
    return Quantity(a.value * b.value)


_OPERATIONS: Mapping[str, Callable[[Quantity, Quantity], Quantity]] = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
}


def traced(graph: Graph, inputs: Sequence[Callable[[], Quantity]]) -> Quantity:
    """h(x) as traced operations; each input is a node that reads its parameter."""
    values = [*(read() for read in inputs), *(Quantity(value) for value in graph.constants)]
    for step in graph.steps:
        values.append(_OPERATIONS[step.operation](values[step.left], values[step.right]))
    return values[-1]
