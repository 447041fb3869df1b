"""Attributes and links of spans and log records, from protobuf's messages and bytes."""

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from collector.core.span import AnyValue, Attributes, Link, SpanContext
from collector.otlp.v1.raw_pb2 import Attribute, Value

_IDS, _TRACE, _SPAN = 28, slice(2, 18), slice(20, 28)
"""How a link begins: a tag, a length, a trace's id, a tag, a length, a span's id."""

_make = tuple.__new__


class Ids(dict[bytes, str]):
    """Ids of traces and parents in hexadecimal, which many spans have in common: each text once."""

    def __missing__(self, key: bytes) -> str:
        """Made at the first time."""
        return self.setdefault(key, key.hex())


class Contexts(dict[tuple[bytes, bytes], SpanContext]):
    """What spans and links name by the ids of a trace and a span: each once.

    Args:
        ids: Of traces.
    """

    def __init__(self, ids: Ids) -> None:
        super().__init__()
        self._ids = ids

    def __missing__(self, key: tuple[bytes, bytes]) -> SpanContext:
        """Made at the first time."""
        trace_id, span_id = key
        return self.setdefault(key, _make(SpanContext, (self._ids[trace_id], span_id.hex())))


class Links:
    """The links of the spans of one request: what follows the ids is mostly the same, and read once.

    Attributes:
        ids: Of the whole request.
        contexts: Likewise.
    """

    def __init__(self) -> None:
        self.ids = Ids()
        self.contexts = Contexts(self.ids)
        self._others: dict[bytes, tuple[Attributes, int]] = {}

    def read(self, body: bytes) -> Link:
        """Raises `DecodeError` for what is no link."""
        begins = body[:2] == b"\n\x10" and body[18:20] == b"\x12\x08"
        key, rest = (body[_TRACE], body[_SPAN]), body[_IDS:]
        other = self._others.get(rest) if begins else None
        if other is None:
            whole = trace_pb2.Span.Link.FromString(body)
            said = whole.trace_id, whole.span_id
            other = attributes_of(whole.attributes), whole.dropped_attributes_count
            if begins and said == key and not _names_ids(rest):
                self._others[rest] = other
            key = said
        return _make(Link, (self.contexts[key], *other))


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
