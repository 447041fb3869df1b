"""Studies and their trials, on the ledger."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from collector.core.errors import AlreadyExists, Conflict, Damaged, Outdated
from collector.core.folding import Fold
from collector.core.ledger import Change, Event, Ledger
from collector.core.release import Release, ReleaseDraft
from collector.core.study import Proposal, RejectedProposal, Study, StudyRecord, StudyState, Trial
from collector.publisher.desk import Desk, Place, whole
from collector.study import history
from otel_opto.assignment import Assignment

_LOG = logging.getLogger(__name__)


class Studies:
    """What is known of every study, and every way in which one changes. Each change is durable on return.

    Args:
        ledger: Where they are kept.
        desk: Publishes the releases of their trials.
    """

    def __init__(self, ledger: Ledger, desk: Desk) -> None:
        self._ledger = ledger
        self.desk = desk
        self._records: Fold[StudyRecord | None] = Fold(ledger, None, history.record, unreadable=_LOG.error)
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
            Conflict: another study of the service is running.
        """
        stream = history.running_stream(study.service)
        running = await self._running.of(stream)
        if names := await self._still_running(running.state):
            raise Conflict(
                f"study {names[0]!r} of service {study.service!r} is running; "
                f"stop it first: otel-opto studies stop {names[0]}"
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
        place: Place = whole,
        also: Sequence[Change] = (),
    ) -> Release:
        """Publishes the draft and begins the next trial with it, both or neither, and other changes with them.

        Args:
            keys: The study's parameters.

        Raises:
            Conflict: the study is not running any more, or its last trial is not complete.
        """
        stream = history.study_stream(name)
        known = await self._records.of(stream)
        record = known.state
        if record is None or record.state is not StudyState.RUNNING or _full(record):
            raise Conflict(
                f"study {name!r} cannot begin a trial now: it is not running, or enough trials are under way"
            )
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

    async def complete_trial(
        self, name: str, number: int, score: float, feedback_count: int, control_score: float | None = None
    ) -> None:
        """Closes a trial, and its arm with it. A trial that has ended stays as it is."""
        await self._end(
            name, number, lambda study: history.completed(study, number, score, feedback_count, control_score)
        )

    async def give_up(self, name: str, number: int, reason: str) -> None:
        """Ends a trial without a score, and its arm with it. A trial that has ended stays as it is."""
        await self._end(name, number, lambda study: history.given_up(study, number, reason))

    async def _end(self, name: str, number: int, event: Callable[[Study], Event]) -> None:
        stream = history.study_stream(name)
        known = await self._records.of(stream)
        record = known.state
        if record is None or number >= len(record.trials) or not record.trials[number].running:
            return
        trial = record.trials[number]
        changes = [Change(stream, known.version, (event(record.study),))]
        in_force = await self.desk.assignment(record.study.service)
        if in_force is None or not any(arm.release == trial.release for arm in in_force.arms):
            await self._ledger.append(changes, actor_of(name))
            return
        reason = f"study {name}: trial {number} has ended"
        await self.desk.reassign(record.study.service, without(trial.release), reason, actor_of(name), changes)

    async def reject(self, name: str, rejected: RejectedProposal) -> None:
        """Keeps a proposal that failed validation."""
        await self._change(name, lambda record: (history.rejected(record.study, rejected),))

    async def conclude(
        self,
        name: str,
        state: StudyState,
        message: str,
        draft: ReleaseDraft | None = None,
        actor: str = "",
        also: Sequence[Change] = (),
    ) -> Release | None:
        """Ends a running study and publishes the draft, both or neither, and other changes with it.

        Returns the release, if there is one.

        A study that is not running any more stays as it is, and nothing is published.
        """
        changes = await self.concluding([name], state, message)
        if not changes:
            return None
        by = actor or actor_of(name)
        if draft is not None:
            return await self.desk.publish(draft, by, whole, lambda _: [*changes, *also], by_itself=True)
        record = await self.study(name)
        arms = [trial.release for trial in record.running_trials()] if record is not None else []
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


def _full(record: StudyRecord) -> bool:
    exploration = record.study.exploration
    return len(record.running_trials()) >= (1 if exploration.whole else exploration.parallel)


def without(*releases: int) -> Callable[[Assignment], Assignment]:
    """What is in force without the arms of these releases."""
    return lambda now: replace(now, arms=tuple(arm for arm in now.arms if arm.release not in releases))


def actor_of(study: str) -> str:
    """How the ledger names a study that does something by itself."""
    return f"study:{study}"
