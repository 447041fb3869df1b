"""Values that were written out once already, as references: «name», «name[0]», «name.content»."""

import json
from collections.abc import Mapping, Sequence

from collector.core.span import AnyValue
from collector.optimizer.instance.quoting import quoted, shortened

_WHOLE, _PART = 16, 24
"""Characters from which on a whole value, and a part of one, is worth a reference."""

_DEPTH = 4
_MOST_SEARCHED = 200
"""Texts that are looked for inside of others: the longest ones."""

_OPEN, _CLOSE = "«", "»"


class References:
    """Writes values, each once. Nothing is lost: a reference names a whole value, or an element of one."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._texts: dict[str, str] = {}

    def written(self, name: str, value: AnyValue, width: int) -> str:
        """A value on one line, about `width` characters of it, with references to what was written before.

        Args:
            name: What later values call it.
            value: As it was recorded.
            width: Of each text in it, and of the whole.
        """
        text = shortened(self._rendered(value, width, 0), 2 * width)
        self.remember(name, value)
        return text

    def name_of(self, value: AnyValue) -> str:
        """What a value is called that was written already; empty if it was not."""
        return self._names.get(quoted(value, 10**9), "")

    def _rendered(self, value: AnyValue, width: int, depth: int) -> str:
        whole = quoted(value, 10**9)
        if known := self._names.get(whole):
            return f"{_OPEN}{known}{_CLOSE}"
        if isinstance(value, str):
            return self._text(value, width)
        if depth < _DEPTH and isinstance(value, Mapping):
            inside = [f"{quoted(key, width)}: {self._rendered(one, width, depth + 1)}" for key, one in value.items()]
            return f"{{{', '.join(inside)}}}"
        if depth < _DEPTH and isinstance(value, Sequence) and not isinstance(value, bytes):
            return f"[{', '.join(self._rendered(one, width, depth + 1) for one in value)}]"
        return shortened(whole, width)

    def _text(self, value: str, width: int) -> str:
        """With references in place of texts that stand in it."""
        pieces: list[str | tuple[str]] = [value.replace(_OPEN, "\u2039").replace(_CLOSE, "\u203a")]
        for known in sorted(self._texts, key=len, reverse=True)[:_MOST_SEARCHED]:
            if len(known) <= len(value):
                pieces = [part for piece in pieces for part in self._replaced(piece, known)]
        # What was recorded is quoted piece by piece, so that no reference can be forged by it or be cut.
        each = max(width // max(sum(isinstance(piece, str) for piece in pieces), 1), 40)
        written = [
            quoted(piece, each)[1:-1] if isinstance(piece, str) else f"{_OPEN}{piece[0]}{_CLOSE}" for piece in pieces
        ]
        return f'"{"".join(written)}"'

    def _replaced(self, piece: str | tuple[str], known: str) -> list[str | tuple[str]]:
        if not isinstance(piece, str) or known not in piece:
            return [piece]
        found: list[str | tuple[str]] = []
        for number, part in enumerate(piece.split(known)):
            found += [(self._texts[known],)] if number else []
            found += [part] if part else []
        return found

    def remember(self, name: str, value: AnyValue, depth: int = 0) -> None:
        """Takes a value as written out elsewhere. `depth`: in how many others it stands."""
        least = _PART if depth else _WHOLE
        if isinstance(value, str):
            if len(value) >= least:
                self._texts.setdefault(value, name)
                self._names.setdefault(quoted(value, 10**9), name)
            return
        if value is None or isinstance(value, bool | int | float | bytes):
            return
        whole = quoted(value, 10**9)
        if len(whole) < least:
            return
        self._names.setdefault(whole, name)
        if depth >= _DEPTH:
            return
        if isinstance(value, Mapping):
            for key, one in value.items():
                self.remember(f"{name}.{json.dumps(key)[1:-1]}", one, depth + 1)
        else:
            for number, one in enumerate(value):
                self.remember(f"{name}[{number}]", one, depth + 1)
