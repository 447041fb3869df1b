"""The space that a search walks: one axis for each parameter that has a bounded range or finitely many values."""

import math
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from otel_opto.spec import MAX_INTEGER, InvalidValue, ParameterSpec, ParameterType, ParameterValue

_MOST_LOOKS, _MOST_DRAWS = 1_000_000, 1_000
_ROUNDING = 1e-9
"""Of a step: so far may a number be from where it belongs."""

Candidate: TypeAlias = tuple[ParameterValue, ...]
"""One value for each axis, in the order of the axes."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A FLOAT from `low` to `high`, both allowed. `log`: what counts is the order of magnitude; `low` is above 0."""

    key: str
    low: float
    high: float
    log: bool = False

    @property
    def size(self) -> float:
        """How many values there are."""
        return 1 if self.low == self.high else math.inf

    def part(self, share: float) -> float:
        """The value behind a share of the range, from 0 to below 1."""
        if self.log:
            return min(max(float(self.low * (self.high / self.low) ** share), self.low), self.high)
        return self.low + (self.high - self.low) * share

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Steps:
    """A FLOAT at `low`, `low` + `step`, … up to `high`."""

    key: str
    low: float
    high: float
    step: float

    @property
    def size(self) -> float:
        """How many values there are."""
        return math.floor((self.high - self.low) / self.step + _ROUNDING) + 1

    def at(self, index: int) -> ParameterValue:
        """The value at a position below `size`."""
        return float(f"{self.low + index * self.step:.12g}")

    def part(self, share: float) -> ParameterValue:
        """The value behind a share of the range, from 0 to below 1."""
        return self.at(math.floor(share * self.size))

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        index = (value - self.low) / self.step
        return abs(index - round(index)) < _ROUNDING and 0 <= round(index) < self.size


@dataclass(frozen=True, slots=True)
class Integers:
    """An INTEGER at `low`, `low` + `step`, … up to `high`. `log`: what counts is the order of magnitude."""

    key: str
    low: int
    high: int
    step: int = 1
    log: bool = False

    @property
    def size(self) -> float:
        """How many values there are."""
        return (self.high - self.low) // self.step + 1

    def at(self, index: int) -> ParameterValue:
        """The value at a position below `size`."""
        return self.low + index * self.step

    def part(self, share: float) -> ParameterValue:
        """The value behind a share of the range, from 0 to below 1."""
        if self.log:
            return min(math.floor(float(self.low * ((self.high + 1) / self.low) ** share)), self.high)
        return self.at(math.floor(share * self.size))

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return self.low <= value <= self.high and (value - self.low) % self.step == 0


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


Axis: TypeAlias = Interval | Steps | Integers | Categories


@dataclass(frozen=True, slots=True)
class Scale:
    """How a number is walked. `log`: by orders of magnitude; `step`: in steps from its minimum on, 0 for any."""

    log: bool = False
    step: float = 0.0


_PLAIN = Scale()


def axis_of(spec: ParameterSpec, in_force: ParameterValue | None = None, scale: Scale = _PLAIN) -> Axis | None:
    """What can be searched of a parameter; None where it has neither a bounded range nor finitely many values.

    Args:
        spec: The parameter.
        in_force: Its value before the study; a TEXT keeps it as a candidate even if nobody listed it.
        scale: Of a number.
    """
    limits = spec.constraint
    if spec.type in (ParameterType.INTEGER, ParameterType.FLOAT):
        low, high = limits.minimum, limits.maximum
        if low is None or high is None or not math.isfinite(high - low):
            return None
        if spec.type is ParameterType.FLOAT:
            if scale.step:
                return Steps(spec.key, float(low), float(high), scale.step)
            return Interval(spec.key, float(low), float(high), scale.log)
        first, last = max(math.ceil(low), -MAX_INTEGER), min(math.floor(high), MAX_INTEGER)
        return Integers(spec.key, first, last, max(round(scale.step), 1), scale.log)
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
        values.append(axis.at(part % len(axis.values)) if isinstance(axis, Categories) else axis.part(position))
    return tuple(values)


def untried(
    axes: Sequence[Axis],
    tried: Collection[Candidate],
    seed: int,
    settled: Callable[[Candidate], Candidate] = lambda candidate: candidate,
) -> Candidate | None:
    """The first candidate of a finite space, counted on from a random one, that is not in `tried`; None: there is none.

    Args:
        axes: The space. Where an axis is continuous, candidates are drawn at random instead.
        tried: Candidates.
        seed: For the random one.
        settled: What a candidate comes to, where values of some axes only count beside certain values of others.
    """
    rng = random.Random(seed)  # noqa: S311 - a search, no secret
    if size_of(axes) == math.inf:
        drawn = (settled(tuple(_drawn(axis, rng) for axis in axes)) for _ in range(_MOST_DRAWS))
        return next((candidate for candidate in drawn if candidate not in tried), None)
    finite = [axis for axis in axes if not isinstance(axis, Interval)]
    fixed = {axis.key: axis.low for axis in axes if isinstance(axis, Interval)}
    total = int(size_of(finite))
    start = rng.randrange(total)
    points = (
        {**fixed, **dict(_decoded(finite, (start + offset) % total))} for offset in range(min(total, _MOST_LOOKS))
    )
    candidates = (settled(tuple(point[axis.key] for axis in axes)) for point in points)
    return next((candidate for candidate in candidates if candidate not in tried), None)


def _drawn(axis: Axis, rng: random.Random) -> ParameterValue:
    return rng.choice(axis.values) if isinstance(axis, Categories) else axis.part(rng.random())


def _decoded(axes: Sequence[Steps | Integers | Categories], number: int) -> Iterator[tuple[str, ParameterValue]]:
    """The candidate of a number, each axis one digit."""
    for axis in axes:
        number, digit = divmod(number, int(axis.size))
        yield axis.key, axis.at(digit)
