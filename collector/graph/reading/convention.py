"""Conventions as tables: which keys of a span say what, read by one reader.

A table is TOML (`collector/graph/reading/conventions/*.toml`): its specification and version, namespaces, which values
of which key mean which role, and by fact the keys that state it, the first that is there before the others. Of a key
``a.b.`` what follows it spells out a list (``a.b.0.content``); ``a.b#c`` is the member ``c`` of a structure;
``^a.b`` counts on a root only.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain, takewhile
from typing import Any, Final, Protocol

from collector.core.span import AnyValue, Attributes, SpanContext
from collector.graph.reading.facts import NOTHING, Facts, Failure, Message, ParameterUse, Role, Source
from collector.graph.reading.messages import answered, asked, instructions, messages
from collector.graph.reading.values import decoded, structured


def under(attributes: Attributes, prefix: str) -> dict[str, AnyValue]:
    """The attributes whose keys begin with the prefix and go on, by the rest of the key."""
    if prefix not in "\0".join(attributes):  # mostly none does, and this looks at all keys at once
        return {}
    size = len(prefix)
    return {key[size:]: attributes[key] for key in attributes if key.startswith(prefix) and len(key) > size}


def items(attributes: Attributes, prefix: str) -> list[AnyValue]:
    """The list whose items are spelled ``<prefix><index>.<path>``, in order of index; gaps close up."""
    root: dict[str, Any] = {}
    for path, value in under(attributes, prefix).items():
        place = root
        *parents, last = path.split(".")
        for part in parents:
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):
                inner = place[part] = {"": inner}
            place = inner
        place[last] = value
    listed = _listed(root)
    return listed if isinstance(listed, list) else []


def _listed(value: Any) -> Any:
    """Dicts whose keys are all indexes as lists. The depth is that of the keys, which attribute limits bound."""
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(item) for key, item in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def lifted(item: AnyValue, *keys: str) -> AnyValue:
    """What an item wraps under such keys, one in the other (``{"message": {…}}``), or the item itself."""
    for key in keys:
        item = item[key] if isinstance(item, Mapping) and key in item else item
    return item


class Convention(Protocol):
    """One instrumentation's way to write dataflow on spans: a `Table`, or a module with these three names."""

    @property
    def NAMESPACES(self) -> tuple[str, ...]:  # noqa: N802
        """It is asked about spans of which an attribute key or event name has one of these before its first dot."""
        ...

    @property
    def SAYS(self) -> str:  # noqa: N802
        """Which keys it reads, for the table in docs/graph.md."""
        ...

    def read(self, source: Source) -> Facts | None:
        """None where the span does not speak this way. Never raises on any span."""
        ...


