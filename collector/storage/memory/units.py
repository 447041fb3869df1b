"""Units of rollouts, in dictionaries."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from collector.core.units import Entry, OpenUnit, Unit

_MOST_TRACES = 100
_Key = tuple[str, bool]


@dataclass(slots=True)
class _Of:
    """What is known of one rollout: who came, and what became of whom, with places."""

    position: int | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    open: dict[_Key, None] = field(default_factory=dict)
    closed: set[_Key] = field(default_factory=set)
    judged: list[tuple[int, Unit | None]] = field(default_factory=list)


class MemoryUnits:
    """See `UnitStore`. Not durable."""

    def __init__(self) -> None:
        self._of: defaultdict[str, _Of] = defaultdict(_Of)
        self._places = 0

    async def position(self, rollout: str) -> int | None:
        """See `UnitStore`."""
        return self._of[rollout].position

    async def enter(self, rollout: str, entries: Sequence[Entry], position: int) -> None:
        """See `UnitStore`."""
        known = self._of[rollout]
        for entry in entries:
            if (
                known.entries.setdefault(entry.trace_id, entry) is entry
                and (entry.unit, entry.in_arm) not in known.closed
            ):
                known.open[entry.unit, entry.in_arm] = None
        known.position = position

    async def due(self, rollout: str, entered_before_unix_nano: int, limit: int) -> Sequence[OpenUnit]:
        """See `UnitStore`."""
        known = self._of[rollout]
        if not known.open:
            return []
        units: defaultdict[_Key, list[Entry]] = defaultdict(list)
        for entry in known.entries.values():
            if (entry.unit, entry.in_arm) in known.open:
                units[entry.unit, entry.in_arm].append(entry)
        found = []
        for key, traces in units.items():
            traces.sort(key=lambda one: (one.time_unix_nano, one.trace_id))
            entered = traces[0].time_unix_nano
            if entered < entered_before_unix_nano:
                ids = tuple(one.trace_id for one in traces[:_MOST_TRACES])
                found.append(OpenUnit(*key, traces[0].share, ids, entered))
        return sorted(found, key=lambda one: (one.entered_unix_nano, one.unit, one.in_arm))[:limit]

    async def judge(self, rollout: str, judged: Sequence[tuple[OpenUnit, Unit | None]]) -> None:
        """See `UnitStore`."""
        known = self._of[rollout]
        for of, unit in judged:
            key = of.unit, of.in_arm
            if key not in known.closed:
                self._places += 1
                known.judged.append((self._places, unit))
                known.closed.add(key)
                known.open.pop(key, None)

    async def judged(self, rollout: str, after: int = 0, limit: int = 1_000) -> Sequence[tuple[int, Unit | None]]:
        """See `UnitStore`."""
        judged = self._of[rollout].judged
        if not judged or judged[-1][0] <= after:
            return []
        return [(place, unit) for place, unit in judged if place > after][:limit]
