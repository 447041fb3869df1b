"""What a model thought before it spoke: parts of a message that are not what it said.

Told by the part's type alone, in the words of the GenAI conventions (``reasoning``), OpenInference, Anthropic
(``thinking``, ``redacted_thinking``), OpenAI's responses (``reasoning``), Bedrock (``reasoningContent``), Gemini
(``thought: true``), Mistral, the Vercel AI SDK, LangChain, LlamaIndex and Haystack. ``<think>`` inside a text is text.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from collector.core.span import AnyValue

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
