"""What was said to chat models and by them, in the shapes of providers and frameworks.

Understood: GenAI parts, OpenAI's chat completions and responses, Anthropic's messages, Gemini's and Vertex AI's
``generateContent``, Bedrock's Converse, Ollama, LangChain (plain and serialized), Vercel's AI SDK, Haystack, and what
was made after them.
"""

from collections.abc import Mapping, Sequence
from operator import is_
from typing import Final

from collector.core.span import AnyValue
from collector.graph.reading.facts import Message, ToolCall
from collector.graph.reading.values import structured

_ROLES: Final = {
    "system": "system", "developer": "system", "systemmessage": "system", "instructions": "system",
    "user": "user", "human": "user", "humanmessage": "user",
    "assistant": "assistant", "ai": "assistant", "model": "assistant", "aimessage": "assistant", "bot": "assistant",
    "aimessagechunk": "assistant", "chatbot": "assistant", "toolcall": "assistant", "functioncall": "assistant",
    "tool": "tool", "function": "tool", "toolmessage": "tool", "toolresult": "tool", "toolresponse": "tool",
    "functionmessage": "tool", "functionresponse": "tool", "functioncalloutput": "tool", "ipython": "tool",
}  # fmt: skip
"""By the role's or the message class's letters alone: ``tool-response``, ``tool_response`` and ``ToolResponse``."""

_CONTENT: Final = ("parts", "content", "contents")
_SAID: Final = frozenset((*_CONTENT, "tool_calls"))
"""One of these and a role make a message; whose role we do not know (a participant's name, say) speaks as a user."""

_CALLS: Final = frozenset(("tool_call", "tool-call", "tool_use", "function_call", "functionCall", "tool_calls"))
_CALLS_UNDER: Final = ("toolUse", "functionCall", "function_call", "tool_call")
_RESULTS: Final = frozenset(("tool_call_response", "tool-result", "tool_result", "function_call_output", "toolResult"))
_RESULTS_UNDER: Final = ("toolResult", "functionResponse", "function_response", "tool_call_result")
"""Types of parts that hold a call or a result, and keys under which parts without a type do (Bedrock, Gemini)."""

_THOUGHTS: Final = ("reasoning", "thinking", "thought", "redactedreasoning", "redactedthinking", "encryptedreasoning")
"""How the letters of a type begin: ``reasoning_text``, ``thinking_delta``, ``redacted-reasoning``."""

_THOUGHTS_UNDER: Final = ("reasoningContent", "reasoning_content", "reasoning", "thinking", "redactedContent")
_TYPES: Final = ("type", "message_content.type", "part_kind", "block_type", "kind")
_PARTS: Final = frozenset((*_CONTENT, "blocks"))
_TEXTS: Final = frozenset(("text", "output_text", "message"))

_SYSTEM: Final = ("system", "system_prompt", "system_instruction", "systemInstruction", "instructions")
_CONFIG: Final = ("config", "generation_config", "generationConfig")
"""Where Gemini's clients keep the system's instruction."""

_RESPONSES: Final = ("choices", "candidates", "replies", "generations", "output", "message", "content")
_BARE: Final = frozenset(("replies", "generations"))
"""Where in a response the model's words are, in lists too; and where they may be a text by itself."""


def messages(value: AnyValue) -> tuple[Message, ...]:
    """Every message of a list, a ``{"messages": …}`` object or a single message; () if it holds none.

    What a model thought (`is_thought`) is no part of its message.
    """
    value = structured(value)
    if isinstance(value, list | tuple):
        return tuple(one for item in value if not isinstance(item, str) for one in messages(item))
    if not isinstance(value, Mapping):
        return ()
    role, inner = _role(value), _wrapped(value)
    if not role and inner is not None:
        return messages(inner)
    if is_thought(value):
        return ()
    if role and isinstance(inner, Mapping):
        return (_message(role, inner),)
    if str(value.get("type")) in _CALLS | _RESULTS:
        return (_message("assistant", {"content": value}),)
    return (_message(role, value),) if role else ()


def instructions(value: AnyValue) -> tuple[Message, ...]:
    """A text, parts of one or a message, as one message of the system."""
    value = structured(value)
    parts = value.get("parts", value) if isinstance(value, Mapping) else value
    texts = [text for part in _list(parts) if isinstance(text := text_of(part), str) and text]
    return (Message("system", "\n".join(texts)),) if texts else ()


def asked(request: AnyValue) -> tuple[Message, ...]:
    """The messages of a request, the system's first; () if it is none. One that was cut may have the system's alone."""
    if not isinstance(request, Mapping):
        return ()
    turns = _turns(request, "model" in request)
    if not turns and "model" not in request:
        return ()
    places = (request, *(inner for key in _CONFIG if isinstance(inner := request.get(key), Mapping)))
    return (*next((said for one in places for key in _SYSTEM if (said := instructions(one.get(key)))), ()), *turns)


def answered(response: AnyValue) -> tuple[Message, ...]:
    """The messages of a response; () if it is none."""
    if not isinstance(response, Mapping):
        return ()
    of_model = "model" in response or response.get("object") == "response"
    for key in _RESPONSES:
        inner = response.get(key)
        if key == "output" and not of_model:  # any chain has an output
            inner = inner.get("message") if isinstance(inner, Mapping) else None
        if said := _spoken(inner, key in _BARE):
            return said
    return messages(response) if response.get("role") in ("assistant", "model") else ()


