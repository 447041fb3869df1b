"""Lists and objects as values: their one JSON text, and the JSON Schema (draft 2020-12) that they are held to.

A declared schema comes from outside and runs on both ends, so that what one check costs is bounded: references are
written out, keywords whose cost is not linear are refused, and a schema and a value that are large together, too.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from otel_opto import pattern

JsonContainer: TypeAlias = list[Any] | dict[str, Any]

MAX_DEPTH = 32
"""Lists and objects in one another, of a value and of a schema."""

MAX_WORK = 50_000
"""Items of a schema, its references written out, times items of a value: half a second where all goes against it."""

_MAX_SCHEMA_LENGTH, _MAX_SCHEMA_ITEMS = 16_384, 5_000
_MAX_INTEGER = 2**53
_OF_NAMES = ("properties", "dependentSchemas")
"""Keywords whose keys are names, and whose values are schemas."""

_DATA = ("enum", "const", "default", "examples", "example")
"""Keywords that hold data: a ``$ref`` in there is none."""

_DEFINITIONS = ("$defs", "definitions")
_REFUSED = ("patternProperties", "unevaluatedItems", "unevaluatedProperties", "$dynamicRef", "$recursiveRef")
_KEPT = 128


class InvalidSchema(ValueError):
    """A schema that is refused: what was found, and what is allowed."""


def text_of(value: object) -> str | None:
    """The one JSON text of a list or an object, or of a text that spells one; None for everything else.

    Also None for what JSON readers disagree on: numbers that are not finite or beyond ±2^53, half a surrogate pair,
    more than `MAX_DEPTH` levels.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, list | dict) or not all(map(_is_portable, _items(value))):
        return None
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError):
        return None
    return text


def _is_portable(item: object) -> bool:
    if isinstance(item, _TooDeep):
        return False
    if isinstance(item, float):
        return math.isfinite(item)
    if isinstance(item, dict):
        return all(isinstance(key, str) for key in item)
    if isinstance(item, int) and not isinstance(item, bool):
        return abs(item) <= _MAX_INTEGER
    return item is None or isinstance(item, bool | str | list)


class _TooDeep:
    """Stands where a value goes on below `MAX_DEPTH`."""


