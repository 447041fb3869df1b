"""GenAI messages as events: log records (openai-v2, inference details, agent-framework) or span events (Strands)."""

from collections.abc import Mapping
from typing import Final

from collector.core.span import AnyValue, Event
from collector.graph.reading.facts import Facts, Message, Source
from collector.graph.reading.messages import instructions, messages
from collector.graph.reading.values import structured

NAMESPACES: Final = ("gen_ai", "strands", "opentelemetry", "openinference")
SAYS: Final = (
    "events and log records `gen_ai.{system,user,assistant,tool}.message` and `gen_ai.choice` (content in the body, in "
    "attributes or as JSON in `gen_ai.event.content`), `gen_ai.client.inference.operation.details`, "
    "`gen_ai.content.{prompt,completion}`, `gen_ai.{input,output}.messages`; of AWS's distribution a body "
    "`{input: {messages}, output: {messages}}` under an instrumentation's name"
)

_ROLES: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.developer.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_TAKEN: Final = ("gen_ai.input.messages", "gen_ai.prompt", "input")
_GIVEN: Final = ("gen_ai.output.messages", "gen_ai.completion", "output")


def read(source: Source) -> Facts | None:
    """Span events and log records alike."""
    taken: list[Message] = []
    given: list[Message] = []
    for event in source.events:
        said = _said(event)
        if event.name in _ROLES:
            taken.extend(messages({**said, "role": _ROLES[event.name]}))
        elif event.name == "gen_ai.choice":
            given.extend(messages({**_chosen(said), "role": "assistant"}))
        else:
            taken.extend(instructions(said.get("gen_ai.system_instructions")))
            taken.extend(one for key in _TAKEN for one in messages(said.get(key)))
            given.extend(one for key in _GIVEN for one in messages(said.get(key)))
    if not taken and not given:
        return None
    return Facts(taken=tuple(taken), given=tuple(given))


def _said(event: Event) -> Mapping[str, AnyValue]:
    """Azure's clients write an event's body as JSON under one attribute: a message, or a list of them."""
    body = structured(event.attributes.get("gen_ai.event.content"))
    if isinstance(body, list):
        return {**event.attributes, event.name: body}
    return {**event.attributes, **body} if isinstance(body, Mapping) else event.attributes


def _chosen(said: Mapping[str, AnyValue]) -> Mapping[str, AnyValue]:
    message = structured(said.get("message"))
    if isinstance(message, Mapping):
        return message
    content = (said[key] for key in ("message", "content", "choice", "text") if said.get(key) is not None)
    return {**said, "content": next(content, None)}
