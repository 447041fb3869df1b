"""The space that a search walks: one axis for each parameter that has a bounded range or finitely many values."""

import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from otel_opto.spec import MAX_INTEGER, InvalidValue, ParameterSpec, ParameterType, ParameterValue

Candidate: TypeAlias = tuple[ParameterValue, ...]
"""One value for each axis, in the order of the axes."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A FLOAT from `low` to `high`, both allowed."""

    key: str
    low: float
    high: float

    @property
    def size(self) -> float:
        """How many values there are."""
        return 1 if self.low == self.high else math.inf

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Integers:
    """An INTEGER from `low` to `high`, both allowed."""

    key: str
    low: int
    high: int

    @property
    def size(self) -> float:
        """How many values there are."""
        return self.high - self.low + 1

    def at(self, index: int) -> ParameterValue:
        """The value at a position below `size`."""
        return self.low + index

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Categories:
    """Finitely many values without an order: a CHOICE, a BOOLEAN, or a TEXT that its developer wrote variants of."""

    key: str
    values: tuple[ParameterValue, ...]

    @property
    def size(self) -> float:
        """How many values there are."""
        return len(self.values)

    def at(self, index: int) -> ParameterValue:
        """The value at a position below `size`."""
        return self.values[index]

    def __contains__(self, value: object) -> bool:
        return any(type(value) is type(known) and value == known for known in self.values)


Axis: TypeAlias = Interval | Integers | Categories


def axis_of(spec: ParameterSpec, in_force: ParameterValue | None = None) -> Axis | None:
    """What can be searched of a parameter; None where it has neither a bounded range nor finitely many values.

    Args:
        spec: The parameter.
        in_force: Its value before the study; a TEXT keeps it as a candidate even if nobody listed it.
    """
    limits = spec.constraint
    if spec.type in (ParameterType.INTEGER, ParameterType.FLOAT):
        low, high = limits.minimum, limits.maximum
        if low is None or high is None or not math.isfinite(high - low):
            return None
        if spec.type is ParameterType.FLOAT:
            return Interval(spec.key, float(low), float(high))
        return Integers(spec.key, max(math.ceil(low), -MAX_INTEGER), min(math.floor(high), MAX_INTEGER))
    if spec.type is ParameterType.BOOLEAN:
        return Categories(spec.key, (False, True))
    if spec.type is ParameterType.CHOICE:
        return Categories(spec.key, tuple(dict.fromkeys(limits.choices)))
    if limits.candidates:
        known = [] if in_force is None or not _allowed(spec, in_force) else [in_force]
        return Categories(spec.key, tuple(dict.fromkeys([spec.default, *limits.candidates, *known])))
    return None


def _allowed(spec: ParameterSpec, value: ParameterValue) -> bool:
    try:
        spec.validate(value)
    except InvalidValue:
        return False
    return True


def size_of(axes: Sequence[Axis]) -> float:
    """How many candidates there are; infinite as soon as a number is continuous."""
    return math.prod(axis.size for axis in axes)


def candidate_of(axes: Sequence[Axis], values: Mapping[str, ParameterValue]) -> Candidate | None:
    """The point that some values stand for; None where one is missing or lies outside of its axis."""
    if any(axis.key not in values or values[axis.key] not in axis for axis in axes):
        return None
    return tuple(values[axis.key] for axis in axes)


def spread(axes: Sequence[Axis], count: int, index: int, seed: int) -> Candidate:
    """One of `count` candidates that together meet every part of each range once, and every choice if there are enough.

    A Latin hypercube (McKay, Beckman, Conover, Technometrics 1979). An estimator that begins at random may never see a
    choice, and then never leaves the others.
    """
    values: list[ParameterValue] = []
    for axis in axes:
        rng = random.Random(f"{seed}/{axis.key}")  # noqa: S311 - no secret
        part = rng.sample(range(count), count)[index]
        position = (part + random.Random(f"{seed}/{axis.key}/{index}").random()) / count  # noqa: S311
        if isinstance(axis, Interval):
            values.append(axis.low + (axis.high - axis.low) * position)
        elif isinstance(axis, Integers):
            values.append(axis.at(math.floor(position * axis.size)))
        else:
            values.append(axis.at(part % len(axis.values)))
    return tuple(values)


def untried(axes: Sequence[Axis], tried: Collection[Candidate], seed: int) -> Candidate:
    """The first candidate of a finite space, counted on from a random one, that is not in `tried`.

    Looks at ``len(tried) + 1`` candidates at most; the caller knows that one is left.
    """
    finite = [axis for axis in axes if not isinstance(axis, Interval)]
    fixed = {axis.key: axis.low for axis in axes if isinstance(axis, Interval)}
    total = int(size_of(finite))
    start = random.Random(seed).randrange(total)  # noqa: S311 - a search, no secret
    points = ({**fixed, **dict(_decoded(finite, (start + offset) % total))} for offset in range(len(tried) + 1))
    candidates = (tuple(point[axis.key] for axis in axes) for point in points)
    return next(candidate for candidate in candidates if candidate not in tried)


def _decoded(axes: Sequence[Integers | Categories], number: int) -> Iterator[tuple[str, ParameterValue]]:
    """The candidate of a number, each axis one digit."""
    for axis in axes:
        number, digit = divmod(number, int(axis.size))
        yield axis.key, axis.at(digit)
