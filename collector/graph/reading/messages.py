"""What was said to chat models and by them, in the shapes of providers and frameworks.

Understood: GenAI parts, OpenAI's chat completions and responses, Anthropic's messages, Gemini's and Vertex AI's
``generateContent``, Bedrock's Converse, Ollama, LangChain (plain and serialized), Vercel's AI SDK, Haystack, and what
was made after them. Their names for things are in ``messages.toml``.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from operator import is_
from typing import Any, Final

from collector.core.span import AnyValue
from collector.graph.reading.facts import Message, ToolCall
from collector.graph.reading.values import LISTS, structured

_NAMES: Final[Mapping[str, Any]] = tomllib.loads((files(__package__) / "messages.toml").read_text(encoding="utf-8"))
_KEY: Final[Mapping[str, Sequence[str]]] = _NAMES["key"]
_ROLES: Final[Mapping[str, str]] = {name: role for role, names in _NAMES["role"].items() for name in names}
_CALLS, _RESULTS = (frozenset(_NAMES["part"][name]) for name in ("call", "result"))
_NESTED: Final = (dict, list)
_ALONE: Final = _CALLS | _RESULTS
_THOUGHTS: Final = tuple(_NAMES["part"]["thought"])
_SAID: Final = frozenset((*_KEY["content"], "tool_calls"))
"""One of these and a role make a message; whose role we do not know (a participant's name, say) speaks as a user."""

_PARTS: Final = frozenset((*_KEY["content"], "blocks"))
_TEXTS: Final = frozenset(("text", "output_text", "message"))


def messages(value: AnyValue) -> tuple[Message, ...]:
    """Every message of a list, a ``{"messages": …}`` object or a single message; () if it holds none.

    What a model thought (`is_thought`) is no part of its message.
    """
    value = structured(value)
    if isinstance(value, LISTS):
        return tuple(one for item in value if not isinstance(item, str) for one in messages(item))
    if not isinstance(value, dict):
        return ()
    role = _role(value)
    inner = next((value[key] for key in _KEY["messages"] if isinstance(value.get(key), _NESTED)), None)
    if not role and inner is not None:
        return messages(inner)
    if is_thought(value):
        return ()
    if _letters(value.get("type")) in _ALONE:
        return (_message("assistant", {"content": value}),)
    return (_message(role, inner if isinstance(inner, dict) else value),) if role else ()


def instructions(value: AnyValue) -> tuple[Message, ...]:
    """A text, parts of one or a message, as one message of the system."""
    value = structured(value)
    parts = value.get("parts", value) if isinstance(value, dict) else value
    texts = [text for part in _list(parts) if isinstance(text := text_of(part), str) and text]
    return (Message("system", "\n".join(texts)),) if texts else ()


def asked(request: AnyValue) -> tuple[Message, ...]:
    """The messages of a request, the system's first; () if it is none. One that was cut may have the system's alone."""
    if not isinstance(request, dict):
        return ()
    to_model = "model" in request
    turns = next((said for key in _KEY["turns"] if (said := _turns(request.get(key), key, to_model))), ())
    if not turns and not to_model:
        return ()
    places = (request, *(inner for key in _KEY["config"] if isinstance(inner := request.get(key), dict)))
    systems = (instructions(one.get(key)) for one in places for key in _KEY["system"])
    return (*next(filter(None, systems), ()), *turns)


def _turns(said: AnyValue, key: str, to_model: bool) -> tuple[Message, ...]:
    """What stands in a request under such a key; any chain has an input."""
    if key == "input" and not to_model:
        return ()
    if isinstance(said, str):
        return (Message("user", said),) if said and (to_model or key == "prompt") else ()
    return messages(said)


def answered(response: AnyValue) -> tuple[Message, ...]:
    """The messages of a response; () if it is none."""
    if not isinstance(response, dict):
        return ()
    of_model = "model" in response or response.get("object") == "response"
    for key in _KEY["answers"]:
        inner = response.get(key)
        if key == "output" and not of_model:  # any chain has an output
            inner = inner.get("message") if isinstance(inner, dict) else None
        if said := _spoken(inner, key in _KEY["bare"]):
            return said
    return messages(response) if response.get("role") in ("assistant", "model") else ()


def _spoken(value: AnyValue, bare: bool) -> tuple[Message, ...]:
    """A model's messages, which need not say that they are the model's; a text is one where it may be bare."""
    if isinstance(value, list):
        return tuple(one for item in value for one in _spoken(item, bare))
    if isinstance(value, str):
        return (Message("assistant", value),) if bare and value else ()
    if not isinstance(value, dict):
        return ()
    if value.get("role"):
        return messages(value)
    wrapped = (value[key] for key in ("message", "content") if isinstance(value.get(key), dict))
    if inner := next(wrapped, value.get("text") if bare else None):
        return _spoken(inner, bare)
    return messages(value if _SAID.isdisjoint(value) else {**value, "role": "assistant"})


def is_thought(part: AnyValue) -> bool:
    """Whether a part of a message, or a whole item of an answer, holds thoughts and nothing that was said."""
    if not isinstance(part, dict):
        return False
    if part.get("thought") in (True, "true"):
        return True
    for key in _KEY["type"]:
        if isinstance(said := part.get(key), str) and said:
            return _letters_of(said).startswith(_THOUGHTS)
    return not part.keys() & {"text", "content", "role"} and any(part.get(key) for key in _KEY["thought"])


def without_thoughts(value: AnyValue, parts: bool = False) -> AnyValue:
    """A value without the thoughts among the parts of its messages; the very same one where there are none.

    Args:
        value: Any value.
        parts: It is a message's content; so is a list of which an item says that it is a text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        said = {key: without_thoughts(inner, key in _PARTS) for key, inner in value.items()}
        return value if all(map(is_, said.values(), value.values())) else said
    if isinstance(value, LISTS):
        parts = parts or any(isinstance(item, dict) and item.get("type") in _TEXTS for item in value)
        kept = [without_thoughts(item) for item in value if not (parts and is_thought(item))]
        return value if len(kept) == len(value) and all(map(is_, kept, value)) else kept
    return value


def text_of(part: AnyValue) -> AnyValue:
    """The text of a content part; anything else as it is."""
    if isinstance(part, dict):
        for key in _KEY["text"]:
            if isinstance(text := part.get(key), str):
                return text
    return part


def _message(role: str, value: Mapping[str, AnyValue]) -> Message:
    calls = [_call(call) for call in _list(structured(value.get("tool_calls"))) if isinstance(call, dict)]
    answers = _call_id(value) if role == "tool" else ""
    content: list[AnyValue] = []
    for part in _list(structured(next((value[key] for key in _KEY["content"] if key in value), None))):
        if isinstance(part, str):
            content.append(part)
        elif is_thought(part):
            continue
        elif call := _part(part, _CALLS):
            calls.append(_call(call))
        elif result := _part(part, _RESULTS):
            role, answers = "tool", _call_id(result)
            said = _first(result, _KEY["result"])
            content.append(_folded(map(text_of, said)) if isinstance(said, LISTS) else structured(said))
        else:
            content.append(text_of(part))
    return Message(role, _folded(content), tuple(calls), answers)


def _part(part: AnyValue, kinds: frozenset[str]) -> Mapping[str, AnyValue]:
    """A part of such a kind, or what a part without one has under such a key; empty if it is another part."""
    if not isinstance(part, dict):
        return {}
    if _letters(part.get("type")) in kinds:
        return part
    for key, inner in part.items():
        if isinstance(inner, dict) and _letters(key) in kinds:
            return inner
    return {}


def _call(value: Mapping[str, AnyValue]) -> ToolCall:
    """Of the shapes ``{"function": {"name", "arguments"}}`` and ``{"name", "arguments" | "args" | "input"}``."""
    function = value.get("function")
    said = function if isinstance(function, dict) else value
    return ToolCall(str(_first(said, _KEY["name"]) or ""), structured(_first(said, _KEY["arguments"])), _call_id(value))


def _call_id(value: Mapping[str, AnyValue]) -> str:
    return next((str(value[key]) for key in _KEY["id"] if isinstance(value.get(key), str)), "")


def _role(value: Mapping[str, AnyValue]) -> str:
    """Of a LangChain object by its class: ``{"lc": 1, "id": [..., "HumanMessage"], "kwargs": {...}}``."""
    named, path = value.get("role"), value.get("id")
    made = path[-1] if value.get("lc") and isinstance(path, list) and path else None
    for said in (named, value.get("type"), made):
        if isinstance(said, str) and (role := _ROLES.get(_letters_of(said))):
            return role
    return "user" if isinstance(named, str) and named and not _SAID.isdisjoint(value) else ""


def _letters(kind: AnyValue) -> str:
    return _letters_of(kind) if isinstance(kind, str) else ""


@lru_cache(maxsize=1_024)
def _letters_of(kind: str) -> str:
    return "".join(filter(str.isalpha, kind)).lower()


def _first(value: Mapping[str, AnyValue], keys: Sequence[str]) -> AnyValue:
    return next((value[key] for key in keys if value.get(key) is not None), None)


def _list(value: AnyValue) -> Sequence[AnyValue]:
    if value is None:
        return ()
    return value if isinstance(value, LISTS) else (value,)


def _folded(content: Iterable[AnyValue]) -> AnyValue:
    said = [item for item in content if item not in (None, "")]
    return said[0] if len(said) == 1 else said or None
