"""How far a training is, while it runs: a line that writes over itself, where somebody sees it."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from otel_opto_train.trainer.record import Evaluation

_EVERY_SECONDS = 0.1


@dataclass
class Progress:
    """Counts, and shows on a terminal; in a pipe it is silent.

    Args:
        rounds: At most.
        spent: Gives what language models cost so far, in words.
        stream: None: standard error.
        shown: None: whether the stream is a terminal.
        clock: In seconds.
    """

    rounds: int
    spent: Callable[[], str]
    stream: TextIO | None = None
    shown: bool | None = None
    clock: Callable[[], float] = time.monotonic
    evaluations: int = 0
    failures: int = 0
    _round: int = 0
    _said: float = field(default=float("-inf"), init=False)
    _width: int = field(default=0, init=False)

    def began(self, number: int) -> None:
        """Of a round."""
        self._round = number + 1
        self._show()

    def heard(self, one: Evaluation) -> None:
        """One example was run."""
        self.evaluations += 1
        self.failures += one.score is None
        self._show()

    def over(self) -> None:
        """The line goes away: the report says it all."""
        if self._width:
            self._write("")

    def _show(self) -> None:
        now = self.clock()
        if not self._is_shown() or now - self._said < _EVERY_SECONDS:
            return
        self._said = now
        failed = f", {self.failures} without a score" if self.failures else ""
        self._write(f"round {self._round} of {self.rounds} · {self.evaluations} examples run{failed} · {self.spent()}")

    def _is_shown(self) -> bool:
        return self._out().isatty() if self.shown is None else self.shown

    def _out(self) -> TextIO:
        return self.stream or sys.stderr

    def _write(self, line: str) -> None:
        self._out().write("\r" + line.ljust(self._width) + ("" if line else "\r"))
        self._out().flush()
        self._width = len(line)
