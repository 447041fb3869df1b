"""The trace in which a request is made, as its caller says it (W3C Trace Context): for the log."""

import re
from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")

CALLING: ContextVar[tuple[str, str] | None] = ContextVar("otel_opto_calling", default=None)
"""Trace id and span id of who called, while a call is answered."""


class Calling:
    """Notes the trace of each request while an application answers it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        said = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
        match = _TRACEPARENT.fullmatch(said.strip())
        token = CALLING.set((match[1].decode(), match[2].decode()) if match else None)
        try:
            await self._app(scope, receive, send)
        finally:
            CALLING.reset(token)
