"""What a language model answered: found, read, and brought into the parameters' types where that is plain."""

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collector.core.span import AnyValue
from collector.core.study import Cost, Proposal
from otel_opto.spec import ParameterSpec, ParameterType


class UnreadableAnswer(ValueError):
    """The answer holds no suggestion; the text says what was found."""


def schema_of(parameters: Sequence[ParameterSpec]) -> dict[str, Any]:
    """A JSON schema for the answer; small, because servers compile it into a grammar."""
    suggestion = {spec.key: _schema(spec) for spec in parameters}
    return {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string"},
            "suggestion": _object(suggestion),
        },
        "required": ["reasoning", "suggestion"],
        "additionalProperties": False,
    }


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _schema(spec: ParameterSpec) -> dict[str, Any]:
    if spec.type is ParameterType.CHOICE:
        return {"type": "string", "enum": list(spec.constraint.choices)}
    names = {ParameterType.INTEGER: "integer", ParameterType.FLOAT: "number", ParameterType.BOOLEAN: "boolean"}
    return {"type": names.get(spec.type, "string")}


def read_answer(text: str, parameters: Sequence[ParameterSpec], cost: Cost) -> Proposal:
    """The proposal in an answer: the first JSON object (or Python literal) with a suggestion, fences or not.

    Keys that are unknown stay in the proposal: validation names them as faults, so that the next call sees them.

    Raises:
        UnreadableAnswer: there is none.
    """
    for found in _objects(text):
        suggestion = found.get("suggestion")
        if isinstance(suggestion, dict) and suggestion:
            specs = {spec.key: spec for spec in parameters}
            values = {str(key): _plain(specs.get(str(key)), value) for key, value in suggestion.items()}
            return Proposal(values, str(found.get("reasoning", "")), cost)
    shown = text.strip()[:200]
    raise UnreadableAnswer(f'found {shown!r}; wanted is {{"reasoning": "...", "suggestion": {{...}}}}')


def _objects(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            found, end = _literal(text[start:]), start + 1
        if isinstance(found, dict):
            yield found
        start = text.find("{", end)


def _literal(text: str) -> object:
    """A Python dictionary, which small models write in place of JSON."""
    try:
        return ast.literal_eval(text[: text.rfind("}") + 1])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _plain(spec: ParameterSpec | None, value: AnyValue) -> AnyValue:
    """Numbers and booleans that were written as text; everything else as it came."""
    if spec is None or not isinstance(value, str):
        return value
    if spec.type in (ParameterType.INTEGER, ParameterType.FLOAT):
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if number.is_integer() and spec.type is ParameterType.INTEGER else number
    if spec.type is ParameterType.BOOLEAN and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    return value
