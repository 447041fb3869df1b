"""One operation as all dialects together say it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from collector.core.span import AnyValue, LogRecord, Span, SpanContext
from collector.graph.dialects import Table
from collector.graph.statement import NOTHING, Failure, Message, ParameterUse, Role, Statement, source
from collector.graph.values import is_cut

_NO_MAPPING: Mapping[str, tuple[SpanContext, ...]] = {}


@dataclass(frozen=True, slots=True)
class SpanReading:
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
    references: Mapping[str, str] | None = None
    message_id: str = ""
    follows: str = ""
    call_id: str = ""
    failure: Failure | None = None
    relay: bool = False


def read(span: Span, records: tuple[LogRecord, ...], table: Table) -> SpanReading:
    """Never raises: what cannot be decoded stays what it was."""
    found = table.statements(source(span, records))
    incomplete = _dropped(span) or any(
        isinstance(value, str) and _looks_cut(value) for value in span.attributes.values()
    )
    if not found:
        return SpanReading(span.name, {}, False, None, (), _NO_MAPPING, incomplete, None)
    if len(found) == 1 and not found[0].taken and not found[0].given:
        return _alone(span, found[0], incomplete)
    return _united(span, found, incomplete)


def _alone(span: Span, said: Statement, incomplete: bool) -> SpanReading:
    stated = said.output is not NOTHING
    return SpanReading(
        said.name or span.name,
        said.inputs,
        stated,
        said.output if stated else None,  # type: ignore[arg-type]
        said.uses,
        said.arguments,
        incomplete or said.incomplete,
        said.release,
        said.role,
        said.actor,
        references=said.references,
        message_id=said.message_id,
        follows=said.follows,
        call_id=said.call_id,
        failure=said.failure,
        relay=said.relay,
    )


def _united(span: Span, found: Sequence[Statement], incomplete: bool) -> SpanReading:
    """Of each fact the first that is stated; parameters from all, by key."""
    inputs, taken = _taken(found)
    given = next((one.given for one in found if one.given), ())
    output = next((one for one in found if one.output is not NOTHING or one.given), None)
    uses: dict[str, ParameterUse] = {}
    for use in (use for one in found for use in one.uses):
        known = uses.setdefault(use.key, use)
        if known.trainable is None and use.trainable is not None:
            uses[use.key] = replace(known, trainable=use.trainable)
    value = None if output is None else answer(output.given) if output.output is NOTHING else output.output
    return SpanReading(
        name=next((one.name for one in found if one.name), span.name),
        inputs=inputs,
        has_output=output is not None,
        output=value,
        uses=tuple(uses[key] for key in sorted(uses)),
        arguments=next((one.arguments for one in found if one.arguments), _NO_MAPPING),
        incomplete=incomplete or any(one.incomplete for one in found),
        release=next((one.release for one in found if one.release is not None), None),
        role=next((one.role for one in found if one.role is not Role.OTHER), Role.OTHER),
        actor=next((one.actor for one in found if one.actor), ""),
        taken=taken,
        given=given,
        references=next((one.references for one in found if one.references), None),
        message_id=next((one.message_id for one in found if one.message_id), ""),
        follows=next((one.follows for one in found if one.follows), ""),
        call_id=next((one.call_id for one in found if one.call_id), ""),
        failure=next((one.failure for one in found if one.failure), None),
        relay=any(one.relay for one in found),
    )


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


def answer(given: tuple[Message, ...]) -> AnyValue:
    """A model's answer: its content where that is all."""
    shown = [message.content if not message.calls else message.plain() for message in given]
    return shown[0] if len(shown) == 1 else shown


_CUT_MARK = re.compile(
    r"(\.\.\.|…)?\s*[\[(<]?(truncated|\d+ (more )?(chars|characters)( truncated)?)[\])>]?$", re.IGNORECASE
)


def _looks_cut(value: str) -> bool:
    if len(value) < 32:
        return False
    if value[-1] not in "]}" and value[0] in "[{":
        return is_cut(value)
    return value[-1] in "]d)>s" and _CUT_MARK.search(value, max(0, len(value) - 60)) is not None


def _dropped(span: Span) -> bool:
    if span.dropped_attributes_count or span.dropped_events_count or span.dropped_links_count:
        return True
    if any(link.dropped_attributes_count for link in span.links):
        return True
    return any(event.dropped_attributes_count for event in span.events)
