"""Other legal encodings of a protobuf message than the one that the library writes."""

import random
import struct
from collections.abc import Callable, Iterable, Sequence

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_VARINT, _FIXED64, _LENGTH, _START, _END, _FIXED32 = 0, 1, 2, 3, 4, 5
_TYPES = FieldDescriptor
_WIRE = {
    _TYPES.TYPE_DOUBLE: _FIXED64,
    _TYPES.TYPE_FIXED64: _FIXED64,
    _TYPES.TYPE_FIXED32: _FIXED32,
    _TYPES.TYPE_STRING: _LENGTH,
    _TYPES.TYPE_BYTES: _LENGTH,
    _TYPES.TYPE_MESSAGE: _LENGTH,
}


def falling(message: Message) -> bytes:
    """As the OpenTelemetry Collector writes: fields in falling order of their numbers, elements of lists in theirs."""
    return _ordered(message, lambda _: True)


def value_first(message: Message) -> bytes:
    """Attributes as the OpenTelemetry Collector writes them, everything else as the library does."""
    return _ordered(message, lambda kind: kind == "KeyValue")


def _ordered(message: Message, falls: Callable[[str], bool]) -> bytes:
    fields = sorted(message.ListFields(), key=lambda one: one[0].number, reverse=falls(message.DESCRIPTOR.name))
    out = []
    for field, value in fields:
        for item in value if field.is_repeated else [value]:
            content = _ordered(item, falls) if field.message_type else item
            out.append(_tag(field.number, _wire(field)) + _value(field, content))
    return b"".join(out)


