"""How many spans come, of late."""

from collections import deque
from collections.abc import Callable

from collector.counters import Counter, Counters

_WINDOW_SECONDS = 60.0
_LEAST_SECONDS = 1.0


class SpanRate:
    """Looked at whenever somebody asks: over the last minute, or since somebody asked last, if that is longer.

    Args:
        seconds: A clock that never goes back.
    """

    def __init__(self, counters: Counters, seconds: Callable[[], float]) -> None:
        self._counters = counters
        self._seconds = seconds
        self._looks: deque[tuple[float, int]] = deque([(seconds(), 0)])

    def per_second(self) -> float:
        """0 where there is no time behind it yet."""
        now, count = self._seconds(), self._counters.snapshot()[Counter.RECEIVER_ACCEPTED_SPANS.value]
        if now - self._looks[-1][0] >= _LEAST_SECONDS:
            self._looks.append((now, count))
        while len(self._looks) > 2 and now - self._looks[1][0] >= _WINDOW_SECONDS:
            self._looks.popleft()
        since, before = self._looks[0]
        return (count - before) / (now - since) if now > since else 0.0
