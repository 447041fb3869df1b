"""Attribute values as text, the way a trace viewer compares and shows them (Jaeger: pcommon.Value.AsString)."""

import base64
import json
import math
from collections.abc import Mapping
from struct import pack

from collector.core.span import AnyValue


def text_of(value: AnyValue) -> str:
    """``true``, ``3``, ``0.5``, a text as it is, bytes as base64, lists and maps as JSON; nothing as the empty text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _real(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return "" if value is None else json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def says(value: AnyValue, text: str) -> bool:
    """Whether a value is written like that: in the form of `text_of`, or as any other way to write the same double."""
    if text_of(value) == text:
        return True
    if not isinstance(value, float):
        return False
    try:
        return pack("<d", float(text)) == pack("<d", value)
    except ValueError:
        return False


def _real(value: float) -> str:
    """As ECMAScript does: whole numbers without a fraction, exponents without a leading zero."""
    if not math.isfinite(value):
        return json.dumps(value)
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value)) if value or math.copysign(1, value) > 0 else "-0"
    mantissa, mark, exponent = repr(value).partition("e")
    if not mark:
        return mantissa
    sign, digits = exponent[0], exponent[1:].lstrip("0")
    return f"{mantissa.removesuffix('.0')}e{sign}{digits}"


def _plain(value: AnyValue) -> object:
    """Bytes inside lists and maps as base64, as JSON has no bytes."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
