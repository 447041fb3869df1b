"""What a search looks for in bytes, so that it can pass over them without decoding them.

Protobuf leaves an encoder free: fields in any order and more than once, messages in several pieces, numbers with more
bytes than they need, fields that nobody knows. Only the content of a text, of bytes or of a double stands in one piece,
and a varint begins with the same bits, whoever wrote it. A needle therefore has two forms: a loose one for bytes as
they came, and a strict one for what protobuf's own library makes of them (`collector.otlp.sieve`): the fields of a
message in the order of their numbers, each once, as short as they can be, and unknown ones behind the known.

What is found need not be what was looked for, and is looked at again after decoding.
"""

import base64
import binascii
import math
import struct
from dataclasses import dataclass

_CONTINUED = 0x80
_LONGER = b"\x00"
"""How a tag or a length ends that was written with more bytes than it needs."""


@dataclass(frozen=True, slots=True)
class Needle:
    """The ways in which one thing can be written.

    Attributes:
        loose: Of each of these groups, one must occur, whatever the encoding.
        strict: One of these beginnings must occur in the strict form, and right behind it and the length of what
            follows one of its continuations, if it has any.
    """

    loose: tuple[tuple[bytes, ...], ...]
    strict: tuple[tuple[bytes, tuple[bytes, ...]], ...]

    def may_be_in(self, data: bytes) -> bool:
        """Whether bytes as they came may hold it."""
        return all(any(piece in data for piece in pieces) for pieces in self.loose)

    def is_in(self, data: bytes) -> bool:
        """Whether bytes in the strict form hold it."""
        return any(_holds(data, beginning, continuations) for beginning, continuations in self.strict)

    def or_else(self, other: "Needle") -> "Needle":
        """One of the two."""
        return Needle((self.loose[-1] + other.loose[-1],), self.strict + other.strict)


def attribute_needle(key: str, text: str) -> Needle:
    """For an attribute with that key whose value has that text (`collector.otlp.text`)."""
    name = _encoded(key)
    loose: list[tuple[bytes, ...]] = [(name,), _text_pieces(name)] if name else []
    beginning = _field(0x0A, name) if name else b""
    if not text or not name:  # a value may be left out, and so may an empty key
        return Needle(tuple(loose), ((beginning, ()),))
    pieces, values = _forms(text)
    return Needle((*loose, *pieces), ((beginning + b"\x12", values),))


def text_needle(field_tag: int, text: str) -> Needle:
    """For a string field that is not empty. The tag is of one byte, as is the next function's."""
    content = _encoded(text)
    return Needle(((content,), _text_pieces(content)), ((_field(field_tag, content), ()),))


def number_needle(field_tag: int, number: int) -> Needle:
    """For a field that is a varint and not 0."""
    return Needle((_varint_pieces(field_tag, number),), ((bytes([field_tag]) + _varint(number), ()),))


def _forms(text: str) -> tuple[tuple[tuple[bytes, ...], ...], tuple[bytes, ...]]:
    """What a value with that text looks like, loosely and strictly; nothing where there is no telling."""
    content, number, real, raw = _encoded(text), _integer(text), _real(text), _base64(text)
    if text.startswith(("[", "{")) or (real is not None and math.isnan(real)):  # nested, or one of many NaNs
        return (), ()
    pieces, values = _text_pieces(content), [_field(0x0A, content)]
    if number is not None:
        pieces += _varint_pieces(0x18, number & (1 << 64) - 1)
        values.append(b"\x18" + _varint(number & (1 << 64) - 1))
    if real is not None:
        pieces += (struct.pack("<d", real),)
        values.append(b"\x21" + struct.pack("<d", real))
    if raw is not None:
        pieces += (raw,)
        values.append(_field(0x3A, raw))
    if text in ("true", "false"):  # any varint but 0 is true: no piece to look for
        return (), (*values, b"\x10\x01" if text == "true" else b"\x10\x00")
    return (pieces,) if len(values) > 1 else ((content,), pieces), tuple(values)


def _holds(data: bytes, beginning: bytes, continuations: tuple[bytes, ...]) -> bool:
    """One pass over the bytes, however many continuations there are."""
    at = data.find(beginning)
    while at >= 0:
        at += len(beginning)
        if not continuations:
            return True
        behind = at + 1
        while data[behind - 1 : behind] >= b"\x80":
            behind += 1
        if data.startswith(continuations, behind):
            return True
        at = data.find(beginning, at)
    return False


def _text_pieces(content: bytes) -> tuple[bytes, ...]:
    """With the last byte of its length, so that a short one is not found everywhere."""
    return _varint(len(content))[-1:] + content, _LONGER + content


def _varint_pieces(tag: int, number: int) -> tuple[bytes, ...]:
    """With the last byte of its tag. The number's own last byte may be continued by as many zeros as one likes."""
    shortest = _varint(number)
    ways = (shortest, shortest[:-1] + bytes([shortest[-1] | _CONTINUED])) if len(shortest) < 10 else (shortest[:9],)
    return tuple(before + way for before in (bytes([tag]), _LONGER) for way in ways)


def _field(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + _varint(len(content)) + content


def _encoded(text: str) -> bytes:
    """Half a surrogate pair cannot be stored, but it can be asked for; its bytes are found nowhere."""
    return text.encode(errors="surrogatepass")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | _CONTINUED)
        number >>= 7
    out.append(number)
    return bytes(out)


def _integer(text: str) -> int | None:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 19:
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def _real(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _base64(text: str) -> bytes | None:
    if len(text) % 4:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
