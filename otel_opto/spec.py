"""What a parameter is: its type, its constraint, and the one check of a value against both.

Pure, because both ends use it: the SDK before it applies a release, the collector before a proposal can become one.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from otel_opto import pattern
from otel_opto.code.source import MAX_SOURCE_LENGTH, InvalidSource, Source, source_of
from otel_opto.schema import MAX_DEPTH, InvalidSchema, Schema, schema_of, text_of
from otel_opto.shown import shown
from otel_opto.template import Template, template_of

ParameterValue: TypeAlias = bool | int | float | str
"""As it is kept and sent; a list or an object is its one JSON text (`otel_opto.schema.text_of`)."""

MAX_INTEGER = 2**53
"""Integers keep within ±2^53, so that every JSON reader on the way sees the same number."""

MAX_TEXT_LENGTH = 100_000
"""Characters of a TEXT value where its constraint says nothing."""

MAX_LISTED = 1_000
"""Choices, placeholders or candidates of one parameter."""

_LISTS = ("choices", "placeholders", "candidates", "imports")
_MAX_SHOWN = 1_000
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class InvalidValue(ValueError):
    """A value or a specification that is refused: what was found, where, and what is allowed."""


class ParameterType(Enum):
    """The types a trainable parameter can have."""

    INTEGER = "integer"
    FLOAT = "float"
    CHOICE = "choice"
    TEXT = "text"
    BOOLEAN = "boolean"
    JSON = "json"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a value must satisfy besides its type. A field that does not belong to the type must be unset.

    Attributes:
        minimum: INTEGER and FLOAT, inclusive.
        maximum: INTEGER and FLOAT, inclusive.
        choices: CHOICE, the allowed values.
        max_length: TEXT, JSON and CODE, in characters.
        placeholders: TEXT, names that must stand in braces: ``question`` for ``{question}``, ``{question!r}``,
            ``{question[0]}`` or ``{{ question }}``, as the default has it (see `otel_opto.template`).
        pattern: TEXT, a regular expression that must match the whole text, as `otel_opto.pattern` reads it.
        candidates: TEXT, JSON and CODE, variants by the developer, for optimizers that choose and do not write.
        json_schema: JSON, the JSON Schema of the value as JSON text (see `otel_opto.schema`).
        imports: CODE, modules that a source may import beside those that the default imports.
    """

    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    max_length: int | None = None
    placeholders: tuple[str, ...] = ()
    pattern: str | None = None
    candidates: tuple[str, ...] = ()
    json_schema: str | None = None
    imports: tuple[str, ...] = ()


def texts_of(key: object, name: str, given: object, least: int = 0) -> tuple[str, ...]:
    """What was given for a constraint that is a list of so many texts at least. Raises `InvalidValue` otherwise."""
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(one, str) for one in given):
        raise InvalidValue(f"parameter {key!r}: {name}: found {shown(given, 200)}, allowed is a list of texts")
    if len(given) < least:
        raise InvalidValue(f"parameter {key!r}: {name}: found none, allowed is {least} and more; or leave {name} out")
    return tuple(given)


