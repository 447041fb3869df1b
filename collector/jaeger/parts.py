"""Answers of several traces, each a document of its own, put together while they go out."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from collector.core.errors import TooLarge
from collector.core.telemetry import Answer
from collector.jaeger.reader import Reader
from collector.jaeger.view import Document

PARTIAL_HEADER = "Otel-Opto-Partial"
_SLICE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Parts:
    """A JSON document as it goes out.

    Attributes:
        before: The first part of it.
        items: Of its list, with commas between them.
        after: The rest.
        partial: Why not everything is in it, for a header; empty where everything is.
    """

    before: bytes
    items: Sequence[bytes]
    after: bytes
    partial: str = ""

    def slices(self) -> Iterator[memoryview]:
        """All of it, a megabyte at a time."""
        yield memoryview(self.before)
        for number, item in enumerate(self.items):
            if number:
                yield memoryview(b",")
            for start in range(0, len(item), _SLICE_BYTES):
                yield memoryview(item)[start : start + _SLICE_BYTES]
        yield memoryview(self.after)


class PartsResponse(Response):
    """Sends a document in slices: more megabytes at once would be copied, and wait in memory for a slow client.

    Starlette's own response for streams watches for clients that leave, which `collector.api.attended` does already,
    and loads a library for it in the middle of the first answer.
    """

    media_type = "application/json"

    def __init__(self, parts: Parts) -> None:
        super().__init__(headers={PARTIAL_HEADER: parts.partial} if parts.partial else None)
        self.headers["content-length"] = str(sum(map(len, parts.slices())))
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """See ASGI."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for piece in self._parts.slices():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)  # a socket that takes everything at once would not let anybody else come
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def shown(
    reader: Reader, trace_ids: Sequence[str], document: Document, cut: str, *, raw: bool = False
) -> Answer[bytes]:
    """The documents of traces in that order, until they are as large as an answer may be; unknown ones are passed over.

    Args:
        reader: Has the traces.
        trace_ids: Of them.
        document: What is made of each.
        cut: Why these are not all traces; empty if they are.
        raw: As `Reader.shown`.
    """
    found: list[bytes] = []
    left_out = [cut] if cut else []
    size = 0
    for number, trace_id in enumerate(trace_ids):
        if size > reader.bounds.bytes:
            rest = len(trace_ids) - number
            left_out.append(f"{rest} traces more do not fit into an answer ({reader.bounds.key}.max_bytes)")
            break
        try:
            made = await reader.shown(trace_id, document, raw=raw)
        except TooLarge as error:
            left_out.append(str(error))
            continue
        if made:
            found.append(made)
            size += len(made)
    return Answer(tuple(found), "; ".join(left_out))
