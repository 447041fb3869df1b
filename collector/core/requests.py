"""Requests that change something, each done once: one that comes again under its id is answered as the first time.

That a request was done stands in the ledger, in the same append as what it changed, so that a collector that is killed
has both or neither. What the first answer was follows from the ledger, too: the state of what was changed, at that
version.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from collector.core.errors import CollectorError, Conflict, InvalidRequest, Outdated
from collector.core.ledger import Change, Event, Json, Ledger, Recorded, made_of

_T = TypeVar("_T")
_LONGEST_ID = 200
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for a change.

    Attributes:
        actor: For the ledger: ``token:NAME``, ``local``, ``configuration``.
        may_approve: Whether a person speaks who may approve.
        request_id: The same for every try of one request; empty where the caller does not ask to have it done once.
            Two callers' ids are never the same.
    """

    actor: str
    may_approve: bool = False
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request is.

    Attributes:
        operation: Its name.
        content: All that it says, as JSON.
        stream: What it changes; empty where it changes no stream of the ledger.
        kinds: The events with which it is done; whatever comes in the stream first, if it is empty.
    """

    operation: str
    content: Mapping[str, Any]
    stream: str = ""
    kinds: frozenset[str] = frozenset()

    def done(self, version: int, subject: str = "") -> Event:
        """That it was done, which left its stream at that version."""
        data: dict[str, Json] = {
            "operation": self.operation,
            "content": self._hash(),
            "stream": self.stream,
            "version": version,
        }
        return Event("request_done", data, subject)

    def is_in(self, done: Recorded) -> bool:
        """Whether that is what was done."""
        return (done.data["operation"], done.data["content"]) == (self.operation, self._hash())

    def _hash(self) -> str:
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()


@dataclass(slots=True)
class _Pending:
    stream: str
    asked: Asked
    recorded: bool = field(default=False)

    def with_it(self, changes: Sequence[Change]) -> Change | None:
        """The change that says that the request is done, where these do it."""
        for change in changes:
            kinds = {event.kind for event in change.events}
            if (
                not self.recorded
                and change.stream == self.asked.stream
                and (kinds & self.asked.kinds or not self.asked.kinds)
            ):
                version = change.expected_version + len(change.events)
                return Change(self.stream, 0, (self.asked.done(version, change.events[0].subject),))
        return None


class Requests:
    """A ledger that notes which request its changes belong to. Whoever changes something for a caller appends here.

    Args:
        ledger: Where everything is kept.
        appended: Told of what was added, once it is durable.
    """

    def __init__(self, ledger: Ledger, appended: Callable[[Sequence[Recorded]], None] = lambda _: None) -> None:
        self._ledger = ledger
        self._appended = appended
        # Of the task that does the request, and of those that it begins: what is in between need not know of it.
        self._pending: ContextVar[_Pending | None] = ContextVar("request", default=None)

    async def once(
        self, caller: Caller, asked: Asked, do: Callable[[], Awaitable[_T]], again: Callable[[int], Awaitable[_T]]
    ) -> _T:
        """Does what is asked, unless it was done before under the caller's id. What failed is tried anew.

        What somebody else changed at the same time is looked at again, and decided anew: `do` may be called again.

        Args:
            caller: Without a request id it is done in any case.
            asked: What was done before under the id must be the same.
            do: Does it.
            again: Gives the answer of then, from the version that the stream had when it was done.

        Raises:
            InvalidRequest: the id is none.
            Conflict: another request was done under the id.
        """
        if not caller.request_id:
            return await _decided(do)
        stream = _stream_of(caller)
        done = await self._ledger.event(stream, 1)
        if done is not None:
            return await again(_version_of(done, asked, caller))
        pending = _Pending(stream, asked)
        token = self._pending.set(pending)
        try:
            answer = await _decided(do, stream)
            if not pending.recorded:  # nothing had to change, or nothing of the ledger
                version = (await self._ledger.streams(asked.stream)).get(asked.stream, 0) if asked.stream else 0
                await self._ledger.append([Change(stream, 0, (asked.done(version),))], caller.actor)
        except CollectorError:
            done = await self._ledger.event(stream, 1)
            if done is None:
                raise
            return await again(_version_of(done, asked, caller))  # it was done at the same time, by another try
        finally:
            self._pending.reset(token)
        return answer

    async def append(self, changes: Sequence[Change], actor: str) -> Sequence[Recorded]:
        """See `Ledger`."""
        pending = self._pending.get()
        done = pending.with_it(changes) if pending is not None else None
        if pending is None or done is None:
            recorded = await self._ledger.append(changes, actor)
        else:
            recorded = (await self._ledger.append([*changes, done], actor))[:-1]
            pending.recorded = True
        self._appended(recorded)
        return recorded

    async def read(self, stream: str, after_version: int = 0) -> Sequence[Recorded]:
        """See `Ledger`."""
        return await self._ledger.read(stream, after_version)

    async def event(self, stream: str, version: int) -> Recorded | None:
        """See `Ledger`."""
        return await self._ledger.event(stream, version)

    async def streams(self, prefix: str) -> Mapping[str, int]:
        """See `Ledger`."""
        return await self._ledger.streams(prefix)

    async def history(
        self, *, prefix: str = "", subject: str = "", before: int | None = None, limit: int = 100
    ) -> Sequence[Recorded]:
        """See `Ledger`."""
        return await self._ledger.history(prefix=prefix, subject=subject, before=before, limit=limit)


async def _decided(do: Callable[[], Awaitable[_T]], own: str = "") -> _T:
    """Does it; where somebody else changed the same meanwhile, it looks again and decides anew."""
    for _ in range(_TRIES - 1):
        try:
            return await do()
        except Outdated as error:
            if error.stream == own:  # another try of this very request was faster
                raise
    return await do()


def _stream_of(caller: Caller) -> str:
    given = caller.request_id
    if len(given) > _LONGEST_ID or not (given.isascii() and given.isprintable()):
        shown = given if len(given) <= _LONGEST_ID else given[:_LONGEST_ID] + "…"
        raise InvalidRequest(
            f"request id: found {shown!r}, allowed are up to {_LONGEST_ID} printable characters of ASCII"
        )
    return f"request/{quote(caller.actor, safe=':')}/{given}"  # a token's name may have slashes


def _version_of(done: Recorded, asked: Asked, caller: Caller) -> int:
    if not made_of([done], lambda events: asked.is_in(events[0])):
        raise Conflict(
            f"request id {caller.request_id!r}: {done.data['operation']} was done under it, and this is "
            f"{asked.operation} or has another content; use a new id for a new request"
        )
    version = done.data["version"]
    assert isinstance(version, int)
    return version
