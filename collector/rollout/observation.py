"""What enters a service while a rollout has an arm of its traffic: read off the telemetry as it came."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from collector.core.errors import Damaged
from collector.core.protocols import Clock, TelemetryLog
from collector.core.rollout import Rollout
from collector.core.span import Span
from collector.core.telemetry import Signal
from collector.core.units import Entry, UnitStore
from collector.otlp.decode import SHORT_BYTES, spans_of
from collector.publisher.desk import Desk
from otel_opto import semconv
from otel_opto.assignment import Assignment

_LOG = logging.getLogger(__name__)

_AT_ONCE_BYTES = 4 * 2**20
_MARK = semconv.RELEASE.encode()

Placed: TypeAlias = tuple[str, Entry]
"""An entry, and under which name it is kept."""

Placing: TypeAlias = Callable[[Span, Assignment, int], Placed | None]
"""What a span with which a trace enters is; it is given the assignment that chose, and when it was seen, Unix time in
nanoseconds."""


class Observer:
    """Keeps the entries of each rollout, from the newest request at its first look on.

    Args:
        log: Is read from where the last look ended.
        units: Keeps what is found, and how far was looked.
        desk: Knows the assignment of each revision.
        clock: Says when an entry was seen. An application's own clock says nothing here: it may be days ahead, and a
            request that took minutes has its feedback behind it still.
    """

    def __init__(self, log: TelemetryLog, units: UnitStore, desk: Desk, clock: Clock) -> None:
        self._log = log
        self._units = units
        self._desk = desk
        self._clock = clock

    async def look(self, rollout: Rollout) -> int:
        """Takes in what has come since the last look; returns how many entries were found."""

        def placed(span: Span, assignment: Assignment, now_unix_nano: int) -> Placed | None:
            entry = _entry(rollout, span, assignment, now_unix_nano)
            return None if entry is None else (rollout.name, entry)

        return await self.observe(rollout.name, rollout.plan.service, placed)

    async def observe(self, name: str, service: str, placed: Placing) -> int:
        """The same for whoever has several arms.

        Args:
            name: Under which is kept how far was looked.
            placed: What a span is; the assignment is the one in force where the span does not say which one chose.
        """
        position = await self._units.position(name)
        if position is None:
            await self._units.enter(name, (), await self._log.newest_position())
            return 0
        found = 0
        while requests := await self._log.requests_after(position, _AT_ONCE_BYTES):
            position = requests[-1].position
            bodies = [one.body for one in requests if one.signal is Signal.TRACES and _MARK in one.body]
            spans = (
                _entry_spans(bodies, service)
                if sum(map(len, bodies)) < SHORT_BYTES
                else await asyncio.to_thread(_entry_spans, bodies, service)
            )
            entries = defaultdict[str, list[Entry]](list)
            for stream, entry in await self._entries(service, spans, placed):
                entries[stream].append(entry)
                found += 1
            for stream in entries.keys() - {name}:  # before the position: what is there twice is the same
                await self._units.enter(stream, entries[stream], position)
            await self._units.enter(name, entries.get(name, ()), position)
        return found

    async def _entries(self, service: str, spans: Sequence[Span], placed: Placing) -> Sequence[Placed]:
        assignments = dict[int, Assignment | None]()
        now = self._clock.now_unix_nano()
        entries = []
        for span in spans:
            revision = number_in(span.attributes, semconv.ASSIGNMENT)
            if revision not in assignments:
                assignments[revision] = await self._assignment(service, revision)
            assignment = assignments[revision]
            found = placed(span, assignment, now) if assignment is not None else None
            if found is not None:
                entries.append(found)
        return entries

    async def _assignment(self, service: str, revision: int) -> Assignment | None:
        try:
            return await self._desk.assignment(service, revision or None)
        except Damaged as error:
            _LOG.error("rollouts go on without what entered under an assignment: %s", error)
            return None


def _entry_spans(bodies: Sequence[bytes], service: str) -> Sequence[Span]:
    """The spans with which traces enter the service: they say which assignment chose, or have no parent."""
    return [
        span
        for body in bodies
        for span in spans_of(body)
        if span.resource.service == service
        and semconv.RELEASE in span.attributes
        and (semconv.ASSIGNMENT in span.attributes or span.parent_span_id is None)
    ]


def _entry(rollout: Rollout, span: Span, assignment: Assignment, now_unix_nano: int) -> Entry | None:
    """None where the trace ran with neither the arm nor the control, or nothing was left to chance."""
    number, arm, control = number_in(span.attributes, semconv.RELEASE), rollout.plan.release, assignment.control
    shares = assignment.share(arm), assignment.share(control)
    if number not in (arm, control) or 0 in shares:
        return None
    said = span.attributes.get(rollout.plan.targeting) if rollout.plan.targeting else None
    unit = str(said or unit_in(span))
    share = shares[0] / sum(shares)
    return Entry(span.context.trace_id, unit, number == arm, share, now_unix_nano)


def unit_in(span: Span) -> str:
    """The unit that a span names, else its trace."""
    return str(span.attributes.get(semconv.UNIT) or span.context.trace_id)


def number_in(attributes: Mapping[str, object], key: str) -> int:
    """A release or a revision that a span names; 0 where it names none."""
    value = attributes.get(key)
    if isinstance(value, str) and value.isdecimal() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
