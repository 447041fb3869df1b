"""Work for a client ends when the client has left."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NO_BODY: Message = {"type": "http.request", "body": b"", "more_body": False}


class Attended:
    """Cancels what an application does for a GET or HEAD whose client is gone: nobody reads the answer.

    What changes something is never cancelled. A body of a GET means nothing (RFC 9110, section 9.3.1) and is passed
    over.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        told: asyncio.Queue[Message] = asyncio.Queue()
        told.put_nowait(_NO_BODY)
        serving = asyncio.ensure_future(self._app(scope, told.get, send))
        watching = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((serving, watching), return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                told.put_nowait(watching.result())
                serving.cancel()
                await asyncio.wait((serving,))
            if not serving.cancelled():
                serving.result()
        finally:
            serving.cancel()
            watching.cancel()


async def _left(receive: Receive) -> Message:
    while (message := await receive())["type"] != "http.disconnect":
        continue
    return message
