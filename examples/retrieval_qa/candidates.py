"""Where in a sentence an answer of each kind can stand: small grammars over words, one for each kind."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .words import STOP_WORDS, word_set

_NUMBERS = word_set(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen twenty "
    "thirty forty fifty sixty hundred dozen half once twice every"
)
_CALENDAR = word_set(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays morning afternoon "
    "evening evenings noon sunset month fifteenth"
)
_IN_TIMES = word_set("the of in and each past before after between until at from first second last ninth")
_BEFORE_CLOCK_TIMES = word_set("at past before after until from for")
_NOT_FIRST = word_set("of in and each past until at from")
_BEFORE_PLACES = word_set("in at on to behind beside before below above near")
_ARTICLES = word_set("the a an")
_LONGEST_UNIT = 2
_LONGEST_PLACE = 4
_YEAR = re.compile(r"1\d\d\d|20\d\d")


@dataclass(frozen=True, slots=True)
class Span:
    """Words of a sentence, from `start` up to before `end`."""

    start: int
    end: int


def numbers(words: list[str]) -> Iterator[Span]:
    """A number with the one or two words that it counts."""
    for start, word in enumerate(words):
        if not _is_number(word) or (start and words[start - 1].lower() == "every"):
            continue
        end = start + 1
        while end < len(words) and end - start <= _LONGEST_UNIT and _is_plain(words[end]):
            end += 1
        yield Span(start, end)


def times(words: list[str]) -> Iterator[Span]:
    """Years, days, months and times of day, with the small words between them."""
    for start, end in _runs([_is_time_word(word) for word in words]):
        first, last = start, end
        while first < last and words[first].lower() in _NOT_FIRST:
            first += 1
        while first < last and words[last - 1].lower() in _IN_TIMES:
            last -= 1
        if first < last and _tells_time(words, first, last):
            yield Span(first, last)


def names(words: list[str]) -> Iterator[Span]:
    """Two or more words with a capital letter."""
    for start, end in _runs([word[0].isupper() for word in words]):
        if end - start > 1:
            yield Span(start, end)


def places(words: list[str]) -> Iterator[Span]:
    """What follows a preposition of place, with its article."""
    for before, word in enumerate(words):
        if word.lower() not in _BEFORE_PLACES:
            continue
        start = before + 1
        end = start + 1 if words[start : start + 1] and words[start].lower() in _ARTICLES else start
        while end < len(words) and end - start < _LONGEST_PLACE and _is_content(words[end]):
            end += 1
        if end > start and not _YEAR.fullmatch(words[start]):
            yield Span(start, end)


def phrases(words: list[str]) -> Iterator[Span]:
    """Runs of words that carry meaning, with their article."""
    for start, end in _runs([_is_content(word) for word in words]):
        with_article = start > 0 and words[start - 1].lower() in _ARTICLES
        yield Span(start - 1 if with_article else start, end)


def _runs(flags: list[bool]) -> Iterator[tuple[int, int]]:
    start = None
    for index, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = index
        elif not flag and start is not None:
            yield start, index
            start = None


def _tells_time(words: list[str], first: int, last: int) -> bool:
    said = {word.lower() for word in words[first:last]}
    if said & _CALENDAR or any(_YEAR.fullmatch(word) for word in said):
        return True
    return bool(said & _NUMBERS) and ({words[first - 1].lower() if first else "", *said} & _BEFORE_CLOCK_TIMES) != set()


def _is_number(word: str) -> bool:
    return (word[0].isdigit() and not _YEAR.fullmatch(word)) or word.lower() in _NUMBERS


def _is_time_word(word: str) -> bool:
    lowered = word.lower()
    return lowered in _CALENDAR | _IN_TIMES | _NUMBERS or word[0].isdigit()


def _is_content(word: str) -> bool:
    return word[0].isalnum() and word.lower() not in STOP_WORDS


def _is_plain(word: str) -> bool:
    return _is_content(word) and not _is_number(word)
