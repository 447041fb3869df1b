"""OpenTrace's OTel bridge: parameters and inputs with references to spans or messages (AgentOpt/OpenTrace #64, #73)."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from collector.core.span import AnyValue, Attributes, SpanContext
from collector.graph.reading.convention import under
from collector.graph.reading.facts import Facts, ParameterUse, Role, Source
from collector.graph.reading.values import structured

NAMESPACES: Final = ("param", "inputs", "outputs", "message", "trace", "eval", "gen_ai")
SAYS: Final = (
    "`param.<key>` with `param.<key>.trainable`, `inputs.<name>` as a value, `lit:<value>`, `span:<span id>` or "
    "`<service>:<message.id>`, `outputs.<name>`, `message.id`, `gen_ai.output.preview`, `eval.*`"
)

_SPAN: Final = re.compile(r"span:([0-9a-fA-F]{16})")
_MESSAGE: Final = re.compile(r"(?!lit:)[\w.\-/]+:([\w.\-/]+)")
_LITERAL: Final = "lit:"
_TRAINABLE: Final = ".trainable"
_PREVIEW: Final = "gen_ai.output.preview"
_KEYS: Final = ("param.", "inputs.", "outputs.", "message.id", _PREVIEW)


def read(source: Source) -> Facts | None:
    """A reference is an argument, any other input a value. Trainable flags may be texts."""
    attributes = source.attributes
    if not any(key.startswith(_KEYS) for key in attributes):
        return None
    uses = tuple(_uses(under(attributes, "param.")))
    stated = under(attributes, "inputs.")
    outputs = under(attributes, "outputs.") or {"value": attributes.get(_PREVIEW)}
    message_id = str(attributes.get("message.id") or "")
    has_output = any(value is not None for value in outputs.values())
    if not (uses or stated or has_output or message_id):
        return None
    inputs: dict[str, AnyValue] = {}
    arguments: list[tuple[str, SpanContext]] = []
    references: dict[str, str] = {}
    for name, value in sorted(stated.items()):
        text = value if isinstance(value, str) else ""
        if span := _SPAN.fullmatch(text):
            arguments.append((name, SpanContext(source.span.context.trace_id, span[1].lower())))
            continue
        if message_id and (message := _MESSAGE.fullmatch(text)):
            references[name] = message[1]
        inputs[name] = structured(text.removeprefix(_LITERAL) if text else value)
    return Facts(
        role=_role(attributes, uses),
        inputs=inputs,
        has_output=has_output,
        output=structured(outputs["value"]) if outputs.keys() == {"value"} else outputs,
        uses=uses,
        arguments=(*arguments,),
        references=references,
        message_id=message_id,
    )


def _role(attributes: Attributes, uses: tuple[ParameterUse, ...]) -> Role:
    if any(key.startswith("eval.") for key in attributes):
        return Role.EVALUATOR
    if _PREVIEW in attributes:
        return Role.MODEL
    return Role.STEP if uses else Role.OTHER


def _uses(said: Mapping[str, AnyValue]) -> Iterator[ParameterUse]:
    for key, value in sorted(said.items()):
        if value is not None and not key.endswith(_TRAINABLE):
            flag = said.get(key + _TRAINABLE)
            yield ParameterUse(key, value=value, trainable=None if flag is None else str(flag).lower() == "true")
