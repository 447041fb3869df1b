"""What an application put on its own spans, in no convention: names tell a part of it, the flow the rest.

What names tell is in ``plain.toml``: namespaces, and words by which programs call what goes in and what comes out.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from importlib.resources import files
from itertools import chain
from typing import Final

from collector.core.span import SPAN_KINDS, AnyValue, Attributes
from collector.graph.reading.convention import items
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


class Side(Enum):
    """Of an operation: where a value went, or what it is."""

    INPUT = "input"
    OUTPUT = "output"
    PROMPT = "prompt"
    EITHER = "either"
    NEITHER = "neither"


_TABLE: Final = tomllib.loads((files(__package__) / "plain.toml").read_text(encoding="utf-8"))
_SPACE, _WORD = ({name: frozenset(said) for name, said in _TABLE[one].items()} for one in ("space", "word"))
_SENT: Final = re.compile(
    r"http\.(request|response)\.body(\.\w+)?|http\.\w*(body|payload)|url\.query|messaging\.message\.(body|payload)\w*|"
    r"code\.function\.(parameter|return)\..+"
)
"""The attributes of general namespaces that hold what was sent or received."""

_TOOL: Final = re.compile(
    r"(?:(?:execute_|running )?tool|tool[_ ]call|call[_ ]tool|tool\.execut\w+)[ :](\S+)|(\S+)\.tool"
)
"""Names of spans by which frameworks without a convention name a tool."""

_SPELLED: Final = ".0.role"
"""How the first key of messages ends that keys spell out."""

_MESSAGE: Final = frozenset(("role", "content"))
_SAYS: Final = frozenset(("content", "contents", "parts", "tool_calls"))
_EMPTY: Final[Sequence[AnyValue]] = ("", (), [], {}, "{}", "[]", '""', "null", "None")
MIN_DIGITS: Final = 3
"""Of a number that may be more than a measurement: an amount, an account."""


def read(source: Source) -> Facts | None:
    """Texts, structures and long numbers; what neither goes by a known name nor is a prompt is carried."""
    opened = {key: structured(value) for key, value in source.attributes.items()}
    said = _by_side(source, opened)
    inputs, outputs, carried = said[Side.INPUT], said[Side.OUTPUT], said[Side.EITHER]
    chats = {
        key: chat
        for key, chat in _chats(source, opened)
        if key not in outputs or (chat and chat[-1].role == "assistant")  # else it is a prompt that came out
    }
    if not (inputs or outputs or carried or said[Side.PROMPT] or chats):
        return None
    taken = next((found for item in inputs.items() if (found := asked(_whole(*item)) or chats.get(item[0], ()))), ())
    given = next((found for item in outputs.items() if (found := answered(_whole(*item)))), ())
    taken = taken or _said_to_model(source, inputs)
    if chats and not taken and not given:
        taken, given = _spoken([*chats.values()])
        inputs, outputs, carried = (
            {key: value for key, value in one.items() if key not in chats} for one in (inputs, outputs, carried)
        )
    tool = _TOOL.fullmatch(source.span.name)
    return Facts(
        role=Role.TOOL if tool else Role.MODEL if taken else Role.OTHER,
        name=tool[1] or tool[2] if tool else "",
        inputs={} if taken else dict(sorted(inputs.items())),
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
    sides = {key: side(key) for key in source.attributes}
    values = {key: [opened[key]] for key, value in source.attributes.items() if _is_content(value)}
    for event in source.events:
        for key, value in event.attributes.items() if not event.attributes.keys() >= _MESSAGE else ():
            if _is_content(value):
                named = f"{event.name}.{key}"
                sides[named] = side(key, event.name)
                values.setdefault(named, []).append(structured(value))
    found: dict[Side, dict[str, AnyValue]] = {one: {} for one in Side}
    for key, several in values.items():
        value, went = _together(key, several), sides[key]
        if received and went in (Side.PROMPT, Side.EITHER):
            went = Side.INPUT
        elif went is Side.PROMPT and not isinstance(value, str):
            went = Side.EITHER
        found[went][key] = value
    return found


@lru_cache(maxsize=4_096)
def side(key: str, event: str = "") -> Side:
    """By the last word that says something, or one before it that says which side the whole is of.

    ``app.user.question`` went in, ``outputs.query`` came out, ``app.prompt`` is a template, ``llm.prompt`` one that was
    filled and sent, ``app.draft`` may be either, ``app.tokens`` is neither; so are OpenTelemetry's general namespaces,
    but for what holds what was sent or received, and what vendors' say under no such word.

    Args:
        key: Of an attribute.
        event: The name of its event; it is a part of the attribute's.
    """
    named = f"{event}.{key}" if event else key
    said = words(named)
    if said[-1] in _WORD["meta"] or _is_general(key, event):
        return Side.NEITHER
    telling = [word for word in said[:-1] if word in _WORD["sides"]][-1:] or said[-1:]
    if _WORD["output"].intersection(telling) or (key.startswith("db.") and _WORD["rows"].intersection(said)):
        return Side.OUTPUT
    before = said[:-1] if said[-1] in ("prompt", "prompts") else ()
    if (
        _WORD["input"].intersection(telling)
        or _WORD["sent"].intersection(before)
        or key.startswith(("db.", "messaging."))
    ):
        return Side.INPUT
    if _WORD["filled"].intersection(before):
        return Side.EITHER
    of_vendor = not _SPACE["vendors"].isdisjoint((_first(event), _first(key)))
    if said[-1] in _WORD["prompt"] and not (of_vendor and said[-1] == "system"):
        return Side.PROMPT
    return Side.NEITHER if of_vendor else Side.EITHER


def _is_general(key: str, event: str) -> bool:
    """Whether it is of OpenTelemetry's general namespaces and holds nothing that was sent or received."""
    if event:
        return not _SPACE["general"].isdisjoint((_first(event), _first(key)))
    first, dot, rest = key.partition(".")
    if not dot:
        return key in _SPACE["flags"]
    if first == "db":
        return _first(rest) in _SPACE["database"]
    return first in _SPACE["general"] | _SPACE["transports"] and not _SENT.fullmatch(key)


