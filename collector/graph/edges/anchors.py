"""Which of many texts stand inside a longer one: a piece of each tells where it is worth looking.

Records may stand there in their own way, too: all values near each other, in any order and layout.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress, islice
from typing import Final, TypeAlias

from collector.core.span import AnyValue
from collector.graph.reading.values import decoded
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


MIN_VALUES: Final = 2
"""Of a record, each of `MIN_VALUE` characters or more; fewer happen to stand together by chance."""

MIN_VALUE: Final = 3
MIN_LETTERS: Final = 8
"""Characters of all values of a record together."""

ROOM: Final = 8
"""Words that may stand between two values of a record."""

SHARED_RECORDS: Final = 32
"""Of more records with the same rarest word only the latest that many are looked for."""

LONG_NUMBER: Final = 100

MAX_WORDS: Final = 4_000
"""Of a text. What lies beyond is not compared."""


class Scattered:
    """Records, each known by its rarest word.

    Args:
        records: As `collector.graph.texts.record` writes them, in order; other texts are passed over.
    """

    def __init__(self, records: Iterable[str]) -> None:
        self._values = {text: values for text in records if (values := _values(text))}
        counts = Counter(word for values in self._values.values() for word in {*" ".join(values).split()})
        self._by_word: dict[str, list[str]] = {}
        for text, values in self._values.items():
            rarest = min(" ".join(values).split(), key=lambda word: (counts[word], -len(word), word))
            self._by_word.setdefault(rarest, []).append(text)

    def __bool__(self) -> bool:
        return bool(self._values)

    def among(self, text: str) -> Iterator[str]:
        """The records all of whose values stand in the text, each at most `ROOM` words from the next one."""
        spoken = words(text)[:MAX_WORDS]
        places: dict[str, list[int]] = {}
        for at, word in enumerate(spoken):
            if word in self._by_word:
                places.setdefault(word, []).append(at)
        for word in sorted(places):
            for record in self._by_word[word][-SHARED_RECORDS:]:
                values = self._values[record]
                reach = ROOM * len(values) + sum(value.count(" ") + 1 for value in values)
                around = (f" {' '.join(spoken[max(0, at - reach) : at + reach])} " for at in places[word])
                if any(all(f" {value} " in one for value in values) for one in around):
                    yield record


def _values(text: str) -> Sequence[str]:
    """The words of a flat record's values; empty where they are too few, too short or not flat."""
    record = decoded(text)
    if not isinstance(record, Mapping) or any(isinstance(value, Mapping | list) for value in record.values()):
        return ()
    shown = {one for value in record.values() if len(one := " ".join(words(_shown(value)))) >= MIN_VALUE}
    return sorted(shown) if len(shown) >= MIN_VALUES and sum(map(len, shown)) >= MIN_LETTERS else ()


def _shown(value: AnyValue) -> str:
    """A value as texts show it. Of a long number the whole part: the digits after it vary."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if abs(value) >= LONG_NUMBER else f"{value:g}"
    return str(value)
