"""Uvicorn's HTTP/1.1 protocol for large bodies: read where they stay, and handed over whole."""

import asyncio

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_READ_BYTES = 2**18
_MOST_AT_ONCE = 4 * 2**20
"""Larger bodies, and those of unknown length, take uvicorn's way: nobody gets memory for what has not come."""


class BulkHttpProtocol(HttpToolsProtocol, asyncio.BufferedProtocol):
    """Uvicorn copies a body three times and wakes the application at every read of the socket, which is a tenth of
    what an ingested span costs. Here a body whose length is said is received into one buffer, past the parser, and the
    application is woken once.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._read = bytearray(_READ_BYTES)
        self._body: bytearray | None = None
        self._filled = 0

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Where the next bytes go: into the body that is being received, else where the parser looks."""
        if self._body is not None:
            return memoryview(self._body)[self._filled :]
        return memoryview(self._read)

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come."""
        if self._body is None:
            self.data_received(bytes(memoryview(self._read)[:nbytes]))
            self._begin_body()
            return
        self._filled += nbytes
        if self._filled == len(self._body):
            self._end_body(self._body)

    def on_body(self, body: bytes) -> None:
        """The parser found a part of a body. The application is not woken before it is worth it."""
        if self.cycle.response_complete:
            return
        self.cycle.body += body
        if len(self.cycle.body) > _MOST_AT_ONCE:
            self.flow.pause_reading()
            self.cycle.message_event.set()

    def _begin_body(self) -> None:
        """Where the headers of a request have come and its body has not yet: its rest goes past the parser."""
        cycle = self.cycle
        if cycle is None or not cycle.more_body or cycle.response_complete or self.pipeline or self.flow.read_paused:
            return
        length = next((int(value) for name, value in self.headers if name == b"content-length"), 0)
        if len(cycle.body) < length <= _MOST_AT_ONCE:
            self._body, self._filled = bytearray(length), len(cycle.body)
            self._body[: self._filled] = cycle.body

    def _end_body(self, body: bytearray) -> None:
        self.cycle.body = body
        self._body = None
        self.parser = httptools.HttpRequestParser(self)  # the old one still waits for the body
        self.on_message_complete()
