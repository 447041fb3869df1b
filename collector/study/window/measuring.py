"""Which units came in a study's windows, and what became of each."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collector.core.candidate import Window
from collector.core.protocols import Clock, Store
from collector.core.rollout import Signal
from collector.core.span import Span
from collector.core.study import Study, StudyRecord
from collector.core.units import Entry, OpenUnit, Unit
from collector.publisher.desk import Desk
from collector.rollout.observation import Observer, Placed, number_in, unit_in
from collector.rollout.unit_reader import UnitReader
from collector.study.window.plans import beside, plan_of
from otel_opto import semconv
from otel_opto.assignment import BUCKETS, Assignment

_UNITS_AT_ONCE = 2_000
_JUDGED_AT_ONCE = 300
"""Units that one look judges: a window that is full must not wait until all that came beside is read."""

_EVER = 2**62
_PASSED_BY = 20
"""A unit of traffic that is there to evaluate is not waited for any more when so many that came later have scores."""

_STILL_ON_THEIR_WAY = 3
"""Spans of earlier windows may come as long as so few have begun since."""

_LATE = 20.0
"""So many times as long as a unit's feedback is waited for it may still come late."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A unit in its window.

    Attributes:
        trial: That it ran with; 0 is what was in force.
        late: Whether its feedback came when it counted as silent already.
    """

    window: int
    trial: int
    unit: Unit
    late: bool = False

    @property
    def failed(self) -> bool:
        """Whether it is an error, which is neither good nor bad."""
        return self.unit.outcome is None and bool(self.unit.signals.get(Signal.ERROR))

    @property
    def counts(self) -> bool:
        """Whether something became of it."""
        return self.unit.outcome is not None or self.failed


@dataclass(slots=True)
class _Known:
    """What is known of a study in this process; all of it is in the store."""

    counted: list[Counted] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)
    mixed: int = 0
    loaded: bool = False


@dataclass(frozen=True, slots=True)
class _Arm:
    """The units of one trial in one window."""

    window: Window
    trial: int
    name: str


class Units(Protocol):
    """Who has come in a study's windows."""

    async def look(self, record: StudyRecord, *, late: bool = False) -> Sequence[Counted]:
        """Takes in what came since the last look, judges units, and gives all that have been judged.

        Args:
            late: Whether silent units of earlier windows are looked at once more.
        """
        ...

    def forget(self, name: str) -> None:
        """A study that has ended is not kept in memory."""
        ...


