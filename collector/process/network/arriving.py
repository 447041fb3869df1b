"""A body that is being received in place: one buffer, taken from the budget before there is anything in it."""

from collector.receiver.limits import Reservation

MOST_AT_ONCE = 4 * 2**20
"""Larger bodies, and those of unknown length, are handed over in pieces."""


class ArrivingBody:
    """A body of known length.

    It has its whole room from the beginning: buffers that grow leave holes behind, and with hundreds of them several
    times the memory that is in use.

    Args:
        begin: What of it came with its head; is in `held` already.
        length: Of the whole.
        held: Grows to it.

    Raises:
        Unavailable: there is no room.
    """

    def __init__(self, begin: bytearray, length: int, held: Reservation) -> None:
        held.grow(length - len(begin))
        self.buffer = bytearray(length)
        self.buffer[: len(begin)] = begin
        self._filled = len(begin)

    def room(self) -> memoryview:
        """Where the next bytes go."""
        return memoryview(self.buffer)[self._filled :]

    def took(self, size: int) -> bool:
        """Bytes have come there; whether the body is whole."""
        self._filled += size
        return self._filled == len(self.buffer)