def _first(name: str) -> str:
    return name.partition(".")[0]


def words(key: str) -> list[str]:
    """Lower-cased; without those at the end that only tell the form: ``appAnswer.raw`` is app, answer."""
    found = re.split(r"[._:/\s-]", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower())
    while len(found) > 1 and (found[-1] in _WORD["form"] or found[-1].isdigit()):
        found.pop()
    return found


def _chats(source: Source, opened: Attributes) -> Iterator[tuple[str, tuple[Message, ...]]]:
    """Messages, by key: structures under whatever key, spelled out by keys, and events that are one each."""
    for key, value in opened.items():
        if key.endswith(_SPELLED):
            yield key, messages(items(source.attributes, key.removesuffix(_SPELLED[1:])))
        elif _is_chat(value):
            yield key, messages(value)
    told = [messages(event.attributes) for event in source.events if event.attributes.keys() >= _MESSAGE]
    if told:
        yield "", tuple(chain.from_iterable(told))


def _is_chat(value: AnyValue) -> bool:
    """Whether it is a list of what has a role and says something, or an object with one."""
    if isinstance(value, Mapping):
        value = value.get("messages", value.get("contents"))
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(isinstance(one, Mapping) and isinstance(one.get("role"), str) and _SAYS & one.keys() for one in value)
    )


def _spoken(chats: Sequence[tuple[Message, ...]]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Of lists of messages what went in and what came out.

    Lists of the model's alone came out; so did its last words of another one, if no other list has them.
    """
    own = [said for said in chats if all(one.role == "assistant" for one in said)]
    taken = max((said for said in chats if said not in own), key=len, default=())
    if own:
        return taken, own[0]
    end = len(taken) - (bool(taken) and taken[-1].role == "assistant")
    return taken[:end], taken[end:]


def _whole(key: str, value: AnyValue) -> AnyValue:
    """A request or response of which each part may be an attribute: ``llm.openai.messages``."""
    return value if isinstance(value, Mapping) else {words(key)[-1]: value}


def _said_to_model(source: Source, inputs: Mapping[str, AnyValue]) -> tuple[Message, ...]:
    """The one text that an operation was given of which a name says that it asks a model."""
    if len(inputs) != 1:
        return ()
    ((key, value),) = inputs.items()
    asks = not _WORD["model"].isdisjoint(words(f"{source.span.name}/{key}"))
    return (Message("user", value),) if asks and isinstance(value, str) else ()


def _together(key: str, values: Sequence[AnyValue]) -> AnyValue:
    """What several events say under one key: the pieces of a stream as one text."""
    if len(values) == 1:
        return values[0]
    return "".join(map(str, values)) if words(key)[-1] in _WORD["pieces"] else list(values)


def _is_content(value: AnyValue) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return len(str(value).strip("0.-")) >= MIN_DIGITS
    return isinstance(value, str | list | tuple | Mapping) and value not in _EMPTY