_EMPTY: Final[Sequence[AnyValue]] = (None, "", [], {}, ())
_WRAPPED: Final = ("inputs", "outputs", "input_str")
_CALLBACKS: Final = frozenset(("tags", "metadata", "kwargs"))
_SECTIONS: Final[Mapping[str, frozenset[str]]] = {
    "role": frozenset(("key", "values", "of_messages")),
    "name": frozenset(("tool", "any")),
    "id": frozenset(("call", "message", "follows")),
    "input": frozenset(("messages", "instructions", "history", "values")),
    "output": frozenset(("messages", "text", "calls", "documents", "values", "single")),
    "prompt": frozenset(("key", "template")),
    "flag": frozenset(("events", "key", "value", "variant")),
    "link": frozenset(("argument", "spans", "relays")),
    "": frozenset(("spec", "version", "namespaces", "json", "actor", "failure", "description")),
}
_NOTHING: Final = object()
_NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True)
class Table:
    """A convention as its file says it; see the module's head.

    Attributes:
        said: By section (``role``, ``input``, …; the file's own keys under ``""``) and name.
    """

    name: str
    said: Mapping[str, Mapping[str, Any]]

    @property
    def NAMESPACES(self) -> tuple[str, ...]:  # noqa: N802
        """First parts of its keys."""
        return tuple(self.said[""]["namespaces"])

    @property
    def SAYS(self) -> str:  # noqa: N802
        """Its keys, and where they are specified."""
        keys = ", ".join(f"`{key}`" for key in dict.fromkeys(self.every_key()))
        return f"{keys} ([{self.said['']['version']}]({self.said['']['spec']}))"

    def every_key(self) -> Iterator[str]:
        """Every key that it reads, and the names of events and spans."""
        for name, said in chain.from_iterable(names.items() for names in self.said.values()):
            for one in said if isinstance(said, list) and name != "namespaces" else ():
                yield from (key.rstrip("~").lstrip("^") for key in ([one] if isinstance(one, str) else one.values()))

    def read(self, source: Source) -> Facts | None:
        """None where none of its keys is there."""
        attributes = source.attributes
        if source.span.parent_span_id is None:
            attributes = {**attributes, **{f"^{key}": value for key, value in attributes.items()}}
        role = self._role(attributes)
        inputs, taken = self._inputs(attributes, role)
        value, given = self._output(attributes, role)
        if role is Role.OTHER and (taken or given) and "of_messages" in self.said["role"]:
            role = Role(self.said["role"]["of_messages"])
        failed = self._text(attributes, "", "failure")
        named = self._text(attributes, "name", "tool") if role is Role.TOOL else ""
        found = Facts(
            role=role,
            name=named or self._text(attributes, "name", "any"),
            actor=self._text(attributes, "", "actor"),
            inputs=inputs,
            taken=taken,
            has_output=value is not _NOTHING,
            output=None if value is _NOTHING else value,  # type: ignore[arg-type]
            given=given,
            uses=(*self._prompts(attributes), *self._flags(source)),
            message_id=self._text(attributes, "id", "message"),
            call_id=self._text(attributes, "id", "call"),
            failure=Failure(failed) if failed else None,
            follows=self._text(attributes, "id", "follows"),
            description=self._text(attributes, "", "description"),
            arguments=self._arguments(source),
            relay=self._spans("relays", source),
        )
        return None if found == _NO_FACTS else found

    def _keys(self, section: str, name: str) -> Sequence[str]:
        found: Sequence[str] = self.said[section].get(name, ())
        return found

    def _text(self, attributes: Attributes, section: str, name: str) -> str:
        return next((str(attributes[key]) for key in self._keys(section, name) if attributes.get(key)), "")

    def _value(self, attributes: Attributes, key: str) -> Any:
        """Decoded; `_NOTHING` where it is not there."""
        if key.endswith("."):
            return [lifted(one, *_DOCUMENT) for one in items(attributes, key)] or _NOTHING
        key, _, member = key.partition("#")
        if key not in attributes:
            return _NOTHING
        value = decoded(attributes[key]) if self.said[""].get("json") else structured(attributes[key])
        if not member:
            return value
        return value.get(member, _NOTHING) if isinstance(value, Mapping) else _NOTHING

    def _first(self, attributes: Attributes, section: str, name: str) -> Any:
        """The first value that is there and says something; None if there is none."""
        found = (self._value(attributes, key) for key in self._keys(section, name))
        return next((one for one in found if one not in (_NOTHING, None, "")), None)

    def _role(self, attributes: Attributes) -> Role:
        value = next((decoded(attributes[key]) for key in self._keys("role", "key") if attributes.get(key)), None)
        patterns = self.said["role"].get("values", {}).items() if value else ()
        return next((Role(role) for pattern, role in patterns if fnmatchcase(str(value).lower(), pattern)), Role.OTHER)

    def _inputs(self, attributes: Attributes, role: Role) -> tuple[Mapping[str, AnyValue], tuple[Message, ...]]:
        keys = self._keys("input", "messages")
        taken = next((found for key in keys if (found := self._talk(attributes, key, "user"))), ())
        if not taken:
            history = (messages(attributes.get(key)) for key in self._keys("input", "history"))
            said = (takewhile(lambda one: one.role != "assistant", whole) for whole in history)
            taken = tuple(chain.from_iterable(said))
        if all(message.role != "system" for message in taken):
            taken = (*instructions(self._first(attributes, "input", "instructions")), *taken)
        if any(message.role != "system" for message in taken):
            return NOTHING, taken
        for group in self._keys("input", "values"):
            values: dict[str, AnyValue] = {}
            for name, key in group.items():  # type: ignore[attr-defined]
                value = self._value(attributes, key)
                if value is _NOTHING:
                    continue
                if role is Role.MODEL and (turns := asked(value) or messages(value)):
                    return NOTHING, (*taken, *turns)
                value = unwrapped(value)
                values |= {name: value} if name else _arguments(value)
            if values:
                return values, taken
        return NOTHING, taken

    def _output(self, attributes: Attributes, role: Role) -> tuple[object, tuple[Message, ...]]:
        keys = self._keys("output", "messages")
        given = next((found for key in keys if (found := self._talk(attributes, key, "assistant"))), ())
        if given := given or self._answer(attributes):
            return _NOTHING, given
        documents = self._keys("output", "documents")
        for key in (*documents, *self._keys("output", "values")):
            value = self._value(attributes, key)
            if value is _NOTHING or (value is None and "json" not in self.said[""]):
                continue
            if role is Role.MODEL and key not in documents and (given := answered(value) or messages(value)):
                return _NOTHING, given
            value = unwrapped(value)
            if self.said["output"].get("single") and isinstance(value, Mapping):
                value = {name: inner for name, inner in value.items() if inner not in _EMPTY}
                value = next(iter(value.values())) if len(value) == 1 else value or _NOTHING
            return value, ()
        return _NOTHING, ()

    def _talk(self, attributes: Attributes, key: str, role: str) -> tuple[Message, ...]:
        """The messages under a key, spelled out, as a list, a request or a response; a text is what the role says."""
        whole = key.rstrip("~")
        if whole.endswith("."):
            return tuple(_spelled(items(attributes, whole), role))
        value = self._value(attributes, whole)
        if value is _NOTHING:
            return ()
        said = (asked(value) if role == "user" else answered(value)) or messages(value)
        return said or ((Message(role, value),) if whole != key and isinstance(value, str) and value else ())

    def _answer(self, attributes: Attributes) -> tuple[Message, ...]:
        """Of texts and of calls of tools that stand under keys of their own."""
        said, calls = (self._first(attributes, "output", name) for name in ("text", "calls"))
        return messages({"role": "assistant", "content": said, "tool_calls": calls}) if said or calls else ()

    def _prompts(self, attributes: Attributes) -> Iterator[ParameterUse]:
        key, template = self._text(attributes, "prompt", "key"), self._text(attributes, "prompt", "template")
        if key or template:
            yield ParameterUse(key or "template", value=template or None, prompt=not key, discovered=True)

    def _flags(self, source: Source) -> Iterable[ParameterUse]:
        """Of several evaluations of one flag the last counts; without a value its variant's name is known."""
        found: dict[str, ParameterUse] = {}
        for event in source.events if self.said["flag"] else ():
            said = event.attributes
            if event.name in self._keys("flag", "events") and (key := self._text(said, "flag", "key")):
                values = [decoded(said[one]) for one in self._keys("flag", "value") if one in said]
                found[key] = ParameterUse(key, value=(values or [self._text(said, "flag", "variant") or None])[0])
        return [found[key] for key in sorted(found)]

    def _arguments(self, source: Source) -> Mapping[str, tuple[SpanContext, ...]]:
        links = source.span.links if self._spans("spans", source) or self._spans("relays", source) else ()
        return {self.said["link"]["argument"]: tuple({one.context: None for one in links})} if links else NOTHING

    def _spans(self, name: str, source: Source) -> bool:
        return any(fnmatchcase(source.span.name, pattern) for pattern in self._keys("link", name))


