"""How long the event loop stood still: whoever holds it holds up every port."""

import asyncio
import time
from collections.abc import Callable

from collector.counters import Counters, Gauge

EVERY_SECONDS = 0.02


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
