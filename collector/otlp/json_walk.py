"""JSON read a value at a time: what is too large, or damaged in one place, is not read as a whole."""

import json
import re
from collections.abc import Iterator

from collector.core.errors import InvalidRequest

_BLANK = re.compile(r"[ \t\n\r]*+")
_MARK = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)
"""A text, in which brackets mean nothing, or a bracket."""


class Unreadable(Exception):
    """A value is JSON, but none that can be held: nested too deeply, or a number of too many digits."""


class JsonWalk:
    """Stands somewhere in a JSON text and goes forward. Every fault of the text itself is `InvalidRequest`.

    Args:
        data: UTF-8, or UTF-16 or 32 as the standard once allowed; bytes that are none become U+FFFD.
    """

    def __init__(self, data: bytes) -> None:
        self._text = data.decode(json.detect_encoding(data), "replace").removeprefix("\ufeff")
        self._at = 0
        # strict=False: a tab in a text is no reason to lose it.
        self._read = json.JSONDecoder(strict=False).raw_decode
        self._skip_blanks()

    def peek(self) -> str:
        """The character that is next; empty at the end."""
        return self._text[self._at : self._at + 1]

    def members(self) -> Iterator[str]:
        """The keys of the object that is next. Behind each the caller takes the value, in one way or another."""
        for _ in self._listed("{", "}"):
            if self.peek() != '"':
                raise self._fault("a key")
            key = self.value()
            self._take(":")
            yield str(key)

    def elements(self) -> Iterator[None]:
        """Stands before each element of the list that is next; the caller takes it."""
        yield from self._listed("[", "]")

    def value(self) -> object:
        """The value that is next, whole.

        Raises:
            Unreadable: it cannot be held; what follows it is next.
        """
        begin = self._at
        try:
            found, self._at = self._read(self._text, begin)
        except json.JSONDecodeError as error:
            raise InvalidRequest(f"no JSON: {error}") from None
        except (RecursionError, ValueError) as error:
            self._skip_value()
            raise Unreadable(f"a value at character {begin}: {error}") from None
        self._skip_blanks()
        return found

    def skip(self) -> None:
        """Passes over the value that is next, whatever it is."""
        try:
            self.value()
        except Unreadable:
            return

    def end(self) -> None:
        """Nothing follows."""
        if self._at < len(self._text):
            raise self._fault("the end")

    def _listed(self, opening: str, closing: str) -> Iterator[None]:
        self._take(opening)
        if self.peek() != closing:
            yield
            while self.peek() != closing:
                self._take(",")
                yield
        self._take(closing)

    def _take(self, character: str) -> None:
        if self.peek() != character:
            raise self._fault(repr(character))
        self._at += 1
        self._skip_blanks()

    def _skip_blanks(self) -> None:
        found = _BLANK.match(self._text, self._at)
        assert found is not None
        self._at = found.end()

    def _skip_value(self) -> None:
        """Over a list or an object of any depth, or a number."""
        depth = 0
        if self.peek() not in ("{", "["):
            while self.peek() not in ("", ",", "}", "]"):
                self._at += 1
            return
        for mark in _MARK.finditer(self._text, self._at):
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(mark[0], 0)
            if not depth:
                self._at = mark.end()
                self._skip_blanks()
                return
        raise InvalidRequest("no JSON: a list or an object does not end")

    def _fault(self, expected: str) -> InvalidRequest:
        found = self._text[self._at : self._at + 20]
        return InvalidRequest(f"no JSON: expected {expected} at character {self._at}, found {found!r}")
