"""How much one sender may send at once, and all of them together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from collector.core.errors import Unavailable


@dataclass(frozen=True, slots=True)
class ReceiverLimits:
    """Limits on requests.

    Attributes:
        max_request_bytes: Of one, before and after decompression; OTLP recommends 64 MiB.
        max_in_flight_bytes: Of all that are being received or wait for their acknowledgement.
    """

    max_request_bytes: int = 64 * 2**20
    max_in_flight_bytes: int = 64 * 2**20


class Reservation:
    """What one request holds of the budget; it grows while the request comes in."""

    def __init__(self, budget: "Budget") -> None:
        self._budget = budget
        self.size = 0

    def grow(self, size: int) -> None:
        """Takes more.

        Raises:
            Unavailable: all senders together have sent more than is allowed; one request alone always fits.
        """
        self._budget.take(self, size)
        self.size += size


class Budget:
    """Bytes in flight, over all receivers; used from one event loop. Keeps memory bounded however much is offered."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._taken = 0
        self._requests = 0

    def requests(self) -> int:
        """How many are in flight now."""
        return self._requests

    @property
    def taken(self) -> int:
        """Bytes in flight now."""
        return self._taken

    @contextmanager
    def reservation(self) -> Iterator[Reservation]:
        """For one request; given back at the end."""
        held = Reservation(self)
        self._requests += 1
        try:
            yield held
        finally:
            self._requests -= 1
            self._taken -= held.size

    def take(self, held: Reservation, size: int) -> None:
        """See `Reservation.grow`."""
        alone = self._taken == held.size
        if not alone and self._taken + size > self._max_bytes:
            raise Unavailable(f"{self._taken} bytes of requests are being taken in; come back when they are")
        self._taken += size
