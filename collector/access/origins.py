"""Which pages of other origins may send: CORS (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from collector.core.wildcard import fits

_LONGEST = 1_000


class OriginMatcher:
    """Origins as they are written in the configuration; each ``*`` stands for any characters.

    An origin comes from anybody, before a token is looked at: it is compared in time linear in its length, without a
    regular expression.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = tuple(one.split("*") for one in allowed)

    def allows(self, origin: str) -> bool:
        """Whether the origin is one of them."""
        return len(origin) <= _LONGEST and any(fits(pieces, origin) for pieces in self._allowed)


class Cors(CORSMiddleware):
    """Answers preflights without a token; credentials (cookies) are never allowed."""

    def __init__(self, app: ASGIApp, origins: OriginMatcher, headers: Sequence[str], max_age: int) -> None:
        super().__init__(app, allow_methods=("POST",), allow_headers=headers, max_age=max_age)
        self._origins = origins

    def is_allowed_origin(self, origin: str) -> bool:
        """See `CORSMiddleware`."""
        return self._origins.allows(origin)
