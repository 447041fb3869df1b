"""What the SDK counts of itself, in this process."""

import threading
from enum import Enum


class Count(Enum):
    """What is counted."""

    FEEDBACK_GIVEN = "feedback_given"
    FEEDBACK_SENT = "feedback_sent"
    FEEDBACK_DROPPED = "feedback_dropped"
    SPANS_NOT_SENT = "spans_not_sent"
    LOG_RECORDS_NOT_SENT = "log_records_not_sent"
    CONNECTIONS_FAILED = "connections_failed"
    RELEASES_REFUSED = "releases_refused"


class Counters:
    """Thread-safe counts from 0."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(Count, 0)

    def add(self, count: Count, number: int = 1) -> None:
        """Counts."""
        with self._lock:
            self._counts[count] += number

    def of(self, count: Count) -> int:
        """How many there were."""
        return self._counts[count]

    def renew(self) -> None:
        """In a forked child: it counts its own, and another thread may have held the lock."""
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(Count, 0)
