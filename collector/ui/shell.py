"""What all pages have in common: who looks, what a token allows, how a page is written."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from collector.access.tokens import Access, Scope
from collector.core.errors import InvalidRequest, TooLarge
from collector.core.printable import printable_lines
from collector.ui import formats
from collector.ui.asking import Asked, Asking, Refused
from collector.ui.assets import Assets
from collector.ui.sessions import Sessions, session_in
from collector.ui.tables import Table, chosen, csv_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
_MOST_FORM_BYTES = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Look:
    """One request for a page.

    Attributes:
        session: Its name; empty without one.
        authorization: What the API is asked with.
        scopes: What that allows.
    """

    request: Request
    session: str
    authorization: str
    scopes: frozenset[Scope]
    asking: Asking

    async def get(self, path: str, **query: object) -> Any:
        """What the API says. Raises `Refused`."""
        return await self.asking.document(Asked(path, self.authorization, query))

    async def get_or(self, otherwise: Any, path: str, **query: object) -> Any:
        """The same, or something else where there is no such thing."""
        try:
            return await self.get(path, **query)
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            return otherwise

    async def text(self, path: str, **query: object) -> str:
        """The same as a text. Raises `Refused`."""
        return (await self.asking.text(Asked(path, self.authorization, query))).decode()

    def asked(self, name: str) -> str:
        """What stands in the page's address."""
        return self.request.query_params.get(name, "")

    def following(self, name: str, cursor: object) -> str:
        """The page's address with another cursor; empty without one."""
        return self.with_query(**{name: cursor}) if cursor else ""

    def with_query(self, **changed: object) -> str:
        """The page's address with some of its query changed."""
        query = {**dict(self.request.query_params.items()), **changed}
        return "?" + urlencode({name: value for name, value in query.items() if value not in ("", None)})


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows.

    Attributes:
        template: Its file.
        tables: By their names; each can be had as CSV.
    """

    template: str
    title: str
    shows: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    status: HTTPStatus = HTTPStatus.OK


Making = Callable[[Look], Awaitable[Page | Response]]


class Shell:
    """Writes pages.

    Args:
        asking: The API.
        access: Says what a token allows.
        sessions: Who is logged in.
        scopes: What each operation of the API takes.
        trace_url: Of another viewer, with ``{trace_id}``; empty: there is none.
    """

    def __init__(
        self, asking: Asking, access: Access, sessions: Sessions, scopes: Mapping[str, Scope], trace_url: str = ""
    ) -> None:
        self.asking = asking
        self.access = access
        self.sessions = sessions
        self.assets = Assets()
        self._scopes = scopes
        self._trace_url = trace_url
        self._templates = _templates(self.assets)

    def page(self, make: Making) -> Callable[[Request], Awaitable[Response]]:
        """A handler that answers with a page, a table of it as CSV, or why there is none."""

        async def handle(request: Request) -> Response:
            look = self.look(request)
            try:
                made = await make(look)
            except Refused as refused:
                made = _to_login(request) if refused.status == HTTPStatus.UNAUTHORIZED else _refusal(refused)
            except InvalidRequest as error:
                made = _refusal(Refused(HTTPStatus.BAD_REQUEST, str(error)))
            return made if isinstance(made, Response) else await self.answer(look, made)

        return handle

    def look(self, request: Request) -> Look:
        """Who asks, by token or by session."""
        session = session_in(request.scope)
        authorization = request.headers.get("authorization", "") or self.sessions.authorization(session)
        return Look(request, session, authorization, self.access.scopes(authorization), self.asking)

    async def answer(self, look: Look, page: Page) -> Response:
        """A page, or its table where ``csv=`` names one."""
        table = chosen(page.tables, look.asked("csv"))
        if table is not None:
            named = {**HEADERS, "content-disposition": f'attachment; filename="{table.name}.csv"'}
            return Response(csv_of(table), headers=named, media_type="text/csv")
        allowed = {operation for operation, scope in self._scopes.items() if scope in look.scopes}
        around = {
            "title": page.title,
            "tables": {one.name: one for one in page.tables},
            "look": look,
            "may": allowed,
            "page_key": self.sessions.page_key(look.session),
            "request_id": uuid.uuid4().hex,
            "logged_in": bool(look.session and look.authorization),
            "who": self.access.caller(look.authorization).actor,
            "viewer": self._viewer,
        }
        text = await asyncio.to_thread(self._written, page.template, {**around, **page.shows})
        return HTMLResponse(text, page.status, HEADERS)

    def _written(self, template: str, shows: Mapping[str, Any]) -> str:
        return self._templates.get_template(template).render(shows)

    def _viewer(self, trace_id: str) -> str:
        """Where another viewer shows a trace; empty without one."""
        return self._trace_url.replace("{trace_id}", quote(trace_id, safe=""))

    async def form(self, look: Look) -> Mapping[str, str]:
        """What a form of this page says.

        Raises:
            Refused: no page of this session made it.
            TooLarge: it is longer than a form of ours can be.
        """
        body = bytearray()
        async for chunk in look.request.stream():
            body += chunk
            if len(body) > _MOST_FORM_BYTES:
                raise TooLarge(f"the form is longer than {_MOST_FORM_BYTES:,} bytes; shorten what was written into it")
        fields = dict(parse_qsl(bytes(body).decode(errors="replace"), keep_blank_values=True))
        if not self.sessions.is_page_key(look.session, fields.get("page_key", "")):
            raise Refused(
                HTTPStatus.FORBIDDEN, "the form was not made for this session, or before a restart; load its page again"
            )
        return fields


def _templates(assets: Assets) -> Environment:
    folder = Path(__file__).parent / "templates"
    found = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters |= {
        name: getattr(formats, name)
        for name in ("number", "interval", "share", "when", "iso", "took", "duration", "size", "value", "brief")
    }
    found.filters["quoted"] = lambda name: quote(str(name), safe="")
    found.tests["allowed_in"] = lambda step, may: f"{step}_rollout" in may
    found.globals["asset"] = assets.address
    return found


def _harmless(given: object) -> object:
    """What is not markup already loses what turns the direction of writing or cannot be seen."""
    return printable_lines(given) if isinstance(given, str) and not isinstance(given, Markup) else given


def _to_login(request: Request) -> Response:
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?{urlencode({'next': target})}" if request.method == "GET" and target != "/" else ""
    return RedirectResponse(f"/login{back}", HTTPStatus.SEE_OTHER, HEADERS)


def _refusal(refused: Refused) -> Page:
    status = HTTPStatus(refused.status) if refused.status >= 400 else HTTPStatus.BAD_GATEWAY
    return Page("refused.html", status.phrase, {"message": refused.message}, status=status)
