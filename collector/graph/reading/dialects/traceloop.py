"""OpenLLMetry and its SDK's decorators (Traceloop)."""

from collections.abc import Mapping
from typing import Final

from collector.core.span import AnyValue
from collector.graph.reading.statement import NOTHING, ParameterUse, Role, Source, Statement
from collector.graph.reading.values import decoded, structured

NAMESPACES: Final = ("traceloop",)
SAYS: Final = (
    "`traceloop.entity.{name,input,output}` (decorators: `{args, kwargs}`; LangChain: `{inputs, tags, metadata}`), "
    "`traceloop.span.kind`, `traceloop.prompt.{key,version,template}`"
)

_ROLES = {"workflow": Role.AGENT, "task": Role.STEP, "agent": Role.AGENT, "tool": Role.TOOL}


def read(source: Source) -> Statement | None:
    """Decorated functions: positional arguments are ``args``, named ones go by their names."""
    attributes = source.attributes
    role = _ROLES.get(str(attributes.get("traceloop.span.kind") or ""), Role.OTHER)
    stated = "traceloop.entity.output" in attributes
    return Statement(
        role=role,
        name=str(attributes.get("traceloop.entity.name") or "") if role is Role.TOOL else "",
        inputs=_inputs(structured(attributes.get("traceloop.entity.input"))),
        output=_output(decoded(attributes["traceloop.entity.output"])) if stated else NOTHING,
        uses=_prompt(attributes),
    )


def _inputs(value: AnyValue) -> dict[str, AnyValue]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        if value.keys() == {"args", "kwargs"}:
            named = value["kwargs"] if isinstance(value["kwargs"], Mapping) else {}
            return {**({"args": value["args"]} if value["args"] else {}), **named}
        for key in ("inputs", "input_str", "query"):
            if key in value:
                return {"input": structured(value[key])}
    return {"input": value}


def _output(value: AnyValue) -> AnyValue:
    if isinstance(value, Mapping) and len(value) <= 2:
        for key in ("outputs", "output"):
            if key in value:
                return structured(value[key])
    return structured(value)


def _prompt(attributes: Mapping[str, AnyValue]) -> tuple[ParameterUse, ...]:
    key, template = attributes.get("traceloop.prompt.key"), attributes.get("traceloop.prompt.template")
    if not key and not template:
        return ()
    return (ParameterUse(str(key or "template"), value=template, prompt=not key),)
