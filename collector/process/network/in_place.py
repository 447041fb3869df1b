"""What the event loop sees of an HTTP connection."""

import asyncio
from collections.abc import Callable
from typing import cast

from collector.process.network.http_protocol import HttpProtocol


class InPlace(asyncio.BufferedProtocol):
    """Receives where the connection says. For a `Protocol`, as uvicorn's is, uvloop would read into a buffer of its own
    and copy, whatever else the protocol can do.

    Args:
        http: The connection.
        opened: Called where its handshake is over.
    """

    def __init__(self, http: HttpProtocol, opened: Callable[[], None]) -> None:
        self._http = http
        self._opened = opened
        self.get_buffer = http.get_buffer  # type: ignore[method-assign]
        self.buffer_updated = http.buffer_updated  # type: ignore[method-assign]
        self.pause_writing = http.pause_writing  # type: ignore[method-assign]
        self.resume_writing = http.resume_writing  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.BaseProtocol`."""
        self._opened()
        self._http.connection_made(cast(asyncio.Transport, transport))

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.BaseProtocol`."""
        self._http.connection_lost(exc)
