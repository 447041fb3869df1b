"""What the store remembers of itself and of those who read it, in attributes."""

from collections.abc import Mapping

from collector.core.steady import TimeMark


class MemoryDeliveries:
    """See `Deliveries`. Not durable."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}

    async def position(self, destination: str) -> int | None:
        """See `Deliveries`."""
        return self._positions.get(destination)

    async def set_position(self, destination: str, position: int) -> None:
        """See `Deliveries`."""
        self._positions[destination] = position

    async def positions(self) -> Mapping[str, int]:
        """See `Deliveries`."""
        return dict(self._positions)


class MemoryMarks:
    """See `Marks`. Not durable."""

    def __init__(self) -> None:
        self._time: TimeMark | None = None
        self._recalled: int | None = None

    async def time_mark(self) -> TimeMark | None:
        """See `Marks`."""
        return self._time

    async def set_time_mark(self, mark: TimeMark) -> None:
        """See `Marks`."""
        self._time = mark

    async def recalled(self) -> int | None:
        """See `Marks`."""
        return self._recalled

    async def set_recalled(self, position: int | None) -> None:
        """See `Marks`."""
        self._recalled = position
