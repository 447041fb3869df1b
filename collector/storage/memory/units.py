"""Units of rollouts, in dictionaries."""

from collections import defaultdict
from collections.abc import Sequence

from collector.core.units import Entry, OpenUnit, Unit

_MOST_TRACES = 100


class MemoryUnits:
    """See `UnitStore`. Not durable."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}
        self._entries: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
        self._judged: list[tuple[str, str, bool, Unit | None]] = []

    async def position(self, rollout: str) -> int | None:
        """See `UnitStore`."""
        return self._positions.get(rollout)

    async def enter(self, rollout: str, entries: Sequence[Entry], position: int) -> None:
        """See `UnitStore`."""
        for entry in entries:
            self._entries[rollout].setdefault(entry.trace_id, entry)
        self._positions[rollout] = position

    async def due(self, rollout: str, entered_before_unix_nano: int, limit: int) -> Sequence[OpenUnit]:
        """See `UnitStore`."""
        closed = {(unit, in_arm) for of, unit, in_arm, _ in self._judged if of == rollout}
        units: defaultdict[tuple[str, bool], list[Entry]] = defaultdict(list)
        for entry in sorted(self._entries[rollout].values(), key=lambda one: (one.time_unix_nano, one.trace_id)):
            units[entry.unit, entry.in_arm].append(entry)
        found = [
            (
                traces[0].time_unix_nano,
                OpenUnit(*key, traces[0].share, tuple(one.trace_id for one in traces[:_MOST_TRACES])),
            )
            for key, traces in units.items()
            if key not in closed and traces[0].time_unix_nano < entered_before_unix_nano
        ]
        return [one for _, one in sorted(found, key=lambda one: (one[0], one[1].unit, one[1].in_arm))][:limit]

    async def judge(self, rollout: str, judged: Sequence[tuple[OpenUnit, Unit | None]]) -> None:
        """See `UnitStore`."""
        closed = {(of, unit, in_arm) for of, unit, in_arm, _ in self._judged}
        self._judged += [
            (rollout, of.unit, of.in_arm, unit) for of, unit in judged if (rollout, of.unit, of.in_arm) not in closed
        ]

    async def judged(self, rollout: str, after: int = 0, limit: int = 1_000) -> Sequence[tuple[int, Unit | None]]:
        """See `UnitStore`."""
        found = [(place, unit) for place, (of, _, _, unit) in enumerate(self._judged, 1) if of == rollout]
        return [(place, unit) for place, unit in found if place > after][:limit]
