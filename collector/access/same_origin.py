"""What pages of other origins make a browser send here: refused where it would change something.

A browser sends what any page asks it to, also to an address that only its own machine reaches. It says where the page
came from (``Origin``, ``Sec-Fetch-Site``: https://fetch.spec.whatwg.org/#origin-header); other clients say neither.
"""

import ipaddress
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
        loopback: Only this machine reaches the address, and nobody has to show a token. A page's address must be this
            machine's own then: a name that somebody else makes lead here (DNS rebinding) is none.
        counters: Refusals are counted.
    """

    def __init__(self, app: ASGIApp, counters: Counters, *, loopback: bool) -> None:
        self._app = app
        self._counters = counters
        self._loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        fault = "" if scope["method"] in _HARMLESS else self._fault(scope)
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
        if self._loopback and not _is_loopback(host):
            return (
                f"found a page of {host[:200]!r}, and nobody has to show a token here; open the collector under "
                "127.0.0.1 or localhost, or give auth.tokens"
            )
        return ""


def _is_loopback(host: str) -> bool:
    """Of a ``Host`` header."""
    name = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost" or name.lower().endswith(".localhost")
