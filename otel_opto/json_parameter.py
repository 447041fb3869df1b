"""Parameters that are lists or objects: declared as such, held to a JSON Schema, read as plain Python values."""

import json
import marshal
from dataclasses import replace
from typing import Any

from otel_opto.checks import Check
from otel_opto.parameter import Parameter, Resolved
from otel_opto.pinning import Pins
from otel_opto.schema import MAX_DEPTH, text_of
from otel_opto.shown import shown
from otel_opto.spec import InvalidValue, ParameterSpec


class JsonParameter(Parameter[Any]):
    """A list or an object that a study may improve.

    Each read gives a copy of its own, down to the last level: what is done to it is done to nobody else's, it is a
    real list or dict for whatever takes one, and it costs a third of reading the JSON (8 µs for 700 characters).
    A view that cannot be changed would cost less to make and more at every use, and is no list to `json` and pydantic.
    """

    def __init__(self, spec: ParameterSpec, _: object, pins: Pins, check: Check | None = None) -> None:
        super().__init__(spec, spec.default, pins, check)  # within, it is its JSON text
        self._read: tuple[str, bytes] = "null", marshal.dumps(None)

    @property
    def value(self) -> Any:
        """The value in force for the current trace; its use is recorded on the current span."""
        return self._native(super().value)

    def use(self) -> Resolved[Any]:
        """See `Parameter.use`."""
        found = super().use()
        return replace(found, value=self._native(found.value))

    def resolve(self) -> Resolved[Any]:
        """See `Parameter.resolve`."""
        found = super().resolve()
        return replace(found, value=self._native(found.value))

    def _native(self, text: Any) -> Any:
        """A copy of what the text says; `marshal` of bytes made here is the fastest that Python has."""
        known = self._read
        if known[0] is not text:
            known = self._read = text, marshal.dumps(json.loads(text))
        return marshal.loads(known[1])  # noqa: S302 - bytes made above


def written(key: str, candidate: object) -> str:
    """A candidate as it is kept; what does not fit the parameter is refused where the specification is made.

    Raises:
        InvalidValue: it has no text.
    """
    if isinstance(candidate, str):
        return candidate
    text = text_of(candidate)
    if text is None and isinstance(candidate, list | dict):
        raise InvalidValue(
            f"parameter {key!r}: candidates: found {shown(candidate)}, allowed are texts, and what is JSON of at most "
            f"{MAX_DEPTH} levels"
        )
    return text or str(candidate)


def schema_text(key: str, schema: object) -> str:
    """The JSON text of a schema: of a dictionary, or of what gives one (a model or a ``TypeAdapter`` of pydantic).

    Raises:
        InvalidValue: it is none of them.
    """
    for name in ("model_json_schema", "json_schema"):
        given = getattr(schema, name, None)
        if callable(given):
            schema = given()
            break
    text = text_of(schema) if isinstance(schema, dict) else None
    if text is None:
        raise InvalidValue(
            f"parameter {key!r}: schema: found {type(schema).__name__}, allowed: a JSON Schema as a dictionary, a "
            "pydantic model or a TypeAdapter"
        )
    return text


def check_of(schema: object, constraint: Check | None) -> Check:
    """Gets the text: what the model's own validators say, then the application."""
    validate = getattr(schema, "model_validate", None) or getattr(schema, "validate_python", None)

    def check(text: str) -> object:
        if callable(validate):
            validate(json.loads(text))  # raises what it has against it
        return constraint(json.loads(text)) if constraint is not None else None

    return check
