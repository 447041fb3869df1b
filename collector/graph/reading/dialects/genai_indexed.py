"""The older GenAI attributes with one key per field: ``gen_ai.prompt.0.content`` (OpenLLMetry before 0.50).

Before these a prompt was one attribute, as JSON or as it is: ``gen_ai.prompt`` (semantic conventions before 1.28).
"""

from collections.abc import Mapping
from typing import Final

from collector.core.span import AnyValue, Attributes
from collector.graph.reading.chats import answered, asked
from collector.graph.reading.flat import items, under
from collector.graph.reading.messages import messages
from collector.graph.reading.statement import NOTHING, Message, Role, Source, Statement
from collector.graph.reading.values import structured

NAMESPACES: Final = ("gen_ai", "llm")
SAYS: Final = (
    "`gen_ai.{prompt,completion}.<i>.{role,content,tool_calls.<j>.*}`, `llm.{prompts,completions}.<i>.*`, "
    "`gen_ai.{prompt,completion}` whole"
)


def read(source: Source) -> Statement | None:
    """None where no such key is there; `llm.prompts.<i>.prompt.text` of OpenInference is not of this kind."""
    attributes = source.attributes
    taken = _first(attributes, "user", "gen_ai.prompt", "llm.prompts")
    given = _first(attributes, "assistant", "gen_ai.completion", "llm.completions")
    if not taken and not given and not under(attributes, "gen_ai.prompt."):
        return None
    return Statement(role=Role.MODEL if taken or given else Role.OTHER, taken=taken, given=given, output=NOTHING)


def _first(attributes: Attributes, role: str, *keys: str) -> tuple[Message, ...]:
    """What stands under the first of the keys that holds messages: one key per field, or all in one."""
    for key in keys:
        found = _messages(items(attributes, f"{key}."), role) or _whole(attributes.get(key), role)
        if found:
            return found
    return ()


def _whole(value: AnyValue, role: str) -> tuple[Message, ...]:
    if value is None:
        return ()
    value = structured(value)
    said = (asked(value) if role == "user" else answered(value)) or messages(value)
    return said or ((Message(role, value),) if isinstance(value, str) and value else ())


def _messages(found: list[AnyValue], role: str) -> tuple[Message, ...]:
    whole = [{"role": role, **item} for item in found if isinstance(item, Mapping) and "prompt" not in item]
    for item in whole:
        item["content"] = structured(item.get("content"))
    return tuple(message for item in whole for message in messages(item))
