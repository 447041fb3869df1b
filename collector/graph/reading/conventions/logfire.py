"""Pydantic Logfire: keyword attributes described by a JSON schema, and instrumented requests."""

from collections.abc import Mapping, Sequence
from typing import Final

from collector.core.span import AnyValue, Attributes
from collector.graph.reading.facts import Facts, Role, Source
from collector.graph.reading.messages import answered, asked, messages
from collector.graph.reading.values import structured

NAMESPACES: Final = ("logfire", "request_data", "response_data", "fastapi")
SAYS: Final = (
    "the attributes named in `logfire.json_schema` (`return` is the output), `request_data`, `response_data`, "
    "`fastapi.arguments.values`, `http.{request,response}.body.text`"
)


def read(source: Source) -> Facts | None:
    """``request_data`` and ``response_data`` are a model's; other attributes are arguments of the span, or its results.

    Of OpenAI's agents ``input`` and ``output`` are what a model was asked and said: the list under ``request_data``
    went on to grow.
    Logfire writes ``logfire.span_type`` last when it opens a span: what stands behind it was set later. Where the order
    of the attributes was lost on the way, each may have been either.
    """
    attributes = source.attributes
    request = structured(attributes.get("request_data"))
    response = structured(attributes.get("response_data"))
    taken = asked(request)
    if taken:
        taken = messages(attributes.get("input")) or taken
    given = answered(response) or (messages(attributes.get("output")) if taken else ())
    named = _named(source)
    output = attributes.get("return", attributes.get("http.response.body.text"))
    if not (taken or given or named or output is not None):
        return None
    if taken:
        return Facts(
            role=Role.MODEL, taken=taken, has_output=output is not None, output=structured(output), given=given
        )
    if output is not None:
        return Facts(inputs=named, has_output=True, output=structured(output), given=given)
    later, sure = _set_later(attributes, [*named])
    inputs = {key: value for key, value in named.items() if key not in later}
    if sure and len(later) == 1:
        return Facts(inputs=inputs, has_output=True, output=named[later[0]], given=given)
    return Facts(inputs=inputs, carried={key: named[key] for key in later}, given=given)


def _set_later(attributes: Attributes, named: Sequence[str]) -> tuple[Sequence[str], bool]:
    """The named keys that were set after the span was opened, and whether that is sure."""
    keys = list(attributes)
    if "logfire.span_type" not in attributes or keys == sorted(keys):
        return named, False
    behind = keys[keys.index("logfire.span_type") + 1 :]
    return [key for key in named if key in behind], True


def _named(source: Source) -> dict[str, AnyValue]:
    attributes = source.attributes
    schema = structured(attributes.get("logfire.json_schema"))
    named = schema.get("properties") if isinstance(schema, Mapping) else None
    keys = [key for key in named if not _reserved(key)] if isinstance(named, Mapping) else []
    found = {key: structured(attributes[key]) for key in attributes if key in keys}
    for key, name in (("fastapi.arguments.values", "arguments"), ("http.request.body.text", "body")):
        if key in attributes:
            found[name] = structured(attributes[key])
    return found


def _reserved(key: str) -> bool:
    first = key.partition(".")[0]
    return (
        "." in key and first in ("gen_ai", "pydantic_ai", "logfire", "http", "fastapi", "code")
    ) or key in _NOT_INPUTS


_NOT_INPUTS = frozenset(
    ("request_data", "response_data", "return", "final_result", "model_request_parameters", "async")
)
