"""What is wrong with a running collector and with what comes to it, in one list, each with its cure."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from collector.api.operations import Operations
from collector.api.services import Services, ServiceState
from collector.core.errors import some
from collector.core.page import PageRequest
from collector.core.protocols import Clock, Store
from collector.counters import Counter

_AHEAD_NANO = 60 * 10**9
_MOST_SERVICES, _NEWEST_TRACES = 100, 20


class Level(Enum):
    """How bad it is."""

    GREEN = "green"
    YELLOW = "yellow"
    """Somebody should look at it."""

    RED = "red"
    """Something is lost, refused or stands still."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What it is: ``disk``, ``service qa``, …
        says: What was found.
        cure: What to do; empty where nothing is to be done.
    """

    name: str
    level: Level
    says: str
    cure: str = ""


class Doctor:
    """Looks; changes nothing.

    Args:
        surroundings: What the process knows of itself: disk, certificates, versions, damages.
    """

    def __init__(
        self,
        store: Store,
        services: Services,
        operations: Operations,
        clock: Clock,
        surroundings: Callable[[], Sequence[Finding]],
    ) -> None:
        self._store = store
        self._services = services
        self._operations = operations
        self._clock = clock
        self._surroundings = surroundings

    async def findings(self) -> Sequence[Finding]:
        """All of them, in the order in which to read them."""
        found = list(await asyncio.to_thread(self._surroundings))
        found += [self._losses(), await self._clocks(), await self._feedback(), await self._unnamed()]
        return [*found, *[finding async for finding in self._each_service()]]

    def _losses(self) -> Finding:
        counts = self._operations.counters()
        lost = {name: counts[name.value] for name in _LOSSES if counts[name.value]}
        if not lost:
            return Finding("losses", Level.GREEN, "nothing was lost or refused since the start")
        says = ", ".join(f"{name.value.removeprefix('otel_opto_')} {count:,}" for name, count in lost.items())
        return Finding("losses", Level.YELLOW, says, "the collector's log says of each what it was and from whom")

    async def _clocks(self) -> Finding:
        newest = (await self._store.search.traces(PageRequest(_NEWEST_TRACES))).items
        bound = self._clock.now_unix_nano() + _AHEAD_NANO
        ahead = sorted({name for one in newest if one.start_time_unix_nano > bound for name in one.services})
        if ahead:
            says = f"spans of {some(ahead)} begin more than a minute from now"
            return Finding("clocks", Level.YELLOW, says, "set the clocks of these machines, and of this one, by NTP")
        return Finding("clocks", Level.GREEN, f"none of the newest {len(newest)} traces begins in the future")

    async def _feedback(self) -> Finding:
        counts = (await self._operations.counts()).feedback
        waiting, expired = counts.get("waiting", 0), counts.get("expired", 0)
        if not waiting and not expired:
            return Finding("feedback", Level.GREEN, f"{counts.get('attached', 0):,} attached, none waits")
        says = f"{waiting:,} wait for the spans that they judge, {expired:,} were given up"
        cure = "is its trace_id that of a trace that is sent here? GET /v1/feedback shows which wait (state waiting)"
        return Finding("feedback", Level.YELLOW, says, cure)

    async def _unnamed(self) -> Finding:
        names = [name for name in await self._store.search.services() if name.startswith("unknown_service") or not name]
        if names:
            says = f"spans came without a service.name: {some([name or '(empty)' for name in names])}"
            return Finding("names", Level.YELLOW, says, "set OTEL_SERVICE_NAME in these applications")
        return Finding("names", Level.GREEN, "all spans name their service")

    async def _each_service(self) -> AsyncIterator[Finding]:
        for state in (await self._services.listed(PageRequest(_MOST_SERVICES))).items:
            for word in state.words:
                if word.failed:
                    first = word.failed[0]
                    says = f"release {word.release} is refused by {len(word.failed)} instances: {first.error[:300]}"
                    cure = "propose values that fit what these instances declare, or roll back"
                    yield Finding(f"service {state.service}", Level.RED, says, cure)
            yield await self._standing(state)

    async def _standing(self, state: ServiceState) -> Finding:
        name = f"service {state.service}"
        standing = await self._operations.standing(state.service)
        applied = state.words[0].applied if state.words else 0
        if state.words and applied < state.watchers:
            says = f"{state.watchers} instances are connected, {applied} have applied release {state.words[0].release}"
            return Finding(name, Level.YELLOW, says, "those that have not may be stuck: look into their logs")
        if state.studies and standing.waiting_for:
            says = f"study {some(list(state.studies))} cannot move: {standing.waiting_for}"
            return Finding(name, Level.YELLOW, says, f"otel-opto status {state.service}")
        words = [f"{one.name!r} is {one.state.value}: {one.message}" for one in state.rollouts]
        says = (
            "; ".join(words) or (standing.waiting_for and f"no study; next would be {standing.waiting_for}") or "well"
        )
        return Finding(name, Level.GREEN, says)


_LOSSES = tuple(
    counter
    for counter in Counter
    if any(
        word in counter.value
        for word in ("refused", "rejected", "expired", "dropped", "damaged", "lost", "failed", "invalid", "too_large")
    )
)


LOOKED_AT: Mapping[str, str] = {
    "versions": "Python, SQLite and what the collector stands on",
    "ports": "where it listens",
    "disk": "what is free, and whether retention is limited",
    "store": "damaged stretches that were met since the start",
    "certificate": "until when each server's is valid",
    "losses": "what was refused, dropped, given up since the start",
    "clocks": "spans that begin in the future",
    "feedback": "judgements that wait for their spans, or were given up",
    "names": "spans without `service.name`",
    "service": "each service: releases that are refused or not applied, studies that cannot move, rollouts",
}
"""By the first word of a finding's name: what is looked at, for documents."""


def doctor_document(findings: Sequence[Finding]) -> dict[str, object]:
    """As JSON. ``level``: of the worst."""
    order = list(Level)
    worst = max((finding.level for finding in findings), key=order.index, default=Level.GREEN)
    return {
        "level": worst.value,
        "findings": [
            {"name": one.name, "level": one.level.value, "says": one.says, "cure": one.cure} for one in findings
        ],
    }
