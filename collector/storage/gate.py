"""Many pass, or one has it alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Used from any thread. Who wants it alone waits for those who are passing; who wants to pass then waits for it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._passing = 0
        self._alone = False

    @contextmanager
    def passing(self) -> Iterator[None]:
        """For one of many."""
        with self._condition:
            self._condition.wait_for(lambda: not self._alone)
            self._passing += 1
        try:
            yield
        finally:
            with self._condition:
                self._passing -= 1
                self._condition.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For one that shuts out all others."""
        with self._condition:
            self._condition.wait_for(lambda: not self._alone)
            self._alone = True
            self._condition.wait_for(lambda: not self._passing)
        try:
            yield
        finally:
            with self._condition:
                self._alone = False
                self._condition.notify_all()
