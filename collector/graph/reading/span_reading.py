"""One operation as all dialects together say it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from collector.core.span import AnyValue, LogRecord, Span, SpanContext
from collector.graph.reading.dialects import Table
from collector.graph.reading.statement import (
    NO_CONTEXTS,
    NO_NAMES,
    NO_VALUES,
    NOTHING,
    Failure,
    Message,
    ParameterUse,
    Role,
    Statement,
    source,
)
from collector.graph.reading.thoughts import without_thoughts
from collector.graph.reading.values import cut_mark, is_cut

MIN_LIMIT = 64
"""Characters. A smaller limit on values is not looked for."""

MIN_CUT = 32
"""Characters. In a shorter text no mark of cutting is looked for."""


class SpanReading(NamedTuple):
    """One operation, read.

    Attributes:
        name: ``opto.node.name``, a tool's name, else the span's name.
        role: What it is for.
        actor: The agent on whose behalf it ran; empty if it is not stated.
        inputs: By name, decoded; messages to a model, without the system's, under ``messages``.
        has_output: Tells an output of None from no output.
        taken: Messages that a model was given, the system's first.
        given: Messages that a model answered.
        uses: Parameters, by key; not yet the prompts that stand in messages.
        arguments: By input name, the spans whose outputs it was made of; empty names left out.
        references: By input name, the `message_id` of the operation whose output it was made of.
        follows: The `message_id` of the operation that handed over to this one.
        incomplete: Something of it was dropped or cut.
        release: ``opto.release``.
        relay: It only passes on what the operation around it makes.
        carried: Values that went in or came out, it is not said which.
        hearsay: Inputs of which no convention says that they are; they may repeat what came out.
        both: Of the outputs those that may be inputs that were made of several.
    """

    name: str
    inputs: Mapping[str, AnyValue]
    has_output: bool
    output: AnyValue
    uses: tuple[ParameterUse, ...]
    arguments: Mapping[str, tuple[SpanContext, ...]]
    incomplete: bool
    release: int | None
    role: Role = Role.OTHER
    actor: str = ""
    taken: tuple[Message, ...] = ()
    given: tuple[Message, ...] = ()
    references: Mapping[str, str] = NO_NAMES
    message_id: str = ""
    follows: str = ""
    call_id: str = ""
    failure: Failure | None = None
    relay: bool = False
    carried: Mapping[str, AnyValue] = NO_VALUES
    both: Mapping[str, AnyValue] = NO_VALUES
    hearsay: frozenset[str] = frozenset()


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


def read(span: Span, records: tuple[LogRecord, ...], table: Table, limit: int = 0) -> SpanReading:
    """Never raises: what cannot be decoded stays what it was.

    Args:
        span: The operation.
        records: Its log records.
        table: The dialects.
        limit: See `length_limit`.
    """
    found = table.statements(source(span, records))
    incomplete = _dropped(span) or _has_cut(span, limit)
    if not found:
        return SpanReading(span.name, {}, False, None, (), NO_CONTEXTS, incomplete, None)
    if len(found) == 1 and not found[0].taken and not found[0].given:
        return _alone(span, found[0], incomplete)
    return _united(span, found, incomplete)


def _alone(span: Span, said: Statement, incomplete: bool) -> SpanReading:
    stated = said.output is not NOTHING
    return SpanReading(
        said.name or span.name,
        said.inputs,
        stated,
        without_thoughts(said.output) if stated else None,  # type: ignore[arg-type]
        said.uses,
        said.arguments,
        incomplete or said.incomplete,
        said.release,
        said.role,
        said.actor,
        (),
        (),
        said.references,
        said.message_id,
        said.follows,
        said.call_id,
        said.failure,
        said.relay,
        said.carried,
        hearsay=frozenset(said.inputs) if said.hearsay else frozenset(),
    )


def _united(span: Span, found: Sequence[Statement], incomplete: bool) -> SpanReading:
    """Of each fact the first that is stated, of messages that were cut the longest; parameters from all, by key."""
    spoken = sorted(found, key=_length, reverse=True) if incomplete else found
    inputs, taken = _taken(spoken)
    given = next((one.given for one in spoken if one.given), ())
    output = next((one for one in found if one.output is not NOTHING or one.given), None)
    uses: dict[str, ParameterUse] = {}
    for use in (use for one in found for use in one.uses):
        known = uses.setdefault(use.key, use)
        if known.trainable is None and use.trainable is not None:
            uses[use.key] = known._replace(trainable=use.trainable)
    value = None if output is None else _answered(output)
    return SpanReading(
        name=next((one.name for one in found if one.name), span.name),
        inputs=inputs,
        has_output=output is not None,
        output=value,
        uses=tuple(uses[key] for key in sorted(uses)),
        arguments=next((one.arguments for one in found if one.arguments), NO_CONTEXTS),
        incomplete=incomplete or any(one.incomplete for one in found),
        release=next((one.release for one in found if one.release is not None), None),
        role=next((one.role for one in found if one.role is not Role.OTHER), Role.OTHER),
        actor=next((one.actor for one in found if one.actor), ""),
        taken=taken,
        given=given,
        references=next((one.references for one in found if one.references), NO_NAMES),
        message_id=next((one.message_id for one in found if one.message_id), ""),
        follows=next((one.follows for one in found if one.follows), ""),
        call_id=next((one.call_id for one in found if one.call_id), ""),
        failure=next((one.failure for one in found if one.failure), None),
        relay=any(one.relay for one in found),
        carried=next((one.carried for one in found if one.carried), NO_VALUES),
        hearsay=frozenset(inputs) if any(one.hearsay and one.inputs is inputs for one in spoken) else frozenset(),
    )


def _length(said: Statement) -> int:
    return sum(len(str(message.content)) for message in (*said.taken, *said.given))


def _taken(found: Sequence[Statement]) -> tuple[Mapping[str, AnyValue], tuple[Message, ...]]:
    """Instructions and what they are applied to are two facts: an agent may state them in different dialects."""
    systems = next((said for one in found if (said := tuple(m for m in one.taken if m.role == "system"))), ())
    for one in found:
        spoken = tuple(message for message in one.taken if message.role != "system")
        if spoken:
            return {"messages": [message.plain() for message in spoken]}, (*systems, *spoken)
        if one.inputs:
            return one.inputs, systems
    return {}, systems


def _answered(said: Statement) -> AnyValue:
    return answer(said.given) if said.output is NOTHING else without_thoughts(said.output)


def answer(given: tuple[Message, ...]) -> AnyValue:
    """A model's answer: its content where that is all."""
    shown = [message.content if not message.calls else message.plain() for message in given]
    return shown[0] if len(shown) == 1 else shown


def _looks_cut(value: str) -> bool:
    if value[-1] not in "]}" and value[0] in "[{":
        return is_cut(value)
    return value[-1] in "]d)>s.…" and cut_mark(value) >= 0


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


def _dropped(span: Span) -> bool:
    if span.dropped_attributes_count or span.dropped_events_count or span.dropped_links_count:
        return True
    if span.links and any(link.dropped_attributes_count for link in span.links):
        return True
    return bool(span.events) and any(event.dropped_attributes_count for event in span.events)
