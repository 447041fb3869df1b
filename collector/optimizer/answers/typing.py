"""Brings what was found into the parameters' names and types where only one reading is possible."""

import math
import re
from collections.abc import Collection, Mapping, Sequence

from collector.core.span import AnyValue
from otel_opto.code.source import InvalidSource, parsed
from otel_opto.spec import ParameterSpec, ParameterType

_DEPTH = 8
_WRAPPERS = frozenset({"value", "type", "name", "description"})
_QUOTES = (('"', '"'), ("'", "'"), ("`", "`"), ("“", "”"))
_FORM = re.compile(r"<[^<>\n]{1,40}>|\.\.\.|…")
_CLOSERS, _MOST_CLOSERS = ("}", "]", '"'), 8
"""What ends an object, and how many of them are taken off: a few levels, with a quotation mark for each text."""
_FENCED = re.compile(r"\s*```\w*\n(.*?)\n?```\s*", re.DOTALL)


def key_of(said: str, keys: Collection[str]) -> str:
    """The parameter that is meant: by its name, else by the only one that differs in spelling alone; else as said.

    The prompt shows a variable as ``<p>``, Trace numbers it ``p:0`` or ``p0``, models add its type: ``p (a text)``.
    """
    bare = text(said).strip().strip("<>`\"'${}").strip()
    shorter = re.sub(r"\s*\(.*\)$", "", bare)
    for spelled in (bare, shorter, shorter.removesuffix(":0"), shorter.removesuffix("0")):
        if spelled in keys:
            return spelled
    alike = [key for key in keys if _folded(key) == _folded(shorter.removesuffix(":0"))]
    return alike[0] if len(alike) == 1 else text(said)


def _folded(key: str) -> str:
    return re.sub(r"[\s_.-]+", "", key).casefold()


def values_of(suggestion: Mapping[str, object], specs: Mapping[str, ParameterSpec]) -> dict[str, AnyValue]:
    """By key. Where two spellings mean one parameter, its own spelling counts, else the last one."""
    values: dict[str, AnyValue] = {}
    for said, value in suggestion.items():
        key = key_of(str(said), specs)
        if key in values and str(said) != key and key in suggestion:
            continue
        values[key] = typed(specs.get(key), value)
    return values


def typed(spec: ParameterSpec | None, found: object) -> AnyValue:
    """In the parameter's type where that is plain; everything else as it came, for validation to refuse."""
    if spec is not None and spec.type is not ParameterType.JSON:
        found = _unwrapped(found)
    value = storable(found)
    if spec is None:
        return value
    if isinstance(value, str) and value != spec.default and _FORM.fullmatch(value.strip()):
        return [f"(the form was repeated: {value.strip()})"]
    if spec.type is ParameterType.CHOICE and value not in spec.constraint.choices:
        return _choice(spec.constraint.choices, value)
    return _from_text(spec, value) if isinstance(value, str) else value


def _from_text(spec: ParameterSpec, value: str) -> AnyValue:
    if spec.type in (ParameterType.INTEGER, ParameterType.FLOAT):
        return _number(spec.type, value)
    if spec.type is ParameterType.BOOLEAN and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if spec.type is ParameterType.TEXT:
        return _bare(value, str(spec.default))
    if spec.type is ParameterType.CODE:
        return _source(value)
    return value


def _source(value: str) -> str:
    """Without a fence; and without ends of the object around it, where they stand in the text and it is no Python."""
    fenced = _FENCED.fullmatch(value)
    said = shorter = fenced.group(1) if fenced else value
    for _ in range(_MOST_CLOSERS):
        if _is_python(shorter):
            return shorter
        shorter = shorter.rstrip()
        if not shorter.endswith(_CLOSERS):
            break
        shorter = shorter[:-1]
    return said


def _is_python(text: str) -> bool:
    try:
        parsed(text)
    except InvalidSource:
        return False
    return True


def _unwrapped(found: object) -> object:
    """``{"value": 5}``, perhaps with a name and a type beside, is 5."""
    if isinstance(found, dict) and "value" in found and found.keys() <= _WRAPPERS:
        return found["value"]
    return found


def _bare(value: str, default: str) -> str:
    """Without blanks and quotes around it that the default does not have either: models copy both from the prompt."""
    if default == default.strip() and "\n" not in value.strip():
        value = value.strip()
    for opening, closing in _QUOTES:
        inside = value[1:-1]
        around = len(value) > 2 and value.startswith(opening) and value.endswith(closing)
        if around and opening not in inside and closing not in inside and not default.startswith(opening):
            return inside
    return value


def _number(parameter_type: ParameterType, value: str) -> AnyValue:
    try:
        number = float(value)
    except ValueError:
        return value
    if not math.isfinite(number):
        return value
    return int(number) if number.is_integer() and parameter_type is ParameterType.INTEGER else number


def _choice(choices: Sequence[str], value: AnyValue) -> AnyValue:
    """The one choice that differs in case or in blanks and quotes around it, or that the number is written as."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    said = str(value).strip().strip("\"'`").strip().casefold()
    alike = [choice for choice in choices if choice.strip().casefold() == said]
    return alike[0] if len(alike) == 1 else value


def storable(value: object, depth: int = 0) -> AnyValue:
    """What can be kept and written as JSON: finite, valid Unicode, not deep.

    What is not becomes a list with its text, which no parameter accepts, so that validation shows it.
    """
    if isinstance(value, str):
        return text(value)
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if depth >= _DEPTH:
        return ["(too deep)"]
    if isinstance(value, list | tuple):
        return [storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {text(str(key)): storable(item, depth + 1) for key, item in value.items()}
    return [text(str(value)[:80])]


def text(said: str) -> str:
    """Without lone surrogates, which JSON can spell and no file can hold."""
    return said.encode("utf-8", "replace").decode("utf-8")
