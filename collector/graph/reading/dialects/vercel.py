"""Vercel AI SDK (``experimental_telemetry``): https://ai-sdk.dev/docs/ai-sdk-core/telemetry."""

from collections.abc import Mapping
from typing import Final

from collector.core.span import AnyValue, Attributes
from collector.graph.reading.messages import messages
from collector.graph.reading.statement import NOTHING, Message, Role, Source, Statement
from collector.graph.reading.values import structured

NAMESPACES: Final = ("ai",)
SAYS: Final = (
    "`ai.operationId`, `ai.prompt`, `ai.prompt.messages`, `ai.prompt.system`, `ai.response.{text,object,toolCalls}`, "
    "`ai.toolCall.{name,id,args,result}`, `ai.value`, `ai.telemetry.functionId`"
)


def read(source: Source) -> Statement | None:
    """``ai.generateText`` encloses its model calls (``.doGenerate``) and its tool calls."""
    attributes = source.attributes
    operation = str(attributes.get("ai.operationId") or "")
    if operation == "ai.toolCall":
        return _tool(attributes)
    inner = ".do" in operation
    taken = _taken(attributes)
    values = {name: structured(attributes[f"ai.{name}"]) for name in ("value", "values") if f"ai.{name}" in attributes}
    return Statement(
        role=Role.MODEL if inner and "mbed" not in operation else Role.AGENT if operation else Role.OTHER,
        actor=str(attributes.get("ai.telemetry.functionId") or ""),
        inputs=values,
        taken=taken,
        given=_given(attributes),
    )


def _tool(attributes: Attributes) -> Statement:
    result = attributes.get("ai.toolCall.result")
    return Statement(
        role=Role.TOOL,
        name=str(attributes.get("ai.toolCall.name") or ""),
        inputs={"arguments": structured(attributes.get("ai.toolCall.args", attributes.get("ai.toolCall.input")))},
        output=NOTHING if result is None else structured(result),
        call_id=str(attributes.get("ai.toolCall.id") or ""),
    )


def _taken(attributes: Attributes) -> tuple[Message, ...]:
    found = messages(attributes.get("ai.prompt.messages"))
    prompt = structured(attributes.get("ai.prompt"))
    system = attributes.get("ai.prompt.system")
    if isinstance(prompt, Mapping):
        system = prompt.get("system") or system
        if not found:
            found = messages(prompt.get("messages")) or _one("user", prompt.get("prompt"))
    elif not found:
        found = messages(prompt) or _one("user", prompt)
    has_system = any(message.role == "system" for message in found)
    return found if has_system else (*_one("system", system), *found)


def _one(role: str, value: AnyValue) -> tuple[Message, ...]:
    return (Message(role, value),) if isinstance(value, str) and value else ()


def _given(attributes: Attributes) -> tuple[Message, ...]:
    text = attributes.get("ai.response.text", attributes.get("ai.result.text"))
    made = attributes.get("ai.response.object", attributes.get("ai.result.object"))
    calls = structured(attributes.get("ai.response.toolCalls", attributes.get("ai.result.toolCalls")))
    content = text if text not in (None, "") else structured(made)
    if content is None and not calls:
        return ()
    return messages({"role": "assistant", "content": content, "tool_calls": calls})
