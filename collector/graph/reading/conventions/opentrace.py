"""OpenTrace's OTel bridge: parameters and inputs with references to spans or messages (AgentOpt/OpenTrace #64, #73)."""

import re
from typing import Final

from collector.core.span import AnyValue, SpanContext
from collector.graph.reading.convention import under
from collector.graph.reading.facts import Facts, ParameterUse, Role, Source
from collector.graph.reading.values import structured

NAMESPACES: Final = ("param", "inputs", "outputs", "message", "trace", "eval", "gen_ai")
SAYS: Final = (
    "`param.<key>` with `param.<key>.trainable`, `inputs.<name>` as a value, `lit:<value>`, `span:<span id>` or "
    "`<service>:<message.id>`, `outputs.<name>`, `message.id`, `gen_ai.output.preview`, `eval.*`"
)

_SPAN = re.compile(r"span:([0-9a-fA-F]{16})$")
_MESSAGE = re.compile(r"([\w.\-/]+):([\w.\-/]+)$")
_TRAINABLE = ".trainable"


def read(source: Source) -> Facts | None:
    """A reference is an argument, any other input a value. Trainable flags may be texts."""
    attributes = source.attributes
    uses = _uses(under(attributes, "param."))
    stated = under(attributes, "inputs.")
    outputs = under(attributes, "outputs.")
    preview = attributes.get("gen_ai.output.preview")
    message_id = str(attributes.get("message.id") or "")
    if not (uses or stated or outputs or preview or message_id):
        return None
    inputs: dict[str, AnyValue] = {}
    arguments: dict[str, tuple[SpanContext, ...]] = {}
    references: dict[str, str] = {}
    for name, value in sorted(stated.items()):
        text = value if isinstance(value, str) else ""
        if found := _SPAN.match(text):
            arguments[name] = (SpanContext(source.span.context.trace_id, found[1].lower()),)
            continue
        if message_id and (reference := _MESSAGE.match(text)) and not text.startswith("lit:"):
            references[name] = reference[2]
        inputs[name] = structured(text[4:] if text.startswith("lit:") else value)
    return Facts(
        role=_role(source, uses),
        inputs=inputs,
        has_output=bool(outputs) or preview is not None,
        output=_output(outputs, preview),
        uses=uses,
        arguments=arguments,
        references=references,
        message_id=message_id,
    )


def _role(source: Source, uses: tuple[ParameterUse, ...]) -> Role:
    if any(key.startswith("eval.") for key in source.attributes):
        return Role.EVALUATOR
    if "gen_ai.output.preview" in source.attributes:
        return Role.MODEL
    return Role.STEP if uses else Role.OTHER


def _output(outputs: dict[str, AnyValue], preview: AnyValue) -> AnyValue:
    if outputs:
        return structured(outputs["value"]) if set(outputs) == {"value"} else outputs
    return structured(preview)


def _uses(said: dict[str, AnyValue]) -> tuple[ParameterUse, ...]:
    return tuple(
        ParameterUse(key, value=value, trainable=_flag(said.get(key + _TRAINABLE)))
        for key, value in sorted(said.items())
        if value is not None and not key.endswith(_TRAINABLE)
    )


def _flag(value: AnyValue) -> bool | None:
    return None if value is None else str(value).lower() == "true"
