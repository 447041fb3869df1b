"""GenAI messages as events: log records (openai-v2, inference details, agent-framework) or span events (Strands)."""

from collections.abc import Mapping
from typing import Final

from collector.core.span import AnyValue, Event
from collector.graph.reading.facts import Facts, Message, Role, Source
from collector.graph.reading.messages import instructions, messages
from collector.graph.reading.values import structured

NAMESPACES: Final = ("gen_ai", "strands", "opentelemetry", "openinference")
SAYS: Final = (
    "events and log records `gen_ai.{system,user,assistant,tool}.message` and `gen_ai.choice` (content in the body, in "
    "attributes or as JSON in `gen_ai.event.content`), `gen_ai.client.inference.operation.details`, "
    "`gen_ai.content.{prompt,completion}`, `gen_ai.{input,output}.messages`; of AWS's distribution a body "
    "`{input: {messages}, output: {messages}}` under an instrumentation's name"
)

_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.developer.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_DETAILS = ("gen_ai.client.inference.operation.details", "gen_ai.input.messages", "gen_ai.output.messages")


def read(source: Source) -> Facts | None:
    """Span events and log records alike."""
    taken: list[Message] = []
    given: list[Message] = []
    for event in source.events:
        said = _said(event)
        if event.name in _ROLES:
            taken.extend(_message(_ROLES[event.name], said))
        elif event.name == "gen_ai.choice":
            given.extend(_message("assistant", _chosen(said)))
            taken.extend(_results(said))
        elif event.name in _DETAILS:
            taken.extend(instructions(said.get("gen_ai.system_instructions")))
            taken.extend(messages(said.get("gen_ai.input.messages")))
            given.extend(messages(said.get("gen_ai.output.messages")))
        elif isinstance(said.get("input"), Mapping) or isinstance(said.get("output"), Mapping):
            taken.extend(messages(said.get("input")))
            given.extend(messages(said.get("output")))
        elif event.name == "gen_ai.content.prompt":
            taken.extend(messages(said.get("gen_ai.prompt")))
        elif event.name == "gen_ai.content.completion":
            given.extend(messages(said.get("gen_ai.completion")))
    if not taken and not given:
        return None
    operation = str(source.attributes.get("gen_ai.operation.name") or "")
    if operation == "execute_tool":
        return _tool(taken, given)
    return Facts(role=Role.MODEL if not operation else Role.OTHER, taken=tuple(taken), given=tuple(given))


def _said(event: Event) -> Mapping[str, AnyValue]:
    """Azure's clients write an event's body as JSON under one attribute: a message, or a list of them."""
    body = structured(event.attributes.get("gen_ai.event.content"))
    if isinstance(body, list):
        return {**event.attributes, event.name: body}
    return {**event.attributes, **body} if isinstance(body, Mapping) else event.attributes


def _tool(taken: list[Message], given: list[Message]) -> Facts:
    """Strands writes a tool's arguments as a tool's message and its result as a choice."""
    inputs = {"arguments": structured(taken[0].content)} if taken else {}
    return Facts(
        role=Role.TOOL,
        inputs=inputs,
        has_output=bool(given),
        output=structured(given[-1].content) if given else None,
        call_id=taken[0].answers if taken else "",
    )


def _message(role: str, said: Mapping[str, AnyValue]) -> tuple[Message, ...]:
    """Of ``{"content"}`` or ``{"parts"}``; tool calls beside it or among its blocks."""
    whole = {"role": role, **{key: value for key, value in said.items() if key != "role"}}
    if isinstance(whole.get("content"), str):
        whole["content"] = structured(whole["content"])
    return messages(whole)


def _chosen(said: Mapping[str, AnyValue]) -> Mapping[str, AnyValue]:
    message = structured(said.get("message"))
    if isinstance(message, Mapping):
        return message
    rest = {key: said[key] for key in ("tool_calls", "parts", "id") if key in said}
    texts = (said[key] for key in ("content", "choice", "text") if said.get(key) is not None)
    return {"content": message if message is not None else structured(next(texts, None)), **rest}


def _results(said: Mapping[str, AnyValue]) -> tuple[Message, ...]:
    """Tool results that an agent's choice carries beside its message (Strands' event loop)."""
    found = structured(said.get("tool.result"))
    return messages({"role": "tool", "content": found}) if found is not None else ()
