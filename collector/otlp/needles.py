"""What a search looks for in bytes, so that it can pass over them without decoding them.

Protobuf leaves an encoder free: fields in any order and more than once, messages in several pieces, numbers with more
bytes than they need, fields that nobody knows. Only the content of a text stands in one piece, whoever wrote it. A
needle therefore has two forms: a loose one for bytes as they came, and a strict one for what protobuf's own library
makes of them (`collector.otlp.sieve`): the fields of a message in the order of their numbers, each once, as short as
they can be, and unknown ones behind the known.

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
        for pieces in self.loose:
            for piece in pieces:
                if piece in data:
                    break
            else:
                return False
        return True

    def is_in(self, data: bytes) -> bool:
        """Whether bytes in the strict form hold it."""
        return any(_holds(data, beginning, continuations) for beginning, continuations in self.strict)

    def or_else(self, other: "Needle") -> "Needle":
        """One of the two."""
        loose = (self.loose[-1] + other.loose[-1],) if self.loose and other.loose else ()
        return Needle(loose, self.strict + other.strict)


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
    """For a field that is a varint and not 0. Few bytes, and many ways to write them: nothing to look for loosely."""
    return Needle((), ((bytes([field_tag]) + _varint(number), ()),))


def _forms(text: str) -> tuple[tuple[tuple[bytes, ...], ...], tuple[bytes, ...]]:
    """What a value with that text looks like, loosely and strictly; nothing where there is no telling.

    Loosely only what can be nothing but a text: to look for all ways to write a number takes longer than to bring the
    bytes into the strict form.
    """
    content, number, real, raw = _encoded(text), _integer(text), _real(text), _base64(text)
    if text.startswith(("[", "{")) or (real is not None and math.isnan(real)):  # nested, or one of many NaNs
        return (), ()
    values = [_field(0x0A, content)]
    if text in ("true", "false"):
        values.append(b"\x10\x01" if text == "true" else b"\x10\x00")
    if number is not None:
        values.append(b"\x18" + _varint(number & (1 << 64) - 1))
    if real is not None:
        values.append(b"\x21" + struct.pack("<d", real))
    if raw is not None:
        values.append(_field(0x3A, raw))
    if len(values) == 1:
        return ((content,), _text_pieces(content)), tuple(values)
    return ((content, raw),) if raw is not None and len(values) == 2 else (), tuple(values)


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
