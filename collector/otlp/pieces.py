"""A large request in small ones, so that no single step of reading it takes long or holds everything else up.

Works on the wire (https://protobuf.dev/programming-guides/encoding): fields in any order, messages in parts, unknown
fields. What a parser would merge, it merges: all bytes that are of no item stand before the items of each piece.
"""

from collections.abc import Iterator

PIECE_BYTES = 2**18
"""Decoded in some milliseconds, whatever it holds."""

_ITEMS = (1, 2, 2)
"""Field numbers of ResourceSpans in TracesData, ScopeSpans in it, Span in that; the same of log records."""

_VARINT, _FIXED64, _BYTES, _BEGIN, _END, _FIXED32 = range(6)


def pieces(body: bytes, max_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
    """A serialized ``TracesData``, ``LogsData`` or export request as several of at most that size, in order.

    An item larger than it comes alone; what stands around items is repeated and may make a piece twice as large.
    Linear in the bytes, whatever they say. The body is one that was parsed before; it comes back as it is where it is
    small.
    """
    return _parts(memoryview(body), max_bytes, 0) if len(body) > max_bytes else iter((body,))


def _parts(message: memoryview, room: int, depth: int) -> Iterator[bytes]:
    around = b"".join(message[begin:end] for number, begin, _, end in _fields(message) if number != _ITEMS[depth])
    room = max(room, len(around))
    waiting: list[bytes] = []
    size = 0
    for number, begin, content, end in _fields(message):
        if number != _ITEMS[depth]:
            continue
        for item in _item(message[begin:end], message[content:end], room, depth):
            if waiting and size + len(item) > room:
                yield b"".join((around, *waiting))
                waiting, size = [], 0
            waiting.append(item)
            size += len(item)
    if waiting or around:
        yield b"".join((around, *waiting))


def _item(field: memoryview, content: memoryview, room: int, depth: int) -> Iterator[bytes]:
    """One field, as it is or as several of the same number."""
    if depth + 1 == len(_ITEMS) or len(field) <= room:
        yield bytes(field)
        return
    tag = bytes([_ITEMS[depth] << 3 | _BYTES])
    for part in _parts(content, room, depth + 1):
        yield tag + _varint(len(part)) + part


def _fields(message: memoryview) -> Iterator[tuple[int, int, int, int]]:
    """Number, beginning, beginning of the content, and end of each field."""
    at, size = 0, len(message)
    while at < size:
        begin = at
        tag, at = _read_varint(message, at)
        content, at = _skipped(message, tag & 7, at)
        yield tag >> 3, begin, content, at


def _skipped(message: memoryview, kind: int, at: int) -> tuple[int, int]:
    """Where the content of a field begins and where the field ends."""
    if kind == _BYTES:
        length, at = _read_varint(message, at)
        return at, at + length
    if kind == _VARINT:
        return at, _read_varint(message, at)[1]
    if kind == _BEGIN:
        return at, _behind_group(message, at)
    return at, at + (8 if kind == _FIXED64 else 4)


def _behind_group(message: memoryview, at: int) -> int:
    """Groups, which proto3 has no more, are passed over as a whole."""
    depth = 1
    while depth:
        tag, at = _read_varint(message, at)
        kind = tag & 7
        depth += (kind == _BEGIN) - (kind == _END)
        if kind not in (_BEGIN, _END):
            _, at = _skipped(message, kind, at)
    return at


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    number = message[at]
    if number < 128:
        return number, at + 1
    number, shift = number & 127, 7
    while True:
        at += 1
        byte = message[at]
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at + 1
        shift += 7


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
