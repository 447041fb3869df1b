"""The stream that tells a page that something has changed: one look for all who listen, and nothing where nobody does.

Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). An event's id is the number of the
ledger's last event, so that a browser that comes back is told at once if it missed something.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from collector.core.errors import CollectorError, Unavailable
from collector.core.protocols import Clock

_LOOK_SECONDS = 1.0
_HEARTBEAT_SECONDS = 15.0
MOST = 200
"""Streams at once."""

_RETRY_MILLIS = 3_000

State = tuple[int, Hashable]
"""The number of the ledger's last event; and what else a page shows, of which another value is news."""


class News:
    """Looks once a second while somebody listens.

    Args:
        look: How things stand.
        clock: Sleeps.
        heartbeat_seconds: So often a stream says something, so that who is gone is noticed.
    """

    def __init__(
        self, look: Callable[[], Awaitable[State]], clock: Clock, heartbeat_seconds: float = _HEARTBEAT_SECONDS
    ) -> None:
        self._look = look
        self._clock = clock
        self._heartbeat_seconds = heartbeat_seconds
        self._state: State | None = None
        self._listeners: set[asyncio.Event] = set()
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._listeners)

    def close(self) -> None:
        """Ends every stream, so that a server that stops does not wait for them."""
        self._closed = True
        for listener in self._listeners:
            listener.set()

    async def answer(self, request: Request) -> Response:
        """A stream."""
        if len(self._listeners) >= MOST:
            raise Unavailable(f"{MOST} pages listen already; close some")
        last = request.headers.get("last-event-id") or request.query_params.get("last", "")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self.stream(last), headers=headers, media_type="text/event-stream")

    async def stream(self, last: str) -> AsyncGenerator[bytes, None]:
        """What is news from now on, and at once if it is not what `last` says."""
        changed = asyncio.Event()
        with self._listening(changed):
            yield f"retry: {_RETRY_MILLIS}\n\n".encode()
            known = (await self._look())[0]
            if last != str(known):
                yield _event("changed" if last else "here", known)
            while not self._closed:
                try:
                    async with asyncio.timeout(self._heartbeat_seconds):
                        await changed.wait()
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                changed.clear()
                if self._state is not None and not self._closed:
                    yield _event("changed", self._state[0])

    @contextlib.contextmanager
    def _listening(self, changed: asyncio.Event) -> Iterator[None]:
        self._listeners.add(changed)
        if self._looking is None:
            self._looking = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self._listeners.discard(changed)
            if not self._listeners and self._looking is not None:
                self._looking.cancel()
                self._looking = self._state = None

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(CollectorError):  # what cannot be read now may be the next time
                self._tell(await self._look())
            await self._clock.sleep(_LOOK_SECONDS)

    def _tell(self, state: State) -> None:
        known, self._state = self._state, state
        if known is not None and state != known:
            for listener in self._listeners:
                listener.set()


def _event(name: str, number: int) -> bytes:
    return f"id: {number}\nevent: {name}\ndata: {number}\n\n".encode()
