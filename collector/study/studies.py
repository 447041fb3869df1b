"""Studies and their trials, on the ledger."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from collector.core.candidate import Fate, Found, Repeat, Window
from collector.core.errors import AlreadyExists, Conflict, Damaged, Outdated
from collector.core.folding import Fold
from collector.core.ledger import Change, Event, Ledger
from collector.core.release import Release, ReleaseDraft
from collector.core.study import Proposal, RejectedProposal, Study, StudyRecord, StudyState, Trial
from collector.publisher.desk import Desk, Place, aside, whole
from collector.study import history
from otel_opto.assignment import Assignment

_LOG = logging.getLogger(__name__)

Fates: TypeAlias = Mapping[int, tuple[Fate, str]]
"""What became of candidates, and why, by trial."""


class Studies:
    """What is known of every study, and every way in which one changes. Each change is durable on return.

    Args:
        ledger: Where they are kept.
        desk: Publishes the releases of their trials.
    """

    def __init__(self, ledger: Ledger, desk: Desk) -> None:
        self._ledger = ledger
        self.desk = desk
        self._records: Fold[StudyRecord | None] = Fold(
            ledger, None, history.record, unreadable=_LOG.error, aside=asyncio.to_thread
        )
        self._running: Fold[tuple[str, ...]] = Fold(ledger, (), history.running)

    async def study(self, name: str) -> StudyRecord | None:
        """None if there is no such study."""
        return (await self._records.of(history.study_stream(name))).state

    async def at(self, name: str, version: int) -> StudyRecord | None:
        """One study as it was when its stream had that version."""
        return await self._records.at(history.study_stream(name), version)

    async def names(self) -> Mapping[str, int]:
        """Every study in order of creation, with a number that rises with every change of it."""
        found = await self._ledger.streams(history.PREFIX)
        return {stream.removeprefix(history.PREFIX): version for stream, version in found.items()}

    async def all(self) -> Sequence[StudyRecord]:
        """In order of creation."""
        return [record for record in await self._records.all(history.PREFIX) if record is not None]

    async def all_running(self) -> Sequence[str]:
        """The names of the running studies, in order of creation. Costs little where nothing has changed."""
        return [record.study.name for record in await self.all() if record.state is StudyState.RUNNING]

    async def running(self, service: str) -> Sequence[str]:
        """The names of the running studies of a service."""
        return await self._still_running((await self._running.of(history.running_stream(service))).state)

    async def _still_running(self, names: Sequence[str]) -> Sequence[str]:
        """One that has ended, or cannot be read any more, does not stand in the way of others."""
        left = []
        for name in names:
            try:
                record = await self.study(name)
            except Damaged as error:
                _LOG.error("a study is passed over: %s", error)
                continue
            if record is not None and record.state is StudyState.RUNNING:
                left.append(name)
        return left

    async def create(self, study: Study, actor: str) -> StudyRecord:
        """Begins a study without trials.

        Raises:
            AlreadyExists: a study has that name.
            Conflict: another study that is running has some of its parameters.
        """
        stream = history.running_stream(study.service)
        running = await self._running.of(stream)
        for name in await self._still_running(running.state):
            other = await self.study(name)
            if other is not None and (shared := _shared(study, other.study)) is not None:
                raise Conflict(
                    f"study {name!r} of service {study.service!r} is running and has {shared}; "
                    f"stop it first: otel-opto studies stop {name}; or name other parameters: studies of a service "
                    "that have none in common run side by side"
                )
        changes = [
            Change(history.study_stream(study.name), 0, (history.created(study),)),
            Change(stream, running.version, (history.began(study),)),
        ]
        try:
            await self._ledger.append(changes, actor)
        except Outdated as error:
            if error.stream == stream:
                raise
            raise AlreadyExists(f"study {study.name!r} is there already; choose another name") from None
        return StudyRecord(study, StudyState.RUNNING, "")

    async def open_trial(
        self,
        name: str,
        proposal: Proposal,
        draft: ReleaseDraft,
        keys: Sequence[str],
        place: Place = aside,
        also: Sequence[Change] = (),
    ) -> Release:
        """Publishes the draft, in force for nobody yet, and begins the next trial with it, both or neither.

        Args:
            keys: The study's parameters.
            place: Where the release goes.
            also: Changes that are made together with it.

        Raises:
            Conflict: the study is not running any more.
        """
        stream = history.study_stream(name)
        known = await self._records.of(stream)
        record = known.state
        if record is None or record.state is not StudyState.RUNNING:
            raise Conflict(f"study {name!r} cannot begin a trial now: it is not running")
        number = len(record.trials)

        def begun(release: Release) -> Sequence[Change]:
            values = {key: release.values[key].value for key in keys}
            trial = Trial(number, release.number, values, proposal.reasoning, proposal.cost)
            return [Change(stream, known.version, (history.opened(record.study, trial),)), *also]

        return await self.desk.publish(draft, actor_of(name), place, begun, by_itself=True)

    async def begin_with_control(self, name: str, keys: Sequence[str]) -> None:
        """The control is the baseline: it stays in force, and the study's first trial is what it has already.

        Raises:
            Conflict: the study has a trial already, or nothing is in force for its service.
        """
        stream = history.study_stream(name)
        known = await self._records.of(stream)
        record = known.state
        control = await self.desk.control(record.study.service) if record is not None else None
        if record is None or record.trials or control is None:
            raise Conflict(f"study {name!r} cannot take the control as its baseline")
        values = {key: control.values[key].value for key in keys}
        trial = Trial(0, control.number, values, "the baseline")
        await self._ledger.append(
            [Change(stream, known.version, (history.opened(record.study, trial),))], actor_of(name)
        )

    async def open_window(
        self, name: str, window: Window, dealt: Callable[[Assignment], Assignment], fates: Fates, looking: int
    ) -> None:
        """Deals units anew and says what became of candidates, both or neither.

        Args:
            dealt: From what is in force to what is in force in the window.
            fates: What became of candidates; may be empty.
            looking: How many units there are for looking around.
        """
        stream = history.study_stream(name)
        known = await self._records.of(stream)
        if known.state is None or known.state.state is not StudyState.RUNNING:
            return
        study = known.state.study

        def opened(assignment: Assignment) -> Sequence[Change]:
            event = history.window_opened(study, replace(window, revision=assignment.revision))
            said = [history.settled(study, fates, looking)] if fates else []
            return [Change(stream, known.version, (*said, event))]

        reason = f"study {name}: window {window.number}"
        await self.desk.reassign(study.service, dealt, reason, actor_of(name), opened)

    async def close_window(
        self, record: StudyRecord, why: str, found: Sequence[Found], standing: str, fates: Fates | None = None
    ) -> None:
        """Says that a window is over, what is known by then, and what became of candidates.

        Whoever has lost its place loses its arm; other arms stay until the next window.
        """
        study, window = record.study, record.window()
        if window is None:
            return
        stream = history.study_stream(study.name)
        known = await self._records.of(stream)
        events = [history.window_closed(study, window.number, why, found, standing)]
        if fates:
            events.append(history.settled(study, fates, record.looking))
        changes = [Change(stream, known.version, tuple(events))]
        out = [window.releases[number] for number in fates or {} if number in window.releases]
        if out:
            reason = f"study {study.name}: {next(iter((fates or {}).values()))[1]}"
            await self.desk.reassign(study.service, without(*out), reason, actor_of(study.name), changes)
        else:
            await self._ledger.append(changes, actor_of(study.name))

    async def settle(self, name: str, fates: Fates, looking: int) -> None:
        """Says what became of candidates."""
        if fates:
            await self._change(name, lambda record: (history.settled(record.study, fates, looking),))

    async def reject(self, name: str, rejected: RejectedProposal) -> None:
        """Keeps a proposal that failed validation."""
        await self._change(name, lambda record: (history.rejected(record.study, rejected),))

    async def repeat(self, name: str, said: Repeat) -> None:
        """Keeps that a candidate was generated that was there already."""
        await self._change(name, lambda record: (history.repeated(record.study, said),))

    async def exhaust(self, name: str, why: str) -> None:
        """No more candidates are asked for."""
        await self._change(name, lambda record: (history.exhausted(record.study, why),))

    async def free(self, record: StudyRecord) -> None:
        """Its arms end, and its units go back to what is in force for everybody."""
        study, arms = record.study, arms_of(record)
        await self.desk.reassign(study.service, without(*arms), f"study {study.name}: it ends", actor_of(study.name))

    async def conclude(
        self,
        name: str,
        state: StudyState,
        message: str,
        draft: ReleaseDraft | None = None,
        actor: str = "",
        *,
        also: Sequence[Change] = (),
        rolled_out: int = 0,
    ) -> Release | None:
        """Ends a running study and publishes the draft, both or neither, and other changes with it.

        Returns the release, if there is one.

        Args:
            also: Changes that are made together with publishing it.
            rolled_out: A release of its that has an arm as a rollout by now, and keeps it.

        A study that is not running any more stays as it is, and nothing is published.
        """
        changes = await self.concluding([name], state, message)
        if not changes:
            return None
        by = actor or actor_of(name)
        if draft is not None:
            return await self.desk.publish(draft, by, whole, lambda _: [*changes, *also], by_itself=True)
        record = await self.study(name)
        arms = [release for release in (arms_of(record) if record else ()) if release != rolled_out]
        service = record.study.service if record is not None else ""
        if await self.desk.assignment(service) is None:
            await self._ledger.append(changes, by)
        else:
            await self.desk.reassign(service, without(*arms), f"study {name}: {message}", by, changes)
        return None

    async def concluding(self, names: Iterable[str], state: StudyState, message: str) -> Sequence[Change]:
        """The changes that end those of the studies that are running, for whoever makes them together with others."""
        changes: list[Change] = []
        ends: dict[str, list[Event]] = {}
        for name in names:
            stream = history.study_stream(name)
            known = await self._records.of(stream)
            if known.state is not None and known.state.state is StudyState.RUNNING:
                study = known.state.study
                changes.append(Change(stream, known.version, (history.concluded(study, state, message),)))
                ends.setdefault(study.service, []).append(history.ended(study))
        for service, events in ends.items():
            of_service = history.running_stream(service)
            changes.append(Change(of_service, (await self._running.of(of_service)).version, tuple(events)))
        return changes

    async def _change(self, name: str, events: Callable[[StudyRecord], Sequence[Event]]) -> None:
        stream = history.study_stream(name)
        known = await self._records.of(stream)
        if known.state is not None and (added := events(known.state)):
            await self._ledger.append([Change(stream, known.version, tuple(added))], actor_of(name))


def _shared(study: Study, other: Study) -> str | None:
    """Which parameters both have, in words; None if they have none in common."""
    if not study.parameters or not other.parameters:
        return "every trainable parameter" if not other.parameters else "some of every trainable parameter"
    both = sorted({*study.parameters} & {*other.parameters})
    return ", ".join(both) or None


def arms_of(record: StudyRecord) -> Sequence[int]:
    """The releases of the candidates of its last window: what was in force beside them may be a rollout's by now."""
    return [window.releases[number] for window in record.windows[-1:] for number in window.trials]


def without(*releases: int) -> Callable[[Assignment], Assignment]:
    """What is in force without the arms of these releases."""
    return lambda now: now.without(*releases)


def actor_of(study: str) -> str:
    """How the ledger names a study that does something by itself."""
    return f"study:{study}"
