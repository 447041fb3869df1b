"""A large request in small ones, so that no single step of reading it takes long or holds everything else up.

Works on the wire (https://protobuf.dev/programming-guides/encoding): fields in any order, messages in parts, unknown
fields. What a parser would merge, it merges: all bytes that are of no item stand before the items of each piece.
"""

from collections.abc import Iterator

from collector.otlp.fields import LEN, fields, len_field

PIECE_BYTES = 2**20
"""Taken apart in some milliseconds, whatever it holds. Most requests are smaller: walking through one costs four times
what a search does with it."""

_ITEMS = (1, 2, 2)
"""Field numbers of ResourceSpans in TracesData, ScopeSpans in it, Span in that; the same of log records."""


def pieces(body: bytes, max_bytes: int = PIECE_BYTES) -> Iterator[bytes]:
    """A serialized ``TracesData``, ``LogsData`` or export request as several of at most that size, in order.

    An item larger than it comes alone. What stands around items is repeated, and where it is more than half of a piece
    the piece is twice as large as it.
    Linear in the bytes, whatever they say. The body is one that was parsed before; it comes back as it is where it is
    small.
    """
    return _parts(memoryview(body), max_bytes, 0) if len(body) > max_bytes else iter((body,))


def _parts(message: memoryview, room: int, depth: int) -> Iterator[bytes]:
    wanted = _ITEMS[depth] << 3 | LEN
    around = b"".join(message[begin:end] for tag, begin, _, end in fields(message) if tag != wanted)
    room = max(room - len(around), len(around))
    waiting: list[bytes] = []
    size = 0
    for tag, begin, content, end in fields(message):
        if tag != wanted:
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
    for part in _parts(content, room, depth + 1):
        yield len_field(_ITEMS[depth], part)
