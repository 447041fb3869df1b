"""One operation as all conventions together say it.

One precedence rule: of each fact (role, name, inputs, output, …) the first convention in the order of `Conventions`
that states it is believed. Only parameters are collected from all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from collector.core.span import AnyValue, LogRecord, Span
from collector.graph.reading.convention import Convention
from collector.graph.reading.facts import (
    NO_CONTEXTS,
    NO_NAMES,
    NO_VALUES,
    Facts,
    Message,
    ParameterUse,
    Role,
    Source,
    source,
)
from collector.graph.reading.messages import without_thoughts
from collector.graph.reading.values import cut_mark, is_cut

MIN_LIMIT: Final = 64
"""Characters. A smaller limit on values is not looked for."""

MIN_CUT: Final = 32
"""Characters. In a shorter text no mark of cutting is looked for."""

MOST_REMEMBERED: Final = 4_096

LAST: Final = "plain"
"""The convention of those who keep none: asked where no other one spoke, or for what only it may say."""


@dataclass(frozen=True, slots=True)
class Conventions:
    """Conventions in order of precedence, found by namespace; `chosen` remembers which for the keys of a span."""

    by_name: Mapping[str, Convention]
    by_namespace: Mapping[str, tuple[int, ...]]
    chosen: dict[tuple[str, ...], tuple[Convention, ...]]

    @classmethod
    def of(cls, conventions: Mapping[str, Convention]) -> "Conventions":
        """The earlier a convention stands, the more it is believed."""
        found: dict[str, list[int]] = {}
        for index, convention in enumerate(conventions.values()):
            for namespace in convention.NAMESPACES:
                found.setdefault(namespace, []).append(index)
        return cls(conventions, {namespace: tuple(indexes) for namespace, indexes in found.items()}, {})

    def facts(self, said: Source) -> Sequence[Facts]:
        """What the conventions say of a span, the most believed first."""
        found = [facts for one in self._asked(said) if (facts := one.read(said)) is not None]
        rest = self._rest(said, found)
        return found if rest is None else [*found, rest]

    def spoken(self, said: Source) -> Sequence[tuple[str, Facts]]:
        """The same, with the names of the conventions."""
        names = {id(convention): name for name, convention in self.by_name.items()}
        found = [(names[id(one)], facts) for one in self._asked(said) if (facts := one.read(said)) is not None]
        rest = self._rest(said, [facts for _, facts in found])
        return found if rest is None else [*found, (LAST, rest)]

    def _rest(self, said: Source, found: Sequence[Facts]) -> Facts | None:
        """What the last convention says of that of which no other one spoke."""
        spoken = [facts for facts in found if facts.speaks()]
        has_inputs = any(one.inputs or one.taken or one.arguments for one in spoken)
        has_output = any(one.has_output or one.given for one in spoken)
        if (has_inputs and has_output) or LAST not in self.by_name:
            return None
        rest = self.by_name[LAST].read(said)
        if rest is None or not spoken:
            return rest
        if has_inputs:
            rest = Facts(has_output=rest.has_output, output=rest.output, given=rest.given)
        else:
            rest = Facts(inputs=rest.inputs, taken=rest.taken, hearsay=rest.hearsay)
        return rest if rest.speaks() else None

    def _asked(self, said: Source) -> tuple[Convention, ...]:
        """By the first parts of its keys, those of links and the names of events included.

        Spans of one kind have the same keys, so these are looked at once.
        """
        keys = tuple(said.attributes)
        if said.span.links or said.events:
            linked = {key for link in said.span.links for key in link.attributes}
            keys = (*keys, *sorted({*linked, *(event.name for event in said.events)}))
        found = self.chosen.get(keys)
        if found is None:
            spoken = {key.partition(".")[0] for key in keys} & self.by_namespace.keys()
            indexes = sorted({index for namespace in spoken for index in self.by_namespace[namespace]})
            every = list(self.by_name.values())
            if len(self.chosen) >= MOST_REMEMBERED:
                self.chosen.clear()
            found = self.chosen[keys] = tuple(every[index] for index in indexes)
        return found


def read(span: Span, records: tuple[LogRecord, ...], conventions: Conventions, limit: int = 0) -> Facts:
    """Never raises: what cannot be decoded stays what it was.

    Args:
        span: The operation.
        records: Its log records.
        conventions: The conventions.
        limit: See `length_limit`.
    """
    found = conventions.facts(source(span, records))
    incomplete = _dropped(span) or _has_cut(span, limit)
    if not found:
        return Facts(name=span.name, incomplete=incomplete)
    if len(found) == 1 and not found[0].taken and not found[0].given:
        said = found[0]
        name, lost = said.name or span.name, incomplete or said.incomplete
        return said._replace(name=name, output=without_thoughts(said.output), incomplete=lost)
    return _united(span, found, incomplete)


def _united(span: Span, found: Sequence[Facts], incomplete: bool) -> Facts:
    """Of each fact the first that is stated, of messages that were cut the longest; parameters from all, by key."""
    spoken = sorted(found, key=volume, reverse=True) if incomplete else found
    inputs, taken = _taken(spoken)
    output = next((one for one in found if one.has_output or one.given), None)
    uses: dict[str, ParameterUse] = {}
    for use in (use for one in found for use in one.uses):
        known = uses.setdefault(use.key, use)
        if known.trainable is None and use.trainable is not None:
            uses[use.key] = known._replace(trainable=use.trainable)
    return Facts(
        role=next((one.role for one in found if one.role is not Role.OTHER), Role.OTHER),
        name=next((one.name for one in found if one.name), span.name),
        actor=next((one.actor for one in found if one.actor), ""),
        inputs=inputs,
        taken=taken,
        has_output=output is not None,
        output=None if output is None else answer_of(output),
        given=next((one.given for one in spoken if one.given), ()),
        uses=tuple(uses[key] for key in sorted(uses)),
        arguments=next((one.arguments for one in found if one.arguments), NO_CONTEXTS),
        references=next((one.references for one in found if one.references), NO_NAMES),
        message_id=next((one.message_id for one in found if one.message_id), ""),
        call_id=next((one.call_id for one in found if one.call_id), ""),
        failure=next((one.failure for one in found if one.failure), None),
        follows=next((one.follows for one in found if one.follows), ""),
        release=next((one.release for one in found if one.release is not None), None),
        incomplete=incomplete or any(one.incomplete for one in found),
        relay=any(one.relay for one in found),
        carried=next((one.carried for one in found if one.carried), NO_VALUES),
        hearsay=next((one.hearsay for one in spoken if one.inputs is inputs), frozenset()),
        description=next((one.description for one in found if one.description), ""),
    )


def volume(said: Facts) -> int:
    """Characters of its messages."""
    return sum(len(str(message.content)) for message in (*said.taken, *said.given))


def _taken(found: Sequence[Facts]) -> tuple[Mapping[str, AnyValue], tuple[Message, ...]]:
    """Instructions and what they are applied to are two facts: an agent may state them in different conventions."""
    systems = next((said for one in found if (said := tuple(m for m in one.taken if m.role == "system"))), ())
    for one in found:
        spoken = tuple(message for message in one.taken if message.role != "system")
        if spoken:
            return {"messages": [message.plain() for message in spoken]}, (*systems, *spoken)
        if one.inputs:
            return one.inputs, systems
    return {}, systems


def answer_of(said: Facts) -> AnyValue:
    """A model's answer: its content where that is all."""
    if said.has_output:
        return without_thoughts(said.output)
    shown = [message.content if not message.calls else message.plain() for message in said.given]
    return shown[0] if len(shown) == 1 else shown


