"""Studies and their trials, on the ledger."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from collector.core.errors import AlreadyExists, Conflict, Outdated
from collector.core.folding import Fold
from collector.core.ledger import Change, Event, Ledger
from collector.core.release import Release, ReleaseDraft
from collector.core.study import Proposal, RejectedProposal, Study, StudyRecord, StudyState, Trial
from collector.publisher.desk import Desk, Place, whole
from collector.study import history


class Studies:
    """What is known of every study, and every way in which one changes. Each change is durable on return.

    Args:
        ledger: Where they are kept.
        desk: Publishes the releases of their trials.
    """

    def __init__(self, ledger: Ledger, desk: Desk) -> None:
        self._ledger = ledger
        self.desk = desk
        self._records: Fold[StudyRecord | None] = Fold(ledger, None, history.record)
        self._running: Fold[tuple[str, ...]] = Fold(ledger, (), history.running)

    async def study(self, name: str) -> StudyRecord | None:
        """None if there is no such study."""
        return (await self._records.of(history.study_stream(name))).state

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
        return (await self._running.of(history.running_stream(service))).state

    async def create(self, study: Study, actor: str) -> StudyRecord:
        """Begins a study without trials.

        Raises:
            AlreadyExists: a study has that name.
            Conflict: another study of the service is running.
        """
        stream = history.running_stream(study.service)
        running = await self._running.of(stream)
        if running.state:
            raise Conflict(
                f"study {running.state[0]!r} of service {study.service!r} is running; "
                f"stop it first: otel-opto studies stop {running.state[0]}"
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
        self, name: str, proposal: Proposal, draft: ReleaseDraft, keys: Sequence[str], place: Place = whole
    ) -> Release:
        """Publishes the draft and begins the next trial with it, both or neither. `keys`: the study's parameters.

        Raises:
            Conflict: the study is not running any more, or its last trial is not complete.
        """
        stream = history.study_stream(name)
        known = await self._records.of(stream)
        record = known.state
        if record is None or record.state is not StudyState.RUNNING or record.running_trial() is not None:
            raise Conflict(f"study {name!r} cannot begin a trial now: it is not running, or a trial is under way")
        number = len(record.trials)

        def begun(release: Release) -> Sequence[Change]:
            values = {key: release.values[key].value for key in keys}
            trial = Trial(number, release.number, values, proposal.reasoning, proposal.cost)
            return [Change(stream, known.version, (history.opened(record.study, trial),))]

        return await self.desk.publish(draft, actor_of(name), place, begun)

    async def complete_trial(self, name: str, number: int, score: float, feedback_count: int) -> None:
        """Closes a trial. A trial that is complete stays as it is."""

        def closing(record: StudyRecord) -> Sequence[Event]:
            if number >= len(record.trials) or record.trials[number].complete:
                return ()
            return (history.completed(record.study, number, score, feedback_count),)

        await self._change(name, closing)

    async def reject(self, name: str, rejected: RejectedProposal) -> None:
        """Keeps a proposal that failed validation."""
        await self._change(name, lambda record: (history.rejected(record.study, rejected),))

    async def conclude(
        self, name: str, state: StudyState, message: str, draft: ReleaseDraft | None = None, actor: str = ""
    ) -> Release | None:
        """Ends a running study and publishes the draft, both or neither; returns the release, if there is one.

        A study that is not running any more stays as it is, and nothing is published.
        """
        changes = await self.concluding([name], state, message)
        if not changes:
            return None
        by = actor or actor_of(name)
        if draft is None:
            await self._ledger.append(changes, by)
            return None
        return await self.desk.publish(draft, by, whole, lambda _: changes)

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


def actor_of(study: str) -> str:
    """How the ledger names a study that does something by itself."""
    return f"study:{study}"
