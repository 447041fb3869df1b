"""What watchers are told: looked up and serialized once, however many watch."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Generic, TypeVar

from collector.api.messages import release_to_proto
from collector.core.errors import NotFound
from collector.core.protocols import Publisher
from collector.core.release import Release
from collector.publisher.desk import Desk
from otel_opto.assignment import Assignment
from otel_opto.v1 import release_pb2
from otel_opto.wire import assignment_to_proto

_MOST_LOOKS, _MOST_MESSAGES = 1_000, 64
_HELD = 32
"""Releases that SDKs of before layers hold: of more the last ones, and without the control they would have none."""

_T = TypeVar("_T")


class Bulletins:
    """Serialized ``WatchReleasesResponse``: every watcher of a service gets the very same bytes.

    A thousand watchers that come back together cost one look at the ledger, and a new assignment one message. Nothing
    is read for a watcher alone.

    Args:
        desk: Says what is in force. Nobody else changes it, and it tells the publisher of every change.
        publisher: Wakes the watchers.
    """

    def __init__(self, desk: Desk, publisher: Publisher) -> None:
        self._desk = desk
        self._publisher = publisher
        self._looks: _Shared[bool] = _Shared(_MOST_LOOKS)
        self._messages: _Shared[bytes] = _Shared(_MOST_MESSAGES)

    async def watch(self, service: str, control: int, revision: int) -> AsyncGenerator[bytes, None]:
        """What is in force, then every later assignment; a slow reader misses intermediate ones only.

        Args:
            control: The release that the watcher has, which is not told again if its revision is in force; 0 for none.
            revision: Of the assignment that it knows.
        """
        # The subscription comes before the look at the ledger, so that nothing falls between the two.
        with self._publisher.watch(service) as published:
            if not await self._looks.of(service, None, lambda: self._look(service)):
                self._looks.forget(service)  # anybody can make up names
            async for assignment in published:
                if (assignment.control, assignment.revision) != (control, revision):
                    yield await self._message(assignment)

    async def _look(self, service: str) -> bool:
        """Once is enough: of all that comes after it the publisher is told. Whether there was something."""
        current = await self._desk.assignment(service)
        if current is not None:
            self._publisher.publish(current)
        return current is not None

    async def _message(self, assignment: Assignment) -> bytes:
        key = (assignment, self._desk.signatures)
        return await self._messages.of(assignment.service, key, lambda: self._made(assignment))

    async def _made(self, assignment: Assignment) -> bytes:
        control, *arms = [
            release_to_proto(await self._release(number), await self._desk.envelope(number))
            for number in assignment.releases
        ]
        arms += [control] if len(arms) >= _HELD else []
        return release_pb2.WatchReleasesResponse(
            release=control, assignment=assignment_to_proto(assignment), arms=arms
        ).SerializeToString()

    async def _release(self, number: int) -> Release:
        found = await self._desk.release(number)
        if found is None:
            raise NotFound(f"release {number}: there is none of that number; `otel-opto releases` lists them")
        return found


class _Shared(Generic[_T]):
    """One piece of work a service for all who need it, now or later, until another key is asked for.

    Args:
        most: How many results are kept; the ones that were not asked for the longest go.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[object, asyncio.Task[_T]]] = OrderedDict()

    async def of(self, service: str, key: object, make: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """The result for a key. What failed is made again for whoever asks next."""
        known, task = self._kept.get(service, (None, None))
        if task is None or known != key or _failed(task):
            task = asyncio.ensure_future(make())
            self._kept[service] = key, task
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        self._kept.move_to_end(service)
        if task.done():
            return task.result()
        return await asyncio.shield(task)  # who waits may go away; the others still want it

    def forget(self, service: str) -> None:
        """What is asked for next is made again."""
        self._kept.pop(service, None)


def _failed(task: "asyncio.Task[Any]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