def length_limit(spans: Iterable[Span]) -> int:
    """The length at which values were cut, as far as one can see: the greatest, if several values have just that.

    SDKs cut without a mark (``OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT``). 0 where there is no sign of a limit.
    """
    greatest = count = 0
    last = ""
    for span in spans:
        for value in _values(span):
            if isinstance(value, str) and len(value) >= max(greatest, MIN_LIMIT):
                if len(value) > greatest:
                    greatest, count, last = len(value), 1, value
                elif value != last:
                    count += 1
    return greatest if count > 1 else 0


def _values(span: Span) -> Iterable[AnyValue]:
    """Of its attributes and of those of its events, which the same limits cut."""
    if not span.events:
        return span.attributes.values()
    return chain(span.attributes.values(), *(event.attributes.values() for event in span.events))


def _has_cut(span: Span, limit: int) -> bool:
    for value in _values(span):
        if isinstance(value, str) and len(value) >= MIN_CUT and (len(value) == limit or _looks_cut(value)):
            return True
    return False


def _looks_cut(value: str) -> bool:
    if value[-1] not in "]}" and value[0] in "[{":
        return is_cut(value)
    return value[-1] in "]d)>s.…" and cut_mark(value) >= 0


def _dropped(span: Span) -> bool:
    if span.dropped_attributes_count or span.dropped_events_count or span.dropped_links_count:
        return True
    if span.links and any(link.dropped_attributes_count for link in span.links):
        return True
    return bool(span.events) and any(event.dropped_attributes_count for event in span.events)
