"""Bodies of requests to the API: bounded before they are read, and read off the event loop.

A reader in C holds the interpreter until it is done: JSON of 8 MiB that is nothing but ``[],[],…`` takes it 13 seconds.
So a body has so many bytes and so many values at most, and what is made of it is made an item at a time.
"""

import asyncio
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from collector.core.errors import InvalidRequest, TooLarge, some
from collector.otlp.fields import LEN, Malformed, fields

_T = TypeVar("_T")
_Document = TypeVar("_Document", bound=BaseModel)
_Message = TypeVar("_Message", bound=Message)

MOST_VALUES = 50_000
"""In one JSON body."""

MOST_ITEMS = 10_000
"""Parameters or feedbacks in one request."""

MOST_ITEM_BYTES = 2**20
"""Of one of them."""

_MOST_FAULTS = 20
_SMALL_BYTES = 4 * 2**10
_THREADS = 2
_MARK = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{,]', re.DOTALL)
"""A text, in which marks mean nothing, or what begins or parts values."""

_HALF_WRITTEN = re.compile(rb"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")
"""Of a surrogate pair: as a body may write it, and as it is left in a text where the other half is missing."""


class Bodies:
    """Reads requests, in threads of its own: who sends the slowest that is allowed waits for himself.

    Args:
        max_bytes: Of one body.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="otel-opto-api")

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(cancel_futures=True)

    async def of_http(self, request: Request, make: Callable[[bytes], _T]) -> _T:
        """What `make` makes of a request's body.

        Raises:
            TooLarge: it is longer than is allowed; no more than that is held.
        """
        parts: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            self._check(size)
            parts.append(chunk)
        return await self._made(b"".join(parts), make)

    async def of_rpc(self, body: bytes, make: Callable[[bytes], _T]) -> _T:
        """What `make` makes of a message; raises as above."""
        self._check(len(body))
        return await self._made(body, make)

    async def _made(self, body: bytes, make: Callable[[bytes], _T]) -> _T:
        if len(body) <= _SMALL_BYTES:  # whatever it holds: it is made sooner than a thread begins
            return make(body)
        return await asyncio.get_running_loop().run_in_executor(self._threads, make, body)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise TooLarge(
                f"the body is longer than {self._max_bytes:,} bytes (api.max_request_bytes); send it in parts"
            )


def tree_of(body: bytes) -> object:
    """A JSON body in UTF-8 as Python's objects; an empty one is an empty object.

    Raises:
        InvalidRequest: it is no JSON (RFC 8259; no other encoding, in which marks could not be counted), or a text in
            it is none or a number not finite: it could be neither kept nor shown again.
        TooLarge: it holds too many values.
    """
    values = 1
    for mark in _MARK.finditer(body):
        values += mark[0][0] != 0x22
        if values > MOST_VALUES:
            raise TooLarge(f"body: it holds more than {MOST_VALUES:,} values; send it in parts")
    try:
        tree: object = json.loads(body.decode() or "{}", parse_float=_finite, parse_constant=_finite)
        written = json.dumps(tree, ensure_ascii=False) if _HALF_WRITTEN.search(body) else ""
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"body: invalid JSON: {error}") from None
    half = _HALF.search(written)
    if half:
        around = written[max(half.start() - 20, 0) : half.end() + 20]
        raise InvalidRequest(f"body: found half a surrogate pair in {around!r}; allowed are characters of Unicode")
    return tree


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"found the number {text[:80]}, allowed are finite ones")
    return number


def parse(model: type[_Document], body: bytes) -> _Document:
    """A document out of a JSON body.

    Raises:
        InvalidRequest: with every fault and its key path.
        TooLarge: it holds too many values.
    """
    return checked(model, tree_of(body))


def checked(model: type[_Document], tree: object) -> _Document:
    """A document out of what a body or a message says. Raises `InvalidRequest` with every fault and its key path."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise InvalidRequest(some(faults_of(error), "; ")) from None


def parse_each(name: str, model: type[_Document], body: bytes) -> Iterator[_Document]:
    """The documents in a JSON body ``{name: [document, …]}``, one after the other.

    Raises:
        InvalidRequest: with the first faults and their key paths.
        TooLarge: there are too many of them, or it holds too many values.
    """
    tree = tree_of(body)
    if not isinstance(tree, dict) or tree.keys() != {name} or not isinstance(tree[name], list):
        found = some(sorted(map(str, tree))) if isinstance(tree, dict) else type(tree).__name__
        raise InvalidRequest(f"body: found {found or 'nothing'}; allowed is an object with the list {name!r}")
    _check_count(name, len(tree[name]))
    faults: list[str] = []
    for number, item in enumerate(tree[name]):
        try:
            document = model.model_validate(item)
        except ValidationError as error:
            faults += faults_of(error, f"{name}.{number}")
            if len(faults) > _MOST_FAULTS:
                break
        else:
            yield document
    if faults:
        raise InvalidRequest(some(faults, "; "))


def faults_of(error: ValidationError, where: str = "") -> list[str]:
    """Every fault of a validation: key path, what is wrong, what was found."""
    faults = []
    for fault in error.errors(include_url=False, include_context=False):
        path = ".".join(filter(None, (where, *map(str, fault["loc"])))) or "body"
        found = "" if fault["type"] in ("missing", "json_invalid") else f"; found {_short(fault['input'])}"
        faults.append(f"{path}: {fault['msg'][:1].lower()}{fault['msg'][1:]}{found}")
    return faults


def _short(value: object) -> str:
    if isinstance(value, dict | list) and len(value) > 8:
        return f"{type(value).__name__} of {len(value):,}"
    text = repr(value[:80] if isinstance(value, str | bytes) else value)
    return text if len(text) <= 80 else text[:77] + "..."


def message_of(kind: type[_Message], body: bytes) -> _Message:
    """The message that a body is.

    Raises:
        InvalidRequest: it is none.
        TooLarge: it is too long for one that holds a single thing.
    """
    if len(body) > MOST_ITEM_BYTES:
        raise TooLarge(f"{kind.DESCRIPTOR.name}: found {len(body):,} bytes, allowed are {MOST_ITEM_BYTES:,}")
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise InvalidRequest(f"body: no {kind.DESCRIPTOR.name}: {error}") from None


def split(kind: type[_Message], field: str, body: bytes) -> tuple[_Message, Sequence[bytes]]:
    """A message without one of its repeated fields, and the serialized items of that.

    Raises:
        InvalidRequest: it is no such message.
        TooLarge: there are too many items, or one is too large.
    """
    tag = kind.DESCRIPTOR.fields_by_name[field].number << 3 | LEN
    items: list[bytes] = []
    rest = bytearray()
    try:
        for found, begin, content, end in fields(body):
            if found == tag:
                items.append(body[content:end])
                _check_count(field, len(items))
                if end - content > MOST_ITEM_BYTES:
                    raise TooLarge(f"{field}: one has {end - content:,} bytes, allowed are {MOST_ITEM_BYTES:,}")
            elif len(rest) <= MOST_ITEM_BYTES:
                rest += body[begin:end]
    except Malformed as error:
        raise InvalidRequest(f"body: no {kind.DESCRIPTOR.name}: {error}") from None
    return message_of(kind, bytes(rest)), items


def _check_count(name: str, count: int) -> None:
    if count > MOST_ITEMS:
        raise TooLarge(f"{name}: there are more than {MOST_ITEMS:,} in one request; send them in parts")
