"""OTLP/JSON requests, item by item (OTLP specification, "JSON Protobuf Encoding").

Keys may be written as in proto3 JSON or as in the .proto files, in any order; one that comes twice in the request, a
group or a scope adds to what came before. What is no item where one belongs costs itself: it is rejected, and what is
written wrongly within an item is mended (`collector.otlp.json_item`).
"""

from collections.abc import Iterator
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.core.errors import InvalidRequest, TooLarge
from collector.core.telemetry import Signal
from collector.otlp.faults import Faults
from collector.otlp.fields import len_field
from collector.otlp.json_item import Refused, serialized
from collector.otlp.json_walk import JsonWalk, Unreadable
from collector.otlp.parts import MOST_PARTS, Part, request_of

_RESOURCE, _SCOPE, _SCHEMA_URL = 1, 1, 3
"""Fields of groups, and of scopes."""


class _Names(NamedTuple):
    """The keys of a signal's lists, in both ways to write them, and its items."""

    groups: tuple[str, str]
    scopes: tuple[str, str]
    items: tuple[str, ...]
    item: type[Message]
    descriptor: Descriptor
    word: str


_NAMES = {
    Signal.TRACES: _Names(
        ("resourceSpans", "resource_spans"), ("scopeSpans", "scope_spans"), ("spans",), Span, Span.DESCRIPTOR, "span"
    ),
    Signal.LOGS: _Names(
        ("resourceLogs", "resource_logs"),
        ("scopeLogs", "scope_logs"),
        ("logRecords", "log_records"),
        LogRecord,
        LogRecord.DESCRIPTOR,
        "log record",
    ),
}


def to_protobuf(signal: Signal, body: bytes, faults: Faults | None = None) -> bytes:
    """The serialized protobuf request that an OTLP/JSON body stands for; see `parts_in`."""
    return request_of(list(parts_in(signal, body, Faults() if faults is None else faults)))


def parts_in(signal: Signal, body: bytes, faults: Faults) -> Iterator[Part]:
    """The items of an OTLP/JSON body.

    Args:
        signal: What it is a request of.
        body: The JSON.
        faults: Takes what is rejected and what is mended.

    Raises:
        InvalidRequest: it is no JSON, or no export request of that signal.
        TooLarge: it has more parts than any real request.
    """
    try:
        yield from _Document(signal, JsonWalk(body), faults).parts()
    except InvalidRequest as error:
        raise InvalidRequest(f"the body ({len(body)} bytes) is no OTLP/JSON {signal.value} request: {error}") from None


class _Document:
    def __init__(self, signal: Signal, walk: JsonWalk, faults: Faults) -> None:
        self._names = _NAMES[signal]
        self._walk = walk
        self._faults = faults
        self._seen = 0

    def parts(self) -> Iterator[Part]:
        for key in self._walk.members():
            if key not in self._names.groups:
                self._walk.skip()
            elif self._walk.peek() == "[":
                for _ in self._objects("a resource group"):
                    yield from self._group()
            elif (found := self._taken()) is not None:
                raise InvalidRequest(f"{key}: found {type(found).__name__}, allowed is a list")
        self._walk.end()

    def _group(self) -> list[Part]:
        head: list[bytes] = []
        scopes: list[tuple[bytes, list[bytes]]] = []
        for key in self._walk.members():
            if key == "resource":
                head.append(self._message(_RESOURCE, Resource, Resource.DESCRIPTOR))
            elif key in self._names.scopes:
                scopes += [self._scope() for _ in self._objects("a scope")]
            else:
                head.append(self._other(key))
        group = b"".join(head)
        return [Part(group, scope, items) for scope, items in scopes if items]

    def _scope(self) -> tuple[bytes, list[bytes]]:
        head: list[bytes] = []
        items: list[bytes] = []
        for key in self._walk.members():
            if key == "scope":
                head.append(self._message(_SCOPE, InstrumentationScope, InstrumentationScope.DESCRIPTOR))
            elif key in self._names.items:
                for _ in self._list(self._names.word):
                    self._item(items)
            else:
                head.append(self._other(key))
        return b"".join(head), items

    def _objects(self, what: str) -> Iterator[None]:
        """Stands before each object of a list; what else is in it is rejected."""
        for _ in self._list(what):
            if self._walk.peek() == "{":
                yield
            else:
                self._faults.skip(f"{what}: found {type(self._taken()).__name__}, allowed is an object")

    def _list(self, what: str) -> Iterator[None]:
        """Stands before each element of a list; what is none is rejected, unless it is null."""
        if self._walk.peek() == "[":
            for _ in self._walk.elements():
                self._seen += 1
                if self._seen > MOST_PARTS:
                    raise TooLarge(f"the request has more than {MOST_PARTS:,} groups and items; send smaller batches")
                yield
        elif (found := self._taken()) is not None:
            self._faults.skip(f"{what}: found {type(found).__name__} where a list of them belongs")

    def _item(self, items: list[bytes]) -> None:
        found: list[str] = []
        try:
            document = self._walk.value()
            items.append(serialized(document, self._names.item, self._names.descriptor, found))
        except (Unreadable, Refused) as error:
            self._faults.reject(f"{self._names.word}: {error}")
        else:
            if found:
                self._faults.repair(f"{self._names.word}: {found[0]}")

    def _message(self, number: int, kind: type[Message], descriptor: Descriptor) -> bytes:
        found: list[str] = []
        try:
            document = self._walk.value()
            written = b"" if document is None else len_field(number, serialized(document, kind, descriptor, found))
        except (Unreadable, Refused) as error:
            self._faults.repair(f"left out is a {descriptor.name}: {error}")
            return b""
        if found:
            self._faults.repair(f"{descriptor.name}: {found[0]}")
        return written

    def _other(self, key: str) -> bytes:
        """The address of a schema; what else is there is unknown."""
        value = self._taken()
        known = key in ("schemaUrl", "schema_url") and isinstance(value, str)
        return len_field(_SCHEMA_URL, str(value).encode(errors="replace")) if known else b""

    def _taken(self) -> object:
        try:
            return self._walk.value()
        except Unreadable as error:
            return error
