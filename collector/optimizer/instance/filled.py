"""Texts that are a variable with its fields filled in: told by the variable's name and what the fields got."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FIELD = re.compile(r"\{\{\s*[\w.]+\s*\}\}|\{[\w.]+\}")
_MOST_FIELDS = 20
_LEAST = 40
"""Characters beside the fields from which on a reference is worth it."""


@dataclass(frozen=True, slots=True)
class Filling:
    """A text with fields.

    Attributes:
        name: Of the variable.
        pieces: What stands around the fields, in order; only the first and the last may be empty.
    """

    name: str
    pieces: tuple[str, ...]

    def values_in(self, text: str) -> Sequence[str]:
        """What the fields got, in order; () where the text is not this one filled. Linear in the text."""
        first, *between, last = self.pieces
        if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
            return ()
        at, end = len(first), len(text) - len(last)
        values = []
        for piece in between:
            found = text.find(piece, at, end)
            if found < 0:
                return ()
            values.append(text[at:found])
            at = found + len(piece)
        return [*values, text[at:end]]


def filling_of(name: str, text: str) -> Filling | None:
    """A variable's text as one to be filled; None where it has no fields, or little beside them."""
    pieces = _FIELD.split(text)
    if not 2 <= len(pieces) <= _MOST_FIELDS + 1 or not all(pieces[1:-1]) or sum(map(len, pieces)) < _LEAST:
        return None
    single = any(not field.startswith("{{") for field in _FIELD.findall(text))
    return Filling(name, tuple(piece.replace("{{", "{").replace("}}", "}") if single else piece for piece in pieces))
