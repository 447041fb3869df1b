"""Which of many texts stand inside a longer one: a few words in a row tell where it is worth looking."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Final, TypeAlias

from collector.graph.texts import words

ROW: Final = 4
"""Words. With fewer, texts of a small vocabulary have too many anchors in common."""

HEAD_WORDS: Final = 48
"""An anchor begins at one of that many first words of a text. With more to choose from, fewer words begin anchors."""

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
        self._seconds: dict[str, set[str]] = {}
        for text, head in heads.items():
            if head:
                places = [rarity[word] for word in head[: max(1, len(head) - ROW + 1)]]
                at = places.index(min(places))
                row = tuple(head[at : at + ROW])
                self._texts.setdefault(row, []).append(text)
                self._seconds.setdefault(row[0], set()).add(row[1] if len(row) > 1 else "")

    def among(self, text: str) -> Iterator[str]:
        """The texts that may stand in this one, by where their rows stand in it."""
        if self._few:
            yield from (one for one in self._few if one in text)
            return
        spoken, seconds = [*words(text), ""], self._seconds
        seen: set[Row] = set()
        for at in compress(range(len(spoken)), map(seconds.__contains__, spoken)):
            follow = seconds[spoken[at]]
            if spoken[at + 1] in follow or "" in follow:
                for row in (tuple(spoken[at : at + size]) for size in range(1, ROW + 1)):
                    if row in self._texts and row not in seen:
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
