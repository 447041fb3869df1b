"""Texts with gaps: literal pieces that must follow each other, with anything between two of them."""

from collections.abc import Sequence


def fits(pieces: Sequence[str], text: str) -> bool:
    """Whether the whole text is the pieces in their order, with any characters, or none, between two of them.

    As the regular expression of the escaped pieces joined by ``.*``, in time linear in the text: the earliest place of
    a piece is as good as any later one, and an engine that goes back would try them all.

    Args:
        pieces: At least one; a single one must be the text.
        text: From anybody.
    """
    first, *between = pieces
    if not between:
        return text == first
    last = between.pop()
    end = len(text) - len(last)
    if end < len(first) or not text.startswith(first) or not text.endswith(last):
        return False
    at = len(first)
    for piece in between:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
