"""Which origins may send, whatever they are called."""

import time

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from collector.access.origins import Cors, OriginMatcher


@pytest.mark.parametrize(
    ("allowed", "origin", "answer"),
    [
        ("https://app.example", "https://app.example", True),
        ("https://app.example", "https://appxexample", False),
        ("https://*.example", "https://a.b.example", True),
        ("https://*.example", "https://a.example.evil", False),
        ("http://localhost:*", "http://localhost:3000", True),
        ("https://(a|b).example", "https://a.example", False),
        ("https://[::1]:8080", "https://[::1]:8080", True),
        ("*", "null", True),
        ("https://*", "https://" + "a" * 1_000, False),
    ],
)
def test_a_star_stands_for_anything_and_nothing_else_does(allowed: str, origin: str, *, answer: bool) -> None:
    assert OriginMatcher([allowed]).allows(origin) is answer


async def test_a_hostile_origin_is_compared_at_once() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("taken")(scope, receive, send)

    served = Cors(app, OriginMatcher(["https://*.*.*.*.example"]), ("authorization",), 60)
    begun = time.thread_time()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://opto") as client:
        preflight = {"origin": "https://" + "." * 60_000, "access-control-request-method": "POST"}
        refused = await client.options("/", headers=preflight)
        taken = await client.options("/", headers={**preflight, "origin": "https://a.b.c.d.example"})
    assert time.thread_time() - begun < 5
    assert (refused.status_code, taken.status_code) == (400, 200)
    assert "access-control-allow-origin" not in refused.headers
    assert taken.headers["access-control-allow-origin"] == "https://a.b.c.d.example"
