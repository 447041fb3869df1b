"""Instrumentations that recorded the same calls side by side: each has a record of the whole workflow of its own."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collector.graph.clock import Times
from collector.graph.forest import Forest
from collector.graph.reading.facts import Facts, Role
from collector.graph.twins import shown

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
