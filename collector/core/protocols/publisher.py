"""What brings releases to applications."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import Protocol

from otel_opto.assignment import Assignment


class Publisher(Protocol):
    """Brings what is in force to the applications that watch."""

    def watch(self, service: str) -> AbstractContextManager[AsyncIterator[Assignment]]:
        """The newest assignment of the service that was published, then every later one.

        A slow reader misses intermediate ones only; for none of its speed does it hold more than one.
        """
        ...

    def publish(self, assignment: Assignment) -> None:
        """Wakes the watchers. Never blocks; a revision that was published before is nothing new."""
        ...
