"""A study's next step: what it waits for, what it measures next, and what becomes of its candidates."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from collector.core.candidate import Fate, Window
from collector.core.errors import Conflict
from collector.core.release import ReleaseDraft
from collector.core.study import Proposal, StudyRecord, StudyState
from collector.publisher.desk import whole as whole_place
from collector.selection.race import Batch, Verdict
from collector.study.arms import TrialArms
from collector.study.crossings import Crossings, room, with_layer
from collector.study.ending import Ending
from collector.study.generation import Generation
from collector.study.studies import arms_of
from collector.study.values import Values
from collector.study.window.deciding import Standings, is_full, standings, window_of
from collector.study.window.guards import Guards
from collector.study.window.measuring import Counted, Units
from collector.study.window.placing import INTERRUPTED, layer_of, narrowed, shares_of
from otel_opto.assignment import Assignment
from otel_opto.spec import content_hash

_LOG = logging.getLogger(__name__)
_MOST_TOGETHER = 20
"""Candidates in one window."""

_MOST_COMPARED = 200
"""Trials of a study with several objectives of which all figures are written anew with each window."""


class Steps:
    """Takes a study forward, one durable change at a time.

    Args:
        arms: What its trials have to do with the rest of the traffic.
        values: Puts releases together.
        units: Who has come.
        generation: Makes candidates.
        ending: Concludes.
    """

    def __init__(self, arms: TrialArms, values: Values, units: Units, generation: Generation, ending: Ending) -> None:
        self._arms = arms
        self._studies = arms.studies
        self._desk = arms.studies.desk
        self._values = values
        self._units = units
        self._generation = generation
        self._ending = ending
        self._guards = Guards()
        self._crossings = Crossings(arms.studies)

    async def step(self, record: StudyRecord) -> bool:
        """One change; False if the study has to wait."""
        if not record.trials:
            return await self._begin(record)
        changed = await self._ending.changed_under(record)
        if changed:
            await self._ending.conclude(record, StudyState.STOPPED, changed)
            return False
        counted = await self._units.look(record)
        window = record.window()
        if window is None:
            return await self._next(record, counted)
        lost = await self._lost(record, window, counted)
        interrupted = await self._interrupted(record, window)
        if not lost and not interrupted and not is_full(window, counted):
            return False
        counted = await self._units.look(record, late=True)
        standing = await asyncio.to_thread(standings, record, counted)
        enough = INTERRUPTED if interrupted else "enough units have come"
        why = "; ".join(why for _, why in lost.values()) or enough
        compared = record.study.objectives and len(record.trials) <= _MOST_COMPARED  # all beside the same control
        found = standing.found(None if compared else [0, *window.trials])
        await self._studies.close_window(record, why, found, standing.words(), lost)
        return True

    def forget(self, name: str) -> None:
        """A study that has ended is not kept in memory."""
        self._units.forget(name)
        self._guards.forget(name)

    async def _begin(self, record: StudyRecord) -> bool:
        """What is in force is the baseline, and the release of that where it is none yet."""
        study = record.study
        specs = await self._values.trained(study)
        if not specs:
            await self._give_up(record)
            return False
        keys = [spec.key for spec in specs]
        values = await self._values.whole(study.service, {})
        control = await self._desk.control(study.service)
        if control is not None and control.hash == content_hash(values.items()):
            await self._studies.begin_with_control(study.name, keys)
            return True
        if await self._arms.rollout_under_way(study.service):
            return False
        draft = ReleaseDraft(study.service, values, f"study {study.name}: baseline")
        also = await self._arms.for_everybody(study.service)
        await self._studies.open_trial(study.name, Proposal({}, "the baseline"), draft, keys, whole_place, also)
        return True

    async def _give_up(self, record: StudyRecord) -> None:
        """Nobody has declared what is to be trained: after its deadline the study has failed, and says so."""
        study, seconds = record.study, record.study.exploration.deadline_seconds
        waited = (self._arms.clock.now_unix_nano() - record.began_unix_nano) / 1e9
        missing = await self._values.undeclared(study)
        if missing and record.began_unix_nano and waited >= seconds:
            await self._ending.conclude(record, StudyState.FAILED, f"{missing}; so it was for {seconds:g} s")

    async def _lost(
        self, record: StudyRecord, window: Window, counted: Sequence[Counted]
    ) -> Mapping[int, tuple[Fate, str]]:
        """Candidates that lose their place in the window, and why."""
        study = record.study
        lost = dict(self._guards.harm(record, window, counted))
        faults = await self._values.faults(record, [record.trials[number] for number in window.trials])
        lost |= {number: (Fate.INVALID, why) for number, why in faults.items()}
        for number in window.trials:
            if refused := await self._arms.refused(study, number, window.releases[number]):
                lost[number] = Fate.BROKEN, refused
        seconds = (self._arms.clock.now_unix_nano() - window.opened_unix_nano) / 1e9
        if seconds >= study.exploration.deadline_seconds:
            why = f"no {study.batch_size} scored units within {study.exploration.deadline_seconds:g} s"
            for number in window.trials:
                if sum(one.trial == number and one.counts for one in counted) < study.batch_size:
                    lost.setdefault(number, (Fate.EXPIRED, why))
            if window.purpose == "confirm":
                lost.setdefault(window.trials[0], (Fate.EXPIRED, why.replace("no ", "not enough fresh units of ")))
        return lost

    async def _interrupted(self, record: StudyRecord, window: Window) -> bool:
        """Whether somebody has taken a candidate's arm away, or there is another control."""
        in_force = await self._desk.assignment(record.study.service)
        if in_force is None:
            return True
        layer = in_force.layer(record.study.name)
        there = {arm.release for arm in layer.arms} if layer is not None else ()
        return in_force.control != window.releases[0] or any(window.releases[one] not in there for one in window.trials)

    async def _next(self, record: StudyRecord, counted: Sequence[Counted]) -> bool:
        """The window is over: more candidates, another window, or the end."""
        still = [trial for trial in record.trials[1:] if trial.fate is Fate.OPEN]
        invalid = {number: (Fate.INVALID, why) for number, why in (await self._values.faults(record, still)).items()}
        if invalid:
            await self._studies.settle(record.study.name, invalid, record.looking)
            return True
        now = await asyncio.to_thread(standings, record, counted)
        if not record.windows:
            return await self._open(now, now.race.begin(record.study.batch_size), {})
        fresh, again = list(now.fresh()), []
        if len(fresh) < record.study.exploration.parallel and _asks(record, now):
            asked = await self._generation.more(record, now.scored())
            if asked.failed:
                await self._ending.conclude(record, StudyState.FAILED, asked.failed)
                return False
            again = [key for key, trial in now.trials.items() if trial.number in asked.repeated]
            again = [key for key in again if now.race.archive.kept(key).fate is Fate.OPEN]
            if not again or fresh:
                return True
        if (fresh or again) and now.race.left_for_looking > 0:
            batch = now.race.look_at((fresh or again)[:_MOST_TOGETHER], record.study.batch_size)
            return await self._open(now, batch, {})
        return await self._decided(record, now)

    async def _decided(self, record: StudyRecord, now: Standings) -> bool:
        move = await asyncio.to_thread(now.race.next)
        if isinstance(move, Batch):
            return await self._open(now, move, now.fates())
        assert isinstance(move, Verdict)  # no more candidates are promised
        if move.winner and await self._arms.rollout_under_way(record.study.service):
            await self._studies.free(record)  # what has won comes after that one, beside what it leaves in force
            return False
        words = now.words()
        await self._studies.settle(record.study.name, now.last_fates(move.winner), now.race.looking)
        settled = await self._studies.study(record.study.name)
        if settled is not None:
            said = f"{record.exhausted or _all_tried(record)}; {words}"
            await self._ending.conclude(settled, StudyState.FINISHED, said)
        return False

    async def _open(self, now: Standings, batch: Batch, fates: Mapping[int, tuple[Fate, str]]) -> bool:
        record = now.record
        study = record.study
        in_force = await self._desk.assignment(study.service)
        control = await self._desk.control(study.service)
        assert in_force is not None
        assert control is not None
        most = room(in_force, study.name, len(await self._studies.running(study.service)))
        if most < 1 and len(batch.shares) > 1:
            return False
        batch = narrowed(batch, now.race.archive.incumbent.key, most)
        wanted = {(now.trials[key].number if key in now.trials else 0): part for key, part in batch.shares.items()}
        shares = shares_of(study, wanted)
        if shares is None or (study.exploration.whole and await self._arms.rollout_under_way(study.service)):
            return False
        releases = {0: control.number}
        for number in shares:
            if number:
                releases[number] = await self._values.release(study, record.trials[number])
        window = replace(window_of(batch, now.trials, shares), releases=releases)
        layers = with_layer(in_force, study.name, layer_of(study, window, record.windows))
        crossings = await self._crossings.of(in_force, layers, study.name)

        def dealt(found: Assignment) -> Assignment:
            if (found.control, found.layers) != (in_force.control, in_force.layers):
                raise Conflict("another study was dealt at the same time")
            return replace(found.without(*arms_of(record)), layers=layers, crossings=crossings)

        await self._studies.open_window(study.name, window, dealt, fates, now.race.looking)
        return True


def _asks(record: StudyRecord, now: Standings) -> bool:
    """Whether more candidates are asked for."""
    return not record.exhausted and len(record.trials) <= record.study.max_trials and now.race.left_for_looking > 0


def _all_tried(record: StudyRecord) -> str:
    tried = len(record.trials) - 1
    return f"{tried} candidate{'s were' if tried != 1 else ' was'} tried"
