"""What an attribute looks like on the wire, so that a search can pass over bytes without decoding them.

Common.proto: a KeyValue is field 1 the key, field 2 the AnyValue, and every known encoder writes them in this order,
with lengths as short as they can be. A needle is therefore found wherever the attribute is; what is found need not be
one, and is looked at again after decoding.
"""

import base64
import binascii
import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AttributeNeedle:
    """The ways in which one attribute can be written.

    Attributes:
        key: How every KeyValue with its key begins.
        values: What may follow there, one for each type whose text is the wanted one; empty if anything may.
    """

    key: bytes
    values: tuple[bytes, ...]

    def occurs_in(self, data: bytes) -> bool:
        """Whether the attribute is there. One pass over the bytes, however many values there are."""
        at = data.find(self.key)
        while at >= 0:
            at += len(self.key)
            if not self.values or data.startswith(self.values, at):
                return True
            at = data.find(self.key, at)
        return False


def attribute_needle(key: str, text: str) -> AttributeNeedle:
    """For an attribute with that key whose value has that text (`collector.otlp.text`)."""
    encoded = b"\x0a" + _varint(len(key.encode())) + key.encode() + b"\x12"
    if text.startswith(("[", "{")):  # nested values have no form of their own
        return AttributeNeedle(encoded, ())
    values = [_field(0x0A, text.encode())]
    if text in ("true", "false"):
        values.append(b"\x10\x01" if text == "true" else b"\x10\x00")
    number = _integer(text)
    if number is not None:
        values.append(b"\x18" + _varint(number & (1 << 64) - 1))
    real = _real(text)
    if real is not None:
        values.append(b"\x21" + struct.pack("<d", real))
    raw = _base64(text)
    if raw is not None:
        values.append(_field(0x3A, raw))
    return AttributeNeedle(encoded, tuple(_varint(len(value)) + value for value in values))


def text_needle(field_tag: int, text: str) -> bytes:
    """A string field."""
    return _field(field_tag, text.encode())


def _field(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
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
