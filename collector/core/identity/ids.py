"""Ids of traces and spans as people and programs write them (W3C Trace Context, B3, Tempo, Jaeger).

One rule for every door: blanks around an id are taken off, upper case is lower case, and an id that is short is filled
up with zeros on the left. B3 has trace ids of 16 digits, and viewers leave out leading zeros.
"""

from typing import Final

from collector.core.errors import InvalidRequest

_TRACE_DIGITS: Final = 32
_SPAN_DIGITS: Final = 16
_DIGITS: Final = frozenset("0123456789abcdef")
_MAX_SHOWN: Final = 80


def trace_id_of(text: str, where: str = "trace id") -> str:
    """32 hex digits in lower case.

    Args:
        text: 1 to 32 hex digits.
        where: What the id is called where it was found, for the error.

    Raises:
        InvalidRequest: it is none, or all zero; says what was found and what is allowed.
    """
    return _filled_up(text, _TRACE_DIGITS, where)


def span_id_of(text: str, where: str = "span id") -> str:
    """16 hex digits in lower case, of 1 to 16; otherwise as `trace_id_of`."""
    return _filled_up(text, _SPAN_DIGITS, where)


def _filled_up(text: str, digits: int, where: str) -> str:
    found = text.strip().lower()
    if not found.strip("0") or len(found) > digits or not _DIGITS.issuperset(found):
        shown = text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"
        raise InvalidRequest(f"{where}: found {shown!r}, allowed are 1 to {digits} hex digits, not all zero")
    return found.rjust(digits, "0")
