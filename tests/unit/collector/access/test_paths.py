"""Names in paths, as a client quotes them and a server hands them over."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

from collector.access.paths import NameRoute, path_of
from collector.core.errors import CollectorError

NAMES = ["qa", "team/qa", ".", "..", "a/../b", "50%", "%2F", "a?b#c", "with blank", "ü→本", "a:b@c", "a//b", "/", "+"]


async def answered(raw_path: bytes) -> tuple[int, object]:
    async def name(request: Request) -> JSONResponse:
        return JSONResponse([request.path_params["service"], request.path_params["rest"]])

    async def refused(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse(str(error), 400)

    app = Starlette(
        routes=[NameRoute("/v1/services/{service}/parts/{rest}", name)], exception_handlers={CollectorError: refused}
    )
    scope = {"type": "http", "method": "GET", "path": "decoded by the server", "raw_path": raw_path, "headers": []}
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    await app({**scope, "query_string": b""}, receive, send)
    status, body = sent[0]["status"], sent[1]["body"]
    assert isinstance(status, int)
    assert isinstance(body, bytes)
    return status, json.loads(body) if body.startswith((b"[", b'"')) else body


@pytest.mark.parametrize("name", NAMES)
async def test_a_quoted_name_arrives_whole(name: str) -> None:
    quoted = quote(name, safe="")
    assert await answered(f"/v1/services/{quoted}/parts/{quoted}".encode()) == (200, [name, name])


@given(st.text(min_size=1, max_size=20))
async def test_so_does_any_name(name: str) -> None:
    assert await answered(f"/v1/services/{quote(name, safe='')}/parts/x".encode()) == (200, [name, "x"])


async def test_a_segment_that_is_no_text_is_refused_with_words() -> None:
    status, said = await answered(b"/v1/services/%FF/parts/x")
    assert (status, said) == (400, "service: found '%FF', allowed is UTF-8, percent-encoded")


async def test_a_slash_that_is_not_quoted_separates() -> None:
    assert (await answered(b"/v1/services/team/qa/parts/x"))[0] == 404


@pytest.mark.parametrize(
    ("came", "path"),
    [
        (b"/v1/%73ervices/a%2fb", "/v1/services/a%2Fb"),
        (b"/v1/services/..?x=/y", "/v1/services/.."),
        ("/v1/ü".encode(), "/v1/%C3%BC"),
        (b"/v1/releases/1/rollback%2Ffeedback", "/v1/releases/1/rollback%2Ffeedback"),
    ],
)
def test_one_path_is_written_in_one_way(came: bytes, path: str) -> None:
    assert path_of({"path": "", "raw_path": came}) == path
    assert path_of({"path": "/a b/ü", "raw_path": None}) == "/a%20b/%C3%BC"
