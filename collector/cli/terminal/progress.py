"""How far a long command has come: one line on standard error, where a person sees it."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TextIO

_EVERY_SECONDS = 0.2
_SHORT_SECONDS = 2.0
"""What is done sooner needs no word."""


class Progress:
    """Counts. Shown at a terminal only: in a pipe and in a log there is nothing of it.

    Args:
        what: Is counted, for example ``traces``.
        stream: None: standard error.
        monotonic: The time in seconds.
    """

    def __init__(
        self, what: str, stream: TextIO | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._what = what
        self._stream = sys.stderr if stream is None else stream
        self._monotonic = monotonic
        self._shown = self._stream.isatty()
        self._next = monotonic() + _EVERY_SECONDS
        self._drawn = False
        self.count = 0

    def step(self, more: int = 1) -> None:
        """So many more are done."""
        self.count += more
        if self._shown and self._monotonic() >= self._next:
            self._next = self._monotonic() + _EVERY_SECONDS
            self._drawn = True
            self._stream.write(f"\r{self.count:,} {self._what} …\x1b[K")
            self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The line is wiped out: what follows stands on its own."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


@contextmanager
def busy(what: str, stream: TextIO | None = None, short_seconds: float = _SHORT_SECONDS) -> Iterator[None]:
    """Says after two seconds what is under way, and for how long it has been: where nothing can be counted.

    At a terminal only, as `Progress`.

    Args:
        what: ``reading every byte``.
    """
    stream = sys.stderr if stream is None else stream
    if not stream.isatty():
        yield
        return
    done = threading.Event()
    saying = threading.Thread(target=_say, args=(what, stream, short_seconds, done), daemon=True)
    saying.start()
    try:
        yield
    finally:
        done.set()
        saying.join()


def _say(what: str, stream: TextIO, short_seconds: float, done: threading.Event) -> None:
    begun, drawn = time.monotonic(), False
    wait = short_seconds
    while not done.wait(wait):
        drawn, wait = True, min(short_seconds, 1.0)
        stream.write(f"\r{what}, {time.monotonic() - begun:,.0f} s …\x1b[K")
        stream.flush()
    if drawn:
        stream.write("\r\x1b[K")
        stream.flush()