def _spoken(value: AnyValue, bare: bool) -> tuple[Message, ...]:
    """A model's messages, which need not say that they are the model's; a text is one where it may be bare."""
    if isinstance(value, list):
        return tuple(one for item in value for one in _spoken(item, bare))
    if isinstance(value, str):
        return (Message("assistant", value),) if bare and value else ()
    if not isinstance(value, Mapping):
        return ()
    if value.get("role"):
        return messages(value)
    wrapped = (value[key] for key in ("message", "content") if isinstance(value.get(key), Mapping))
    if inner := next(wrapped, value.get("text") if bare else None):
        return _spoken(inner, bare)
    return messages(value if _SAID.isdisjoint(value) else {**value, "role": "assistant"})


def is_thought(part: AnyValue) -> bool:
    """Whether a part of a message, or a whole item of an answer, holds thoughts and nothing that was said."""
    if not isinstance(part, Mapping):
        return False
    if part.get("thought") in (True, "true"):
        return True
    kinds = [said for key in _TYPES if isinstance(said := part.get(key), str) and said]
    if kinds:
        return _letters(kinds[0]).startswith(_THOUGHTS)
    return not part.keys() & {"text", "content", "role"} and any(part.get(key) for key in _THOUGHTS_UNDER)


def without_thoughts(value: AnyValue, parts: bool = False) -> AnyValue:
    """A value without the thoughts among the parts of its messages; the very same one where there are none.

    Args:
        value: Any value.
        parts: It is a message's content; so is a list of which an item says that it is a text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        said = {key: without_thoughts(inner, key in _PARTS) for key, inner in value.items()}
        return value if all(map(is_, said.values(), value.values())) else said
    if isinstance(value, list | tuple):
        parts = parts or any(isinstance(item, Mapping) and item.get("type") in _TEXTS for item in value)
        kept = [without_thoughts(item) for item in value if not (parts and is_thought(item))]
        return value if len(kept) == len(value) and all(map(is_, kept, value)) else kept
    return value


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
    return ToolCall(str(name), structured(_first(said, ("arguments", "args", "input"))), _call_id(value))


def _role(value: Mapping[str, AnyValue]) -> str:
    for said in (value.get("role"), value.get("type"), _constructor(value)):
        role = _ROLES.get(_letters(said.rpartition(".")[2])) if isinstance(said, str) else None
        if role is not None:
            return role
    named = value.get("role")
    return "user" if isinstance(named, str) and named and not _SAID.isdisjoint(value) else ""


def _letters(kind: str) -> str:
    return "".join(filter(str.isalpha, kind)).lower()


def _constructor(value: Mapping[str, AnyValue]) -> str:
    """The class of a LangChain object, serialized as ``{"lc": 1, "id": [..., "HumanMessage"], "kwargs": {...}}``."""
    path = value.get("id")
    return str(path[-1]) if value.get("lc") and isinstance(path, Sequence) and path else ""


def _wrapped(value: Mapping[str, AnyValue]) -> AnyValue:
    """What stands in an object around messages, or around the members of one."""
    return next(
        (value[key] for key in ("messages", "kwargs", "data") if isinstance(value.get(key), Mapping | list)), None
    )


def _message(role: str, value: Mapping[str, AnyValue]) -> Message:
    calls = [tool_call(call) for call in _list(structured(value.get("tool_calls"))) if isinstance(call, Mapping)]
    answers = _call_id(value) if role == "tool" else ""
    content: list[AnyValue] = []
    for part in _list(structured(next((value[key] for key in _CONTENT if key in value), None))):
        if is_thought(part):
            continue
        if call := _typed(part, _CALLS, _CALLS_UNDER):
            calls.append(tool_call(call))
        elif result := _typed(part, _RESULTS, _RESULTS_UNDER):
            role, answers = "tool", _call_id(result)
            content.append(_result(result))
        else:
            content.append(text_of(part))
    return Message(role, _folded(content), tuple(calls), answers)


def _typed(part: AnyValue, types: frozenset[str], keys: Sequence[str]) -> Mapping[str, AnyValue]:
    """A part of such a type, or what a part without one has under such a key; empty if it is another part."""
    if not isinstance(part, Mapping):
        return {}
    if str(part.get("type")) in types:
        return part
    return next((inner for key in keys if isinstance(inner := part.get(key), Mapping)), {})


def _result(value: Mapping[str, AnyValue]) -> AnyValue:
    found = _first(value, ("response", "result", "output", "content"))
    if isinstance(found, Mapping) and found.keys() == {"type", "value"}:
        found = found["value"]
    return _folded([text_of(part) for part in found]) if isinstance(found, list | tuple) else structured(found)


def _turns(request: Mapping[str, AnyValue], to_model: bool) -> tuple[Message, ...]:
    for key in ("messages", "contents", "prompt", "input"):
        said = request.get(key)
        if isinstance(said, str) and said and (to_model or key == "prompt"):
            return (Message("user", said),)
        if not isinstance(said, str) and (to_model or key != "input") and (turns := messages(said)):
            return turns
    return ()


def _first(value: Mapping[str, AnyValue], keys: Sequence[str]) -> AnyValue:
    return next((value[key] for key in keys if value.get(key) is not None), None)


def _call_id(value: Mapping[str, AnyValue]) -> str:
    keys = ("tool_call_id", "call_id", "toolCallId", "tool_use_id", "toolUseId", "id")
    return next((str(value[key]) for key in keys if isinstance(value.get(key), str)), "")


def _list(value: AnyValue) -> Sequence[AnyValue]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _folded(content: list[AnyValue]) -> AnyValue:
    content = [item for item in content if item not in (None, "")]
    return content[0] if len(content) == 1 else content or None