CONSTRAINTS = tuple(Constraint.__dataclass_fields__)
"""Their names, in order: what documents, messages and tables are made from."""


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """A declared parameter. Construction raises `InvalidValue` if it contradicts itself.

    Attributes:
        template: Of a TEXT whose default has fields, what every other value has to be so that it can be filled, too.
        shape: Of a JSON that has a schema.
        source: Of a CODE, what every other source has to be so that it can take the default's place.
    """

    key: str
    type: ParameterType
    default: ParameterValue
    constraint: Constraint = Constraint()
    description: str = ""
    trainable: bool = True
    template: Template | None = field(init=False, repr=False, compare=False, default=None)
    shape: Schema | None = field(init=False, repr=False, compare=False, default=None)
    source: Source | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if not isinstance(self.key, str) or not _KEY.fullmatch(self.key):
            raise InvalidValue(
                f"parameter key {shown(self.key, 200)}: allowed are 1 to 128 letters, digits, '.', '_' and '-', "
                "the first a letter or digit"
            )
        allowed = KINDS[self.type].constraints
        for name in CONSTRAINTS:
            if name not in allowed and getattr(self.constraint, name) not in (None, ()):
                fields = ", ".join(sorted(allowed)) or "none"
                raise InvalidValue(
                    f"parameter {self.key!r}: {name} is not a constraint of type {self.type.value}; allowed: {fields}"
                )
            if name in _LISTS and len(getattr(self.constraint, name)) > MAX_LISTED:
                found = len(getattr(self.constraint, name))
                raise InvalidValue(f"parameter {self.key!r}: {name}: found {found:,}, allowed are {MAX_LISTED:,}")
        if self.type is ParameterType.CHOICE and not self.constraint.choices:
            raise InvalidValue(f"parameter {self.key!r}: a choice needs at least one of choices")
        self._check_bounds()
        self._check_range()
        self._check_pattern()
        self._read_default()
        for candidate in self.constraint.candidates:
            self.validate(candidate)
        self.validate(self.default)

    def _check_bounds(self) -> None:
        for name in ("minimum", "maximum"):
            bound = getattr(self.constraint, name)
            number = isinstance(bound, int | float) and not isinstance(bound, bool)
            if bound is not None and (not number or math.isnan(bound)):
                raise InvalidValue(f"parameter {self.key!r}: {name}: found {shown(bound, 200)}, allowed is a number")

        length, shape = self.constraint.max_length, self.constraint.pattern
        if length is not None and (isinstance(length, bool) or not isinstance(length, int)):
            raise InvalidValue(
                f"parameter {self.key!r}: max_length: found {shown(length, 200)}, allowed is a whole number"
            )
        if shape is not None and not isinstance(shape, str):
            raise InvalidValue(f"parameter {self.key!r}: pattern: found {shown(shape, 200)}, allowed is a text")

    def _check_range(self) -> None:
        low, high = self.constraint.minimum, self.constraint.maximum
        if low is not None and high is not None and not low <= high:
            raise InvalidValue(f"parameter {self.key!r}: minimum {low} is above maximum {high}")

    def _check_pattern(self) -> None:
        if not self.constraint.pattern:
            return
        try:
            pattern.check(self.constraint.pattern)
        except pattern.InvalidPattern as error:
            raise InvalidValue(f"parameter {self.key!r}: pattern: {error}") from None

    def _read_default(self) -> None:
        """What the default says of other values."""
        if self.type is ParameterType.TEXT and isinstance(self.default, str):
            try:
                template = template_of((self.default, *self.constraint.candidates), self.constraint.placeholders)
            except ValueError as error:
                raise InvalidValue(self._refusal(self.default, f"{self.describe_allowed()} {error}")) from None
            object.__setattr__(self, "template", template)
        if self.constraint.json_schema is not None:
            try:
                object.__setattr__(self, "shape", schema_of(self.constraint.json_schema))
            except InvalidSchema as fault:
                raise InvalidValue(f"parameter {self.key!r}: json_schema: {fault}") from None
        if self.type is ParameterType.CODE and isinstance(self.default, str):
            try:
                object.__setattr__(self, "source", source_of(self.default, self.constraint.imports))
            except InvalidSource as fault:
                raise InvalidValue(f"parameter {self.key!r}: default: {fault}") from None
        if self.type is ParameterType.JSON:
            object.__setattr__(self, "default", text_of(self.default) or self.default)

    def validate(self, value: object) -> ParameterValue:
        """The value in the parameter's own type.

        A whole number is a FLOAT too (``3`` becomes ``3.0``) and a FLOAT without a fraction is an INTEGER (JSON knows
        one number type); a list or a dictionary becomes the JSON text that it is kept as; nothing else is converted.

        Raises:
            InvalidValue: naming the key, the value found and what is allowed.
        """
        accepted = KINDS[self.type].check(self.constraint, value)
        if accepted is None:
            raise InvalidValue(self._refusal(value, self.describe_allowed()))
        form = self.template or self.shape or self.source
        fault = form.fault_of(accepted) if form and isinstance(accepted, str) else ""
        if fault:
            raise InvalidValue(self._refusal(value, f"{self.describe_allowed()}; {fault}"))
        return accepted

    def _refusal(self, value: object, allowed: str) -> str:
        return f"parameter {self.key!r}: found {shown(value)} ({type(value).__name__}), allowed: {allowed}"

    def describe_allowed(self) -> str:
        """The type and the constraint in words, as people and optimizers read them."""
        if self.source:
            return self.source.words()
        words = KINDS[self.type].words(self.constraint) + (self.template.words() if self.template else "")
        return words + (f" matching {self.constraint.pattern}" if self.constraint.pattern else "")


def _range_words(constraint: Constraint) -> str:
    low, high = constraint.minimum, constraint.maximum
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    if low is not None:
        return f" of at least {low:g}"
    return f" of at most {high:g}" if high is not None else ""


# Each check returns the value in the parameter's type, or None where it is refused.


