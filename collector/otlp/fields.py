"""Protobuf's wire format walked from field to field, without a schema (protobuf.dev, "Encoding").

For bytes that the library refuses as a whole, to find out what in them is sound, and for those that are too large to be
given to it at once: it holds the interpreter until it is done.
"""

from collections.abc import Iterator
from typing import TypeAlias

Bytes: TypeAlias = bytes | memoryview

VARINT, FIXED64, LEN, GROUP, END_GROUP, FIXED32 = range(6)
"""The wire types."""

MOST_NESTED = 100
"""So many messages lie in each other at most, as in the library."""


class Malformed(Exception):
    """The bytes are no fields; says what was found and where."""


def fields(data: Bytes, at: int = 0) -> Iterator[tuple[int, int, int, int]]:
    """Every field from there on: its tag (number and wire type), where it begins, where its content begins and ends.

    Raises:
        Malformed: where something is no field. The fields before it have been given out by then.
    """
    size = len(data)
    while at < size:
        begin = at
        tag = data[at]
        at += 1
        if tag > 0x7F:
            tag, at = varint(data, begin, 5)
        kind = tag & 7
        if tag < 8 or tag >> 32:
            raise Malformed(f"byte {begin}: field number {tag >> 3}")
        if kind == LEN:
            length, at = varint(data, at, 5)
            content, at = at, at + length
        elif kind == VARINT:
            content, at = at, varint(data, at)[1]
        elif kind == FIXED64:
            content, at = at, at + 8
        elif kind == FIXED32:
            content, at = at, at + 4
        elif kind == GROUP:
            content, at = at, _end_of_group(data, at, tag >> 3)
        else:
            raise Malformed(f"byte {begin}: wire type {kind} of field {tag >> 3}")
        if at > size:
            raise Malformed(f"byte {begin}: field {tag >> 3} needs {at - size} bytes more than there are")
        yield tag, begin, content, at


def varint(data: Bytes, at: int, most: int = 10) -> tuple[int, int]:
    """The number that is written there in at most so many bytes, and where it ends.

    Raises:
        Malformed: it does not end.
    """
    number = shift = 0
    for byte in data[at : at + most]:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at + shift // 7
    raise Malformed(f"byte {at}: a number that does not end")


def _end_of_group(data: Bytes, at: int, number: int) -> int:
    """Where an (ancient) group ends; groups may lie in each other."""
    open_groups = [number]
    while open_groups:
        tag, content = varint(data, at, 5)
        if tag & 7 == END_GROUP:
            if tag >> 3 != open_groups.pop():
                raise Malformed(f"byte {at}: the end of a group that did not begin")
            at = content
        elif tag & 7 == GROUP:
            open_groups.append(tag >> 3)
            at = content
            if len(open_groups) > MOST_NESTED:
                raise Malformed(f"byte {at}: nested deeper than {MOST_NESTED}")
        else:
            _, _, _, at = next(fields(data, at))
    return at


def len_field(number: int, content: bytes) -> bytes:
    """A field of bytes, a text or a message."""
    return written(number << 3 | LEN) + written(len(content)) + content


def written(number: int) -> bytes:
    """A varint."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
