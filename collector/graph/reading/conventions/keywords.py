"""Pydantic Logfire's keyword attributes: what its JSON schema names was an argument of the span, or its result."""

from collections.abc import Mapping
from typing import Final

from collector.graph.reading.facts import Facts, Source
from collector.graph.reading.values import structured

NAMESPACES: Final = ("logfire",)
SAYS: Final = "the attributes named in `logfire.json_schema`, in their order"

_SCHEMA, _OPENED = "logfire.json_schema", "logfire.span_type"
_NO_ARGUMENTS: Final = frozenset(("return", "final_result", "model_request_parameters", "async", "request_data"))


def read(source: Source) -> Facts | None:
    """Arguments, or what may be either; of what was set later the only one is the result.

    Logfire writes ``logfire.span_type`` last when it opens a span: what stands behind it was set later, unless the
    order of the attributes was lost on the way.
    """
    schema = structured(source.attributes.get(_SCHEMA))
    named = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(named, Mapping) or "request_data" in named:
        return None
    keys = [*source.attributes]
    known = {key: structured(source.attributes[key]) for key in keys if key in named and not _is_reserved(key)}
    ordered = _OPENED in keys and keys != sorted(keys)
    later = {key: value for key, value in known.items() if not ordered or key in keys[keys.index(_OPENED) :]}
    inputs = {key: value for key, value in known.items() if key not in later}
    if "return" in keys:
        return Facts(inputs=known)
    if ordered and len(later) == 1:
        return Facts(inputs=inputs, has_output=True, output=next(iter(later.values())))
    return Facts(inputs=inputs, carried=later) if known else None


def _is_reserved(key: str) -> bool:
    return "." in key or key in _NO_ARGUMENTS
