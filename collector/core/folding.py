"""States that are folds of the ledger's streams, kept by version so that only what is new is read."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from collector.core.errors import Damaged
from collector.core.ledger import Ledger, Recorded, made_of

S = TypeVar("S")

_MANY = 100
"""Events: to fold fewer takes no longer than to hand them to somebody else."""


@dataclass(frozen=True, slots=True)
class Versioned(Generic[S]):
    """A state, and the version of the last event that it knows."""

    state: S
    version: int


class Fold(Generic[S]):
    """The states of streams of one kind.

    A state that nobody changed costs one look at the stream's version; a long stream is folded once, in one go.

    Args:
        ledger: Where the events are.
        empty: The state of a stream without events.
        step: The state behind some more events; gets many at once, so that it can build long states in linear time.
        most: How many states are kept; the ones that were not asked for the longest go.
        unreadable: Told once of each stream that `all` leaves out, because its events are not what was written.
        aside: Does the work for many events at once where it holds nobody else up; None does all of it in place.
    """

    def __init__(
        self,
        ledger: Ledger,
        empty: S,
        step: Callable[[S, Sequence[Recorded]], S],
        most: int = 1_000,
        unreadable: Callable[[Damaged], None] = lambda _: None,
        aside: Callable[[Callable[[], S]], Awaitable[S]] | None = None,
    ) -> None:
        self._ledger = ledger
        self._empty = Versioned(empty, 0)
        self._step = step
        self._most = most
        self._known: OrderedDict[str, Versioned[S]] = OrderedDict()
        self._unreadable = unreadable
        self._aside = aside
        self._damaged: dict[str, int] = {}

    async def all(self, prefix: str) -> Sequence[S]:
        """The states of all streams whose names begin so, in order of creation. What nobody changed costs nothing.

        One whose events cannot be read is left out, and costs the others nothing.
        """
        states = []
        for stream, version in (await self._ledger.streams(prefix)).items():
            known = self._known.get(stream)
            try:
                if self._damaged.get(stream) == version:
                    continue
                if known is None or known.version != version:
                    known = await self.of(stream)
                states.append(known.state)
            except Damaged as error:
                self._damaged[stream] = version
                self._unreadable(error)
        return states

    async def of(self, stream: str) -> Versioned[S]:
        """The state of a stream now.

        Raises:
            Damaged: its events are not what was written.
        """
        known = self._known.get(stream, self._empty)
        events = await self._ledger.read(stream, known.version)
        if events:
            state = known.state
            known = Versioned(await self._folded(state, events), events[-1].version)
            newer = self._known.get(stream)
            if newer is None or newer.version < known.version:
                self._known[stream] = known
        if stream in self._known:
            self._known.move_to_end(stream)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return known

    async def _folded(self, state: S, events: Sequence[Recorded]) -> S:
        def folded() -> S:
            return made_of(events, lambda new: self._step(state, new))

        return folded() if self._aside is None or len(events) < _MANY else await self._aside(folded)

    async def at(self, stream: str, version: int) -> S:
        """The state of a stream as it was at a version. Reads all of its events. Raises as `of`."""
        events = (await self._ledger.read(stream))[:version]
        return await self._folded(self._empty.state, events) if events else self._empty.state
