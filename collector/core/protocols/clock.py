"""Time."""

from typing import Protocol


class Clock(Protocol):
    """Time, injected."""

    def now_unix_nano(self) -> int:
        """Wall-clock time in Unix nanoseconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Returns when that time has passed on this clock."""
        ...
