"""An arm of live traffic under watch: what enters, what became of each unit, what all of them say."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from collector.core.page import every
from collector.core.protocols import Clock, Store
from collector.core.release import ReleaseStatus
from collector.core.rollout import Rollout
from collector.publisher.desk import Desk
from collector.rollout.comparison import Comparison
from collector.rollout.observation import Observer
from collector.rollout.unit_reader import UnitReader

_UNITS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Known:
    comparison: Comparison
    place: int = 0
    """Of the last judged unit that the comparison knows."""


class ArmWatch:
    """Knows the comparison of each arm with its control. It is made anew from the store after a restart.

    Args:
        store: Traces and feedback are read from it, and it keeps which units came and what became of them.
        desk: Knows releases and assignments.
        clock: Says when a unit's time is over.
        judged: Told of each arm of which more units have been judged.
    """

    def __init__(
        self, store: Store, desk: Desk, clock: Clock, judged: Callable[[Rollout], None] = lambda _: None
    ) -> None:
        self._store = store
        self._units = store.units
        self._desk = desk
        self._clock = clock
        self._observer = Observer(store.log, store.units, desk, clock)
        self._reader = UnitReader(store, desk)
        self._known: dict[str, _Known] = {}
        self._judged = judged

    async def look(self, rollout: Rollout) -> Comparison:
        """Takes in what came since the last look, and judges the units whose time is over."""
        await self._observer.look(rollout)
        before = self._clock.now_unix_nano() - int(rollout.plan.feedback_delay_seconds * 1e9)
        while due := await self._units.due(rollout.name, before, _UNITS_AT_ONCE):
            judged = [(unit, await self._reader.outcome(rollout.plan, unit)) for unit in due]
            await self._units.judge(rollout.name, judged)
            self._judged(rollout)
        return await self.comparison(rollout)

    async def comparison(self, rollout: Rollout) -> Comparison:
        """What the units that have been judged say."""
        known = self._known.get(rollout.name, _Known(Comparison()))
        while judged := await self._units.judged(rollout.name, known.place):
            comparison = known.comparison
            for _, unit in judged:
                if unit is None:
                    comparison = replace(comparison, mixed=comparison.mixed + 1)
                else:
                    comparison = comparison.with_unit(unit, rollout.plan)
            known = _Known(comparison, judged[-1][0])
        self._known[rollout.name] = known
        return known.comparison

    async def refused(self, rollout: Rollout) -> str:
        """Why applications refuse the release; empty if none does.

        What they said before it began does not count: they may be gone since, or hold what they lacked. Who refuses
        it still says so whenever it is assigned.
        """
        began = rollout.began_unix_nano
        async for word in every(partial(self._store.acknowledgements.of, rollout.plan.release)):
            refuses = word.status is ReleaseStatus.FAILED and word.time_unix_nano >= began
            if refuses and word.service == rollout.plan.service:
                return f"an application refuses the release: {word.instance_id}: {word.error}"
        return ""

    def forget(self, name: str) -> None:
        """An arm that has ended is not kept in memory."""
        self._known.pop(name, None)
