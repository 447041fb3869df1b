"""Records that a text shows in its own way: their values are all there, near each other, in any order and layout."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from collector.core.span import AnyValue
from collector.graph.reading.values import decoded
from collector.graph.texts import words

MIN_VALUES: Final = 2
"""Of a record, each of `MIN_VALUE` characters or more; fewer happen to stand together by chance."""

MIN_VALUE: Final = 3
MIN_LETTERS: Final = 12
"""Characters of all values of a record together."""

ROOM: Final = 8
"""Words that may stand between two values of a record."""

SHARED: Final = 32
"""Of more records with the same rarest word only the latest that many are looked for."""

LONG_NUMBER: Final = 100

MAX_WORDS: Final = 4_000
"""Of a text. What lies beyond is not compared."""

Rows: TypeAlias = Sequence[tuple[str, ...]]
"""The words of each value."""


class Scattered:
    """Records, each known by its rarest word.

    Args:
        records: As `collector.graph.texts.record` writes them, in order; other texts are passed over.
    """

    def __init__(self, records: Iterable[str]) -> None:
        values = {text: rows for text in records if (rows := _values(text))}
        counts = Counter(word for rows in values.values() for word in {word for row in rows for word in row})
        self._values: dict[str, Rows] = values
        self._by_word: dict[str, list[str]] = {}
        for text, rows in values.items():
            rarest = min({word for row in rows for word in row}, key=lambda word: (counts[word], -len(word), word))
            self._by_word.setdefault(rarest, []).append(text)

    def __bool__(self) -> bool:
        return bool(self._values)

    def among(self, text: str) -> Iterator[str]:
        """The records all of whose values stand in the text, each at most `ROOM` words from the next one."""
        spoken = words(text)[:MAX_WORDS]
        there = self._by_word.keys() & set(spoken)
        if not there:
            return
        places: dict[str, list[int]] = {}
        for at, word in enumerate(spoken):
            places.setdefault(word, []).append(at)
        for word in sorted(there):
            for record in self._by_word[word][-SHARED:]:
                if any(_near(self._values[record], spoken, places, at) for at in places[word]):
                    yield record


def _near(values: Rows, spoken: Sequence[str], places: Mapping[str, Sequence[int]], at: int) -> bool:
    """Whether every value stands in a row of words around a place."""
    reach = (ROOM + 2) * len(values)
    for row in values:
        starts = places.get(row[0], ())
        first = bisect_left(starts, at - reach)
        if not any(tuple(spoken[start : start + len(row)]) == row for start in starts[first:] if start <= at + reach):
            return False
    return True


def _values(text: str) -> Rows:
    """The words of a flat record's values; empty where they are too few, too short or not flat."""
    record = decoded(text)
    if not isinstance(record, Mapping):
        return ()
    rows: list[tuple[str, ...]] = []
    letters = 0
    for value in record.values():
        shown = _shown(value)
        if shown is None:
            return ()
        row = tuple(words(shown))
        if row and len(shown) >= MIN_VALUE:
            rows.append(row)
            letters += len(shown)
    distinct = [*dict.fromkeys(rows)]
    return distinct if len(distinct) >= MIN_VALUES and letters >= MIN_LETTERS else ()


def _shown(value: AnyValue) -> str | None:
    """A value as texts show it; None if it is no value. Of a long number the whole part: the digits after it vary."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if abs(value) >= LONG_NUMBER else f"{value:g}"
    return str(value) if isinstance(value, str | int) else None
