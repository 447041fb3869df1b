"""What enters a service while a rollout has an arm of its traffic: read off the telemetry as it came."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from collector.core.errors import Damaged
from collector.core.protocols import Clock, TelemetryLog
from collector.core.rollout import Rollout
from collector.core.span import Span
from collector.core.telemetry import Signal
from collector.core.units import Entry, UnitStore
from collector.otlp.decode import spans_of
from collector.publisher.desk import Desk
from otel_opto import semconv
from otel_opto.assignment import Assignment

_LOG = logging.getLogger(__name__)

_AT_ONCE_BYTES = 4 * 2**20
_MARK = semconv.RELEASE.encode()


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
        position = await self._units.position(rollout.name)
        if position is None:
            await self._units.enter(rollout.name, (), await self._log.newest_position())
            return 0
        found = 0
        while requests := await self._log.requests_after(position, _AT_ONCE_BYTES):
            position = requests[-1].position
            bodies = [one.body for one in requests if one.signal is Signal.TRACES and _MARK in one.body]
            spans = await asyncio.to_thread(_entry_spans, bodies, rollout.plan.service)
            entries = await self._entries(rollout, spans)
            await self._units.enter(rollout.name, entries, position)
            found += len(entries)
        return found

    async def _entries(self, rollout: Rollout, spans: Sequence[Span]) -> Sequence[Entry]:
        service, assignments = rollout.plan.service, dict[int, Assignment | None]()
        now = self._clock.now_unix_nano()
        entries = []
        for span in spans:
            revision = _number(span.attributes, semconv.ASSIGNMENT)
            if revision not in assignments:
                assignments[revision] = await self._assignment(service, revision)
            assignment = assignments[revision]
            entry = _entry(rollout, span, assignment, now) if assignment is not None else None
            if entry is not None:
                entries.append(entry)
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
    number, arm, control = _number(span.attributes, semconv.RELEASE), rollout.plan.release, assignment.control
    shares = assignment.share(arm), assignment.share(control)
    if number not in (arm, control) or 0 in shares:
        return None
    said = span.attributes.get(rollout.plan.targeting) if rollout.plan.targeting else None
    unit = str(said or span.attributes.get(semconv.UNIT) or span.context.trace_id)
    share = shares[0] / sum(shares)
    return Entry(span.context.trace_id, unit, number == arm, share, now_unix_nano)


def _number(attributes: Mapping[str, object], key: str) -> int:
    value = attributes.get(key)
    if isinstance(value, str) and value.isdecimal() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
