"""What the store remembers of itself and of those who read it."""

from collections.abc import Mapping
from typing import Protocol

from collector.core.steady import TimeMark


class Deliveries(Protocol):
    """How far each destination has been given what came, in positions of the `TelemetryLog`."""

    async def position(self, destination: str) -> int | None:
        """Up to which position requests were forwarded; None if nothing was ever said of it."""
        ...

    async def set_position(self, destination: str, position: int) -> None:
        """Remembers it, also where it is lower than before. Durable on return."""
        ...

    async def positions(self) -> Mapping[str, int]:
        """All, by destination."""
        ...


class Marks(Protocol):
    """Single facts that must outlive the process. Each is set as a whole, idempotent and durable on return."""

    async def time_mark(self) -> TimeMark | None:
        """What was known of the time when it was remembered last; None if it never was."""
        ...

    async def set_time_mark(self, mark: TimeMark) -> None:
        """Remembers it."""
        ...

    async def recalled(self) -> int | None:
        """Where feedback was lost: up to which position it was looked for again in what came; None otherwise."""
        ...

    async def set_recalled(self, position: int | None) -> None:
        """Remembers it; None where all has been looked through."""
        ...