class Scribe:
    """Writes what others might: any order, numbers longer than they need be, messages in pieces, fields overwritten,
    defaults written out, fields that nobody knows.

    Args:
        random: Decides all of it.
    """

    def __init__(self, random: random.Random) -> None:
        self._random = random

    def written(self, message: Message) -> bytes:
        """One of the ways."""
        runs = [self._field(field, value) for field, value in message.ListFields()]
        runs += [self._default(field) for field in _left_out(message)]
        runs += [self._unknown(message) for _ in range(self._random.choice((0, 0, 0, 1, 2)))]
        return b"".join(self._shuffled(runs))

    def _shuffled(self, runs: Sequence[Sequence[bytes]]) -> list[bytes]:
        """All of them, mixed; what is in one run keeps its order."""
        left = [list(run) for run in runs]
        turns = [index for index, run in enumerate(left) for _ in run]
        self._random.shuffle(turns)
        return [left[index].pop(0) for index in turns]

    def _field(self, field: FieldDescriptor, value: object) -> list[bytes]:
        if field.is_repeated:
            assert isinstance(value, Iterable)
            return [self._one(field, self._content(field, item)) for item in value]
        if isinstance(value, Message):
            return [self._one(field, piece) for piece in self._pieces(value)]
        overwritten = [self._one(field, self._other(field)) for _ in range(self._random.choice((0, 0, 0, 1, 2)))]
        return [*overwritten, self._one(field, value)]

    def _content(self, field: FieldDescriptor, item: object) -> object:
        return self.written(item) if isinstance(item, Message) else item

    def _pieces(self, message: Message) -> list[bytes]:
        """A message, or two of which a parser makes one: of the lists, the first has the first half."""
        fields = message.ListFields()
        if not fields or self._random.random() < 0.5:
            return [self.written(message)]
        first, second = type(message)(), type(message)()
        for field, value in fields:
            if field.is_repeated:
                half = self._random.randint(0, len(value))
                getattr(first, field.name).extend(value[:half])
                getattr(second, field.name).extend(value[half:])
            else:
                part = self._random.choice((first, second))
                if field.message_type:
                    getattr(part, field.name).CopyFrom(value)
                    getattr(part, field.name).SetInParent()
                else:
                    setattr(part, field.name, value)
        return [self._known(first), self._known(second)]

    def _known(self, message: Message) -> bytes:
        """Without defaults: in a second piece they would overwrite what is in the first."""
        return b"".join(self._shuffled([self._field(field, value) for field, value in message.ListFields()]))

    def _default(self, field: FieldDescriptor) -> list[bytes]:
        if field.message_type or self._random.random() < 0.7:
            return []
        return [self._one(field, field.default_value)]

    def _other(self, field: FieldDescriptor) -> object:
        return {
            _TYPES.TYPE_STRING: lambda: self._random.choice(("", "overwritten", "x" * 200)),
            _TYPES.TYPE_BYTES: lambda: self._random.choice((b"", self._random.randbytes(16), b"short")),
            _TYPES.TYPE_DOUBLE: lambda: self._random.choice((0.0, 0.25)),
            _TYPES.TYPE_BOOL: lambda: self._random.choice((True, False)),
        }.get(field.type, lambda: self._random.choice((0, 1, 2, 2**31 - 1)))()

    def _unknown(self, message: Message) -> list[bytes]:
        known = {field.number for field in message.DESCRIPTOR.fields}
        number = self._random.choice([number for number in (18, 19, 100, 5_000, 2**29 - 1) if number not in known])
        start, end = _tag(number, _START), _tag(number, _END)
        return [
            self._random.choice(
                (
                    _tag(number, _VARINT) + b"\xac\x02",
                    _tag(number, _FIXED64) + b"\x0a\x10abcdef",
                    _tag(number, _FIXED32) + b"\x12\x08\x0a\x10",
                    _tag(number, _LENGTH) + b"\x06\x0a\x01k\x12\x01v",
                    start + b"\x0a\x01k" + end,
                )
            )
        ]

    def _one(self, field: FieldDescriptor, content: object) -> bytes:
        if field.message_type and isinstance(content, Message):
            content = self.written(content)
        tag = self._longer(_tag(field.number, _wire(field)), 5)
        value = _value(field, content)
        if field.type == _TYPES.TYPE_BOOL and content:
            value = varint(self._random.choice((1, 1, 2, 2**40)))
        if field.type == _TYPES.TYPE_ENUM and self._random.random() < 0.1:
            value = varint(int(str(content)) + 2**32)  # readers take the lower half
        if _wire(field) == _VARINT:
            return tag + self._longer(value, 10)
        if _wire(field) == _LENGTH:
            assert isinstance(content, str | bytes)
            raw = content.encode() if isinstance(content, str) else content
            return tag + self._longer(varint(len(raw)), 5) + raw
        return tag + value

    def _longer(self, number: bytes, most: int) -> bytes:
        """A varint with zeros in front, which are behind in this order of bytes."""
        more = self._random.choice((0, 0, 0, 1, 2))
        if not more or len(number) + more > most:
            return number
        return number[:-1] + bytes([number[-1] | 0x80]) + b"\x80" * (more - 1) + b"\x00"


def varint(number: int) -> bytes:
    """In the shortest form."""
    number &= 2**64 - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _left_out(message: Message) -> list[FieldDescriptor]:
    given = {field.number for field, _ in message.ListFields()}
    return [
        field
        for field in message.DESCRIPTOR.fields
        if field.number not in given and not field.is_repeated and not field.containing_oneof
    ]


def _wire(field: FieldDescriptor) -> int:
    return _WIRE.get(field.type, _VARINT)


def _tag(number: int, wire: int) -> bytes:
    return varint(number << 3 | wire)


def _value(field: FieldDescriptor, content: object) -> bytes:
    if isinstance(content, str):
        content = content.encode()
    if isinstance(content, bytes):
        return varint(len(content)) + content
    if field.type == _TYPES.TYPE_DOUBLE:
        return struct.pack("<d", content)
    assert isinstance(content, int)
    if _wire(field) == _FIXED64:
        return struct.pack("<Q", content)
    return struct.pack("<I", content) if _wire(field) == _FIXED32 else varint(content)