class Measuring:
    """`Units` of real traffic, of each study in the order in which they were assigned. Made anew at a restart.

    Args:
        store: Traces and feedback are read from it, and it keeps which units came and what became of them.
        desk: Knows releases and assignments.
        clock: Says when a unit's time is over.
    """

    def __init__(self, store: Store, desk: Desk, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._observer = Observer(store.log, store.units, desk, clock)
        self._reader = UnitReader(store, desk)
        self._known: dict[str, _Known] = {}

    async def look(self, record: StudyRecord, *, late: bool = False) -> Sequence[Counted]:
        """See `Units`."""
        study = record.study
        known = self._known.setdefault(study.name, _Known())
        if not record.windows:
            return known.counted
        await self._observer.observe(f"study/{study.name}", study.service, lambda *seen: _placed(record, *seen))
        fresh = record.windows if not known.loaded else [one for one in record.windows if one.number not in known.over]
        budget = _JUDGED_AT_ONCE
        for window in reversed(record.windows):  # the newest first: a study goes on, whatever else is still to be read
            if window.number in known.over or not budget:
                continue
            judged, still = await self._judge(study, window, budget)
            budget -= judged
            if not still and window.number <= record.windows[-1].number - _STILL_ON_THEIR_WAY:
                known.over.add(window.number)
        names = [(arm, arm.name, False) for window in fresh for arm in _arms(study, window)]
        if late or not known.loaded:
            await self._judge_late(record)
            arms = [arm for window in record.windows for arm in _arms(study, window)]
            names += [(arm, _late(arm.name), True) for arm in arms]
        added = [one for arm, name, said in names for one in await self._judged(known, arm, name, late=said)]
        known.counted += sorted(added, key=lambda one: (one.window, one.unit.entered_unix_nano))
        known.loaded = True
        return known.counted

    def forget(self, name: str) -> None:
        """See `Units`."""
        self._known.pop(name, None)

    async def _judge(self, study: Study, window: Window, most: int) -> tuple[int, int]:
        """Judges units of a window, in order of coming; how many it looked into, and how many are open."""
        waiting: list[tuple[OpenUnit, _Arm]] = []
        for arm in _arms(study, window):
            waiting += [(unit, arm) for unit in await self._store.units.due(arm.name, _EVER, _UNITS_AT_ONCE)]
        waiting.sort(key=lambda one: (one[0].entered_unix_nano, one[0].unit))
        over = self._clock.now_unix_nano() - int(study.exploration.feedback_delay_seconds * 1e9)
        whole = [unit.unit for unit, _ in waiting if _at_once(study, unit)]
        said = await self._said(study, whole)
        judged: list[tuple[_Arm, OpenUnit, Unit | None]] = []
        open_units: list[int] = []
        for unit, arm in waiting:
            if len(judged) >= most:
                break
            if unit.entered_unix_nano < over or (_at_once(study, unit) and unit.unit in said):
                judged.append((arm, unit, await self._outcome(study, unit)))
            else:
                open_units.append(len(judged))
        # Units are counted in the order of their coming: who is judged fast counts no earlier than who came before.
        passed_by = min(_PASSED_BY, max(window.least, 1))
        last = next((place for place in open_units if len(judged) - place < passed_by), len(judged))
        await self._keep(judged[:last])
        return len(judged), len(waiting) - last

    async def _keep(self, judged: Sequence[tuple[_Arm, OpenUnit, Unit | None]]) -> None:
        of_arm: defaultdict[str, list[tuple[OpenUnit, Unit | None]]] = defaultdict(list)
        for arm, unit, found in judged:
            of_arm[arm.name].append((unit, found))
        for name, units in of_arm.items():
            silent = [
                Entry(trace, unit.unit, unit.in_arm, unit.share, unit.entered_unix_nano)
                for unit, found in units
                if found is not None and found.outcome is None
                for trace in unit.trace_ids
            ]
            if silent:
                await self._store.units.enter(_late(name), silent, 0)
            await self._store.units.judge(name, units)

    async def _said(self, study: Study, trace_ids: Collection[str]) -> Collection[str]:
        """Those of the traces of which all has been said that the study's objectives need."""
        for name in (study.metric, *(one.name for one in study.objectives if not one.measured)):
            trace_ids = await self._store.feedback.judged(name, trace_ids) if trace_ids else ()
        return trace_ids

    async def _outcome(self, study: Study, unit: OpenUnit) -> Unit | None:
        return await self._reader.outcome(plan_of(study), unit, beside=beside(study), named=True)

    async def _judge_late(self, record: StudyRecord) -> None:
        """Units that counted as silent, and of which something was said after all."""
        study = record.study
        over = self._clock.now_unix_nano() - int(_LATE * study.exploration.feedback_delay_seconds * 1e9)
        for window in record.windows:
            for arm in _arms(study, window):
                name = _late(arm.name)
                for unit in await self._store.units.due(name, _EVER, _UNITS_AT_ONCE):
                    found = await self._outcome(study, unit)
                    if found is not None and found.outcome is not None:
                        await self._store.units.judge(name, [(unit, found)])
                    elif unit.entered_unix_nano < over:
                        await self._store.units.judge(name, [(unit, None)])

    async def _judged(self, known: _Known, arm: _Arm, name: str, late: bool) -> Sequence[Counted]:
        found = []
        while judged := await self._store.units.judged(name, known.places.get(name, 0)):
            known.places[name] = judged[-1][0]
            for _, unit in judged:
                if unit is not None:
                    found.append(Counted(arm.window.number, arm.trial, unit, late))
                elif not late:
                    known.mixed += 1
        return found


def _arms(study: Study, window: Window) -> Sequence[_Arm]:
    return [_Arm(window, trial, f"study/{study.name}/{window.number}/{trial}") for trial in window.releases]


def _late(name: str) -> str:
    return f"{name}/late"


def _at_once(study: Study, unit: OpenUnit) -> bool:
    """Whether it may be counted before its time is over: nothing else of it will come."""
    return study.exploration.whole and unit.trace_ids == (unit.unit,)


def _placed(record: StudyRecord, span: Span, assignment: Assignment, now_unix_nano: int) -> Placed | None:
    """None where the trace ran with no release of any window."""
    name, number = record.study.name, number_in(span.attributes, semconv.RELEASE)
    revision = number_in(span.attributes, semconv.ASSIGNMENT)
    for window in reversed(record.windows):
        trial = _trial(name, window, number, assignment)
        if trial is None or window.revision > (revision or window.revision):
            continue
        if revision and assignment.control != window.releases[0]:  # nobody is beside it any more
            return None
        dealt = {window.releases[one] for one in window.trials}
        if trial == 0 and dealt and dealt.isdisjoint(assignment.releases):  # nobody came who is compared with it
            return None
        share = _share(name, window, trial, assignment)
        entry = Entry(span.context.trace_id, unit_in(span), trial > 0, share, now_unix_nano)
        return f"study/{name}/{window.number}/{trial}", entry
    return None


def _trial(study: str, window: Window, number: int, assignment: Assignment) -> int | None:
    """The study's part in a release, whatever arms of other studies the unit is in; None where it has none."""
    trials = {release: trial for trial, release in window.releases.items()}
    arm = number if number in trials else assignment.arm_of(study, number)
    return trials.get(arm or window.releases[0]) if arm is not None else None


def _share(study: str, window: Window, trial: int, assignment: Assignment) -> float:
    """The candidates' share among those of the window and what was in force; that of one among the two."""
    mine = [number for number in window.trials if trial in (0, number)]
    layer = assignment.layer(study)
    shares = sum(layer.share(window.releases[number]) for number in mine) if layer is not None else 0
    control = BUCKETS - layer.taken if layer is not None else 0
    if not shares or not control:
        planned = sum(window.shares[number] for number in mine)
        return planned / (planned + window.shares[0]) if planned else 0.5
    return shares / (shares + control)
