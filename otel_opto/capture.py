"""Values as JSON text within a budget, whatever they are. Nothing here raises, waits, or runs a value's own code."""

import json
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from json.encoder import encode_basestring as _quoted
from typing import Any, Final, NamedTuple

from otel_opto.process.limits import ROOM
from otel_opto.shape import Form, Shape, Shapes, type_name

_LOG = logging.getLogger("otel_opto")

MAX_CHARS: Final = 16_384
"""Of what is written of one input or output on a span; with its escapes the JSON has at most twice as many."""

MILLISECONDS: Final = 1.0
"""Of processor time that one capture takes at most, where nothing else is configured."""

SHORT_TEXT: Final = 16
"""Characters of a text that says something by itself; shorter ones are the same by accident, or by Python's doing."""

_MAX_DEPTH: Final = 8
_MAX_ITEMS: Final = 256
_LOOK_EVERY: Final = 128
_MAX_PLAIN: Final = 2_048
_MAX_BITS: Final = 8_192
_MAX_SHORT: Final = 10**18
_LEAST_DIGESTED: Final = 32
_LEAST_LETTERS: Final = 8
_SAY_EVERY_SECONDS: Final = 60.0
_CUT: Final = '"…"'
REFUSED: Final = '"<not recorded: the hook failed>"'

Hook = Callable[[str, str], str]
"""Gets the name of an input (``return`` for the output) and its JSON text; gives the text to record."""


class Captured(NamedTuple):
    """A value as text.

    Attributes:
        text: JSON, without half surrogate pairs.
        cut: Whether something is not in it.
        digest: Of the text of a container that is whole and says enough for the container to be recognised by it.
        small: A number or a short text: whole, and of no account for dataflow, because Python shares such values.
    """

    text: str
    cut: bool
    digest: int | None = None
    small: bool = False


class Failures:
    """Counts what went wrong with values of the application, and says it in a debug line a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._clock = clock
        self._said: float | None = None

    def add(self, what: str, error: BaseException) -> None:
        """Counts one. The error itself is somebody else's and is not asked for its text."""
        self.count += 1
        now = self._clock()
        if self._said is None or now - self._said >= _SAY_EVERY_SECONDS:
            self._said = now
            _LOG.debug("%s: %s; %d so far, said once a minute", what, type_name(type(error)), self.count)


def passes(error: BaseException) -> bool:
    """Whether an exception is the interpreter's end or a cancellation, which are never held up."""
    return isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit) or type(error).__name__ in (
        "CancelledError",
        "Cancelled",
    )


class Capture:
    """Writes values.

    Args:
        failures: Gets what could not be written.
        clock: Nanoseconds of processor time of this thread; another thread's turn cuts nothing.
    """

    def __init__(self, failures: Failures, clock: Callable[[], int] = time.thread_time_ns) -> None:
        self.failures = failures
        self.shapes = Shapes()
        self.milliseconds = MILLISECONDS
        self.redact: Hook | None = None
        self.room = ROOM
        """For so many attributes of inputs a span has room."""
        self._clock = clock

    def text(self, name: str, value: Any) -> Captured:
        """The JSON text of a value.

        Built-in containers are written with their content; dataclasses and objects of pydantic, attrs and msgspec
        with the fields that are there and that they show in their `repr`; everything else as what it is, by its type.
        """
        kind = type(value)
        if kind is str and len(value) < SHORT_TEXT and value.isascii() and self.redact is None:
            return Captured(_quoted(value), False, None, True)
        if kind in _NUMBERS and self.redact is None and (text := _encoded(value)):
            return Captured(text, False, None, True)
        text, cut, whole = self._written(value)
        digest = hash(text) if whole and text[0] in "[{" and _says_enough(text) else None
        found = Captured(text, cut, digest)
        return found if self.redact is None else self._redacted(name, found, self.redact)

    def digest(self, value: object) -> int | None:
        """The digest that the value has where it is captured."""
        text, _, whole = self._written(value)
        return hash(text) if whole and _says_enough(text) else None

    def _written(self, value: object) -> tuple[str, bool, bool]:
        """The text, whether it is cut, and whether the value can be recognised by it."""
        text = _plain(value) if type(value) in _BUILT_IN else None
        cut, whole = False, True
        if text is None:
            walk = _Walk(self.shapes, self._clock, self.milliseconds)
            try:
                text = walk.text(value, 0)
            except BaseException as error:
                if passes(error):
                    raise
                self.failures.add(f"a value of type {type_name(type(value))} could not be captured", error)
                text, walk.cut = _quoted(f"<{type_name(type(value))}>"), True
            if walk.failed is not None:
                self.failures.add("a part of a value could not be captured", walk.failed)
            cut, whole = walk.cut, not (walk.cut or walk.vague)
        return (text if text.isascii() else without_halves(text)), cut, whole

    def summary(self, value: object) -> Captured:
        """The type of a value, and its size where it has one."""
        kind = type(value)
        size = self.shapes.of(kind).size
        said = f', "size": {size(value)}' if size is not None else ""
        return Captured(f'{{"type": {_quoted(type_name(kind))}{said}}}', cut=True)

    def _redacted(self, name: str, found: Captured, redact: Hook) -> Captured:
        try:
            text = redact(name, found.text)
            if type(text) is str:
                return found._replace(text=text, cut=found.cut or text != found.text)
            self.failures.add("the redaction hook gave no text", TypeError())
        except BaseException as error:
            if passes(error):
                raise
            self.failures.add("the redaction hook failed", error)
        return found._replace(text=REFUSED, cut=True)


