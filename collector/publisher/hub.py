"""The watchers of one process."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from otel_opto.assignment import Assignment


class AssignmentHub:
    """The `Publisher` of one process: each watcher holds the newest assignment that it has not read yet."""

    def __init__(self) -> None:
        self._subscriptions: defaultdict[str, set[_Subscription]] = defaultdict(set)
        self._newest: dict[str, Assignment] = {}

    @contextmanager
    def watch(self, service: str) -> Iterator[AsyncIterator[Assignment]]:
        """See `Publisher`."""
        subscription = _Subscription()
        self._subscriptions[service].add(subscription)
        if service in self._newest:
            subscription.offer(self._newest[service])
        try:
            yield subscription
        finally:
            self._subscriptions[service].discard(subscription)
            if not self._subscriptions[service]:
                del self._subscriptions[service]

    def publish(self, assignment: Assignment) -> None:
        """See `Publisher`."""
        newest = self._newest.get(assignment.service)
        if newest is not None and newest.revision >= assignment.revision:
            return
        self._newest[assignment.service] = assignment
        for subscription in self._subscriptions.get(assignment.service, ()):
            subscription.offer(assignment)

    def close(self) -> None:
        """Ends every watch, so that a server that stops does not wait for its streams."""
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.end()

    def watchers(self, service: str) -> int:
        """How many watch a service now."""
        return len(self._subscriptions.get(service, ()))


class _Subscription:
    """One watcher's place for the newest assignment: bounded, whatever the watcher's speed."""

    def __init__(self) -> None:
        self._newest: Assignment | None = None
        self._seen = 0
        self._ended = False
        self._arrived = asyncio.Event()

    def offer(self, assignment: Assignment) -> None:
        if assignment.revision > max(self._seen, self._newest.revision if self._newest else 0):
            self._newest = assignment
            self._arrived.set()

    def end(self) -> None:
        self._ended = True
        self._arrived.set()

    def __aiter__(self) -> "_Subscription":
        return self

    async def __anext__(self) -> Assignment:
        await self._arrived.wait()
        self._arrived.clear()
        assignment = self._newest
        if assignment is None or self._ended:
            raise StopAsyncIteration
        self._seen, self._newest = assignment.revision, None
        return assignment
