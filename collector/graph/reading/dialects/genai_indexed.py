"""The older GenAI attributes with one key per field: ``gen_ai.prompt.0.content`` (OpenLLMetry before 0.50)."""

from collections.abc import Mapping
from typing import Final

from collector.core.span import AnyValue
from collector.graph.reading.flat import items, under
from collector.graph.reading.messages import messages
from collector.graph.reading.statement import NOTHING, Message, Role, Source, Statement
from collector.graph.reading.values import structured

NAMESPACES: Final = ("gen_ai", "llm")
SAYS: Final = "`gen_ai.{prompt,completion}.<i>.{role,content,tool_calls.<j>.*}`, `llm.{prompts,completions}.<i>.*`"


def read(source: Source) -> Statement | None:
    """None where no such key is there; `llm.prompts.<i>.prompt.text` of OpenInference is not of this kind."""
    attributes = source.attributes
    taken = _messages(items(attributes, "gen_ai.prompt."), "user") or _messages(
        items(attributes, "llm.prompts."), "user"
    )
    given = _messages(items(attributes, "gen_ai.completion."), "assistant") or _messages(
        items(attributes, "llm.completions."), "assistant"
    )
    if not taken and not given and not under(attributes, "gen_ai.prompt."):
        return None
    return Statement(role=Role.MODEL if taken or given else Role.OTHER, taken=taken, given=given, output=NOTHING)


def _messages(found: list[AnyValue], role: str) -> tuple[Message, ...]:
    whole = [{"role": role, **item} for item in found if isinstance(item, Mapping) and "prompt" not in item]
    for item in whole:
        item["content"] = structured(item.get("content"))
    return tuple(message for item in whole for message in messages(item))
