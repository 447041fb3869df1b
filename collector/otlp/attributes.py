"""Attributes and links of spans and log records, from protobuf's messages and bytes."""

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from collector.core.span import AnyValue, Attributes, Link, SpanContext
from collector.otlp.v1.raw_pb2 import Attribute, Value

_IDS, _TRACE = 28, 16
"""Bytes with which a link begins (a tag, a length, a trace's id, a tag, a length, a span's id), and of a trace's id."""

_make = tuple.__new__


class Ids(dict[bytes, str]):
    """Ids of traces and parents in hexadecimal, which many spans have in common: each text once."""

    def __missing__(self, key: bytes) -> str:
        """Made at the first time."""
        return self.setdefault(key, key.hex())


class _Begins(dict[bytes, bytes]):
    """By a trace's id, how links to its spans begin; empty for what is no trace's id."""

    def __missing__(self, trace_id: bytes) -> bytes:
        """Made at the first time."""
        return self.setdefault(trace_id, b"\n\x10" + trace_id + b"\x12\x08" if len(trace_id) == _TRACE else b"")


class Links:
    """The links of the spans of one request, by halves: the ids that one begins with, and what follows them.

    What links name are spans that are mostly there themselves, and what follows is mostly the same.

    Attributes:
        ids: Of the whole request.
    """

    def __init__(self) -> None:
        self.ids = Ids()
        self._begins = _Begins()
        self._contexts: dict[bytes, SpanContext] = {}
        self._others: dict[bytes, tuple[Attributes, int]] = {}

    def context(self, trace_id: bytes, span_id: bytes) -> SpanContext:
        """What a span is named by, which links to it share."""
        begin = self._begins[trace_id]
        key = begin + span_id
        context = self._contexts.get(key) if begin else None
        if context is None:
            context = _make(SpanContext, (self.ids[trace_id], span_id.hex()))
            if begin:
                self._contexts[key] = context
        return context

    def read(self, body: bytes) -> Link:
        """Raises `DecodeError` for what is no link."""
        rest = body[_IDS:]
        context, other = self._contexts.get(body[:_IDS]), self._others.get(rest)
        if context is None and other is not None and body[:2] == b"\n\x10" and body[18:20] == b"\x12\x08":
            context = self.context(body[2:18], body[20:_IDS])
        if context is not None and other is not None:
            said, dropped = other
            return _make(Link, (context, said, dropped))
        whole = trace_pb2.Span.Link.FromString(body)
        context = self.context(whole.trace_id, whole.span_id)
        link = Link(context, attributes_of(whole.attributes), whole.dropped_attributes_count)
        if self._contexts.get(body[:_IDS]) is context and not _names_ids(rest):
            self._others[rest] = link[1:]
        return link


def _names_ids(rest: bytes) -> bool:
    """Of a field that comes twice the last one counts, so that what follows the first ids may change them."""
    again = trace_pb2.Span.Link.FromString(rest)
    return bool(again.trace_id or again.span_id)


def attributes_of(
    messages: RepeatedCompositeFieldContainer[Attribute] | RepeatedCompositeFieldContainer[common_pb2.KeyValue],
) -> Attributes:
    """By key; of several with one key the last counts, as in a protobuf map.

    A text that is not empty is known by itself; of other values the kind has to be asked for, which costs more. So does
    walking through the messages without taking a slice.
    """
    return {message.key: (value := message.value).string_value or value_of(value) for message in messages[:]}


def value_of(message: common_pb2.AnyValue | Value) -> AnyValue:
    """An attribute's value; None for one of no kind. Protobuf nests at most 100 messages, so the recursion ends."""
    kind = message.WhichOneof("value")
    if kind == "string_value":
        return message.string_value
    if kind == "array_value":
        return [value_of(item) for item in message.array_value.values[:]]
    if kind == "kvlist_value":
        return attributes_of(message.kvlist_value.values)
    return None if kind is None else _plain(message, kind)


def _plain(message: common_pb2.AnyValue | Value, kind: str) -> AnyValue:
    value: AnyValue = getattr(message, kind)
    return value
