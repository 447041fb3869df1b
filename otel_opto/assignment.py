"""What is in force for a service: the control release and the arms beside it, and who gets which.

Pure and without dependencies, because both ends choose: the SDK where a request enters, the collector for applications
that ask over HTTP. Whoever chooses elsewhere computes the same (docs/assignment.md has test vectors).
"""

import hashlib
from dataclasses import dataclass, replace
from math import prod

BUCKETS = 10_000
"""Shares are counted in so many parts: 500 is 5 %."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A release beside the control, and the buckets of units that get it.

    Attributes:
        release: Its number.
        start: The first bucket, from 0.
        share: How many buckets, from 0. An arm that grows keeps its start, so that it only wins units.
    """

    release: int
    start: int
    share: int


@dataclass(frozen=True, slots=True)
class Layer:
    """Arms of one study. They are dealt by a salt of their own, so that what other layers do is chance to them.

    Attributes:
        name: Of the study.
        salt: Mixed into the hash of this layer.
        arms: Disjoint stretches of buckets, by start; one at least.
    """

    name: str
    salt: str
    arms: tuple[Arm, ...]

    @property
    def taken(self) -> int:
        """How many buckets its arms have together."""
        return sum(arm.share for arm in self.arms)

    def share(self, release: int) -> int:
        """How many of its buckets the arm of a release has."""
        return sum(arm.share for arm in self.arms if arm.release == release)

    def arm_for(self, unit: str) -> int:
        """The release of the arm that has the unit; 0 where none has."""
        return _arm_at(self.arms, bucket(self.salt, unit))


@dataclass(frozen=True, slots=True)
class Crossing:
    """What units get that are in arms of several layers.

    Attributes:
        release: Its number: the values of all these arms together.
        of: The releases of the arms, in the order of the layers.
    """

    release: int
    of: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which release each unit of a service gets.

    A unit that an arm has gets that one's release and is in no layer. All others are dealt by each layer by itself:
    who is in no arm of any has the control, who is in one has its release, who is in several that of the crossing.

    Attributes:
        service: Its ``service.name``.
        revision: Rises by one with every change; what a reader knows is outdated by anything higher.
        control: The release of every unit that no arm has.
        arms: Disjoint stretches of buckets, by start.
        salt: Mixed into the hash. Another one deals all units anew; the same one leaves every unit where it is.
        layers: Arms beside each other, of studies that have no parameter in common; by name.
        crossings: One for each combination of arms of two and more layers.

    Raises:
        ValueError: arms overlap or lie outside the buckets, or a crossing is missing.
    """

    service: str
    revision: int
    control: int
    arms: tuple[Arm, ...] = ()
    salt: str = ""
    layers: tuple[Layer, ...] = ()
    crossings: tuple[Crossing, ...] = ()

    def __post_init__(self) -> None:
        for arms in (self.arms, *(layer.arms for layer in self.layers)):
            free = 0
            for arm in arms:
                if arm.start < free or arm.share < 0 or arm.start + arm.share > BUCKETS:
                    raise ValueError(
                        f"assignment of {self.service!r}: arm of release {arm.release} has buckets {arm.start} to "
                        f"{arm.start + arm.share}; allowed are stretches in order within 0 to {BUCKETS}"
                    )
                free = arm.start + arm.share
        sizes = [len(layer.arms) for layer in self.layers]
        wanted = prod(size + 1 for size in sizes) - 1 - sum(sizes)
        found = {crossing.of for crossing in self.crossings if self._crosses(crossing.of)}
        if len(found) != wanted or len(self.crossings) != wanted:
            raise ValueError(
                f"assignment of {self.service!r}: {len(found)} of {len(self.crossings)} crossings name arms of its "
                f"layers; needed are {wanted}, one for each combination"
            )

    def _crosses(self, of: tuple[int, ...]) -> bool:
        """Whether these are arms of several layers, in their order."""
        layers = iter(self.layers)
        return len(of) > 1 and all(any(layer.share(number) for layer in layers) for number in of)

    @property
    def releases(self) -> tuple[int, ...]:
        """Every release that some unit may get, the control first."""
        layered = (arm.release for layer in self.layers for arm in layer.arms)
        return (self.control, *(arm.release for arm in self.arms), *layered, *(one.release for one in self.crossings))

    @property
    def splits(self) -> bool:
        """Whether it may give units different releases."""
        return bool(self.arms or self.layers)

    def layer(self, name: str) -> Layer | None:
        """A study's layer; None where it has no arm."""
        return next((layer for layer in self.layers if layer.name == name), None)

    def share(self, release: int) -> float:
        """How many buckets a release has, of 10,000: behind layers it need not be a whole number."""
        own = sum(arm.share for arm in self.arms if arm.release == release)
        if own and release != self.control:
            return own
        parts = () if release == self.control else self.parts(release)
        if parts is None:
            return 0
        left: float = BUCKETS - sum(arm.share for arm in self.arms)
        for layer in self.layers:
            taken = sum(layer.share(part) for part in parts)
            left *= (taken or BUCKETS - layer.taken) / BUCKETS
        return left

    def parts(self, release: int) -> tuple[int, ...] | None:
        """The arms of layers whose values a release has: none of the control; None of what layers do not give."""
        if release == self.control:
            return ()
        if any(layer.share(release) for layer in self.layers):
            return (release,)
        return next((one.of for one in self.crossings if one.release == release), None)

    def arm_of(self, layer: str, release: int) -> int | None:
        """Which of a layer's arms units with that release are in.

        Returns:
            The arm's release, 0 where they are in none of it, None for a release that no layer gives.
        """
        parts, own = self.parts(release), self.layer(layer)
        if parts is None:
            return None
        return next((part for part in parts if own is not None and own.share(part)), 0)

    def release_for(self, unit: str) -> int:
        """The release of a unit: `unit_of` a user or a session, else the trace id as 32 lower-case digits."""
        if self.arms and (found := _arm_at(self.arms, bucket(self.salt, unit))):
            return found
        parts = tuple(found for layer in self.layers if (found := layer.arm_for(unit)))
        if len(parts) < 2:
            return parts[0] if parts else self.control
        return next(one.release for one in self.crossings if one.of == parts)

    def without(self, *releases: int) -> "Assignment":
        """The same without the arms of these releases, and their crossings."""
        layers = [(layer, tuple(arm for arm in layer.arms if arm.release not in releases)) for layer in self.layers]
        return replace(
            self,
            arms=tuple(arm for arm in self.arms if arm.release not in releases),
            layers=tuple(replace(layer, arms=arms) for layer, arms in layers if arms),
            crossings=tuple(one for one in self.crossings if not {*one.of} & {*releases}),
        )


def _arm_at(arms: tuple[Arm, ...], place: int) -> int:
    return next((arm.release for arm in arms if arm.start <= place < arm.start + arm.share), 0)


def unit_of(key: str) -> str:
    """The unit of a targeting key (a user or a session): 16 digits that stand for it on spans and in baggage.

    The first eight bytes of SHA-256 over the key's UTF-8, in hexadecimal. Half of a surrogate pair counts as U+FFFD.
    The key itself never leaves the process.
    """
    return hashlib.sha256(_utf8(key)).hexdigest()[:16]


def bucket(salt: str, unit: str) -> int:
    """The bucket of a unit, from 0 to 9,999.

    The first four bytes of SHA-256 over the UTF-8 of salt, a line feed and unit, as a big-endian number, times 10,000,
    divided by 2^32, rounded down.
    """
    number = int.from_bytes(hashlib.sha256(_utf8(f"{salt}\n{unit}")).digest()[:4], "big")
    return number * BUCKETS >> 32


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()
