"""Who is logged in: a token that was shown once is kept here, and the browser holds a name for it that means nothing.

The name is a cookie that no script reads (HttpOnly) and that no other site makes a browser send (SameSite=Strict).
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from collector.access.tokens import Access, Denied

COOKIE = "otel_opto_session"
_LIFETIME_SECONDS = 12 * 3_600
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class _Session:
    authorization: str
    ends_unix_nano: int


class Sessions:
    """Kept in memory: a restart logs everybody out.

    Args:
        access: Knows the tokens.
        now_unix_nano: The time.
        key: What page keys are made with; None: a new one.
        ids: Makes names of sessions.
    """

    def __init__(
        self,
        access: Access,
        now_unix_nano: Callable[[], int],
        key: bytes | None = None,
        ids: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    ) -> None:
        self._access = access
        self._now = now_unix_nano
        self._key = key or secrets.token_bytes(32)
        self._ids = ids
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def begin(self, token: str) -> str:
        """The name of a new session.

        Raises:
            Denied: there is no such token.
        """
        authorization = f"Bearer {token}"
        try:
            authorization.encode("latin-1")
            self._access.check(authorization, None)
        except UnicodeEncodeError:
            raise Denied("the bearer token is not known here", authenticated=False) from None
        name = self._ids()
        self._sessions[name] = _Session(authorization, self._now() + _LIFETIME_SECONDS * 10**9)
        while len(self._sessions) > _MOST:
            self._sessions.popitem(last=False)
        return name

    def end(self, name: str) -> None:
        """Forgets it."""
        self._sessions.pop(name, None)

    def authorization(self, name: str) -> str:
        """The header that its requests have; empty where it is over or never was."""
        found = self._sessions.get(name)
        if found is not None and found.ends_unix_nano <= self._now():
            self.end(name)
            return ""
        return found.authorization if found is not None else ""

    def page_key(self, name: str) -> str:
        """What a form has to bring along that a page of this session made: no other site can know it."""
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()

    def is_page_key(self, name: str, given: str) -> bool:
        """Whether a form brought it."""
        return hmac.compare_digest(self.page_key(name).encode(), given.encode())


def session_in(scope: Scope) -> str:
    """The name of a request's session; empty without one."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                found = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                continue
            if found is not None:
                return found.value
    return ""


def remember(response: Response, name: str, *, secure: bool) -> None:
    """Has the browser keep a session's name. `secure`: it came over TLS, and is sent over nothing else then."""
    response.set_cookie(
        COOKIE, name, max_age=_LIFETIME_SECONDS, path="/", secure=secure, httponly=True, samesite="strict"
    )


class WithSession:
    """Lets a browser that is logged in read what its token may read: pictures, tables, the stream of news.

    What changes something needs a form of the page, or a token.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["method"] in ("GET", "HEAD") and not any(name == b"authorization" for name, _ in scope["headers"]):
            authorization = self._sessions.authorization(session_in(scope))
            if authorization:
                scope = {
                    **scope,
                    "headers": [*scope["headers"], (b"authorization", authorization.encode("latin-1"))],
                }
        await self._app(scope, receive, send)