def _integer(constraint: Constraint, value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_INTEGER:
        return None
    return value if _in_range(constraint, value) else None


def _float(constraint: Constraint, value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and _in_range(constraint, number) else None


def _in_range(constraint: Constraint, number: float) -> bool:
    low, high = constraint.minimum, constraint.maximum
    return (low is None or number >= low) and (high is None or number <= high)


def _choice(constraint: Constraint, value: object) -> str | None:
    return value if isinstance(value, str) and value in constraint.choices else None


def _text(constraint: Constraint, value: object) -> str | None:
    if not isinstance(value, str) or len(value) > (constraint.max_length or MAX_TEXT_LENGTH):
        return None
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can carry and nothing else
        return None
    if constraint.pattern and not pattern.matches(constraint.pattern, value):
        return None
    return value


def _boolean(_: Constraint, value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _json(constraint: Constraint, value: object) -> str | None:
    text = text_of(value)
    return text if text is not None and len(text) <= (constraint.max_length or MAX_TEXT_LENGTH) else None


def _json_words(constraint: Constraint) -> str:
    words = f"a JSON list or object of at most {constraint.max_length or MAX_TEXT_LENGTH} characters"
    words += f" and {MAX_DEPTH} levels"
    return words + (f" that fits the schema {constraint.json_schema[:_MAX_SHOWN]}" if constraint.json_schema else "")


def _code(constraint: Constraint, value: object) -> str | None:
    accepted = _text(constraint, value)
    return accepted if accepted is not None and len(accepted) <= MAX_SOURCE_LENGTH else None


# A JSON Schema for each type's value in a language model's answer, with every bound that its constraint has.


def _integer_answer(constraint: Constraint) -> dict[str, object]:
    low, high = constraint.minimum, constraint.maximum
    bounds = {
        "minimum": None if low is None else math.ceil(low),
        "maximum": None if high is None else math.floor(high),
    }
    return {"type": "integer", **_stated(bounds)}


def _number_answer(constraint: Constraint) -> dict[str, object]:
    return {"type": "number", **_stated({"minimum": constraint.minimum, "maximum": constraint.maximum})}


def _text_answer(constraint: Constraint) -> dict[str, object]:
    return {"type": "string", **_stated({"maxLength": constraint.max_length})}


def _stated(bounds: Mapping[str, float | None]) -> dict[str, object]:
    return {name: bound for name, bound in bounds.items() if bound is not None}


@dataclass(frozen=True, slots=True)
class Kind:
    """All there is to a type of parameter: whatever else depends on the type is derived from here.

    Attributes:
        constraints: The fields of `Constraint` that belong to it.
        wire: The field of the message ``Value`` that carries it.
        check: The value in the parameter's type, or None where it is refused.
        words: Type and constraint, for people and optimizers.
        answer: A JSON Schema for a value in a language model's answer.
    """

    constraints: frozenset[str]
    wire: str
    check: Callable[[Constraint, object], ParameterValue | None]
    words: Callable[[Constraint], str]
    answer: Callable[[Constraint], dict[str, object]]


_OF_NUMBERS = frozenset({"minimum", "maximum"})
KINDS: Mapping[ParameterType, Kind] = {
    ParameterType.INTEGER: Kind(
        _OF_NUMBERS, "integer", _integer, lambda c: "a whole number" + _range_words(c), _integer_answer
    ),
    ParameterType.FLOAT: Kind(
        _OF_NUMBERS, "float", _float, lambda c: "a finite number" + _range_words(c), _number_answer
    ),
    ParameterType.CHOICE: Kind(
        frozenset({"choices"}),
        "text",
        _choice,
        lambda c: "one of " + ", ".join(repr(choice) for choice in c.choices),
        lambda c: {"type": "string", "enum": list(dict.fromkeys(c.choices))},
    ),
    ParameterType.TEXT: Kind(
        frozenset({"max_length", "placeholders", "pattern", "candidates"}),
        "text",
        _text,
        lambda c: f"a text of at most {c.max_length or MAX_TEXT_LENGTH} characters",
        _text_answer,
    ),
    ParameterType.BOOLEAN: Kind(
        frozenset(), "boolean", _boolean, lambda _: "true or false", lambda _: {"type": "boolean"}
    ),
    ParameterType.JSON: Kind(
        frozenset({"max_length", "candidates", "json_schema"}),
        "text",
        _json,
        _json_words,
        lambda c: _answer_of(c.json_schema),
    ),
    ParameterType.CODE: Kind(
        frozenset({"max_length", "candidates", "imports"}),
        "text",
        _code,
        lambda _: "the Python source of one function",
        _text_answer,
    ),
}
"""One row for each type."""


def _answer_of(declared: str | None) -> dict[str, object]:
    """The declared schema where it is all there is to say; servers make a grammar of it, references and all."""
    found: dict[str, object] = json.loads(declared) if declared else {"type": ["object", "array"]}
    return found


def canonical(value: ParameterValue) -> str:
    """The one JSON text of a value: the same on both ends, a float always with a point or an exponent."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def value_hash(value: ParameterValue) -> str:
    """16 hex digits that stand for a value in ``opto.param.<key>.hash``."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def content_hash(values: Iterable[tuple[str, ParameterValue]]) -> str:
    """64 hex digits that stand for a whole release: of its keys and values, whatever their order."""
    lines = sorted(f"{json.dumps(key)}:{canonical(value)}" for key, value in values)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
