"""What an application put on its own spans, in no convention: names tell a part of it, the flow the rest."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

from collector.core.span import SPAN_KINDS, AnyValue
from collector.graph.reading.chats import answered, asked
from collector.graph.reading.convention import items
from collector.graph.reading.facts import Facts, Message, ParameterUse, Role, Source
from collector.graph.reading.messages import messages
from collector.graph.reading.shapes.keys import PIECES, Side, is_of_application, is_of_event, side, words
from collector.graph.reading.values import structured

NAMESPACES: Final = ()
SAYS: Final = (
    "bodies of HTTP and messages (`http.{request,response}.body`, `messaging.message.body`, `url.query`), statements, "
    "parameters and rows of databases (`db.*`), and any attribute outside OpenTelemetry's general namespaces, those of "
    "events included: by a word of its name an output (`app.answer`), an input (`app.question`) or a prompt "
    "(`app.prompt`), else by what flowed; events with `role` and `content` are messages"
)

_TOOL: Final = re.compile(r"(?:(?:execute_|running )?tool|tool[_ ]call|call[_ ]tool) (\S+)|(\S+)\.tool")
"""Names of spans by which frameworks without a convention name a tool."""

_MODEL: Final = re.compile(
    r"(?:^|[\W_])(?:llm|gpt|chat|completions?|openai|anthropic|claude|gemini|mistral|ollama)(?:$|[\W_])", re.IGNORECASE
)
"""Names of spans and attributes by which applications say that they ask a model."""

_ROLE: Final = re.compile(r"(.+)\.0\.role")
_MESSAGE: Final = frozenset(("role", "content"))
_REQUEST: Final = frozenset(("messages", "contents", "model"))
_RESPONSE: Final = frozenset(("choices", "candidates", "generations"))
_SAYS: Final = frozenset(("content", "contents", "parts", "tool_calls"))
_EMPTY: Final[Sequence[AnyValue]] = ("", (), [], {}, "{}", "[]", '""', "null", "None")
MIN_DIGITS: Final = 3
"""Of a number that may be more than a measurement: an amount, an account."""


def read(source: Source) -> Facts | None:
    """Texts, structures and long numbers; what neither goes by a known name nor is a prompt is carried.

    Who sends or receives a message records what was handed to it.
    """
    inputs, outputs, uses, carried = _by_side(source)
    spoken = _conversation(source)
    chats, keys = _anywhere(source)
    if not (inputs or outputs or uses or carried or any(spoken) or any(chats)):
        return None
    taken = next((found for item in inputs.items() if (found := asked(_whole(*item)) or _chat(item[1]))), ())
    taken = taken or _said_to_model(source, inputs)
    given = next((found for item in outputs.items() if (found := answered(_whole(*item)))), ())
    if not taken and not given:
        taken, given = next((found for found in (spoken, _spelled(source), chats) if any(found)), ((), ()))
        for key in keys if taken is chats[0] and given is chats[1] else ():
            for named in (inputs, outputs, carried):
                named.pop(key, None)
    tool = _TOOL.fullmatch(source.span.name)
    output: AnyValue = next(iter(outputs.values())) if len(outputs) == 1 else outputs
    return Facts(
        role=Role.TOOL if tool else Role.MODEL if taken else Role.OTHER,
        name=tool[1] or tool[2] if tool else "",
        inputs={} if taken else {key: inputs[key] for key in sorted(inputs)},
        taken=taken,
        has_output=bool(outputs) and not given,
        output=None if given or not outputs else output,
        given=given,
        uses=tuple(sorted(uses)),
        carried=carried,
        hearsay=frozenset(inputs),
    )


def _by_side(
    source: Source,
) -> tuple[dict[str, AnyValue], dict[str, AnyValue], list[ParameterUse], dict[str, AnyValue]]:
    """What went in, what came out, prompts, and what may be either."""
    inputs: dict[str, AnyValue] = {}
    outputs: dict[str, AnyValue] = {}
    uses: list[ParameterUse] = []
    carried: dict[str, AnyValue] = {}
    received = SPAN_KINDS.get(source.span.kind) in ("producer", "consumer")
    said: dict[str, list[AnyValue]] = {}
    for key, value in _said(source):
        if _is_content(value):
            said.setdefault(key, []).append(value)
    for key, values in said.items():
        went = side(key)
        if went is Side.NEITHER:
            continue
        value = _inside(structured(_together(key, values)))
        if went is Side.OUTPUT:
            outputs[key] = value
        elif went is Side.INPUT or received:
            inputs[key] = _query(value) if key == "url.query" else value
        elif went is Side.PROMPT and isinstance(value, str):
            uses.append(ParameterUse(key, value=value, discovered=True))
        else:
            carried[key] = value
    return inputs, outputs, uses, carried


def _conversation(source: Source) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Of events that are a message each: those before the model's last words, and these."""
    said = [one for event in source.events if event.attributes.keys() >= _MESSAGE for one in messages(event.attributes)]
    end = len(said)
    while end and said[end - 1].role == "assistant":
        end -= 1
    return tuple(said[:end]), tuple(said[end:])


