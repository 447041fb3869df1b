"""What is in force for a service: the control release and the arms beside it, and who gets which.

Pure and without dependencies, because both ends choose: the SDK where a request enters, the collector for applications
that ask over HTTP. Whoever chooses elsewhere computes the same (docs/assignment.md has test vectors).
"""

import hashlib
from dataclasses import dataclass

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
class Assignment:
    """Which release each unit of a service gets.

    Attributes:
        service: Its ``service.name``.
        revision: Rises by one with every change; what a reader knows is outdated by anything higher.
        control: The release of every unit that no arm has.
        arms: Disjoint stretches of buckets, by start.
        salt: Mixed into the hash. Another one deals all units anew; the same one leaves every unit where it is.

    Raises:
        ValueError: arms overlap or lie outside the buckets.
    """

    service: str
    revision: int
    control: int
    arms: tuple[Arm, ...] = ()
    salt: str = ""

    def __post_init__(self) -> None:
        free = 0
        for arm in self.arms:
            if arm.start < free or arm.share < 0 or arm.start + arm.share > BUCKETS:
                raise ValueError(
                    f"assignment of {self.service!r}: arm of release {arm.release} has buckets {arm.start} to "
                    f"{arm.start + arm.share}; allowed are stretches in order within 0 to {BUCKETS}"
                )
            free = arm.start + arm.share

    @property
    def releases(self) -> tuple[int, ...]:
        """Every release that some unit may get, the control first."""
        return (self.control, *(arm.release for arm in self.arms))

    def share(self, release: int) -> int:
        """How many buckets a release has."""
        given = {arm.release: arm.share for arm in self.arms}
        return BUCKETS - sum(given.values()) if release == self.control else given.get(release, 0)

    def release_for(self, unit: str) -> int:
        """The release of a unit: `unit_of` a user or a session, else the trace id as 32 lower-case digits."""
        if not self.arms:
            return self.control
        place = bucket(self.salt, unit)
        return next((arm.release for arm in self.arms if arm.start <= place < arm.start + arm.share), self.control)


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
