"""Pydantic Logfire: keyword attributes described by a JSON schema, and instrumented requests."""

from collections.abc import Mapping
from typing import Final

from collector.core.span import AnyValue
from collector.graph.messages import messages
from collector.graph.statement import NOTHING, Role, Source, Statement
from collector.graph.values import structured

NAMESPACES: Final = ("logfire", "request_data", "response_data", "fastapi")
SAYS: Final = (
    "the attributes named in `logfire.json_schema` (`return` is the output), `request_data`, `response_data`, "
    "`fastapi.arguments.values`, `http.{request,response}.body.text`"
)


def read(source: Source) -> Statement | None:
    """``request_data`` and ``response_data`` are a model's; of other attributes the first is an argument of the span.

    The rest may have been arguments or been set later; a function whose ``return`` is there has arguments only.
    """
    attributes = source.attributes
    request = structured(attributes.get("request_data"))
    response = structured(attributes.get("response_data"))
    taken = messages(request) if isinstance(request, Mapping) else ()
    answer = response.get("message", response) if isinstance(response, Mapping) else None
    given = messages(answer) if isinstance(answer, Mapping) else ()
    inputs = _arguments(source)
    output = attributes.get("return", attributes.get("http.response.body.text"))
    if not (taken or given or inputs or output is not None):
        return None
    carried = {} if taken or output is not None else dict(list(inputs.items())[1:])
    return Statement(
        role=Role.MODEL if taken else Role.OTHER,
        inputs={} if taken else {key: value for key, value in inputs.items() if key not in carried},
        taken=taken,
        output=NOTHING if output is None else structured(output),
        given=given,
        carried=carried,
    )


def _arguments(source: Source) -> dict[str, AnyValue]:
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
