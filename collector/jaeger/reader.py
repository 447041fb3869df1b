"""What Jaeger is shown: the stored traces, and what otel-opto knows of them beside their spans."""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from collector.core.errors import InvalidRequest, TooLarge
from collector.core.feedback import StoredFeedback
from collector.core.page import PageRequest
from collector.core.protocols import Store
from collector.core.release import Release
from collector.core.telemetry import Answer, Dependency, FoundTrace, Operation, TraceBounds, TraceQuery
from collector.counters import Counter, Counters
from collector.jaeger.terms import Term, split
from collector.jaeger.view import Document, Releases, as_it_is, held, viewed
from collector.workers.workers import Workers

DEFAULT_BOUNDS = TraceBounds(200_000, 64 * 2**20, "queries")
_MOST_LOOKED_AT = 2_000
_SMALL_SPANS = 200
_MOST_NAMES, _MOST_NAME_BYTES, _NAME_BYTES = 20_000, 3 * 2**20, 32
_NEWEST = PageRequest(1_000)
"""Of a trace's feedback is shown and searched."""
_Item = TypeVar("_Item")


class Reader:
    """Traces with what is known of them, and searches for whatever they are shown with (`terms`).

    Args:
        store: Where they are.
        release: Finds a release by its number.
        workers: Make documents of large traces; None: some of its own.
        bounds: Of a trace, and of an answer; None: the defaults of the configuration.
        counters: Answers that are parts are counted.
        seconds: Traces are looked at for so long in one search.
        monotonic: The time in seconds.
    """

    def __init__(
        self,
        store: Store,
        release: Callable[[int], Awaitable[Release | None]],
        workers: Workers | None = None,
        bounds: TraceBounds | None = None,
        counters: Counters | None = None,
        seconds: float = 3.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._release = release
        self._workers = workers or Workers()
        self._counters = counters or Counters()
        self._seconds = seconds
        self._monotonic = monotonic
        self.bounds = bounds or DEFAULT_BOUNDS

    async def find(self, query: TraceQuery) -> Answer[FoundTrace]:
        """See `TelemetrySearch.find`.

        What spans say themselves is searched for in all of them. What they are only shown with is looked for on the
        newest 2,000 traces that meet the rest, while there is time.

        Raises:
            InvalidRequest: nothing was found, and a comparison is with something that is no number.
        """
        rest, terms = split(query)
        said = Answer[FoundTrace](()) if any(term.sign for term in terms) else await self._store.search.find(query)
        if not terms:
            return self._counted(said)
        by_spans = {one.trace_id: one for one in said}
        newest = await self._store.search.find(replace(rest, limit=_MOST_LOOKED_AT))
        found, cut = await self._meeting(newest, terms, by_spans.keys(), query.limit)
        older = [one for one in said if one.trace_id not in found]
        fault = next((term.fault for term in terms if term.fault), "")
        if fault and not found and not older:
            raise InvalidRequest(fault)
        together = (*found.values(), *older)[: query.limit or None]
        return self._counted(Answer(together, said.partial or newest.partial or cut))

    async def _meeting(
        self, newest: Sequence[FoundTrace], terms: Sequence[Term], known: Collection[str], limit: int
    ) -> tuple[dict[str, FoundTrace], str]:
        """Of the newest those that are known to meet the terms, or do; and why not all were looked at."""
        found: dict[str, FoundTrace] = {}
        until = self._monotonic() + self._seconds
        for number, one in enumerate(newest):
            if len(found) == limit > 0:
                return found, ""
            if self._monotonic() > until:
                over = (
                    f"looking at what traces are shown with took longer than {self._seconds:g} s (queries.max_seconds)"
                )
                return found, f"{over} and was ended after the newest {number:,} traces that meet the rest"
            if one.trace_id in known or await self._meets(one.trace_id, terms):
                found[one.trace_id] = one
        if len(newest) == _MOST_LOOKED_AT:
            return found, f"only the newest {_MOST_LOOKED_AT:,} traces that meet the rest of the search were looked at"
        return found, ""

    async def _meets(self, trace_id: str, terms: Sequence[Term]) -> bool:
        """Each term by some feedback on the trace, or by something that one of its spans is shown with."""
        feedback = (await self._store.feedback.listed(_NEWEST, trace_id=trace_id)).items
        left = [term for term in terms if not any(term.met_by(one) for one in feedback)]
        if not left:
            return True
        try:
            return bool(await self.shown(trace_id, partial(held, left)))
        except TooLarge:  # to be shown, too
            return False

    def _counted(self, answer: Answer[_Item]) -> Answer[_Item]:
        self._counters.add(Counter.QUERIES_PARTIAL, bool(answer.partial))
        return answer

    async def trace_data(self, trace_id: str, *, raw: bool = False) -> bytes:
        """See `TelemetryLog.trace_data`. What is known beside it is added, unless `raw`. Raises as `shown`."""
        return await self.shown(trace_id, as_it_is, raw=raw)

    async def shown(self, trace_id: str, document: Document, *, raw: bool = False) -> bytes:
        """What `document` makes of a trace and what is known beside it, unless `raw`; empty if there is no such trace.

        Made in a thread for a small trace, in a worker for a large one.

        Raises:
            TooLarge: the trace goes beyond the bounds.
        """
        feedback = None if raw else (await self._store.feedback.listed(_NEWEST, trace_id=trace_id)).items
        inline = self._workers.limits.inline_bytes
        small = TraceBounds(min(_SMALL_SPANS, self.bounds.spans), min(inline, self.bounds.bytes), self.bounds.key)
        try:
            data = await self._store.log.trace_data(trace_id, small)
        except TooLarge:
            if small == self.bounds:
                raise
            return await self._viewed(
                document, feedback, partial(self._store.log.trace_data, trace_id, self.bounds), large=True
            )
        return await self._viewed(document, feedback, partial(_known, data), large=False) if data else b""

    async def _viewed(
        self,
        document: Document,
        feedback: Sequence[StoredFeedback] | None,
        data: Callable[[], Awaitable[bytes]],
        *,
        large: bool,
    ) -> bytes:
        async def answer(question: Releases | None) -> bytes | Mapping[int, Release]:
            if question is None:
                return await data()
            found = {number: await self._release(number) for number in question.numbers}
            return {number: release for number, release in found.items() if release is not None}

        size = self._workers.limits.inline_bytes + 1 if large else 0
        result: bytes = await self._workers.run(viewed, document, feedback, size=size, answer=answer)
        return result

    async def services(self) -> Answer[str]:
        """See `TelemetrySearch`; the first that an answer has room for."""
        return self._counted(_first(await self._store.search.services(), len))

    async def operations(self, service: str) -> Answer[Operation]:
        """See `TelemetrySearch`; the first that an answer has room for."""
        return self._counted(_first(await self._store.search.operations(service), lambda one: len(one.name)))

    async def dependencies(self, start_unix_nano: int, end_unix_nano: int) -> Answer[Dependency]:
        """See `TelemetrySearch`."""
        return self._counted(await self._store.search.dependencies(start_unix_nano, end_unix_nano))


def _first(named: Sequence[_Item], length_of: Callable[[_Item], int]) -> Answer[_Item]:
    """Jaeger's lists of names have no pages, and over gRPC 4 MiB: the first names, and how many there are."""
    room = _MOST_NAME_BYTES
    for number, one in enumerate(named):
        room -= 4 * length_of(one) + _NAME_BYTES  # as UTF-8, at most
        if number == _MOST_NAMES or room < 0:
            return Answer(tuple(named[:number]), f"these are the first {number:,} of {len(named):,} names")
    return Answer(tuple(named))


async def _known(data: bytes) -> bytes:
    return data
