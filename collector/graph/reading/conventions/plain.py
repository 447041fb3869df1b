"""What an application put on its own spans, in no convention: names tell a part of it, the flow the rest."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from collector.core.span import SPAN_KINDS, AnyValue, Attributes
from collector.graph.reading.convention import items
from collector.graph.reading.conventions.keys import PIECES, Side, is_of_application, is_of_event, side, words
from collector.graph.reading.facts import Facts, Message, ParameterUse, Role, Source
from collector.graph.reading.messages import answered, asked, messages
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

_SPELLED: Final = ".0.role"
"""How the first key of messages ends that keys spell out."""

_MESSAGE: Final = frozenset(("role", "content"))
_REQUEST: Final = frozenset(("messages", "contents", "model"))
_RESPONSE: Final = frozenset(("choices", "candidates", "generations"))
_SAYS: Final = frozenset(("content", "contents", "parts", "tool_calls"))
_EMPTY: Final[Sequence[AnyValue]] = ("", (), [], {}, "{}", "[]", '""', "null", "None")
MIN_DIGITS: Final = 3
"""Of a number that may be more than a measurement: an amount, an account."""


def read(source: Source) -> Facts | None:
    """Texts, structures and long numbers; what neither goes by a known name nor is a prompt is carried."""
    opened = {key: _inside(structured(value)) for key, value in source.attributes.items()}
    said = _by_side(source, opened)
    inputs, outputs, carried = said[Side.INPUT], said[Side.OUTPUT], said[Side.EITHER]
    lists = dict(_lists(source, opened))
    if not (inputs or outputs or carried or said[Side.PROMPT] or lists):
        return None
    taken = next((found for item in inputs.items() if (found := asked(_whole(*item)) or lists.get(item[0], ()))), ())
    taken = taken or _said_to_model(source, inputs)
    given = next((found for item in outputs.items() if (found := answered(_whole(*item)))), ())
    if lists and not taken and not given:
        taken, given = _spoken(lists.values())
        for named in (inputs, outputs, carried):
            for key in lists:
                named.pop(key, None)
    tool = _TOOL.fullmatch(source.span.name)
    return Facts(
        role=Role.TOOL if tool else Role.MODEL if taken else Role.OTHER,
        name=tool[1] or tool[2] if tool else "",
        inputs={} if taken else {key: inputs[key] for key in sorted(inputs)},
        taken=taken,
        has_output=bool(outputs) and not given,
        output=None if given or not outputs else next(iter(outputs.values())) if len(outputs) == 1 else outputs,
        given=given,
        uses=tuple(ParameterUse(key, value=value, discovered=True) for key, value in sorted(said[Side.PROMPT].items())),
        carried=carried,
        hearsay=frozenset(inputs),
    )


def _by_side(source: Source, opened: Attributes) -> Mapping[Side, dict[str, AnyValue]]:
    """By what keys tell. Who sends or receives a message records what was handed to it."""
    received = SPAN_KINDS.get(source.span.kind) in ("producer", "consumer")
    values: dict[str, list[AnyValue]] = {}
    for key, value in _said(source):
        if _is_content(value):
            values.setdefault(key, []).append(value)
    found: dict[Side, dict[str, AnyValue]] = {one: {} for one in Side}
    for key, several in values.items():
        went = side(key)
        if went is Side.NEITHER:
            continue
        value = opened[key] if len(several) == 1 and key in opened else _inside(structured(_together(key, several)))
        if received and went in (Side.PROMPT, Side.EITHER):
            went = Side.INPUT
        elif went is Side.PROMPT and not isinstance(value, str):
            went = Side.EITHER
        found[went][key] = value
    return found


def _lists(source: Source, opened: Attributes) -> Iterator[tuple[str, tuple[Message, ...]]]:
    """Messages, by key: structures under whatever key, spelled out by keys, and events that are one each."""
    for key, value in opened.items():
        if key.endswith(_SPELLED):
            yield key, messages(items(source.attributes, f"{key.removesuffix(_SPELLED)}."))
        elif not isinstance(value, str) and (said := _talk(value)):
            yield key, said
    told = [messages(event.attributes) for event in source.events if event.attributes.keys() >= _MESSAGE]
    if told:
        yield "", tuple(chain.from_iterable(told))


def _spoken(lists: Iterable[tuple[Message, ...]]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Of lists of messages what went in and what came out.

    Lists of the model's alone came out; so did its last words of another one, if no other list has them.
    """
    own = [said for said in lists if all(one.role == "assistant" for one in said)]
    taken = max((said for said in lists if said not in own), key=len, default=())
    if own:
        return taken, own[0]
    end = len(taken) - (bool(taken) and taken[-1].role == "assistant")
    return taken[:end], taken[end:]


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
