"""How much one sender may send at once, and all of them together."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from collector.core.errors import Unavailable

RESERVATION = "otel_opto.reservation"
"""The key of an ASGI scope under which a server says what it holds for the request already."""

_SLOW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ReceiverLimits:
    """Limits on requests.

    Attributes:
        max_request_bytes: Of one over HTTP, before and after decompression; OTLP recommends 64 MiB.
        max_in_flight_bytes: Of all that are being received or wait for their acknowledgement. What reading makes of
            them meanwhile is bounded by `collector.reading.reader`: at most one small one at once, and four elsewhere.
        max_message_bytes: Of one over gRPC, before and after decompression.
    """

    max_request_bytes: int = 64 * 2**20
    max_in_flight_bytes: int = 64 * 2**20
    max_message_bytes: int = 16 * 2**20


class Reservation:
    """What one request holds of the budget; it grows while the request comes in. See `Budget.reserve`."""

    def __init__(self, budget: "Budget", revoke: Callable[[], None] | None, began: float) -> None:
        self._budget = budget
        self.revoke = revoke
        self.began = began
        self.size = 0

    def grow(self, size: int) -> None:
        """Takes more, before there is more in memory.

        Raises:
            Unavailable: all senders together have sent more than is allowed; one request alone always fits.
        """
        self._budget.take(self, size)
        self.size += size

    def settle(self) -> None:
        """The request is whole: it is not revoked any more."""
        self._budget.settle(self)

    def release(self) -> None:
        """Gives everything back. Safe twice."""
        self._budget.give_back(self)


class Budget:
    """Bytes in flight, over all receivers; used from one event loop. Keeps memory bounded however much is offered.

    Who sends slowly does not keep the others out: where there is no room, requests that have been coming in for two
    seconds are revoked, the oldest first.

    Args:
        max_bytes: Of all requests together.
        now: Seconds.
    """

    def __init__(self, max_bytes: int, now: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._now = now
        self._taken = 0
        self._requests = 0
        self._coming: dict[Reservation, None] = {}  # in order of their begin

    def requests(self) -> int:
        """How many are in flight now."""
        return self._requests

    @property
    def taken(self) -> int:
        """Bytes in flight now."""
        return self._taken

    def reserve(self, revoke: Callable[[], None] | None = None) -> Reservation:
        """For one request. `revoke`: called where its memory is wanted for others; it must call `release`."""
        held = Reservation(self, revoke, self._now())
        if revoke is not None:
            self._coming[held] = None
        return held

    @contextmanager
    def reservation(self, held: Reservation | None = None) -> Iterator[Reservation]:
        """For one request in flight; given back at the end, unless its server holds it (`held`) and gives it back."""
        used = held or self.reserve()
        self._requests += 1
        try:
            yield used
        finally:
            self._requests -= 1
            if held is None:
                used.release()

    def take(self, held: Reservation, size: int) -> None:
        """See `Reservation.grow`."""
        if self._taken + size > self._max_bytes and self._taken != held.size:
            self._make_room(size, held)
            if self._taken + size > self._max_bytes and self._taken != held.size:
                raise Unavailable(f"{self._taken} bytes of requests are being taken in; come back when they are")
        self._taken += size

    def _make_room(self, size: int, wanting: Reservation) -> None:
        for held in list(self._coming):
            if self._taken + size <= self._max_bytes or self._now() - held.began < _SLOW_SECONDS:
                return
            if held is not wanting and held.size and held.revoke is not None:
                held.revoke()

    def settle(self, held: Reservation) -> None:
        """See `Reservation.settle`."""
        self._coming.pop(held, None)
        held.revoke = None

    def give_back(self, held: Reservation) -> None:
        """See `Reservation.release`."""
        self.settle(held)
        self._taken -= held.size
        held.size = 0
