"""The one desk that publishes: it numbers releases, says what is in force, writes it down and wakes who watches."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from collector.core.errors import Conflict, Damaged, NotFound, Outdated
from collector.core.folding import Fold
from collector.core.ledger import Change, Ledger, Recorded, made_of
from collector.core.protocols import Publisher
from collector.core.release import Release, ReleaseDraft, ReleasedValue, number_release
from collector.core.tracing import UNTRACED, Tracing
from collector.counters import Counter, Counters
from collector.publisher.events import (
    RELEASES,
    SIGNED,
    assigned,
    assignment_of,
    assignment_stream,
    number_of,
    release_of,
    released,
    signature_stream,
    signed,
)
from collector.publisher.signing import Signer
from otel_opto.assignment import Arm, Assignment

_LOG = logging.getLogger(__name__)

_TRIES = 5
_MOST_CACHED = 256
_T = TypeVar("_T")

Place = Callable[[Assignment | None, Release], Assignment]
"""From what is in force and a new release to what is in force then. Its revision is set by the desk."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A release of values that other releases brought.

    Attributes:
        values: By key.
        reason: Why it is made.
    """

    values: Mapping[str, ReleasedValue]
    reason: str


def whole(before: Assignment | None, release: Release) -> Assignment:
    """The release for everybody; every arm ends."""
    return Assignment(release.service, before.revision if before else 0, release.number)


def aside(before: Assignment | None, release: Release) -> Assignment:
    """The release is there and in force for nobody; the first of a service is for everybody."""
    return before or whole(before, release)


def beside(start: int, share: int) -> Place:
    """The release as another arm; the control keeps what is left."""

    def place(before: Assignment | None, release: Release) -> Assignment:
        if before is None:
            return whole(before, release)
        arms = sorted((*before.arms, Arm(release.number, start, share)), key=lambda arm: arm.start)
        salt = before.salt if before.arms else secrets.token_hex(8)
        return Assignment(before.service, before.revision, before.control, tuple(arms), salt)

    return place


class Desk:
    """Releases and assignments. Whoever changes them does it here, and everybody reads them from here.

    Args:
        ledger: Where both are kept.
        publisher: Is told of what is new, behind the ledger.
        counters: Releases are counted.
        signer: Signs what is published by the collector itself; None where the private key is elsewhere.
        tracing: Is told of what is published.
    """

    def __init__(
        self,
        ledger: Ledger,
        publisher: Publisher,
        counters: Counters,
        signer: Signer | None = None,
        tracing: Tracing = UNTRACED,
    ) -> None:
        self._ledger = ledger
        self._tracing = tracing
        self._signer = signer
        self._publisher = publisher
        self._counters = counters
        self._assignments: Fold[Assignment | None] = Fold(ledger, None, _last_assignment)
        self._releases: dict[int, Release] = {}
        self._envelopes: dict[int, str] = {}
        self._signatures = 0
        # Who changes something here does it in turn. Others may change the ledger, too: then it is tried again.
        self._turn = asyncio.Lock()

    @property
    def signatures(self) -> int:
        """How many were kept since the start: what was made of envelopes before the last one is out of date."""
        return self._signatures

    async def release(self, number: int) -> Release | None:
        """None if there is no such number."""
        if number not in self._releases:
            found = await self._ledger.event(RELEASES, number)
            if found is None:
                return None
            _keep(self._releases, number, made_of([found], lambda events: release_of(events[0])))
        return self._releases[number]

    async def releases(self, service: str = "", before: int | None = None, limit: int = 100) -> Sequence[Release]:
        """Newest first, at most `limit`; only numbers below `before`, if it is given."""
        place = await self._ledger.event(RELEASES, before) if before is not None else None
        sequence = place.sequence if place is not None else None
        found = await self._ledger.history(prefix=RELEASES, subject=service, before=sequence, limit=limit)
        return [release for one in found if (release := _readable(one))]

    async def assignment(self, service: str, revision: int | None = None) -> Assignment | None:
        """What is in force for a service, or was in a revision; None before its first release."""
        stream = assignment_stream(service)
        if revision is None:
            return (await self._assignments.of(stream)).state
        found = await self._ledger.event(stream, revision)
        return made_of([found], lambda events: assignment_of(events[0])) if found is not None else None

    async def lacks_a_key(self, service: str) -> int:
        """The release in force, where it is signed and this desk could not sign another one; else 0.

        Applications that hold the public key would refuse what is published without a person who signs it.
        """
        in_force = await self.assignment(service)
        if self._signer is not None or in_force is None or not await self.envelope(in_force.control):
            return 0
        return in_force.control

    async def unsigned_beside(self, control: int, other: int) -> int:
        """Which of two releases would be refused, because nobody signed it, where the other one is applied; else 0.

        Where this desk has a key, a control without a signature is none of an application's that holds the public one.
        """
        if await self.envelope(control):
            return 0 if await self.envelope(other) else other
        return control if self._signer is None and await self.envelope(other) else 0

    async def control(self, service: str) -> Release | None:
        """The release of everybody who is in no arm; None before the first."""
        assignment = await self.assignment(service)
        return await self.release(assignment.control) if assignment else None

    async def sign(self, number: int, envelope: str, actor: str) -> None:
        """Keeps a release's signature; applications with a public key verify it.

        One that is in force is told anew, as another revision of what is in force: whoever refused it without the
        signature gets it with.

        Raises:
            NotFound: there is no such release.
            Outdated: somebody else changed it at the same time.
        """
        release = await self.release(number)
        if release is None:
            raise NotFound(f"release {number}: there is none of that number; `otel-opto releases` lists them")

        async def once() -> None:
            kept = await self._ledger.read(signature_stream(number))
            changes = [signed(release, envelope, kept[-1].version if kept else 0)]
            before = await self.assignment(release.service)
            again = _following(before, before) if before is not None and number in before.releases else None
            if again is not None:
                changes.append(assigned(again, f"release {number} was signed"))
            await self._record(changes, actor, again)

        await self._in_turn(once, signature_stream(number), assignment_stream(release.service))

    async def envelope(self, number: int) -> str:
        """A release's last signature; empty if it has none."""
        if number not in self._envelopes:
            signatures = self._signatures
            kept = await self._ledger.read(signature_stream(number))
            envelope = made_of(kept, lambda events: str(events[-1].data["envelope"])) if kept else ""
            if signatures != self._signatures:  # signed meanwhile, perhaps this one
                return await self.envelope(number)
            _keep(self._envelopes, number, envelope)
        return self._envelopes[number]

    async def publish(
        self,
        draft: ReleaseDraft,
        actor: str,
        place: Place = whole,
        also: Callable[[Release], Sequence[Change]] = lambda _: (),
        *,
        by_itself: bool = False,
        first: ReleaseDraft | None = None,
    ) -> Release:
        """Makes a draft the next release and puts it where it belongs, together with other changes: all or nothing.

        Args:
            draft: Its values have been validated.
            actor: Who says so, for the ledger.
            place: What is in force then.
            also: Further changes that belong to it. They may depend on the release, and are asked for again where
                somebody else was faster.
            by_itself: Nobody will sign it afterwards, so it is signed here where there is a key.
            first: What applications run without any release. Where the service has none, and the draft says something
                else, it becomes one, too, so that there is a control and the draft is in force for nobody.

        Raises:
            Outdated: a stream of the further changes was changed by somebody else.
        """

        async def once() -> Release:
            number = (await self._ledger.streams(RELEASES)).get(RELEASES, 0) + 1
            before = await self.assignment(draft.service)
            control = await self.release(before.control) if before is not None else None
            releases = await asyncio.to_thread(_numbered, draft, first if control is None else None, number, control)
            release = releases[-1]
            after = place(before if len(releases) == 1 else whole(None, releases[0]), release)
            following = _following(before, after) if after != before else None
            changes = [released(*releases), *also(release)]
            if following is not None:
                changes.insert(1, assigned(following, draft.reason))
            if self._signer is not None:
                by_desk = releases if by_itself else releases[:-1]
                changes += [signed(one, await asyncio.to_thread(self._signer.envelope, one), 0) for one in by_desk]
            recorded = await self._record(changes, actor, following)
            self._counters.add(Counter.RELEASES_PUBLISHED, len(releases))
            return release_of(recorded[len(releases) - 1])

        with self._tracing.span(
            "publish", {"otel_opto.service": draft.service, "otel_opto.actor": actor}
        ) as publishing:
            release = await self._in_turn(once, RELEASES, assignment_stream(draft.service))
            publishing.note("otel_opto.release", release.number)
        return release

    async def compose(self, service: str, drafts: Sequence[Composed], actor: str) -> Sequence[Release]:
        """Makes releases of values that other releases brought, in force for nobody yet: each value keeps its version.

        They are signed here where there is a key.

        Raises:
            Conflict: nothing is in force for the service yet.
        """

        async def once() -> Sequence[Release]:
            number = (await self._ledger.streams(RELEASES)).get(RELEASES, 0) + 1
            control = await self.control(service)
            if control is None:
                raise Conflict(f"service {service!r} has no release yet, so there is nothing to stand beside")
            releases = [
                Release(number + place, service, draft.values, control.number, 0, draft.reason)
                for place, draft in enumerate(drafts)
            ]
            changes = [released(*releases)]
            if self._signer is not None:
                changes += [signed(one, await asyncio.to_thread(self._signer.envelope, one), 0) for one in releases]
            recorded = await self._record(changes, actor, None)
            self._counters.add(Counter.RELEASES_PUBLISHED, len(releases))
            return [release_of(one) for one in recorded[: len(releases)]]

        return await self._in_turn(once, RELEASES) if drafts else ()

    async def reassign(
        self,
        service: str,
        change: Callable[[Assignment], Assignment],
        reason: str,
        actor: str,
        also: Sequence[Change] | Callable[[Assignment], Sequence[Change]] = (),
    ) -> Assignment:
        """Changes what is in force among the releases that are there, together with other changes: all or nothing.

        Args:
            change: From what is in force to what shall be. The same again changes nothing.
            also: Further changes that belong to it. They may depend on what is in force then.

        Raises:
            Conflict: nothing is in force for the service yet.
            Outdated: a stream of the further changes was changed by somebody else.
        """

        async def once() -> Assignment:
            before = await self.assignment(service)
            if before is None:
                raise Conflict(f"service {service!r} has no release yet, so there is nothing to assign")
            after = change(before)
            moved = after != before
            following = _following(before, after)
            further = also(following if moved else before) if callable(also) else also
            changes = [*([assigned(following, reason)] if moved else []), *further]
            if changes:
                await self._record(changes, actor, following if moved else None)
            return following if moved else before

        return await self._in_turn(once, assignment_stream(service))

    async def _in_turn(self, once: Callable[[], Awaitable[_T]], *own: str) -> _T:
        """Does it, and again where somebody else was faster in one of the desk's own streams."""
        async with self._turn:
            for _ in range(_TRIES - 1):
                try:
                    return await once()
                except Outdated as error:
                    if error.stream not in own:
                        raise
            return await once()

    async def _record(self, changes: Sequence[Change], actor: str, assignment: Assignment | None) -> Sequence[Recorded]:
        async def both() -> Sequence[Recorded]:
            signatures = self._signatures
            recorded = await self._ledger.append(changes, actor)
            envelopes = {one.stream: str(one.data["envelope"]) for one in recorded if one.kind == SIGNED}
            for release in (release_of(one) for one in recorded if one.stream == RELEASES):
                _keep(self._releases, release.number, release)
                if signatures == self._signatures:
                    _keep(self._envelopes, release.number, envelopes.pop(signature_stream(release.number), ""))
            if envelopes:  # of releases that were there
                self._signatures += 1
                for stream in envelopes:
                    self._envelopes.pop(number_of(stream), None)
            if assignment is not None:
                self._publisher.publish(assignment)
            return recorded

        return await _to_the_end(both())


