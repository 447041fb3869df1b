"""The API as the page asks it: in this process, with the token of who looks, so that both say and allow the same."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from starlette.types import ASGIApp, Message, Scope

from collector.access.tokens import REQUEST_ID


class Refused(Exception):
    """The API did not do what was asked.

    Attributes:
        status: Of HTTP.
        message: In the API's words.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        path: As `path_of` makes it.
        authorization: The header's value; empty: none.
        query: What is None or empty is left out.
        document: The body; None: none.
        request_id: See docs/api.md, "Doing something once".
    """

    path: str
    authorization: str
    query: Mapping[str, object] = field(default_factory=dict)
    method: str = "GET"
    document: object = None
    request_id: str = ""

    def scope(self) -> Scope:
        """As a server would hand it over."""
        given = {name: value for name, value in self.query.items() if value not in (None, "")}
        headers = {"authorization": self.authorization, REQUEST_ID: self.request_id}
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "root_path": "",
            "query_string": urlencode(given).encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items() if value],
        }

    def body(self) -> bytes:
        """In JSON; empty without a document."""
        return b"" if self.document is None else json.dumps(self.document).encode()


class Asking:
    """Asks.

    Args:
        api: Checks tokens and answers, as it does for everybody.
    """

    def __init__(self, api: ASGIApp) -> None:
        self._api = api

    async def text(self, asked: Asked) -> bytes:
        """The body of an answer.

        Raises:
            Refused: it is none of 2xx.
        """
        parts: list[bytes] = []
        status = 0
        incoming: list[Message] = [{"type": "http.request", "body": asked.body(), "more_body": False}]

        async def receive() -> Message:
            if incoming:
                return incoming.pop()
            await asyncio.Event().wait()  # nobody leaves before the answer is there
            raise AssertionError("unreachable")

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            parts.append(message.get("body", b""))

        await self._api(asked.scope(), receive, send)
        body = b"".join(parts)
        if status // 100 != 2:
            raise Refused(status, _words(body))
        return body

    async def document(self, asked: Asked) -> Any:
        """The JSON of an answer. Raises as `text`."""
        body = await self.text(asked)
        if len(body) > _SMALL_BYTES:
            return await asyncio.to_thread(json.loads, body)
        return json.loads(body) if body else None


_SMALL_BYTES = 64 * 2**10


def path_of(template: str, *names: object) -> str:
    """``/v1/studies/{}`` with names in their places, each as one segment whatever it holds."""
    return template.format(*(quote(str(name), safe="") for name in names))


def _words(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:1_000]
