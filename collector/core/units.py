"""Units of a comparison: users, sessions or traces, each of which counts once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collector.core.rollout import Signal


@dataclass(frozen=True, slots=True)
class Unit:
    """One user, session or trace whose time is over: it counts once.

    Attributes:
        in_arm: Whether it ran with the arm's release; else with the control's.
        share: The arm's share among the two when the unit came, above 0 and below 1.
        outcome: The metric's mean over its traces, between 0 and 1, more is better; None where nothing was scored.
        signals: Of each guardrail whether it was bad; a guardrail that could not be told is missing.
        clipped: Scores that lay outside of the metric's bounds.
        entered_unix_nano: When its first trace came.
        values: What else was asked for: of its traces the most seconds, tokens or cost, by the signal's name; the mean
            outcome of another feedback, by that one's name. What could not be told is missing.
    """

    in_arm: bool
    share: float
    outcome: float | None = None
    signals: Mapping[Signal, bool] = field(default_factory=dict)
    clipped: int = 0
    entered_unix_nano: int = field(default=0, compare=False)
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A trace that entered a service under a rollout.

    Attributes:
        trace_id: 32 hex digits.
        unit: Whose it is: what the plan's attribute says, else the digest of the targeting key, else the trace id.
        in_arm: Whether it ran with the arm's release; else with the control's.
        share: The arm's share among the two when it was chosen.
        time_unix_nano: When it was seen, by the collector's clock.
    """

    trace_id: str
    unit: str
    in_arm: bool
    share: float
    time_unix_nano: int


@dataclass(frozen=True, slots=True)
class OpenUnit:
    """A unit that has come and is not judged yet.

    Attributes:
        share: Of its first trace.
        trace_ids: Of its traces so far, by time.
        entered_unix_nano: When the first one came.
    """

    unit: str
    in_arm: bool
    share: float
    trace_ids: tuple[str, ...]
    entered_unix_nano: int = field(default=0, compare=False)


class UnitStore(Protocol):
    """Which units have come under a rollout, and what became of each. Everything is durable on return."""

    async def position(self, rollout: str) -> int | None:
        """Up to which position of the telemetry log entries were looked for; None if never."""
        ...

    async def enter(self, rollout: str, entries: Sequence[Entry], position: int) -> None:
        """Keeps entries and how far was looked, both or neither. A trace that is known stays as it is."""
        ...

    async def due(self, rollout: str, entered_before_unix_nano: int, limit: int) -> Sequence[OpenUnit]:
        """Units whose first trace entered before then and that are not judged, the earliest first.

        A user who ran with the control and later with the arm is two units.
        """
        ...

    async def judge(self, rollout: str, judged: Sequence[tuple[OpenUnit, Unit | None]]) -> None:
        """Closes units for good, in that order; None for one that counts nowhere. One that is closed stays as it is."""
        ...

    async def judged(self, rollout: str, after: int = 0, limit: int = 1_000) -> Sequence[tuple[int, Unit | None]]:
        """Closed units with their places, in the order in which they were closed, behind a place."""
        ...
