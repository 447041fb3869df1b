"""Names under which an address is asked for where nobody has to show a token."""

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from collector.access.same_origin import SameOrigin
from collector.counters import Counter, Counters


def answered(headers: dict[str, str], *, method: str = "GET", loopback: bool = True) -> tuple[int, int]:
    """The status, and how many refusals were counted."""
    counters, sent = Counters(), list[Any]()
    guarded = SameOrigin(PlainTextResponse("stored"), counters, loopback=loopback)
    given = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guarded({"type": "http", "method": method, "headers": given}, receive, send))
    refused = counters.snapshot().get(Counter.RECEIVER_UNAUTHENTICATED_REQUESTS.value, 0)
    return sent[0]["status"], refused


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("host", ["evil.example:4319", "evil.example.", "127.0.0.1.evil.example", "a.local"])
def test_a_name_that_somebody_else_can_make_lead_here_reads_nothing(host: str, method: str) -> None:
    assert answered({"host": host}, method=method) == (403, 1)
    assert answered({"host": host}, method=method, loopback=False) == (200, 0)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4319", "[::1]:4319", "localhost", "LOCALHOST:1", "app.localhost", "collector:4319",
             "host.docker.internal:4319", "10.0.0.7", ""]
)  # fmt: skip
def test_names_that_nobody_else_can_have_are_answered(host: str) -> None:
    assert answered({"host": host}) == (200, 0)
    assert answered({}) == (200, 0)


def test_a_page_of_another_origin_changes_nothing_and_one_of_this_address_does() -> None:
    host = "127.0.0.1:4319"
    assert answered({"host": host, "origin": "http://evil.example"}, method="POST") == (403, 1)
    assert answered({"host": host, "sec-fetch-site": "cross-site"}, method="POST") == (403, 1)
    assert answered({"host": host, "origin": f"http://{host}"}, method="POST") == (200, 0)
    assert answered({"host": host}, method="POST") == (200, 0)
