"""Which of many texts stand inside a longer one: a piece of each tells where it is worth looking."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress, islice
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

PIECES: Final = (64, 16)
"""Characters that a piece between two marks has on average, about: of long texts, and of those that have none."""

MIN_PIECE: Final = 8
"""Characters. Shorter pieces stand everywhere."""

SAMPLE: Final = 256
"""Texts of which `SAMPLED` letters are counted, to choose a mark."""

SAMPLED: Final = 64

Row: TypeAlias = tuple[str, ...]


class Anchors:
    """Texts, each by a piece near its beginning that few others have.

    Texts are cut at one letter, the mark. What stands between two marks of a text stands between two marks of every
    text around it, so that to look for all texts in one takes one cut and as many lookups as it has marks, however many
    texts there are. A rare letter is best; what it does not cut is cut at a more frequent one. Texts that have no such
    piece, short ones, are known by a row of words: the one that begins with the rarest word.

    Args:
        texts: In order; the later ones count more, see `SHARED`.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        left: Sequence[str] = [*dict.fromkeys(texts)]
        self._cuts: list[tuple[str, Mapping[str, Sequence[str]]]] = []
        for length in PIECES:
            if len(left) > FEW:
                mark, by_piece = _mark(left, length), dict[str, list[str]]()
                left = _cut(left, mark, by_piece)
                self._cuts.append((mark, by_piece))
        self._few = left if len(left) <= FEW else ()
        self._rows = _Rows(left if len(left) > FEW else ())

    def among(self, text: str) -> Iterator[str]:
        """The texts that may stand in this one, the long ones first, by where their anchors stand in it."""
        for mark, by_piece in self._cuts:
            for piece in dict.fromkeys(filter(by_piece.__contains__, text.split(mark))) if by_piece else ():
                yield from by_piece[piece][-SHARED:]
        yield from (one for one in self._few if one in text)
        if self._rows:
            yield from self._rows.among(text)


def _mark(texts: Sequence[str], length: int) -> str:
    """The letter that comes about once in so many; any will do, even one that does not come."""
    sampled = islice(texts, 0, None, len(texts) // SAMPLE + 1)
    counts = Counter("".join(text[:SAMPLED] for text in sampled))
    wanted = sum(counts.values()) / length
    return min(counts, key=lambda letter: (abs(counts[letter] - wanted), letter), default=" ")


def _cut(texts: Sequence[str], mark: str, by_piece: dict[str, list[str]]) -> Sequence[str]:
    """Puts texts under their rarest pieces; returns those that have none.

    What may go on in the text around it, the first piece and the last one, is none.
    """
    pieces = {
        text: [piece for piece in text[:HEAD_LETTERS].split(mark)[1:-1] if len(piece) >= MIN_PIECE] for text in texts
    }
    counts = Counter(piece for found in pieces.values() for piece in found)
    for text, found in pieces.items():
        if found:
            by_piece.setdefault(min(found, key=lambda piece: (counts[piece], -len(piece))), []).append(text)
    return [text for text, found in pieces.items() if not found]


class _Rows:
    """Texts by a row of words."""

    def __init__(self, texts: Iterable[str]) -> None:
        heads = {text: _head(text) for text in texts}
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

    def __bool__(self) -> bool:
        return bool(self._texts)

    def among(self, text: str) -> Iterator[str]:
        """Takes as many lookups as the text has words; only rows that begin with an anchor's word are put together."""
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