def _spelled(source: Source) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Of messages that keys spell out (``chat.messages.0.role``) those that went in and those that came out."""
    found: dict[Side, tuple[Message, ...]] = {}
    for match in filter(None, map(_ROLE.fullmatch, source.attributes)):
        found.setdefault(side(match[1]), messages(items(source.attributes, f"{match[1]}.")))
    return found.get(Side.INPUT, ()), found.get(Side.OUTPUT, ())


def _anywhere(source: Source) -> tuple[tuple[tuple[Message, ...], tuple[Message, ...]], Sequence[str]]:
    """Messages under whatever key: those that went in and those that came out, and the keys.

    Lists of messages of the model alone came out; so did its last words of another one, if no other list has them.
    """
    taken: tuple[Message, ...] = ()
    given: tuple[Message, ...] = ()
    keys = []
    for key, value in source.attributes.items():
        if isinstance(value, str) and value[:1] not in ("{", "[", " ", "\n"):
            continue
        said = _talk(_inside(structured(value)))
        if not said:
            continue
        keys.append(key)
        if all(one.role == "assistant" for one in said):
            given = given or said
        elif len(said) > len(taken):
            taken = said
    if taken and not given and taken[-1].role == "assistant":
        given, taken = taken[-1:], taken[:-1]
    return (taken, given), keys


def _talk(value: AnyValue) -> tuple[Message, ...]:
    """The messages of a list of them, of a request to a model or of its response; () if it is none."""
    if _is_chat(value):
        return messages(value)
    if not isinstance(value, Mapping):
        return ()
    said = asked(value) if _REQUEST & value.keys() else ()
    said = said or (answered(value) if _RESPONSE & value.keys() else ())
    return said if any(one.content is not None or one.calls for one in said) else ()


def _is_chat(value: AnyValue) -> bool:
    """Whether it is a list of what has a role and says something, or an object with one."""
    if isinstance(value, Mapping):
        return any(_is_chat(value.get(key)) for key in ("messages", "contents"))
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(one, Mapping) and isinstance(one.get("role"), str) and _SAYS & one.keys() for one in value)
    )


def _chat(value: AnyValue) -> tuple[Message, ...]:
    """A list of messages that begins with the system's is what a model is asked."""
    found = messages(value) if isinstance(value, list) else ()
    return found if found and found[0].role == "system" else ()


def _inside(value: AnyValue) -> AnyValue:
    """What stands in ``{"type": "chat_messages", "value": …}``, as LangWatch and others write a value with its kind."""
    return value["value"] if isinstance(value, Mapping) and value.keys() == {"type", "value"} else value


def _whole(key: str, value: AnyValue) -> AnyValue:
    """A request or response of which each part may be an attribute: ``llm.openai.messages``."""
    return value if isinstance(value, Mapping) else {words(key)[-1]: value}


def _said_to_model(source: Source, inputs: Mapping[str, AnyValue]) -> tuple[Message, ...]:
    """The one text that an operation was given of which a name says that it asks a model."""
    said = [value for value in inputs.values() if isinstance(value, str)]
    model = _MODEL.search(source.span.name) or any(map(_MODEL.search, inputs))
    return (Message("user", said[0]),) if model and len(said) == 1 == len(inputs) else ()


def _together(key: str, values: Sequence[AnyValue]) -> AnyValue:
    """What several events say under one key: the pieces of a stream as one text."""
    if len(values) == 1:
        return values[0]
    return "".join(map(str, values)) if words(key)[-1] in PIECES else list(values)


def _said(source: Source) -> Iterator[tuple[str, AnyValue]]:
    """Attributes, then those of events with the event's name before them, in the order in which they were set."""
    for key, value in source.attributes.items():
        if is_of_application(key):
            yield key, value
    for event in source.events:
        for key, value in event.attributes.items() if not event.attributes.keys() >= _MESSAGE else ():
            if is_of_event(event.name, key):
                yield f"{event.name}.{key}", value


def _is_content(value: AnyValue) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return len(str(value).strip("0.-")) >= MIN_DIGITS
    return isinstance(value, str | list | tuple | Mapping) and value not in _EMPTY


def _query(value: AnyValue) -> AnyValue:
    return [one for found in parse_qs(value).values() for one in found] if isinstance(value, str) else value
