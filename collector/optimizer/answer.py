"""What a language model answered: found, read, and brought into the parameters' types where that is plain."""

import ast
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from collector.core.span import AnyValue
from collector.core.study import Cost, Proposal
from otel_opto.spec import KINDS, ParameterSpec, ParameterType

_OBJECTS = 20
"""How many opening braces are looked at: an answer has one object, perhaps after some words with braces."""

_DEPTH = 8


class UnreadableAnswer(ValueError):
    """The answer holds no suggestion; the text says what was found."""


def schema_of(parameters: Sequence[ParameterSpec]) -> dict[str, Any]:
    """A JSON schema for the answer; small, because servers compile it into a grammar."""
    return _object(
        {
            "reasoning": {"type": "string"},
            "suggestion": _object({spec.key: KINDS[spec.type].answer(spec.constraint) for spec in parameters}),
        }
    )


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_answer(text: str, parameters: Sequence[ParameterSpec], cost: Cost) -> Proposal:
    """The proposal in an answer: the first JSON object (or Python literal) with a suggestion, fences or not.

    Keys that are unknown stay in the proposal: validation names them as faults, so that the next call sees them.

    Raises:
        UnreadableAnswer: there is none.
    """
    specs = {spec.key: spec for spec in parameters}
    for found in _objects(text.rpartition("</think>")[2]):
        suggestion = _suggestion(found, specs)
        if suggestion:
            keys = {key: _known(str(key), specs) for key in suggestion}
            values = {keys[key]: _plain(specs.get(keys[key]), value) for key, value in suggestion.items()}
            return Proposal(values, _text(str(found.get("reasoning", ""))), cost)
    shown = _text(text.strip()[:200])
    raise UnreadableAnswer(f'found {shown!r}; wanted is {{"reasoning": "...", "suggestion": {{...}}}}')


def _suggestion(found: Mapping[str, Any], specs: Mapping[str, ParameterSpec]) -> Mapping[str, Any] | None:
    """As asked for; else the object itself, where a model left the frame away."""
    suggestion = found.get("suggestion")
    if "suggestion" not in found and any(key in specs for key in found):
        suggestion = {key: value for key, value in found.items() if key in specs or key != "reasoning"}
    return suggestion if isinstance(suggestion, dict) else None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    return islice(_all_objects(text), _OBJECTS)


def _all_objects(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            found, end = _literal(text[start:]), start + 1
        yield found if isinstance(found, dict) else {}
        start = text.find("{", end)


def _literal(text: str) -> object:
    """A Python dictionary, which small models write in place of JSON."""
    try:
        return ast.literal_eval(text[: text.rfind("}") + 1])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _known(key: str, specs: Mapping[str, ParameterSpec]) -> str:
    """The key as the model means it: the prompt shows a variable in angle brackets."""
    bare = _text(key).strip().strip("<>")
    return bare if bare in specs else _text(key)


def _plain(spec: ParameterSpec | None, found: object) -> AnyValue:
    """Brought into the parameter's type where only one reading is possible; everything else as it came."""
    value = _storable(found)
    if spec is None:
        return value
    if spec.type is ParameterType.CHOICE and value not in spec.constraint.choices:
        return _choice(spec.constraint.choices, value)
    if not isinstance(value, str):
        return value
    if spec.type in (ParameterType.INTEGER, ParameterType.FLOAT):
        return _number(spec.type, value)
    if spec.type is ParameterType.BOOLEAN and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
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
    """The one choice that differs in case or surrounding blanks only, or that the number is written as."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    alike = [choice for choice in choices if choice.strip().casefold() == str(value).strip().casefold()]
    return alike[0] if len(alike) == 1 else value


def _storable(value: object, depth: int = 0) -> AnyValue:
    """What can be kept and written as JSON: finite, valid Unicode, not deep.

    What is not becomes a list with its text, which no parameter accepts, so that validation shows it.
    """
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if depth >= _DEPTH:
        return ["(too deep)"]
    if isinstance(value, list | tuple):
        return [_storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_text(str(key)): _storable(item, depth + 1) for key, item in value.items()}
    return [_text(str(value)[:80])]


def _text(text: str) -> str:
    """Without lone surrogates, which JSON can spell and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