class _Walk:
    """One walk over a value.

    Attributes:
        cut: Whether not all of it was taken.
        vague: Whether something of it is known by its type only.
        failed: The last error of a part of it.
    """

    __slots__ = (
        "_clock",
        "_deadline",
        "_left",
        "_milliseconds",
        "_nodes",
        "_seen",
        "_shapes",
        "cut",
        "failed",
        "vague",
    )

    def __init__(self, shapes: Shapes, clock: Callable[[], int], milliseconds: float) -> None:
        self.cut = False
        self.vague = False
        self.failed: BaseException | None = None
        self._shapes = shapes
        self._clock = clock
        self._milliseconds = milliseconds
        self._deadline = 0
        self._left = MAX_CHARS
        self._nodes = 0
        self._seen: dict[int, tuple[object, str]] = {}

    def text(self, value: Any, depth: int) -> str:
        kind = type(value)
        if kind is str:
            return self._string(value)
        self._nodes += 1
        if not self._nodes % _LOOK_EVERY:
            self._look_at_the_clock()
        if kind is int and -_MAX_SHORT < value < _MAX_SHORT:
            text = repr(value)
        else:
            shape = self._shapes.of(kind)
            form = shape.form
            if form is Form.LIST or form is Form.MAPPING or form is Form.FIELDS:
                return self._container(value, shape, depth)
            text = self._leaf(value, shape)
        self._left -= len(text)
        return text

    def _leaf(self, value: Any, shape: Shape) -> str:
        if shape.form is Form.CONSTANT:
            return "null" if value is None else "true" if value else "false"
        if shape.form is Form.INTEGER:
            return self._integer(value)
        if shape.form is Form.FLOAT:
            text = float.__repr__(value)
            return text if math.isfinite(float.__add__(value, 0.0)) else f'"{text}"'
        if shape.form is Form.TEXT:
            return self._string(str.__getitem__(value, slice(MAX_CHARS + 1)))
        assert shape.words is not None
        try:
            words = shape.words(value)
        except Exception as error:  # noqa: BLE001 - a value that is in no state to be read
            self.failed = error
            return self._unwritten(f"<{type_name(type(value))}>")
        if words[:1] == "<":
            self.vague = True
            self.cut = self.cut or shape.size is not None
        return self._string(words)

    def _integer(self, value: int) -> str:
        bits = int.bit_length(value)
        if bits <= _MAX_BITS:
            with suppress(ValueError):  # the interpreter's own limit of digits may be lower
                return int.__repr__(value)
        return self._unwritten(f"<int of {bits:,} bits>")

    def _unwritten(self, words: str) -> str:
        self.cut = True
        return _quoted(words)

    def _string(self, value: str) -> str:
        size = len(value)
        if size > self._left:
            self.cut = True
            value = value[: max(self._left, 0)]
            size = len(value)
        self._left -= size
        text = _quoted(value)
        if len(text) > 2 * size + 2:  # control characters take six
            self.cut = True
            text = _quoted(value[: max(1, size // 3)])
        return text

    def _container(self, value: object, shape: Shape, depth: int) -> str:
        seen = self._seen.get(id(value))
        if seen is not None:
            return self._again(seen[1])
        if depth >= _MAX_DEPTH or self._left <= 0:
            self.cut = True
            return _CUT
        assert shape.items is not None
        try:
            items = shape.items(value, _MAX_ITEMS + 1)
        except Exception as error:  # noqa: BLE001 - changed by another thread while it was read, for example
            self.failed = error
            return self._unwritten(f"<{type_name(type(value))}>")
        if len(items) > _MAX_ITEMS:
            self.cut = True
            items.pop()
        self._seen[id(value)] = value, ""
        self._left -= 2
        text = self._list(items, depth + 1) if shape.form is Form.LIST else self._mapping(items, depth + 1)
        self._seen[id(value)] = value, text
        return text

    def _again(self, text: str) -> str:
        """What was written already is written again as it was, where there is room; a circle is cut."""
        if not text or len(text) > self._left:
            self.cut = True
            return _CUT
        self._left -= len(text)
        return text

    def _list(self, items: list[Any], depth: int) -> str:
        written = []
        for item in items:
            if self._left <= 0:
                self.cut = True
                break
            self._left -= 2
            written.append(self.text(item, depth))
        return f"[{', '.join(written)}]"

    def _mapping(self, items: list[Any], depth: int) -> str:
        written = []
        for key, item in items:
            if self._left <= 0:
                self.cut = True
                break
            self._left -= 4
            named = self.text(key, depth)
            named = named if named[:1] == '"' else _quoted(named)
            written.append(f"{named}: {self.text(item, depth)}")
        return f"{{{', '.join(written)}}}"

    def _look_at_the_clock(self) -> None:
        """The clock starts at the first look: what is small never asks for it."""
        now = self._clock()
        if not self._deadline:
            self._deadline = now + int(self._milliseconds * 1e6)
        elif now > self._deadline:
            self._left = 0


_NUMBERS: Final = frozenset((int, float, bool, type(None)))
_TEXT: Final = frozenset((str,))
_BUILT_IN: Final = frozenset((dict, list, tuple))
_LEAVES: Final = _NUMBERS | {str}
_PLAIN: Final = _LEAVES | _BUILT_IN


def _plain(value: Any) -> str | None:
    """JSON of what is built of JSON's own types and within every limit, several times faster than a walk; else None."""
    left, level = MAX_CHARS, [value]
    for _ in range(_MAX_DEPTH + 1):
        kinds = set(map(type, level))
        if not kinds <= _PLAIN:
            return None
        texts = [one for one in level if type(one) is str] if str in kinds else []
        inner: list[Any] = []
        for one in [one for one in level if type(one) not in _LEAVES] if not kinds <= _LEAVES else ():
            if len(one) > _MAX_ITEMS:
                return None
            if type(one) is dict:
                texts += one
                inner += one.values()
            else:
                inner += one
        if not _TEXT.issuperset(map(type, texts)):
            return None
        left -= 4 * len(level) + sum(map(len, texts))
        if left < 0 or len(inner) > _MAX_PLAIN:
            return None
        if not inner:
            return _encoded(value)
        level = inner
    return None


def _encoded(value: Any) -> str | None:
    try:
        text = _ENCODER.encode(value)
    except (ValueError, TypeError, RecursionError):  # not finite, too many digits, changed meanwhile
        return None
    return text if len(text) <= 2 * MAX_CHARS else None


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False)


def _says_enough(text: str) -> bool:
    """Whether two values with this text are hardly equal by accident."""
    return len(text) >= _LEAST_DIGESTED and len(set(text[:64])) >= _LEAST_LETTERS


def without_halves(text: str) -> str:
    """Halves of surrogate pairs, which no exporter can encode, as JSON's own escapes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        escaped = text.encode("utf-8", "backslashreplace").decode()
        return escaped if len(escaped) <= 2 * MAX_CHARS else text.encode("utf-8", "replace").decode()
    return text
