"""One call that two instrumentations recorded, one span inside the other: made one operation again."""

import json
from collections.abc import Mapping

from collector.graph.forest import Forest
from collector.graph.reading.span_reading import SpanReading
from collector.graph.reading.statement import Message, Role

_TWO_SIDED = frozenset((Role.MODEL, Role.TOOL, Role.RETRIEVER))


def twins(forest: Forest, readings: Mapping[str, SpanReading]) -> Mapping[str, str]:
    """By inner span, the outer span of the same call: its parent, for the same purpose, with the same answer.

    The answers must say something, and of two inner calls neither is a twin (one may be a retry, or a call by a tool).
    """
    found: dict[str, str] = {}
    for span_id in forest.preorder:
        parent = forest.parent(span_id)
        if parent is None or readings[span_id].role not in _TWO_SIDED:
            continue
        inner, outer = readings[span_id], readings[parent]
        if inner.role is outer.role and forest.spans[span_id].scope.name != forest.spans[parent].scope.name:
            alike = [one for one in forest.children[parent] if readings[one].role is inner.role]
            if len(alike) == 1 and _same(inner, outer):
                found[span_id] = found.get(parent, parent)
    return found


def _same(inner: SpanReading, outer: SpanReading) -> bool:
    """Equal answers; one that was not recorded is no contradiction where the questions are equal."""
    if inner.has_output and outer.has_output:
        return shown(inner) == shown(outer)
    return bool(inner.taken) and [_key(one) for one in inner.taken] == [_key(one) for one in outer.taken]


def shown(reading: SpanReading) -> str:
    """An answer as one text, the same for every instrumentation that recorded it."""
    value = [_key(one) for one in reading.given] if reading.given else reading.output
    return json.dumps(value, sort_keys=True, default=str)


def _key(message: Message) -> object:
    calls = [(call.name, json.dumps(call.arguments, sort_keys=True, default=str)) for call in message.calls]
    return message.role, json.dumps(message.content, default=str), calls


def united(outer: SpanReading, inner: SpanReading) -> SpanReading:
    """The outer one, completed by what only the inner one says."""
    return outer._replace(
        inputs=outer.inputs or inner.inputs,
        taken=outer.taken or inner.taken,
        has_output=outer.has_output or inner.has_output,
        output=outer.output if outer.has_output else inner.output,
        given=outer.given or inner.given,
        uses=tuple({use.key: use for use in (*inner.uses, *outer.uses)}.values()),
        actor=outer.actor or inner.actor,
        call_id=outer.call_id or inner.call_id,
        failure=outer.failure or inner.failure,
    )
