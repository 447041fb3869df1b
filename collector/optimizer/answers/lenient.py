"""Objects in a model's text: JSON, and what models write in place of it where only one reading is possible.

Read are also: raw line breaks in strings, single, typographic and triple quotes, keys without quotes, trailing commas,
comments, Python's constants, and an object whose closing braces are missing at the very end. Nothing is guessed inside
a value: a string that is not closed, or a number at the end that might go on, is no value.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_DEPTH = 48
_ATTEMPTS = 1_000
_WORK = 2_000_000
"""Characters that may be looked at in vain, all attempts together: a hostile text costs no more than a second."""

_CLOSED_BY = {'"': '"', "'": "'", "`": "`", "“": "”", "”": "”", "„": "“”", "‘": "’", "’": "’", "«": "»"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
_CODED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8}))")
_LOW = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_CONSTANTS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_NOT_FINITE = {"NaN": "nan", "nan": "nan", "Infinity": "inf", "inf": "inf", "-Infinity": "-inf", "-inf": "-inf"}
_NUMBER = re.compile(r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WORD = re.compile(r"-?[A-Za-z]+")
_BARE_KEY = re.compile(r"[^\s:,{}\[\]\"'“”„`]+(?=\s*:)")
_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/|#[^\n]*)+", re.DOTALL)
_FENCE = "```"
_STRICT = json.JSONDecoder(strict=False)
_LONGEST_NUMBER = 400


class Found(NamedTuple):
    """An object or a list in a text.

    Attributes:
        value: A dictionary or a list.
        start: Where it begins.
        end: Behind its last character.
        whole: It was closed; False where its closing braces were missing at the end of the text.
    """

    value: Any
    start: int
    end: int
    whole: bool


class Tangled(ValueError):
    """The text holds too many beginnings of objects that are none."""


class _Unread(ValueError):
    """No value begins here; `at` is how far it was looked at."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def objects(text: str) -> Iterator[Found]:
    """Every object and list that stands by itself, in order; what is inside another one is not said again.

    Raises:
        Tangled: there are too many attempts.
    """
    attempts = work = at = 0
    while (start := _opening(text, at)) >= 0:
        attempts += 1
        if attempts > _ATTEMPTS or work > _WORK:
            raise Tangled
        try:
            found = _strict(text, start) or _Reader(text, start).read()
        except _Unread as unread:
            work += unread.at - start
            at = start + 1
        else:
            at = found.end
            yield found


def value_in(line: str) -> Any:
    """The one value that the line is.

    Raises:
        ValueError: it is something else.
    """
    reader = _Reader(line.strip() + "\n", 0)
    value = reader.value(0)
    if reader.skipped() < len(reader.text):
        raise _Unread(reader.at)
    return value


def _opening(text: str, at: int) -> int:
    places = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
    return min(places, default=-1)


def _strict(text: str, start: int) -> Found | None:
    try:
        value, end = _STRICT.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return Found(value, start, end, whole=True)


class _Reader:
    """Reads one value from a place on; every character once."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.at = start
        self._start = start
        self._whole = True

    def read(self) -> Found:
        value = self.value(0)
        return Found(value, self._start, self.at, self._whole)

    def value(self, depth: int) -> Any:
        if depth > _DEPTH:
            raise _Unread(self.at)
        char = self.text[self.skipped() : self.at + 1]
        if char == "{":
            return self._object(depth)
        if char and char in "[(":
            return self._list("]" if char == "[" else ")", depth)
        if char and char in _CLOSED_BY:
            return self._string()
        return self._scalar()

    def skipped(self) -> int:
        """Where the next character stands that says something."""
        blank = _BLANK.match(self.text, self.at)
        if blank:
            self.at = blank.end()
        return self.at

    def _object(self, depth: int) -> dict[str, Any]:
        self.at += 1
        read: dict[str, Any] = {}
        while not self._closed("}"):
            key = self._key()
            self._take(":")
            read[key] = self.value(depth + 1)
            self._separated("}")
        return read

    def _list(self, closing: str, depth: int) -> list[Any]:
        self.at += 1
        read: list[Any] = []
        while not self._closed(closing):
            read.append(self.value(depth + 1))
            self._separated(closing)
        return read

    def _closed(self, closing: str) -> bool:
        """At the end of the text a missing brace is taken as there."""
        place = self.skipped()
        if place >= len(self.text) or self.text.startswith(_FENCE, place):
            self._whole = False
            return True
        if self.text[place] != closing:
            return False
        self.at += 1
        return True

    def _separated(self, closing: str) -> None:
        place = self.skipped()
        if self.text.startswith(",", place):
            self.at += 1
        elif place < len(self.text) and self.text[place] != closing and not self.text.startswith(_FENCE, place):
            raise _Unread(place)

    def _take(self, char: str) -> None:
        if not self.text.startswith(char, self.skipped()):
            raise _Unread(self.at)
        self.at += len(char)

    def _key(self) -> str:
        if self.text[self.skipped() : self.at + 1] in _CLOSED_BY:
            return self._string()
        bare = _BARE_KEY.match(self.text, self.at)
        if bare is None:
            raise _Unread(self.at)
        self.at = bare.end()
        return bare.group()

    def _string(self) -> str:
        quote = self.text[self.at]
        if quote in "\"'" and self.text.startswith(quote * 3, self.at):
            return self._triple(quote * 3)
        closed_by, place = _CLOSED_BY[quote], self.at + 1
        pieces: list[str] = []
        while place < len(self.text):
            char = self.text[place]
            if char in closed_by:
                self.at = place + 1
                return "".join(pieces)
            if char == "\\":
                char, place = self._escaped(place)
            else:
                place += 1
            pieces.append(char)
        raise _Unread(len(self.text))

    def _triple(self, quotes: str) -> str:
        end = self.text.find(quotes, self.at + 3)
        if end < 0:
            raise _Unread(len(self.text))
        inside, self.at = self.text[self.at + 3 : end], end + 3
        return inside

    def _escaped(self, place: int) -> tuple[str, int]:
        """The character that an escape stands for, and where the text goes on."""
        if coded := _CODED.match(self.text, place):
            code, after = int(coded.group(1) or coded.group(2) or coded.group(3), 16), coded.end()
            low = _LOW.match(self.text, after)
            if 0xD800 <= code < 0xDC00 and low:
                return chr(0x10000 + ((code - 0xD800) << 10) + int(low.group(1), 16) - 0xDC00), low.end()
            return chr(min(code, 0x10FFFF)), after
        char = self.text[place + 1 : place + 2]
        if char in _ESCAPES:
            return _ESCAPES[char], place + 2
        return (char, place + 2) if char in "\"'\\/`" else ("\\" + char, place + 2)

    def _scalar(self) -> Any:
        word = _WORD.match(self.text, self.at)
        if word and word.group() in _CONSTANTS.keys() | _NOT_FINITE.keys() and word.end() < len(self.text):
            self.at = word.end()
            said = word.group()
            return _CONSTANTS[said] if said in _CONSTANTS else float(_NOT_FINITE[said])
        number = _NUMBER.match(self.text, self.at)
        if number is None or number.end() >= len(self.text):
            raise _Unread(self.at)
        after = self.text[number.end()]
        if not (after.isspace() or after in ",}])#/`"):
            raise _Unread(number.end())
        self.at = number.end()
        said = number.group().replace("_", "")
        if len(said) > _LONGEST_NUMBER:
            return float("inf")
        return int(said) if re.fullmatch(r"[+-]?\d+", said) else float(said)
