"""Pydantic Logfire's keyword attributes: what its JSON schema names was an argument of the span, or its result."""

from collections.abc import Mapping, Sequence
from typing import Final

from collector.core.span import Attributes
from collector.graph.reading.facts import Facts, Source
from collector.graph.reading.values import structured

NAMESPACES: Final = ("logfire",)
SAYS: Final = "the attributes named in `logfire.json_schema`, in their order"

_SCHEMA, _OPENED = "logfire.json_schema", "logfire.span_type"
_OTHERS: Final = frozenset(("gen_ai", "pydantic_ai", "logfire", "http", "fastapi", "code"))
_NO_ARGUMENTS: Final = frozenset(("return", "final_result", "model_request_parameters", "async"))


def read(source: Source) -> Facts | None:
    """Of a span that states its result all are arguments, else the one that was set later is the result.

    Logfire writes ``logfire.span_type`` last when it opens a span: what stands behind it was set later. Where the order
    of the attributes was lost on the way, each may have been either.
    """
    attributes = source.attributes
    named = {key: structured(attributes[key]) for key in _named(attributes)}
    if not named or "request_data" in attributes:
        return None
    if "return" in attributes:
        return Facts(inputs=named)
    ordered = _OPENED in attributes and [*attributes] != sorted(attributes)
    behind = [*attributes][[*attributes].index(_OPENED) :] if ordered else [*named]
    later = {key: value for key, value in named.items() if key in behind}
    inputs = {key: value for key, value in named.items() if key not in later}
    if ordered and len(later) == 1:
        return Facts(inputs=inputs, has_output=True, output=next(iter(later.values())))
    return Facts(inputs=inputs, carried=later)


def _named(attributes: Attributes) -> Sequence[str]:
    schema = structured(attributes.get(_SCHEMA))
    named = schema.get("properties") if isinstance(schema, Mapping) else None
    known = {key for key in named if not _reserved(key)} if isinstance(named, Mapping) else set()
    return [key for key in attributes if key in known]


def _reserved(key: str) -> bool:
    first, dot, _ = key.partition(".")
    return key in _NO_ARGUMENTS or bool(dot and first in _OTHERS)
