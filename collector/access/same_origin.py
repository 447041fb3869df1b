"""What pages of other origins make a browser send here: refused where it would change something.

A browser sends what any page asks it to, also to an address that only its own machine reaches. It says where the page
came from (``Origin``, ``Sec-Fetch-Site``: https://fetch.spec.whatwg.org/#origin-header); other clients say neither.
"""

import ipaddress
from contextlib import suppress
from http import HTTPStatus

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from collector.counters import Counter, Counters

_HARMLESS = ("GET", "HEAD", "OPTIONS")
_OURSELVES = ("same-origin", "none")


class SameOrigin:
    """Passes on what no page sent, and what a page of this very address did.

    Args:
        app: Served behind it.
        loopback: Only this machine reaches the address, and nobody has to show a token. No name that somebody else
            could make lead here (DNS rebinding) is taken then, also where it is only read: a browser does not say of
            every request that a page sent it.
        counters: Refusals are counted.
    """

    def __init__(self, app: ASGIApp, counters: Counters, *, loopback: bool) -> None:
        self._app = app
        self._counters = counters
        self._loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        fault = self._name_fault(scope) or ("" if scope["method"] in _HARMLESS else self._fault(scope))
        if not fault:
            await self._app(scope, receive, send)
            return
        self._counters.add(Counter.RECEIVER_UNAUTHENTICATED_REQUESTS)
        answer = JSONResponse({"error": fault}, HTTPStatus.FORBIDDEN, {"connection": "close"})  # the body was not read
        await answer(scope, receive, send)

    def _fault(self, scope: Scope) -> str:
        given = {name: value.decode("latin-1") for name, value in scope["headers"]}
        origin, host = given.get(b"origin"), given.get(b"host", "")
        if origin is None and given.get(b"sec-fetch-site", "none") in _OURSELVES:
            return ""
        if origin is None or origin.partition("://")[2] != host:
            found = f"page of {origin[:200]!r}" if origin else "page of another site"
            return f"found a request that a {found} sent; allowed are those of pages of {host[:200]!r}, and of programs"
        return ""

    def _name_fault(self, scope: Scope) -> str:
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        if not self._loopback or not _is_public(host):
            return ""
        return (
            f"found the name {host[:200]!r}, and nobody has to show a token here; ask the collector under 127.0.0.1 or "
            "localhost, or give auth.tokens"
        )


def _is_public(host: str) -> bool:
    """Whether the name of a ``Host`` header may be anybody's.

    An address is not, nor a name without dots, nor one of a reserved top-level domain (RFC 6761; ``internal``, as in
    ``host.docker.internal``).
    """
    name = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    with suppress(ValueError):
        ipaddress.ip_address(name)
        return False
    labels = name.lower().rstrip(".").split(".")
    return len(labels) > 1 and labels[-1] not in ("localhost", "internal")