def table(name: str, text: str) -> Table:
    """A convention from the text of its file.

    Raises:
        ValueError: it is no TOML, or has a section or a name that no table has; says which and what there is.
    """
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"convention {name!r}: no TOML: {error}") from error
    said = {section: read.pop(section, {}) for section in _SECTIONS if section}
    said[""] = read
    for section, names in said.items():
        if unknown := sorted(set(names) - _SECTIONS[section]):
            known = ", ".join(sorted(_SECTIONS[section]))
            raise ValueError(f"convention {name!r}: [{section}] has no {', '.join(unknown)}; there is: {known}")
    if missing := [one for one in ("spec", "version", "namespaces") if one not in said[""]]:
        raise ValueError(f"convention {name!r}: {', '.join(missing)} is missing")
    return Table(name, said)


def unwrapped(value: AnyValue) -> AnyValue:
    """Without what LangChain's callbacks wrap around a value: tags, metadata and the like."""
    if not isinstance(value, Mapping):
        return value
    for key in _WRAPPED:
        if key in value:
            return structured(value[key])
    for key in ("output", "query"):
        if key in value and ((len(value) == 1 and key == "output") or _CALLBACKS & value.keys()):
            return structured(value[key])
    return value


def _arguments(value: AnyValue) -> Mapping[str, AnyValue]:
    """By their names; positional ones are ``args``."""
    if not isinstance(value, Mapping):
        return {} if value in _EMPTY else {"input": value}
    if value.keys() == {"args", "kwargs"}:
        named = value["kwargs"] if isinstance(value["kwargs"], Mapping) else {}
        return {**({"args": value["args"]} if value["args"] else {}), **named}
    return {key: inner for key, inner in value.items() if inner not in _EMPTY}


def _spelled(found: Sequence[AnyValue], role: str) -> Iterator[Message]:
    """Messages whose members are keys of their own; of whose role nothing is said, the one who speaks there."""
    for item in found:
        message = lifted(item, "message")
        if not isinstance(message, Mapping) or "prompt" in message:
            continue
        calls = [lifted(call, "tool_call") for call in _list(message.get("tool_calls"))]
        parts = [lifted(part, "message_content") for part in _list(message.get("contents"))]
        content = structured(message.get("content")) or parts
        yield from messages({"role": role, **message, "content": content, "tool_calls": calls})


_DOCUMENT: Final = ("document", "prompt", "content", "text")


def _list(value: AnyValue) -> Sequence[AnyValue]:
    return value if isinstance(value, list | tuple) else ()
