"""How long the event loop stood still: whoever holds it holds up every port."""

import asyncio
import sys
import time
from collections.abc import Callable

from collector.counters import Counters, Gauge

EVERY_SECONDS = 0.02
_SWITCH_SECONDS = 0.001


def share_fairly() -> None:
    """Threads that compute let the interpreter go after a millisecond instead of five.

    The event loop has to get it back after each of its waits, and stands in line with every thread that is reading,
    writing or parsing. What an ingested span costs is the same.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)


class Heartbeat:
    """Beats as long as it runs, and notes how late each beat came.

    Args:
        counters: Takes the longest pause, and the longest in which the collector itself was computing: where the first
            is much longer than the second the machine had other things to do.
        cpu_seconds: What the process has computed so far.
    """

    def __init__(self, counters: Counters, cpu_seconds: Callable[[], float] = time.process_time) -> None:
        self._counters = counters
        self._cpu_seconds = cpu_seconds

    async def run(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due, computed = loop.time() + EVERY_SECONDS, self._cpu_seconds()
            await asyncio.sleep(EVERY_SECONDS)
            late = loop.time() - due
            self._counters.raise_to(Gauge.LOOP_LONGEST_PAUSE, late)
            self._counters.raise_to(Gauge.LOOP_LONGEST_BUSY_PAUSE, min(late, self._cpu_seconds() - computed))
