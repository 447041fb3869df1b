"""Which of many texts stand inside a longer one: a few words in a row tell where it is worth looking."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Final, TypeAlias

from collector.graph.content.texts import words

ROW: Final = 4
"""Words. With fewer, texts of a small vocabulary have too many anchors in common."""

HEAD_WORDS: Final = 24
"""An anchor begins at one of that many first words of a text."""

HEAD_LETTERS: Final = 10 * (HEAD_WORDS + ROW)
"""Characters, enough for so many words."""

FEW: Final = 8
"""So few texts are looked for themselves."""

SHARED: Final = 64
"""Of more texts with the same anchor only the latest that many are named."""

Row: TypeAlias = tuple[str, ...]


class Anchors:
    """Texts, each by a row of words near its beginning: the one that begins with the rarest word.

    A text stands in another one only if its row does. To look for all texts in one of w words takes w lookups,
    however many texts there are, and only rows that begin with some text's rarest word are put together at all.

    Args:
        texts: In order; the later ones count more, see `SHARED`.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        heads = {text: _head(text) for text in texts}
        self._few = tuple(heads) if len(heads) <= FEW else ()
        rarity = _rarity(heads.values())
        self._texts: dict[Row, list[str]] = {}
        self._rows: dict[str, dict[str, list[Row]]] = {}
        for text, head in heads.items():
            row = _row(head, rarity)
            if row and row not in self._texts:
                self._rows.setdefault(row[0], {}).setdefault(row[1] if len(row) > 1 else "", []).append(row)
            if row:
                self._texts.setdefault(row, []).append(text)

    def among(self, text: str) -> Iterator[str]:
        """The texts that may stand in this one, by where their rows stand in it."""
        if self._few:
            yield from (one for one in self._few if one in text)
            return
        rows = self._rows
        spoken = words(text)
        seen: set[Row] = set()
        following = [*spoken[1:], ""]
        for at in compress(range(len(spoken)), map(rows.__contains__, spoken)):
            seconds = rows[spoken[at]]
            for second in (following[at], "") if "" in seconds else (following[at],):
                for row in seconds.get(second, ()):
                    if row not in seen and tuple(spoken[at : at + len(row)]) == row:
                        seen.add(row)
                        yield from self._texts[row][-SHARED:]


def _head(text: str) -> list[str]:
    """The first words, without those that may go on in the text around it: its first and its last one."""
    head = words(text[:HEAD_LETTERS])[: HEAD_WORDS + ROW]
    return head[1:-1] if len(head) > 2 else head


def _rarity(heads: Iterable[Sequence[str]]) -> Mapping[str, int]:
    """The words' places from the rarest on; longer ones come before, so that rows begin with few different words."""
    counts = Counter(word for head in heads for word in set(head))
    order = sorted(counts, key=lambda word: (counts[word] - min(len(word), 12) / 16, word))
    return {word: place for place, word in enumerate(order)}


def _row(head: Sequence[str], rarity: Mapping[str, int]) -> Row:
    begins = head[: max(1, len(head) - ROW + 1)]
    at = begins.index(min(begins, key=rarity.__getitem__)) if begins else 0
    return tuple(head[at : at + ROW])