async def _to_the_end(work: Coroutine[Any, Any, _T]) -> _T:
    """What is written is told, even if who asked for it goes away in between."""
    return await asyncio.shield(asyncio.ensure_future(work))


def _keep(cache: dict[int, _T], number: int, value: _T) -> None:
    if len(cache) >= _MOST_CACHED:
        del cache[next(iter(cache))]
    cache[number] = value


def _numbered(
    draft: ReleaseDraft, first: ReleaseDraft | None, number: int, control: Release | None
) -> Sequence[Release]:
    """Hashes every value. The draft's release comes last."""
    release = number_release(draft, number, control, 0)
    opening = number_release(first, number, None, 0) if first is not None else release
    return [release] if opening.hash == release.hash else [opening, number_release(draft, number + 1, opening, 0)]


def _following(before: Assignment | None, after: Assignment) -> Assignment:
    return replace(after, revision=(before.revision if before else 0) + 1)


def _last_assignment(_: Assignment | None, events: Sequence[Recorded]) -> Assignment | None:
    return assignment_of(events[-1])


def _readable(recorded: Recorded) -> Release | None:
    """None, which is said, where it is damaged: the other releases are listed."""
    try:
        return made_of([recorded], lambda events: release_of(events[0]))
    except Damaged as error:
        _LOG.error("a release is left out: %s", error)
        return None
