"""Who waits for something to change: woken by the ledger's own appends, so that nobody has to ask again and again."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from collector.core.ledger import Recorded


class Wakings:
    """The waiters of one process, by stream of the ledger."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def of(self, stream: str) -> Iterator[asyncio.Event]:
        """An event that is set with every change; whoever waits clears it before it looks."""
        woken = asyncio.Event()
        self._waiting.setdefault(stream, set()).add(woken)
        try:
            yield woken
        finally:
            self._waiting[stream].discard(woken)
            if not self._waiting[stream]:
                del self._waiting[stream]

    def appended(self, recorded: Sequence[Recorded]) -> None:
        """These events are in the ledger now."""
        for stream in {one.stream for one in recorded}:
            self.changed(stream)

    def changed(self, stream: str) -> None:
        """Something that belongs to the stream is another than before."""
        for woken in self._waiting.get(stream, ()):
            woken.set()
