"""Values as JSON text under a limit, whatever they are. Nothing here raises."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Final, TypeVar

_Item = TypeVar("_Item")

MAX_CHARS: Final = 16_384
"""Of the texts in one input or output on a span; its JSON has at most twice as many."""

_MAX_DEPTH = 8
_MAX_ITEMS = 256


def capture(value: object) -> tuple[str, bool]:
    """JSON text of the value, and whether something of it was cut.

    Objects that JSON does not know become their fields (dataclasses) or their `repr`. A text that is cut is still
    valid JSON.
    """
    cutting = _Cutting()
    try:
        text = json.dumps(cutting.plain(value, 0), ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        cutting.cut = True
        text = json.dumps(_safe_repr(value)[:MAX_CHARS])
    if len(text) > 2 * MAX_CHARS:
        cutting.cut = True
        text = json.dumps(text[: MAX_CHARS // 2], ensure_ascii=False)
    return text, cutting.cut


class _Cutting:
    """One walk over a value; `cut` tells whether all of it was taken."""

    def __init__(self) -> None:
        self.cut = False
        self._left = MAX_CHARS

    def plain(self, value: object, depth: int) -> object:
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, str):
            return self._text(value)
        if depth >= _MAX_DEPTH or self._left <= 0:
            self.cut = True
            return "…"
        return self._container(value, depth + 1)

    def _container(self, value: object, depth: int) -> object:
        if isinstance(value, Mapping):
            return {str(key): self.plain(item, depth) for key, item in self._first(list(value.items()))}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.plain(item, depth) for item in self._first(list(value))]
        if is_dataclass(value) and not isinstance(value, type):
            return {field.name: self.plain(getattr(value, field.name, None), depth) for field in fields(value)}
        return self._text(_safe_repr(value))

    def _text(self, text: str) -> str:
        if len(text) > max(self._left, 0):
            self.cut = True
            text = text[: max(self._left, 0)]
        self._left -= len(text)
        return text

    def _first(self, items: list[_Item]) -> list[_Item]:
        if len(items) > _MAX_ITEMS:
            self.cut = True
        return items[:_MAX_ITEMS]


def _safe_repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - somebody else's __repr__
        return f"<{type(value).__name__}>"
