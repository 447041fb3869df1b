"""The open connections of one HTTP listener: how many there may be, how long each may take, and who goes first."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

from starlette.types import Scope

from collector.core.errors import Unavailable
from collector.counters import Counter, Counters
from collector.process.network.patience import HttpLimits
from collector.receiver.limits import Budget, Reservation

_READ_BYTES = 2**17
_SWEEP_SECONDS = 1.0
_HEADER_BYTES = 160
"""Of memory that a header costs, however short it is."""


class Connection(Protocol):
    """One connection, as the whole of them sees it."""

    def check(self, now: float) -> None:
        """Ends what takes too long."""

    def give_up(self) -> None:
        """Closes at once: another one needs the place."""

    def shutdown(self) -> None:
        """Closes once what is under way is answered."""


class Connections:
    """All of one listener; used from its event loop.

    Attributes:
        limits: Of each.
        counters: Every refusal is counted.
        budget: Of bodies, shared with everybody who takes requests in.
        heads: Of heads that are not whole, of this listener alone.
        at_once: Of which requests the body is read before the application asks for it, because it will: that saves a
            turn of the event loop, a tenth of what HTTP costs.
        read_buffer: Where the next bytes of whichever connection go: nothing stays there, so one is enough.
    """

    def __init__(
        self,
        limits: HttpLimits,
        counters: Counters,
        budget: Budget,
        at_once: Callable[[Scope], bool],
    ) -> None:
        self.limits = limits
        self.counters = counters
        self.budget = budget
        self.at_once = at_once
        self.heads = Budget(limits.max_heads_bytes)
        self.read_buffer = memoryview(bytearray(_READ_BYTES))
        self._open: set[Connection] = set()
        self._waiting: dict[Connection, None] = {}  # for a request, the longest first
        self._handshakes: dict[asyncio.Task[None], None] = {}  # under way, the longest first
        self._empty = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Looks at every connection once a second from now on."""
        self._timer = loop.call_later(_SWEEP_SECONDS, self._sweep, loop)

    def stop(self) -> None:
        """Does so no more; who is not in yet will not be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for handshake in list(self._handshakes):
            handshake.cancel()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in list(self._open):
            connection.check(now)
        self.start(loop)

    def __iter__(self) -> Iterator[Connection]:
        """Those that are open now."""
        return iter(list(self._open))

    def __len__(self) -> int:
        """How many there are, with those whose TLS handshake is under way."""
        return len(self._open) + len(self._handshakes)

    def admit(self) -> bool:
        """Whether another one may come in; where all places are taken, the one goes that has waited longest."""
        if len(self) < self.limits.max_connections:
            return True
        return self.make_place()

    def make_place(self) -> bool:
        """Closes what has been without a request for longest, an open one or one that is not yet; False without any."""
        longest, handshake = next(iter(self._waiting), None), next(iter(self._handshakes), None)
        if longest is not None:
            longest.give_up()
            self.forget(longest)
        elif handshake is not None:
            self._handshakes.pop(handshake)
            handshake.cancel()
        else:
            self.counters.add(Counter.HTTP_REFUSED_CONNECTIONS)
            return False
        self.counters.add(Counter.HTTP_EVICTED_CONNECTIONS)
        return True

    def begin(self, handshake: "asyncio.Task[None]") -> None:
        """One is accepted, and open when the task is done, or will not be."""
        self._handshakes[handshake] = None
        handshake.add_done_callback(self.opened)

    def opened(self, handshake: "asyncio.Task[None]") -> None:
        """Its connection is open, or will not be. Safe twice."""
        self._handshakes.pop(handshake, None)

    def add(self, connection: Connection) -> None:
        """It is open and waits for its first request."""
        self._open.add(connection)
        self._waiting[connection] = None

    def waits(self, connection: Connection) -> None:
        """It waits for a request, or for the rest of its head."""
        if connection in self._open:
            self._waiting[connection] = None

    def works(self, connection: Connection) -> None:
        """Its request's head is whole."""
        self._waiting.pop(connection, None)

    def forget(self, connection: Connection) -> None:
        """It is closed. Safe twice."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)
        if not self._open:
            self._empty.set()

    async def closed(self, seconds: float) -> None:
        """Returns once none is open, or after that time."""
        self._empty.clear()
        if self._open:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._empty.wait()

    def grown_head(
        self, held: Reservation | None, size: int, headers: int, connection: Connection
    ) -> Reservation | None:
        """Takes room for a head that is not whole: its bytes, and what `headers` of them cost; None without room."""
        held = held or self.heads.reserve(lambda: self._shed(connection))
        try:
            held.grow(size + max(0, headers * _HEADER_BYTES - held.size))
        except Unavailable:
            held.release()
            return None
        return held

    def _shed(self, connection: Connection) -> None:
        self.counters.add(Counter.HTTP_SHED_REQUESTS)
        connection.give_up()
