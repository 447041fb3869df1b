"""Calls that two instrumentations recorded: one inside the other, which is one operation; or side by side, each with a
record of the whole workflow of its own."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collector.core.span import AnyValue, Span
from collector.graph.clock import Times
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts, Message, Role

_TWO_SIDED = frozenset((Role.MODEL, Role.TOOL, Role.RETRIEVER))
_OWN: Final = "otel_opto"
"""The scope of the SDK's nodes, which people put over and under the decorators of other instrumentations."""

_MAX_LEAVES: Final = 256


def twins(forest: Forest, readings: Mapping[str, Facts]) -> Mapping[str, str]:
    """By inner span, the outer span of the same call: its parent, for the same purpose, with the same answer.

    The answers must say something, and of two inner calls neither is a twin (one may be a retry, or a call by a tool).
    A function that is a node of the SDK, and that another instrumentation decorates, too, is one call of any purpose.
    """
    found: dict[str, str] = {}
    for span_id in forest.preorder:
        parent = forest.parent(span_id)
        if parent is None:
            continue
        inner, outer = readings[span_id], readings[parent]
        if _is_one_function(forest, span_id, parent) and _is_one_call(inner, outer):
            found[span_id] = found.get(parent, parent)
        elif inner.role not in _TWO_SIDED:
            continue
        elif inner.role is outer.role and forest.spans[span_id].scope.name != forest.spans[parent].scope.name:
            alike = [one for one in forest.children[parent] if readings[one].role is inner.role]
            if len(alike) == 1 and _same(inner, outer):
                found[span_id] = found.get(parent, parent)
    return found


def _is_one_function(forest: Forest, inner: str, outer: str) -> bool:
    """Whether one of both is a node of the SDK, and the other one all there is in it, or around it."""
    spans = forest.spans[inner], forest.spans[outer]
    return len(forest.children[outer]) == 1 and [_is_own(span) for span in spans].count(True) == 1


def _is_own(span: Span) -> bool:
    return span.scope.name == _OWN


def _is_one_call(inner: Facts, outer: Facts) -> bool:
    """The same result of the same inputs; a node says defaults, too, and some say no inputs."""
    if not (inner.has_output and outer.has_output) or inner.output in (None, "") or shown(inner) != shown(outer):
        return False
    one, other = (set(_leaves([*reading.inputs.values(), *reading.carried.values()])) for reading in (inner, outer))
    return one <= other or other <= one


def _leaves(value: AnyValue) -> Iterator[str]:
    """What a value is made of in the end: instrumentations put inputs together in different ways."""
    waiting: list[AnyValue] = [value]
    for taken in waiting:
        if isinstance(taken, dict | list | tuple):
            waiting.extend(list(taken.values() if isinstance(taken, dict) else taken)[: _MAX_LEAVES - len(waiting)])
        else:
            yield json.dumps(taken, default=str)


def _same(inner: Facts, outer: Facts) -> bool:
    """Equal answers; one that was not recorded is no contradiction where the questions are equal."""
    if inner.has_output and outer.has_output:
        return shown(inner) == shown(outer)
    return bool(inner.taken) and [_key(one) for one in inner.taken] == [_key(one) for one in outer.taken]


def shown(reading: Facts) -> str:
    """An answer as one text, the same for every instrumentation that recorded it."""
    value = [_key(one) for one in reading.given] if reading.given else reading.output
    return json.dumps(value, sort_keys=True, default=str)


def _key(message: Message) -> object:
    calls = [(call.name, json.dumps(call.arguments, sort_keys=True, default=str)) for call in message.calls]
    return message.role, json.dumps(message.content, default=str), calls


def united(outer: Facts, inner: Facts) -> Facts:
    """The outer one, completed by what only the inner one says."""
    return outer._replace(
        role=outer.role if outer.role is not Role.OTHER else inner.role,
        inputs=outer.inputs or inner.inputs,
        arguments=outer.arguments or inner.arguments,
        taken=outer.taken or inner.taken,
        has_output=outer.has_output or inner.has_output,
        output=outer.output if outer.has_output else inner.output,
        given=outer.given or inner.given,
        uses=tuple({use.key: use for use in (*inner.uses, *outer.uses)}.values()),
        actor=outer.actor or inner.actor,
        call_id=outer.call_id or inner.call_id,
        failure=outer.failure or inner.failure,
        description=outer.description or inner.description,
    )


MAX_ALIKE: Final = 4
"""So many calls in progress with one answer are compared with a call."""


@dataclass(frozen=True, slots=True)
class Records:
    """Who belongs to which record.

    Attributes:
        rivals: By instrumentation scope, those that recorded the same calls.
        first: By a call's span, the span of the same call in the record that began first.
    """

    rivals: Mapping[str, Collection[str]]
    first: Mapping[str, str]

    def apart(self, forest: Forest, one: str, other: str) -> bool:
        """Whether two spans are of different records."""
        if not self.rivals:
            return False
        return forest.spans[one].scope.name in self.rivals.get(forest.spans[other].scope.name, ())


def records_of(forest: Forest, readings: Mapping[str, Facts], times: Times) -> Records:
    """By calls of models and tools with one answer at one time, of different scopes, neither inside the other."""
    calls = [one for one, reading in readings.items() if reading.role in (Role.MODEL, Role.TOOL) and reading.has_output]
    rivals: dict[str, set[str]] = {}
    first: dict[str, str] = {}
    if len({forest.spans[one].scope.name for one in calls}) > 1:
        for one, other in _alike(forest, readings, times, calls):
            names = forest.spans[one].scope.name, forest.spans[other].scope.name
            rivals.setdefault(names[0], set()).add(names[1])
            rivals.setdefault(names[1], set()).add(names[0])
            first[other] = first.get(one, one)
    return Records(rivals, first)


def _alike(
    forest: Forest, readings: Mapping[str, Facts], times: Times, calls: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Pairs, the one that began first before the other."""
    seen: dict[tuple[Role, str], list[str]] = {}
    for span_id in sorted(calls, key=lambda one: (times.starts[one], one)):
        before = seen.setdefault((readings[span_id].role, shown(readings[span_id])), [])
        for other in before[-MAX_ALIKE:]:
            nested = forest.encloses(other, span_id)
            scopes = {forest.spans[one].scope.name for one in (span_id, other)}
            if len(scopes) > 1 and not nested and times.starts[span_id] < times.ends[other]:
                yield other, span_id
                break
        before.append(span_id)
