"""One operation as all conventions together say it.

One precedence rule: of each fact (role, name, inputs, output, …) the first convention in the order of `Conventions`
that states it is believed. Only parameters are collected from all.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

from collector.core.span import AnyValue, LogRecord, Span
from collector.graph.reading.conventions import OWN, Conventions, opto
from collector.graph.reading.facts import NOTHING, Facts, Message, ParameterUse, Role, source
from collector.graph.reading.messages import without_thoughts
from collector.graph.reading.values import cut_mark, is_cut

MIN_LIMIT: Final = 64
"""Characters. A smaller limit on values is not looked for."""

MIN_CUT: Final = 32
"""Characters. In a shorter text no mark of cutting is looked for."""


def read(span: Span, records: tuple[LogRecord, ...], conventions: Conventions, limit: int = 0) -> Facts:
    """Never raises: what cannot be decoded stays what it was.

    Args:
        span: The operation.
        records: Its log records.
        conventions: The conventions.
        limit: See `length_limit`.
    """
    said = source(span, records)
    incomplete = _dropped(span) or _has_cut(span, limit)
    if (*conventions.asked(said),) == OWN:
        return opto.stated(span, span.name, incomplete)
    found = [facts for _, facts in conventions.spoken(said)]
    spoken = sorted(found, key=volume, reverse=True) if incomplete else found
    inputs, taken = _taken(spoken)
    output = next((one for one in found if one.has_output or one.given), None)
    given = next((one.given for one in spoken if one.given), ())
    first = _first(found)
    return first._replace(
        role=Role.MODEL if first.role is Role.OTHER and (taken or given) else first.role,
        name=first.name or span.name,
        inputs=inputs,
        taken=taken,
        has_output=output is not None,
        output=None if output is None else answer_of(output),
        given=given,
        uses=_uses(found),
        incomplete=incomplete or first.incomplete,
        hearsay=next((one.hearsay for one in spoken if one.inputs is inputs), frozenset()),
    )


_NO_FACTS: Final = Facts()


def _first(found: Sequence[Facts]) -> Facts:
    """Of each fact the first that is stated."""
    if len(found) == 1:
        return found[0]
    columns = zip(_NO_FACTS, *found, strict=True)
    return Facts._make(next((said for said in column if said != column[0]), column[0]) for column in columns)


def _uses(found: Sequence[Facts]) -> tuple[ParameterUse, ...]:
    uses: dict[str, ParameterUse] = {}
    for use in (use for one in found for use in one.uses):
        known = uses.setdefault(use.key, use)
        if known.trainable is None and use.trainable is not None:
            uses[use.key] = known._replace(trainable=use.trainable)
    return tuple(uses[key] for key in sorted(uses))


def volume(said: Facts) -> int:
    """Characters of its messages: where some were cut, the longest are believed."""
    return sum(len(str(message.content)) for message in (*said.taken, *said.given))


def _taken(found: Sequence[Facts]) -> tuple[Mapping[str, AnyValue], tuple[Message, ...]]:
    """Instructions and what they are applied to are two facts: an agent may state them in different conventions."""
    systems = next((said for one in found if (said := tuple(m for m in one.taken if m.role == "system"))), ())
    for one in found:
        if spoken := tuple(message for message in one.taken if message.role != "system"):
            return {"messages": [message.plain() for message in spoken]}, (*systems, *spoken)
        if one.inputs:
            return one.inputs, systems
    return NOTHING, systems


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
    return value[-1] in "])>.…" and cut_mark(value) < len(value)


def _dropped(span: Span) -> bool:
    if span.dropped_attributes_count or span.dropped_events_count or span.dropped_links_count:
        return True
    if span.links and any(link.dropped_attributes_count for link in span.links):
        return True
    return bool(span.events) and any(event.dropped_attributes_count for event in span.events)
