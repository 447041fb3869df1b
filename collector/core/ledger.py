"""The ledger: everything that people, policies and studies decide, as events that are only ever added.

What is (a study, an assignment, a rollout) is a fold of its stream's events; the audit log is the ledger itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

from collector.core.errors import Damaged

T = TypeVar("T")
Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was decided or happened.

    Attributes:
        kind: A verb in the past tense: ``trial_opened``.
        data: What a fold needs, as JSON.
        subject: The service that it concerns; what the ledger is searched by.
    """

    kind: str
    data: Mapping[str, Json] = field(default_factory=dict)
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Events for the end of one stream.

    Attributes:
        stream: For example ``study/tune``; any text that is not empty.
        events: Without any, only the version has to be the expected one.
        expected_version: The version of the stream's last event as the one who changes it knows it; 0 for none.
    """

    stream: str
    expected_version: int
    events: tuple[Event, ...]


class Recorded(NamedTuple):
    """An event in its place. A tuple, because folds read thousands.

    Attributes:
        sequence: Over all streams, rising in the order of appending.
        version: In its stream: 1, 2, 3, …
        actor: Who did it: ``token:NAME``, ``study:NAME``, ``policy:NAME``, ``local``.
        time_unix_nano: When it was appended.
    """

    sequence: int
    stream: str
    version: int
    kind: str
    data: Mapping[str, Json]
    subject: str
    actor: str
    time_unix_nano: int


class Ledger(Protocol):
    """Streams of events. Durable on return; what was appended never changes."""

    async def append(self, changes: Sequence[Change], actor: str) -> Sequence[Recorded]:
        """Adds events to the ends of one or more streams: all of them, or none.

        Returns them in the order given.

        Raises:
            Outdated: a stream's version is not the expected one: somebody else was faster. Nothing was added.
            Unavailable: the disk is full, or too much is pending. Nothing was added.
        """
        ...

    async def read(self, stream: str, after_version: int = 0) -> Sequence[Recorded]:
        """The events of a stream behind a version, by version; () for an unknown stream."""
        ...

    async def event(self, stream: str, version: int) -> Recorded | None:
        """One event; None if there is none in that place."""
        ...

    async def streams(self, prefix: str) -> Mapping[str, int]:
        """The streams whose names begin so, with the version of each one's last event, in order of creation."""
        ...

    async def history(
        self, *, prefix: str = "", subject: str = "", before: int | None = None, limit: int = 100
    ) -> Sequence[Recorded]:
        """The newest events first.

        Args:
            prefix: How the names of their streams begin.
            subject: What they concern; anything if it is empty.
            before: Only events with a lower sequence: where a page goes on.
            limit: How many at most, from 1.
        """
        ...


def made_of(events: Sequence[Recorded], make: Callable[[Sequence[Recorded]], T]) -> T:
    """What `make` makes of events of one stream, which were right when they were written.

    Raises:
        Damaged: they are not what was written any more.
    """
    try:
        return make(events)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        stream = f"{events[0].stream}, {events[0].version} to {events[-1].version}"
        raise Damaged(
            f"events of {stream}, are not what was written: {error!r}; restore a backup of the data directory"
        ) from error