def _items(value: object, depth: int = 1) -> Iterator[object]:
    yield value if depth <= MAX_DEPTH + 1 else _TooDeep()
    if depth <= MAX_DEPTH + 1 and isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _items(item, depth + 1)


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema that can be run; see `schema_of`.

    Attributes:
        items: How many keywords and values it has, its references written out.
        squared: Whether a value is compared with itself, item by item (``uniqueItems``).
        check: Yields the faults of a value.
    """

    items: int
    squared: bool
    check: Any  # jsonschema's own type is not at hand where it is not installed

    def fault_of(self, text: str) -> str:
        """Why the value with this JSON text does not fit; empty if it does."""
        value = json.loads(text)
        size = sum(1 for _ in _items(value))
        if self.items * size > MAX_WORK or (self.squared and size * size > MAX_WORK):
            return f"{size:,} items are too many to be checked by this schema"
        error = next(self.check.iter_errors(value), None)
        if error is None:
            return ""
        said = error.message if len(error.message) <= 200 else error.message[:199] + "…"
        return f"{error.json_path}: {said}"


def schema_of(text: str) -> Schema:
    """A schema from its JSON text.

    Raises:
        InvalidSchema: it is none, asks for what is not bounded, or jsonschema is not installed.
    """
    found = _read(text)
    if isinstance(found, InvalidSchema):
        raise found
    return found


@lru_cache(_KEPT)
def _read(text: str) -> Schema | InvalidSchema:
    """The fault as a value: it is remembered, too."""
    try:
        return _built(text)
    except InvalidSchema as fault:
        return fault


def _built(text: str) -> Schema:
    if len(text) > _MAX_SCHEMA_LENGTH:
        raise InvalidSchema(f"found {len(text):,} characters, allowed are {_MAX_SCHEMA_LENGTH:,}")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidSchema(f"no JSON: {error}") from None
    if not isinstance(said, dict):
        raise InvalidSchema(f"found {type(said).__name__}, wanted is an object of JSON Schema")
    whole = _Inlining(said).whole()
    try:
        import jsonschema  # noqa: PLC0415 - an extra of the SDK
    except ModuleNotFoundError:
        raise InvalidSchema(
            "found one, but jsonschema is not installed, which checks values by it: pip install 'otel-opto[schema]'"
        ) from None
    bounded: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
        jsonschema.Draft202012Validator, {"pattern": _matched}
    )
    try:
        bounded.check_schema(whole)
    except jsonschema.SchemaError as error:
        raise InvalidSchema(f"{error.json_path}: {error.message[:200]}") from None
    _check_patterns(whole)
    keywords = list(_items(whole))
    squared = any(isinstance(one, dict) and one.get("uniqueItems") for one in keywords)
    return Schema(len(keywords), squared, bounded(whole))


def _matched(_: object, expression: str, value: object, __: object) -> Iterator[Exception]:
    """The keyword ``pattern``: somewhere in the text, as JSON Schema wants it, in linear time."""
    from jsonschema import ValidationError  # noqa: PLC0415 - an extra of the SDK

    if isinstance(value, str) and not pattern.matches(_anywhere(expression), value):
        yield ValidationError(f"{value!r} does not match {expression!r}")


def _anywhere(expression: str) -> str:
    return f".*(?:{expression}).*"


def _check_patterns(schema: object) -> None:
    for one in _items(schema):
        if isinstance(one, dict) and isinstance(one.get("pattern"), str):
            try:
                pattern.check(_anywhere(one["pattern"]))
            except pattern.InvalidPattern as fault:
                raise InvalidSchema(f"pattern: {fault}") from None


class _Inlining:
    """Writes the references of a schema out, so that its size is what it says."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _MAX_SCHEMA_ITEMS

    def whole(self) -> Any:
        """The schema without references. Raises `InvalidSchema`."""
        return self._schema(self._root, (), 0)

    def _schema(self, schema: Any, inside: tuple[str, ...], depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise InvalidSchema(f"with its references it has more than {_MAX_SCHEMA_ITEMS:,} items")
        if depth > MAX_DEPTH:
            raise InvalidSchema(f"deeper than {MAX_DEPTH} levels")
        if isinstance(schema, list):
            return [self._schema(one, inside, depth + 1) for one in schema]
        if not isinstance(schema, dict):
            return schema
        refused = next((name for name in _REFUSED if name in schema), None)
        if refused:
            raise InvalidSchema(f"{refused}: its cost is not bounded; name the properties and items")
        written = {
            key: self._keyword(key, value, inside, depth) for key, value in schema.items() if key not in _LEFT_OUT
        }
        reference = schema.get("$ref")
        if isinstance(reference, str):
            target = self._schema(self._target(reference, inside), (*inside, reference), depth + 1)
            written = {"allOf": [target, *written.pop("allOf", [])], **written} if written else target
        return written

    def _keyword(self, key: str, value: Any, inside: tuple[str, ...], depth: int) -> Any:
        if key in _DATA:
            self._left -= sum(1 for _ in _items(value))
            return value
        if key in _OF_NAMES and isinstance(value, dict):
            return {name: self._schema(one, inside, depth + 1) for name, one in value.items()}
        return self._schema(value, inside, depth + 1)

    def _target(self, reference: str, inside: tuple[str, ...]) -> Any:
        if reference in inside:
            raise InvalidSchema(f"$ref {reference!r} leads back to itself: values may not be nested without end")
        if reference != "#" and not reference.startswith("#/"):
            raise InvalidSchema(f"$ref {reference!r}: only references within the schema are followed: '#/$defs/…'")
        found: Any = self._root
        for written in reference.split("/")[1:]:
            step = written.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or step not in found:
                raise InvalidSchema(f"$ref {reference!r}: nothing stands there")
            found = found[step]
        if reference == "#":
            raise InvalidSchema("$ref '#' leads back to itself: values may not be nested without end")
        return found


_LEFT_OUT = ("$ref", "$schema", "$id", "$comment", *_DEFINITIONS)
