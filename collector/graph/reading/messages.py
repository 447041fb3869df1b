"""Messages of chat models, from the shapes in which providers and frameworks write them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from collector.core.span import AnyValue
from collector.graph.reading.facts import Message, ToolCall
from collector.graph.reading.values import structured

_TYPES: Final = ("reasoning", "thinking", "thought", "redactedreasoning", "redactedthinking", "encryptedreasoning")
"""How the letters of a type begin: ``reasoning_text``, ``thinking_delta``, ``redacted-reasoning``."""

_TYPE_KEYS: Final = ("type", "message_content.type", "part_kind", "block_type", "kind")
_KEYS: Final = ("reasoningContent", "reasoning_content", "reasoning", "thinking", "redactedContent")
"""By such a key parts without a type hold thoughts (Bedrock, Haystack)."""

_SPOKEN_KEYS: Final = frozenset(("text", "content"))
_LISTS: Final = frozenset(("content", "contents", "parts", "blocks"))
_TEXTS: Final = frozenset(("text", "output_text", "message"))


def is_thought(part: AnyValue) -> bool:
    """Whether a part of a message, or a whole item of an answer, holds thoughts and nothing that was said."""
    if not isinstance(part, Mapping):
        return False
    if part.get("thought") in (True, "true"):
        return True
    kinds = [said for key in _TYPE_KEYS if isinstance(said := part.get(key), str) and said]
    if kinds:
        return "".join(filter(str.isalpha, kinds[0])).lower().startswith(_TYPES)
    return _SPOKEN_KEYS.isdisjoint(part) and any(part.get(key) for key in _KEYS) and "role" not in part


def without_thoughts(value: AnyValue) -> AnyValue:
    """A value without the thoughts among the parts of its messages; the very same one where there are none.

    Parts are what stands under the keys of contents, or a list of which another item says that it is a text.
    """
    if isinstance(value, Mapping):
        said = {key: _parts(inner) if key in _LISTS else without_thoughts(inner) for key, inner in value.items()}
        return value if all(said[key] is value[key] for key in value) else said
    if isinstance(value, list | tuple):
        if any(isinstance(item, Mapping) and item.get("type") in _TEXTS for item in value):
            return _parts(value)
        kept = [without_thoughts(item) for item in value]
        return value if _same(kept, value) else kept
    return value


def _parts(value: AnyValue) -> AnyValue:
    if not isinstance(value, list | tuple):
        return without_thoughts(value)
    kept = [without_thoughts(item) for item in value if not is_thought(item)]
    return value if _same(kept, value) else kept


def _same(kept: Sequence[AnyValue], value: Sequence[AnyValue]) -> bool:
    return len(kept) == len(value) and all(map(lambda one, other: one is other, kept, value))


_ROLES = {
    "system": "system", "developer": "system", "systemmessage": "system", "instructions": "system",
    "user": "user", "human": "user", "humanmessage": "user",
    "assistant": "assistant", "ai": "assistant", "model": "assistant", "aimessage": "assistant", "bot": "assistant",
    "aimessagechunk": "assistant", "chatbot": "assistant", "toolcall": "assistant", "functioncall": "assistant",
    "tool": "tool", "function": "tool", "toolmessage": "tool", "toolresult": "tool", "toolresponse": "tool",
    "functionmessage": "tool", "functionresponse": "tool", "functioncalloutput": "tool", "ipython": "tool",
}  # fmt: skip
"""By the role's or the message class's letters alone: ``tool-response``, ``tool_response`` and ``ToolResponse``."""

_CALL_PARTS = frozenset(("tool_call", "tool-call", "tool_use", "function_call", "functionCall", "tool_calls"))
_CONTENT = frozenset(("content", "contents", "parts", "tool_calls"))
"""One of these and a role make a message; whose role we do not know (a participant's name, say) speaks as a user."""

_ANSWER_PARTS = frozenset(("tool_call_response", "tool-result", "tool_result", "function_call_output", "toolResult"))
_CALL_KEYS = ("toolUse", "functionCall", "function_call", "tool_call")
_ANSWER_KEYS = ("toolResult", "functionResponse", "function_response", "tool_call_result")
"""By such a key parts without a type hold a call or an answer (Bedrock, Gemini, Haystack)."""


def messages(value: AnyValue) -> tuple[Message, ...]:
    """Every message of a list, a ``{"messages": …}`` object or a single message; () if it holds none.

    What a model thought (`thoughts.is_thought`) is no part of its message.

    Understood: GenAI parts, OpenAI chat and responses, Anthropic blocks, LangChain (plain and serialized), Vercel AI
    SDK, Bedrock Converse, Gemini, Haystack.
    """
    value = structured(value)
    if value is None or isinstance(value, str | bytes):
        return ()
    if isinstance(value, Mapping):
        for key in ("messages", "kwargs", "data"):
            inner = value.get(key)
            if isinstance(inner, Mapping | list) and _role(value) == "":
                return messages(inner)
        return tuple(_read(value))
    if isinstance(value, Sequence):
        return tuple(message for item in value for message in messages(item) if not isinstance(item, str))
    return ()


def instructions(value: AnyValue) -> tuple[Message, ...]:
    """``[{"type": "text", "content": …}]``, a list of texts or one text, as one system message."""
    value = structured(value)
    parts = [text_of(part) for part in value] if isinstance(value, list | tuple) else [value]
    texts = [part for part in parts if isinstance(part, str) and part]
    return (Message("system", "\n".join(texts)),) if texts else ()


def _role(value: Mapping[str, AnyValue]) -> str:
    for said in (value.get("role"), value.get("type"), _constructor(value)):
        role = _ROLES.get(_letters(said)) if isinstance(said, str) else None
        if role is not None:
            return role
    named = value.get("role")
    return "user" if isinstance(named, str) and named and not _CONTENT.isdisjoint(value) else ""


def _letters(role: str) -> str:
    """Of a role as an enumeration may write it (``MessageRole.USER``)."""
    return "".join(filter(str.isalpha, role.rpartition(".")[2])).lower()


def _constructor(value: Mapping[str, AnyValue]) -> str:
    """The class of a LangChain object, serialized as ``{"lc": 1, "id": [..., "HumanMessage"], "kwargs": {...}}``."""
    path = value.get("id")
    return str(path[-1]) if value.get("lc") and isinstance(path, Sequence) and path else ""


def _read(value: Mapping[str, AnyValue]) -> Iterator[Message]:
    kind = str(value.get("type") or "")
    inner = value.get("kwargs") if _constructor(value) else value.get("data")
    if is_thought(value):
        return
    if isinstance(inner, Mapping) and _role(value):
        yield _message(_role(value), inner)
    elif kind in _CALL_PARTS:
        yield Message("assistant", calls=(tool_call(value),))
    elif kind in _ANSWER_PARTS:
        yield Message("tool", _answer(value), answers=_call_id(value))
    elif _role(value):
        yield _message(_role(value), value)


def _message(role: str, value: Mapping[str, AnyValue]) -> Message:
    parts = value.get("parts", value.get("content", value.get("contents")))
    parts = structured(parts)
    calls = [tool_call(call) for call in _list(structured(value.get("tool_calls"))) if isinstance(call, Mapping)]
    answers = _call_id(value) if role == "tool" else ""
    content: list[AnyValue] = []
    for part in _list(parts):
        if is_thought(part):
            continue
        kind = str(part.get("type") or "") if isinstance(part, Mapping) else ""
        if isinstance(part, Mapping) and (kind in _CALL_PARTS or (called := _under(_CALL_KEYS, part))):
            calls.append(tool_call(part if kind in _CALL_PARTS else called))
        elif isinstance(part, Mapping) and (kind in _ANSWER_PARTS or (answered := _under(_ANSWER_KEYS, part))):
            answered = part if kind in _ANSWER_PARTS else answered
            role, answers = "tool", _call_id(answered)
            content.append(_answer(answered))
        else:
            content.append(text_of(part))
    return Message(role, _folded(content), tuple(calls), answers)


def _under(keys: Sequence[str], part: Mapping[str, AnyValue]) -> Mapping[str, AnyValue]:
    return next((inner for key in keys if isinstance(inner := part.get(key), Mapping)), {})


def _list(value: AnyValue) -> Sequence[AnyValue]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _folded(content: list[AnyValue]) -> AnyValue:
    content = [item for item in content if item not in (None, "")]
    return content[0] if len(content) == 1 else content or None


def text_of(part: AnyValue) -> AnyValue:
    """The text of a content part; anything else as it is."""
    if isinstance(part, Mapping):
        for key in ("text", "content", "message_content.text"):
            if isinstance(part.get(key), str):
                return part[key]
    return part


def tool_call(value: Mapping[str, AnyValue]) -> ToolCall:
    """Of the shapes ``{"function": {"name", "arguments"}}`` and ``{"name", "arguments" | "args" | "input"}``."""
    function = value.get("function")
    said = function if isinstance(function, Mapping) else value
    name = said.get("name") or said.get("toolName") or said.get("tool_name") or ""
    arguments = next((said[key] for key in ("arguments", "args", "input") if said.get(key) is not None), None)
    return ToolCall(str(name), structured(arguments), _call_id(value))


def _call_id(value: Mapping[str, AnyValue]) -> str:
    keys = ("tool_call_id", "call_id", "toolCallId", "tool_use_id", "toolUseId", "id")
    return next((str(value[key]) for key in keys if isinstance(value.get(key), str)), "")


def _answer(value: Mapping[str, AnyValue]) -> AnyValue:
    keys = ("response", "result", "output", "content")
    found = next((value[key] for key in keys if value.get(key) is not None), None)
    if isinstance(found, Mapping) and set(found) == {"type", "value"}:
        found = found["value"]
    return _folded([text_of(part) for part in found]) if isinstance(found, list | tuple) else structured(found)
