"""How long a reader goes on: until its time is over, or nobody waits for it any more."""

import time
from collections.abc import Callable


class Left(Exception):
    """Nobody waits for the answer."""


class OutOfTime(Exception):
    """The time is over, and half an answer is none."""


class Patience:
    """Asked between the steps of a reading, by the thread that reads; `leave` is called by any other.

    Args:
        seconds: From the first question on; None: as long as it takes.
        monotonic: The time in seconds.
    """

    def __init__(self, seconds: float | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._monotonic = monotonic
        self._until: float | None = None
        self._left = False

    def leave(self) -> None:
        """Says that nobody waits."""
        self._left = True

    def over(self) -> bool:
        """Whether the time is over; for readings of which a part is worth having.

        Raises:
            Left: nobody waits.
        """
        if self._left:
            raise Left
        if self.seconds is None:
            return False
        now = self._monotonic()
        if self._until is None:
            self._until = now + self.seconds
        return now >= self._until

    def go_on(self) -> None:
        """For readings that are whole or nothing.

        Raises:
            OutOfTime: the time is over.
            Left: nobody waits.
        """
        if self.over():
            raise OutOfTime
