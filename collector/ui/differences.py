"""What changed in a value: word by word in a text, whole in everything else."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from collector.ui.formats import value as written

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_WORDS = 3_000
"""Of both texts together: finding what they have in common takes time that grows with the square."""

_CONTEXT_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: ``kept``, ``added``, ``removed``, or ``skipped``, which stands for what did not change."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One value of two releases.

    Attributes:
        before: In words; None where it was not there. As for the next.
        after: See there.
        pieces: Both texts in one; nothing for what is no text, too long, or has no word in common.
        short: The same with long stretches that did not change left out.
    """

    key: str
    before: str | None
    after: str | None
    pieces: tuple[Piece, ...] = ()
    short: tuple[Piece, ...] = ()

    @property
    def cut(self) -> bool:
        """Whether `short` leaves something out."""
        return any(piece.kind == "skipped" for piece in self.short)


def difference(key: str, before: object, after: object) -> Difference:
    """What happened to one value."""
    old, new = (None if one is None else written(one) for one in (before, after))
    if not (isinstance(before, str) and isinstance(after, str)):
        return Difference(key, old, new)
    words = _WORD.findall(before), _WORD.findall(after)
    if sum(map(len, words)) > _MOST_WORDS:
        words = before.splitlines(keepends=True), after.splitlines(keepends=True)
        if sum(map(len, words)) > _MOST_WORDS:
            return Difference(key, old, new)
    pieces = tuple(_pieces(*words))
    if all(piece.kind != "kept" for piece in pieces):
        return Difference(key, old, new)
    return Difference(key, old, new, pieces, tuple(_shortened(pieces)))


def _pieces(old: Sequence[str], new: Sequence[str]) -> list[Piece]:
    pieces: list[Piece] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("kept", "".join(old[a:b])))
            continue
        pieces += [
            Piece(kind, text) for kind, text in (("removed", "".join(old[a:b])), ("added", "".join(new[c:d]))) if text
        ]
    return pieces


def _shortened(pieces: Sequence[Piece]) -> list[Piece]:
    short: list[Piece] = []
    for number, piece in enumerate(pieces):
        text = piece.text
        if piece.kind != "kept" or len(text) <= 2 * _CONTEXT_CHARACTERS:
            short.append(piece)
            continue
        if number:
            short.append(Piece("kept", text[:_CONTEXT_CHARACTERS]))
        short.append(Piece("skipped", "…"))
        if number < len(pieces) - 1:
            short.append(Piece("kept", text[-_CONTEXT_CHARACTERS:]))
    return short
