"""Tokens in front of an ASGI application."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from collector.access.table import ListedFor
from collector.access.tokens import Access, Denied
from collector.counters import Counter, Counters

Refusal = Callable[[AsgiScope, Denied], tuple[bytes, bytes]]
"""Content type and body of a refusal."""


class Guard:
    """Passes on what is allowed.

    Args:
        app: Served behind it. What stands in no table it answers with 404 or 405; here it needs a token all the same.
        access: Decides.
        listed: The table's word on a request.
        refusal: What is answered otherwise.
        counters: Refusals are counted.
    """

    def __init__(self, app: ASGIApp, access: Access, listed: ListedFor, refusal: Refusal, counters: Counters) -> None:
        self._app = app
        self._access = access
        self._listed = listed
        self._refusal = refusal
        self._counters = counters

    def allows(self, scope: AsgiScope) -> bool:
        """Whether a request will be passed on, for who wants to know before it is asked to answer."""
        try:
            self._check(scope)
        except Denied:
            return False
        return True

    def _check(self, scope: AsgiScope) -> None:
        assert scope["type"] == "http"  # neither lifespan nor WebSockets are served
        listed = self._listed(scope)
        if listed is None or listed.scope is not None:
            self._access.check(_authorization(scope), listed.scope if listed else None)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        try:
            self._check(scope)
        except Denied as denied:
            self._counters.add(Counter.RECEIVER_UNAUTHENTICATED_REQUESTS)
            content_type, body = self._refusal(scope, denied)
            headers = [
                (b"content-type", content_type),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),  # the body was not read
            ]
            if not denied.authenticated:
                headers.append((b"www-authenticate", b'Bearer realm="otel-opto"'))
            status = 403 if denied.authenticated else 401
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        else:
            await self._app(scope, receive, send)


def _authorization(scope: AsgiScope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            text: str = value.decode("latin-1")
            return text
    return ""
