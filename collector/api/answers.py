"""Answers in JSON, made off the event loop."""

import asyncio
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus

from starlette.responses import Response


async def answer(
    document: Callable[[], object], status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON document, made and written off the event loop: a page has megabytes."""

    def written() -> bytes:
        encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return _encoded(encoder, document())

    body = await asyncio.to_thread(written)
    return Response(body, status, headers, media_type="application/json")


def _encoded(encoder: json.JSONEncoder, document: object, depth: int = 2) -> bytes:
    """Member by member and item by item: one call of the encoder holds the interpreter until it is done."""
    if depth and isinstance(document, dict):
        members = (
            encoder.encode(key).encode() + b":" + _encoded(encoder, value, depth - 1) for key, value in document.items()
        )
        return b"{" + b",".join(members) + b"}"
    if depth and isinstance(document, list):
        return b"[" + b",".join([_encoded(encoder, item, depth - 1) for item in document]) + b"]"
    return encoder.encode(document).encode()
