"""Clocks that do what a test wants."""

from tests import samples


class TickingClock:
    """Goes on by a nanosecond whenever it is looked at."""

    def __init__(self) -> None:
        self.now = samples.START

    def now_unix_nano(self) -> int:
        self.now += 1
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)
