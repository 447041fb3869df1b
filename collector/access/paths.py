"""Paths of requests whose segments are names: of services, of studies, whatever characters these have.

A server hands over a path that is decoded already, in which the slash of ``team%2Fqa`` cannot be told from one between
segments. Here it is read from the bytes that came (ASGI: ``raw_path``) and taken apart before it is decoded. ``.`` and
``..`` are names like any other: no path is simplified.
"""

from typing import Final
from urllib.parse import quote, unquote_to_bytes

from starlette.routing import Match, Route
from starlette.types import Scope

from collector.core.errors import InvalidRequest

_MAX_SHOWN: Final = 80
_MOST: Final = 2**63 - 1
_FOR_THEMSELVES: Final = "!$&'()*+,;=:@"
"""Beside letters, digits and ``-._~``: what a segment may hold as it is (RFC 3986, pchar)."""


def path_of(scope: Scope) -> str:
    """The path of a request, percent-encoded in one way: its slashes stand between segments."""
    came: bytes | None = scope.get("raw_path")
    encoded = quote(scope["path"], safe="/").encode() if came is None else came.partition(b"?")[0]
    return "/".join(quote(unquote_to_bytes(segment), safe=_FOR_THEMSELVES) for segment in encoded.split(b"/"))


class NameRoute(Route):
    """A route whose ``{parameter}`` is one whole segment as its sender meant it, slashes and dots included.

    `InvalidRequest` is raised where a segment is no UTF-8. A number of more digits than any here can have is none.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See `starlette.routing.Route`."""
        if scope["type"] != "http":
            return Match.NONE, {}
        try:
            match, found = super().matches({**scope, "path": path_of(scope), "root_path": ""})
        except ValueError:  # `int` takes 4,300 digits
            return Match.NONE, {}
        if match is not Match.NONE:
            given = found["path_params"]
            if any(isinstance(value, int) and value > _MOST for value in given.values()):
                return Match.NONE, {}
            found["path_params"] = {
                name: _decoded(name, value) if isinstance(value, str) else value for name, value in given.items()
            }
        return match, found


def _decoded(name: str, segment: str) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        shown = segment if len(segment) <= _MAX_SHOWN else segment[:_MAX_SHOWN] + "…"
        raise InvalidRequest(f"{name}: found {shown!r}, allowed is UTF-8, percent-encoded") from None
