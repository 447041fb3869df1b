"""The JSON schema of an answer: small, because servers compile it into a grammar, and with every bound.

Bounds matter: a small model under a grammar without them runs on to the limit of tokens.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from collector.optimizer.answers.moves import DIRECTIONS, NUMBERS
from otel_opto.spec import KINDS, ParameterSpec

MAX_REASONING = 300
"""Characters."""

_MOST_REPEATED = 2_000
"""Servers refuse to repeat an item of a grammar as often as that; a longer text is bounded by the limit of tokens."""

_BOUNDS = ("minimum", "maximum", "minLength", "maxLength")
_DIRECTION = {"type": "string", "enum": list(DIRECTIONS)}


def schema_of(parameters: Sequence[ParameterSpec], longest: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Reasons first, then every parameter.

    Args:
        parameters: What is asked for.
        longest: Characters of a text at most, by key, where that is less than its constraint says.
    """
    return _object(
        {
            "reasoning": {"type": "string", "maxLength": MAX_REASONING},
            "suggestion": _object({spec.key: _value(spec, (longest or {}).get(spec.key)) for spec in parameters}),
        }
    )


def without_bounds(schema: Any, *, names: bool = False) -> Any:
    """The same for endpoints that refuse bounds. `names`: its keys are names of properties, not keywords."""
    if isinstance(schema, Mapping):
        kept = {key: value for key, value in schema.items() if names or key not in _BOUNDS}
        return {key: without_bounds(value, names=key == "properties" and not names) for key, value in kept.items()}
    return [without_bounds(item) for item in schema] if isinstance(schema, list) else schema


def _value(spec: ParameterSpec, longest: int | None) -> dict[str, Any]:
    found = dict(KINDS[spec.type].answer(spec.constraint))
    if spec.type in NUMBERS:
        return {"anyOf": [_DIRECTION, found]}
    if found.get("type") == "string" and "enum" not in found:
        limits = [limit for limit in (found.pop("maxLength", None), longest) if isinstance(limit, int)]
        if limits and min(limits) < _MOST_REPEATED:
            found["maxLength"] = min(limits)
    return found


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
