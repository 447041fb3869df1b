"""Requests to chat models and their responses, in the shapes of the providers' APIs.

Understood: OpenAI's chat completions and responses, Anthropic's messages, Gemini's and Vertex AI's ``generateContent``,
Bedrock's Converse, Ollama, LangChain's results, and what was made after them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from collector.core.span import AnyValue
from collector.graph.reading.facts import Message
from collector.graph.reading.messages import messages, text_of

_SYSTEM: Final = ("system", "system_prompt", "system_instruction", "systemInstruction", "instructions")
_CONFIG: Final = ("config", "generation_config", "generationConfig")
"""Where Gemini's clients keep the system's instruction."""


def asked(request: AnyValue) -> tuple[Message, ...]:
    """The messages of a request, the system's first; () if it is none. One that was cut may have the system's alone."""
    if not isinstance(request, Mapping):
        return ()
    turns = _turns(request)
    if not turns and "model" not in request:
        return ()
    nested = [inner for key in _CONFIG if isinstance(inner := request.get(key), Mapping)]
    said = next((one[key] for one in (request, *nested) for key in _SYSTEM if one.get(key)), None)
    system = _text(said)
    return turns if system is None else (Message("system", system), *turns)


def answered(response: AnyValue) -> tuple[Message, ...]:
    """The messages of a response; () if it is none."""
    if not isinstance(response, Mapping):
        return ()
    for key, inside in (("choices", "message"), ("candidates", "content")):
        choices = response.get(key)
        if isinstance(choices, list):
            return tuple(
                one for choice in choices if isinstance(choice, Mapping) for one in _spoken(choice.get(inside))
            )
    replies = response.get("replies")
    if isinstance(replies, list):
        return tuple(Message("assistant", one) for one in replies if isinstance(one, str)) or messages(replies)
    generations = response.get("generations")
    if isinstance(generations, list):
        return tuple(_generated(generations))
    output = response.get("output")
    if isinstance(output, list) and ("model" in response or response.get("object") == "response"):
        return messages(output)
    for inner in (output.get("message") if isinstance(output, Mapping) else None, response.get("message")):
        if isinstance(inner, Mapping):
            return _spoken(inner)
    content = response.get("content")
    if isinstance(content, Mapping) and "parts" in content:
        return _spoken(content)
    return messages(response) if response.get("role") in ("assistant", "model") else ()


def _generated(generations: Sequence[AnyValue]) -> Iterator[Message]:
    """Of LangChain's results, lists of candidates for each prompt: their messages, or texts where none are there."""
    for one in generations:
        if isinstance(one, list):
            yield from _generated(one)
        elif isinstance(one, Mapping):
            yield from messages(one.get("message")) or (Message("assistant", one.get("text")),)


def _turns(request: Mapping[str, AnyValue]) -> tuple[Message, ...]:
    for key in ("messages", "contents"):
        turns = request.get(key)
        if isinstance(turns, list | Mapping):
            return messages(turns)
        if isinstance(turns, str) and turns and "model" in request:
            return (Message("user", turns),)
    prompt = request.get("prompt")
    if isinstance(prompt, str) and prompt:
        return (Message("user", prompt),)
    turns = request.get("input")
    if "model" in request and turns:
        return (Message("user", turns),) if isinstance(turns, str) else messages(turns)
    return ()


def _spoken(message: AnyValue) -> tuple[Message, ...]:
    """A model's message, which need not say that it is the model's."""
    if isinstance(message, Mapping) and not message.get("role"):
        message = {**message, "role": "assistant"}
    return messages(message)


def _text(said: AnyValue) -> AnyValue:
    """A system's instruction: a text, parts of one, or a message."""
    if isinstance(said, Mapping):
        said = said.get("parts", text_of(said))
    if isinstance(said, Sequence) and not isinstance(said, str | bytes):
        texts = [text for part in said if isinstance(text := text_of(part), str)]
        return texts[0] if len(texts) == 1 else texts or None
    return said if isinstance(said, str) and said else None
