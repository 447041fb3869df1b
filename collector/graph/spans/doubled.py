"""Calls that two instrumentations recorded: one inside the other, which is one operation; or side by side, each with a
record of the whole workflow of its own."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from collector.core.span import AnyValue
from collector.graph.reading.facts import Facts, Message, Role
from collector.graph.spans.clock import Times
from collector.graph.spans.forest import Forest

_TWO_SIDED: Final = (Role.MODEL, Role.TOOL, Role.RETRIEVER)
_CALLS: Final = (Role.MODEL, Role.TOOL)
_OWN: Final = "otel_opto"
"""The scope of the SDK's nodes, which people put over and under the decorators of other instrumentations."""

MAX_LEAVES: Final = 256
"""Of the inputs of a call so many values are compared."""


def twins(forest: Forest, facts: Mapping[str, Facts]) -> Mapping[str, str]:
    """By inner span, the outer span of the same call: its parent, for the same purpose, with the same answer.

    Of two inner calls neither is a twin (one may be a retry, or a call by a tool). A function that is a node of the
    SDK, and that another instrumentation decorates, too, is one call of any purpose: with the same result of the same
    inputs, and all there is in it.
    """
    found: dict[str, str] = {}
    spans = forest.spans
    if len({span.scope.name for span in spans.values()}) < 2:
        return found
    for span_id in forest.preorder:
        parent = forest.parent(span_id)
        if parent is None:
            continue
        inner, outer = facts[span_id], facts[parent]
        scopes = {spans[span_id].scope.name, spans[parent].scope.name}
        if len(scopes) < 2:
            continue
        beside = forest.children[parent]
        if len(beside) == 1 and _OWN in scopes and inner.output not in (None, "") and _is_one_call(inner, outer):
            found[span_id] = found.get(parent, parent)
        elif inner.role is outer.role and inner.role in _TWO_SIDED and _is_same(inner, outer):
            alike = [one for one in beside if facts[one].role is inner.role]
            found.update({span_id: found.get(parent, parent)} if len(alike) == 1 else {})
    return found


def _is_same(inner: Facts, outer: Facts) -> bool:
    """Equal answers; one that was not recorded is no contradiction where the questions are equal."""
    if inner.has_output and outer.has_output:
        return _shown(inner) == _shown(outer)
    return bool(inner.taken) and [_key(one) for one in inner.taken] == [_key(one) for one in outer.taken]


def _is_one_call(inner: Facts, outer: Facts) -> bool:
    """The same result of the same inputs; a node says defaults, too, and some say no inputs."""
    if not (inner.has_output and outer.has_output) or _shown(inner) != _shown(outer):
        return False
    one, other = ({*_leaves([*said.inputs.values(), *said.carried.values()])} for said in (inner, outer))
    return one <= other or other <= one


def _leaves(value: AnyValue) -> Iterator[str]:
    """What a value is made of in the end: instrumentations put inputs together in different ways."""
    waiting: list[AnyValue] = [value]
    for taken in waiting:
        if isinstance(taken, dict | list | tuple):
            waiting.extend(list(taken.values() if isinstance(taken, dict) else taken)[: MAX_LEAVES - len(waiting)])
        else:
            yield json.dumps(taken, default=str)


def _shown(facts: Facts) -> str:
    """An answer as one text, the same for every instrumentation that recorded it."""
    return json.dumps([*map(_key, facts.given)] if facts.given else facts.output, sort_keys=True, default=str)


def _key(message: Message) -> object:
    calls = [(call.name, json.dumps(call.arguments, sort_keys=True, default=str)) for call in message.calls]
    return message.role, json.dumps(message.content, default=str), calls


def united(outer: Facts, inner: Facts) -> Facts:
    """The outer one, completed by what only the inner one says."""
    missing = ("inputs", "arguments", "taken", "given", "actor", "call_id", "failure", "description")
    return outer._replace(
        role=outer.role if outer.role is not Role.OTHER else inner.role,
        has_output=outer.has_output or inner.has_output,
        output=outer.output if outer.has_output else inner.output,
        uses=tuple({use.key: use for use in (*inner.uses, *outer.uses)}.values()),
        **{name: getattr(outer, name) or getattr(inner, name) for name in missing},
    )


MAX_ALIKE: Final = 4
"""So many calls in progress with one answer are compared with a call."""


@dataclass(frozen=True, slots=True)
class Records:
    """Which instrumentations recorded the same calls side by side.

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


def records_of(forest: Forest, facts: Mapping[str, Facts], times: Times) -> Records:
    """By calls of models and tools with one answer at one time, of different scopes, neither inside the other."""
    calls = [one for one, said in facts.items() if said.has_output and said.role in _CALLS]
    scopes = {one: forest.spans[one].scope.name for one in calls}
    rivals: dict[str, set[str]] = {}
    first: dict[str, str] = {}
    if len({*scopes.values()}) < 2:
        return Records(rivals, first)
    seen: dict[tuple[Role, str], list[str]] = {}
    for span_id in sorted(calls, key=lambda one: (times.starts[one], one)):
        before = seen.setdefault((facts[span_id].role, _shown(facts[span_id])), [])
        for other in before[-MAX_ALIKE:]:
            together = times.starts[span_id] < times.ends[other] and not forest.encloses(other, span_id)
            if together and scopes[other] != scopes[span_id]:
                rivals.setdefault(scopes[other], set()).add(scopes[span_id])
                rivals.setdefault(scopes[span_id], set()).add(scopes[other])
                first[span_id] = first.get(other, other)
                break
        before.append(span_id)
    return Records(rivals, first)
