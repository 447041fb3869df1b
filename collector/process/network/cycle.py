"""One request on a connection and its answer, as the application sees it."""

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from uvicorn._types import ASGI3Application, ASGIReceiveEvent, HTTPScope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

if TYPE_CHECKING:
    from collector.core.errors import CollectorError
    from collector.receiver.limits import Reservation

_LOG = logging.getLogger("uvicorn.error")


class Connection(Protocol):
    """What a request needs of its connection."""

    flow: FlowControl
    transport: asyncio.Transport
    ending: "Ending"

    def wants(self, cycle: "Cycle") -> None:
        """The application reads the body."""

    def end(self) -> None:
        """The connection's last answer is written."""

    def on_response_complete(self) -> None:
        """An answer is written."""


class Ending(asyncio.Transport):
    """The transport for answers: the connection decides how it is closed."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self.write = connection.transport.write  # type: ignore[method-assign]
        self.is_closing = connection.transport.is_closing  # type: ignore[method-assign]

    def close(self) -> None:
        """See `asyncio.BaseTransport`."""
        self._connection.end()


class Cycle(RequestResponseCycle):
    """Uvicorn's, with a body that is received when it is asked for, and may fail to come.

    Attributes:
        held: What it holds of the budget, until the application is done with it.
        fault: Why the body will not come; raised where the application asks for it.
        wanted: Whether the application has asked for the body.
    """

    def __init__(self, connection: Connection, scope: HTTPScope, held: "Reservation", *, expects_100: bool) -> None:
        super().__init__(
            scope=scope,
            transport=connection.ending,
            flow=connection.flow,
            logger=_LOG,
            access_logger=_LOG,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=expects_100,
            keep_alive=False,  # until the request is whole: what is left of it would be read as the next one
            on_response=connection.on_response_complete,
        )
        self.held = held
        self.fault: CollectorError | None = None
        self.wanted = False
        self._connection = connection

    async def run_asgi(self, app: ASGI3Application) -> None:
        """Lets the application answer."""
        try:
            await super().run_asgi(app)
        finally:
            self.held.release()
            self.fault = None  # its traceback leads back here

    async def receive(self) -> ASGIReceiveEvent:
        """The next part of the body.

        Raises:
            CollectorError: it will not come; the application's answer says so.
        """
        if self.more_body:
            self._connection.wants(self)
        if self.fault is None and not (self.disconnected or self.response_complete):
            if self.waiting_for_100_continue and not self.transport.is_closing():
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                self.waiting_for_100_continue = False
            await self.message_event.wait()
            self.message_event.clear()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        if self.fault is not None:
            raise self.fault
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}
