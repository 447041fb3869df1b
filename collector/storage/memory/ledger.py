"""The ledger as a list."""

import json
from collections.abc import Mapping, Sequence

from collector.core.errors import Outdated
from collector.core.ledger import Change, Recorded
from collector.core.protocols import Clock


class MemoryLedger:
    """See `Ledger`. Not durable."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: list[Recorded] = []

    async def append(self, changes: Sequence[Change], actor: str) -> Sequence[Recorded]:
        """See `Ledger`."""
        now = self._clock.now_unix_nano()
        added: list[Recorded] = []
        for change in changes:
            version = max((one.version for one in [*self._events, *added] if one.stream == change.stream), default=0)
            if version != change.expected_version:
                raise Outdated(change.stream, change.expected_version, version)
            for event in change.events:
                version += 1
                data = json.loads(json.dumps(event.data, allow_nan=False))
                sequence = len(self._events) + len(added) + 1
                added.append(Recorded(sequence, change.stream, version, event.kind, data, event.subject, actor, now))
        self._events += added
        return added

    async def read(self, stream: str, after_version: int = 0) -> Sequence[Recorded]:
        """See `Ledger`."""
        return [one for one in self._events if one.stream == stream and one.version > after_version]

    async def event(self, stream: str, version: int) -> Recorded | None:
        """See `Ledger`."""
        return next((one for one in self._events if (one.stream, one.version) == (stream, version)), None)

    async def streams(self, prefix: str) -> Mapping[str, int]:
        """See `Ledger`."""
        return {one.stream: one.version for one in self._events if one.stream.startswith(prefix)}

    async def history(
        self, *, prefix: str = "", subject: str = "", before: int | None = None, limit: int = 100
    ) -> Sequence[Recorded]:
        """See `Ledger`."""
        found = [
            one
            for one in reversed(self._events)
            if one.stream.startswith(prefix)
            and subject in ("", one.subject)
            and (before is None or one.sequence < before)
        ]
        return found[:limit]
