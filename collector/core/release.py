"""Releases: immutable, numbered sets of parameter values of one service."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from otel_opto.spec import ParameterValue, content_hash, value_hash


@dataclass(frozen=True, slots=True)
class ReleasedValue:
    """A value and the number of the release that brought it."""

    value: ParameterValue
    version: int

    @property
    def hash(self) -> str:
        """16 hex digits of the value."""
        return value_hash(self.value)


@dataclass(frozen=True, slots=True)
class ReleaseDraft:
    """A release that has no number yet; its values have been validated."""

    service: str
    values: Mapping[str, ParameterValue]
    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """What an application applies, all or nothing.

    Attributes:
        number: Unique in one collector and rising.
        service: The ``service.name`` it is for.
        values: By key.
        parent: The release that was in force before; None for the first.
        created_unix_nano: When it was published.
        reason: Why it was made: a study's trial, a rollback, a person.
    """

    number: int
    service: str
    values: Mapping[str, ReleasedValue]
    parent: int | None
    created_unix_nano: int
    reason: str

    @property
    def hash(self) -> str:
        """64 hex digits: two releases of equal content have equal hashes."""
        return content_hash((key, released.value) for key, released in self.values.items())

    def size_bytes(self) -> int:
        """About how much it takes in a document."""
        return sum(len(key) + len(str(released.value)) + 100 for key, released in self.values.items())


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One line of a diff; None stands for a key that is not there."""

    key: str
    before: ParameterValue | None
    after: ParameterValue | None


class ReleaseStatus(Enum):
    """What an application says of a release, in OpAMP's words."""

    APPLIED = "APPLIED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An application's word on a release."""

    service: str
    instance_id: str
    release: int
    status: ReleaseStatus
    error: str
    time_unix_nano: int


def number_release(draft: ReleaseDraft, number: int, parent: Release | None, now_unix_nano: int) -> Release:
    """The release that a draft becomes: an unchanged value keeps its version, a changed one gets this number."""
    before = parent.values if parent else {}
    values = {}
    for key, value in sorted(draft.values.items()):
        old = before.get(key)
        same = old is not None and old.hash == value_hash(value)
        values[key] = old if old is not None and same else ReleasedValue(value, number)
    return Release(number, draft.service, values, parent.number if parent else None, now_unix_nano, draft.reason)


def diff(before: Release | None, after: Release) -> tuple[ValueChange, ...]:
    """The values that differ, by key."""
    old = {key: released.value for key, released in before.values.items()} if before else {}
    new = {key: released.value for key, released in after.values.items()}
    return tuple(
        ValueChange(key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if key not in old or key not in new or value_hash(old[key]) != value_hash(new[key])
    )
