"""Conventions as tables: which keys of a span say what, read by one reader.

A table is TOML (`collector/graph/reading/conventions/*.toml`): its specification and version, namespaces, which values
of which key mean which role, and by fact the keys that state it, the first that is there before the others. Of a key
``a.b.`` what follows it spells out a list (``a.b.0.content``); ``a.b#c`` is the member ``c`` of a structure, ``a.b.#c``
of each item; of messages under ``a.b~`` a text is one, too.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain, takewhile
from typing import Any, Final, Protocol

from collector.core.span import AnyValue, Attributes, SpanContext
from collector.graph.reading.facts import Facts, Failure, Message, ParameterUse, Role, Source
from collector.graph.reading.messages import answered, asked, instructions, messages, text_of
from collector.graph.reading.values import decoded, structured


def under(attributes: Attributes, prefix: str) -> dict[str, AnyValue]:
    """The attributes whose keys begin with the prefix and go on, by the rest of the key."""
    size = len(prefix)
    return {key[size:]: attributes[key] for key in attributes if key.startswith(prefix) and len(key) > size}


_WRAPPERS: Final = frozenset(("message", "message_content", "tool_call", "document", "embedding", "prompt"))
"""Items of OpenInference's lists stand under such a key, alone."""


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
    if inner and all(key.isdecimal() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return next(iter(inner.values())) if len(inner) == 1 and inner.keys() <= _WRAPPERS else inner


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


_SECTIONS: Final[Mapping[str, frozenset[str]]] = {
    "role": frozenset(("key", "values")),
    "name": frozenset(("tool", "any")),
    "id": frozenset(("call", "message", "follows")),
    "input": frozenset(("messages", "instructions", "history", "values")),
    "output": frozenset(("messages", "text", "calls", "documents", "values")),
    "prompt": frozenset(("key", "template")),
    "event": frozenset(("body", "instructions", "taken", "given", "roles")),
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
        yield from self.said["event"].get("roles", ())
        for name, said in chain.from_iterable(names.items() for names in self.said.values()):
            for one in said if isinstance(said, list) and name != "namespaces" else ():
                yield from (key.rstrip("~") for key in ([one] if isinstance(one, str) else one.values()))

    def only(self, keys: Sequence[str], has_events: bool) -> "Table | None":
        """The table for spans that have just these keys; None where it has nothing to say of them."""
        attributes = frozenset(keys)

        def left(said: Any) -> Any:
            if isinstance(said, list):
                return [one for one in map(left, said) if one]
            if isinstance(said, dict):
                return {name: key for name, key in said.items() if left(key)}
            key = said.rstrip("~").partition("#")[0]
            return said if key in attributes or (key[-1:] == "." and any(one.startswith(key) for one in keys)) else ""

        found: dict[str, Mapping[str, Any]] = {}
        for section, names in self.said.items():
            if section in ("event", "flag", "link"):
                found[section] = names if has_events or section == "link" else {}
            else:
                found[section] = {one: left(said) if isinstance(said, list) else said for one, said in names.items()}
        lists = (said for names in found.values() for said in names.values() if isinstance(said, list))
        return Table(self.name, found) if any(lists) else None

    def read(self, source: Source) -> Facts | None:
        """None where none of its keys is there."""
        attributes, said, name = source.attributes, self.said, ""
        role = self._role(attributes) if said["role"] else Role.OTHER
        if said["name"]:
            named = self._text(attributes, "name", "tool") if role is Role.TOOL else ""
            name = named or self._text(attributes, "name", "any")
        failed = self._text(attributes, "", "failure")
        found = Facts(
            role=role,
            name=name,
            actor=self._text(attributes, "", "actor"),
            **(self._taken(attributes, role) if said["input"] else {}),
            **(self._made(attributes, role) if said["output"] else {}),
            uses=(*self._prompts(attributes), *self._flags(source)) if said["prompt"] or said["flag"] else (),
            message_id=self._text(attributes, "id", "message"),
            call_id=self._text(attributes, "id", "call"),
            failure=Failure(failed) if failed else None,
            follows=self._text(attributes, "id", "follows"),
            description=self._text(attributes, "", "description"),
            arguments=self._arguments(source) if said["link"] else (),
            relay=bool(said["link"]) and self._is_named("relays", source),
        )
        if said["event"]:
            taken, given = self._told(source)
            found = found._replace(taken=(*found.taken, *taken), given=(*found.given, *given))
        return None if found == _NO_FACTS else found

    def _keys(self, section: str, name: str) -> Sequence[str]:
        found: Sequence[str] = self.said[section].get(name, ())
        return found

    def _text(self, attributes: Attributes, section: str, name: str) -> str:
        for key in self.said[section].get(name, ()):
            if value := attributes.get(key):
                return str(value)
        return ""

    def _value(self, attributes: Attributes, key: str) -> Any:
        """Decoded; `_NOTHING` where it is not there."""
        key, _, member = key.partition("#")
        if key.endswith("."):
            listed = [one.get(member) if isinstance(one, Mapping) and member else one for one in items(attributes, key)]
            return [text_of(one) for one in listed if one is not None] or _NOTHING
        if key not in attributes:
            return _NOTHING
        value = decoded(attributes[key]) if self.said[""].get("json") else structured(attributes[key])
        if not member:
            return value
        whole = structured(value)
        return whole.get(member, _NOTHING) if isinstance(whole, dict) else _NOTHING

    def _first(self, attributes: Attributes, section: str, name: str) -> Any:
        """The first value that is there and says something; None if there is none."""
        for key in self._keys(section, name):
            if (found := self._value(attributes, key)) not in (_NOTHING, None, ""):
                return found
        return None

    def _role(self, attributes: Attributes) -> Role:
        value = next((decoded(attributes[key]) for key in self._keys("role", "key") if attributes.get(key)), None)
        kind = str(value).lower()
        for pattern, role in self.said["role"].get("values", {}).items() if value else ():
            if pattern == kind if pattern.isidentifier() else fnmatchcase(kind, pattern):
                return Role(role)
        return Role.OTHER

    def _taken(self, attributes: Attributes, role: Role) -> dict[str, Any]:
        """The facts `taken` and `inputs`: messages to a model, else values by their names."""
        keys = self._keys("input", "messages")
        taken = next((found for key in keys if (found := self._talk(attributes, key, "user"))), ())
        if not taken:
            whole = messages(self._first(attributes, "input", "history"))
            taken = tuple(takewhile(lambda one: one.role != "assistant", whole))
        if all(message.role != "system" for message in taken):
            taken = (*instructions(self._first(attributes, "input", "instructions")), *taken)
        if any(message.role != "system" for message in taken):
            return {"taken": taken}
        for group in self._keys("input", "values"):
            values: dict[str, AnyValue] = {}
            for name, key in group.items():  # type: ignore[attr-defined]
                value = self._value(attributes, key)
                if value is _NOTHING:
                    continue
                if role is Role.MODEL and (turns := asked(value) or messages(value)):
                    return {"taken": (*taken, *turns)}
                values |= {name: unwrapped(value)} if name else _by_name(unwrapped(value))
            if values:
                return {"taken": taken, "inputs": values}
        return {"taken": taken}

    def _made(self, attributes: Attributes, role: Role) -> dict[str, Any]:
        """The facts `given`, `has_output` and `output`: a model's messages, else a value."""
        keys = self._keys("output", "messages")
        given = next((found for key in keys if (found := self._talk(attributes, key, "assistant"))), ())
        if given := given or self._answer(attributes):
            return {"given": given}
        documents = self._keys("output", "documents")
        for key in (*documents, *self._keys("output", "values")):
            value = self._value(attributes, key)
            if value is _NOTHING:
                continue
            if role is Role.MODEL and key not in documents and (given := answered(value) or messages(value)):
                return {"given": given}
            return {"has_output": True, "output": unwrapped(value)}
        return {}

    def _talk(self, attributes: Attributes, key: str, role: str) -> tuple[Message, ...]:
        """The messages under a key, spelled out, as a list, a request or a response; a text is what the role says."""
        whole = key.rstrip("~")
        if whole.endswith("."):
            return messages([{"role": role, **one} for one in items(attributes, whole) if isinstance(one, dict)])
        value = self._value(attributes, whole)
        if value is _NOTHING:
            return ()
        said = (asked(value) if role == "user" else answered(value)) or messages(value)
        return said or ((Message(role, value),) if whole != key and isinstance(value, str) and value else ())

    def _answer(self, attributes: Attributes) -> tuple[Message, ...]:
        """Of texts and of calls of tools that stand under keys of their own."""
        said, calls = (self._first(attributes, "output", name) for name in ("text", "calls"))
        return messages({"role": "assistant", "content": said, "tool_calls": calls}) if said or calls else ()

    def _told(self, source: Source) -> tuple[Sequence[Message], Sequence[Message]]:
        """The messages that events are or hold, and the answers."""
        taken: list[Message] = []
        given: list[Message] = []
        for event in source.events:
            said = dict(event.attributes)
            for body in (structured(said[key]) for key in self._keys("event", "body") if key in said):
                said |= body if isinstance(body, dict) else {event.name: body}
            role = self.said["event"].get("roles", {}).get(event.name)
            if role == "answer":
                given += messages({**_answer_in(said), "role": "assistant"})
            elif role:
                taken += messages({**said, "role": role})
            else:
                taken += chain.from_iterable(instructions(said.get(key)) for key in self._keys("event", "instructions"))
                taken += chain.from_iterable(messages(said.get(key)) for key in self._keys("event", "taken"))
                given += chain.from_iterable(messages(said.get(key)) for key in self._keys("event", "given"))
        return taken, given

    def _prompts(self, attributes: Attributes) -> Iterator[ParameterUse]:
        key, template = self._text(attributes, "prompt", "key"), self._text(attributes, "prompt", "template")
        if key or template:
            yield ParameterUse(key or "template", value=template or None, prompt=not key, discovered=True)

    def _flags(self, source: Source) -> Iterator[ParameterUse]:
        """Of several evaluations of one flag the last counts; without a value its variant's name is known."""
        found: dict[str, ParameterUse] = {}
        for said in [event.attributes for event in source.events if event.name in self._keys("flag", "events")]:
            if key := self._text(said, "flag", "key"):
                values = [decoded(said[one]) for one in self._keys("flag", "value") if one in said]
                found[key] = ParameterUse(key, value=(values or [self._text(said, "flag", "variant") or None])[0])
        yield from (found[key] for key in sorted(found))

    def _arguments(self, source: Source) -> tuple[tuple[str, SpanContext], ...]:
        links = source.span.links if self._is_named("spans", source) or self._is_named("relays", source) else ()
        return (*((self.said["link"]["argument"], one) for one in dict.fromkeys(link.context for link in links)),)

    def _is_named(self, name: str, source: Source) -> bool:
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


def _answer_in(event: Attributes) -> Mapping[str, AnyValue]:
    """The message in an event that is an answer, or that the event itself is."""
    message = structured(event.get("message"))
    if isinstance(message, dict):
        return message
    content = (event[key] for key in ("message", "content", "choice", "text") if event.get(key) is not None)
    return {**event, "content": next(content, None)}


_AROUND: Final = frozenset(("tags", "metadata", "kwargs"))


def unwrapped(value: AnyValue) -> AnyValue:
    """Without what LangChain's callbacks put around a value: tags, metadata and the like."""
    if not isinstance(value, dict):
        return value
    for key in ("inputs", "outputs", "input_str", "output", "query"):
        if key in value and (len(value) == 1 or _AROUND & value.keys()):
            return structured(value[key])
    return value


def _by_name(value: AnyValue) -> Mapping[str, AnyValue]:
    """Arguments; positional ones beside named ones are ``args``."""
    if not isinstance(value, dict):
        return {} if value in (None, "", [], ()) else {"input": value}
    if value.keys() == {"args", "kwargs"} and isinstance(value["kwargs"], dict):
        value = {"args": value["args"], **value["kwargs"]}
    return {key: inner for key, inner in value.items() if inner not in (None, "", [], {}, ())}
