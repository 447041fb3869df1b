"""What is wrong, said in one line at a time: at once, and then ever more rarely for as long as it lasts."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_LOG = logging.getLogger("otel_opto")
_LEAST_SECONDS = 10.0
_FIRST_SECONDS, _LAST_SECONDS = 60.0, 3_600.0


@dataclass(slots=True)
class _Trouble:
    """One kind of trouble.

    Attributes:
        text: What is wrong now; empty when it is over.
        said: The text that is in the log.
        at: When that was said, in seconds of the clock.
        pause: So long the same is not said again.
        unsaid: How often it happened since.
    """

    text: str = ""
    said: str = ""
    at: float = float("-inf")
    pause: float = _FIRST_SECONDS
    unsaid: int = 0


class Notices:
    """Lines in the log ``otel_opto``, one for each kind of trouble. Thread-safe; nothing here raises.

    The first is said at once. The same again is said after a minute, then after two, four, up to an hour; another text
    of the same kind, and the end of it, ten seconds after the last line at the earliest.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._troubles: dict[str, _Trouble] = {}

    def say(self, kind: str, text: str, level: int = logging.WARNING) -> None:
        """Something of that kind is wrong."""
        now = self._clock()
        with self._lock:
            trouble = self._troubles.setdefault(kind, _Trouble())
            trouble.text = text
            again = trouble.said == text
            if now - trouble.at < (trouble.pause if again else _LEAST_SECONDS):
                trouble.unsaid += 1
                return
            trouble.pause = min(2 * trouble.pause, _LAST_SECONDS) if again else _FIRST_SECONDS
            unsaid, trouble.unsaid = trouble.unsaid, 0
            trouble.said, trouble.at = text, now
        _LOG.log(level, "%s%s", text, f" ({unsaid} more times since it was last said)" if unsaid else "")

    def over(self, kind: str, text: str) -> None:
        """It is not wrong any more, which is said where the trouble was."""
        trouble = self._troubles.get(kind)
        if trouble is None or not trouble.text:
            return
        now = self._clock()
        with self._lock:
            trouble.text = ""
            if not trouble.said or now - trouble.at < _LEAST_SECONDS:
                return
            trouble.said, trouble.at, trouble.unsaid = "", now, 0
        _LOG.info("%s", text)

    def forget(self) -> None:
        """What was wrong was so with other settings."""
        with self._lock:
            self._troubles = {}

    def renew(self) -> None:
        """In a forked child: another thread may have held the lock."""
        self._lock = threading.Lock()

    def present(self) -> tuple[str, ...]:
        """What is wrong now, a line each."""
        with self._lock:
            return tuple(trouble.text for trouble in self._troubles.values() if trouble.text)
