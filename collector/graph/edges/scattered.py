"""Records that a text shows in its own way: their values are all there, near each other, in any order and layout."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from collector.core.span import AnyValue
from collector.graph.reading.values import decoded
from collector.graph.texts import words

MIN_VALUES: Final = 2
"""Of a record, each of `MIN_VALUE` characters or more; fewer happen to stand together by chance."""

MIN_VALUE: Final = 3
MIN_LETTERS: Final = 8
"""Characters of all values of a record together."""

ROOM: Final = 8
"""Words that may stand between two values of a record."""

SHARED: Final = 32
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
            for record in self._by_word[word][-SHARED:]:
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
