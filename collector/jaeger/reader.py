"""What Jaeger is shown: the stored traces, and what otel-opto knows of them beside their spans."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from collector.core.errors import InvalidRequest, TooLarge
from collector.core.feedback import FeedbackState, StoredFeedback
from collector.core.release import Release
from collector.core.telemetry import Answer, Dependency, FoundTrace, Operation, TraceQuery
from collector.jaeger.decoration import decorated, named_releases
from collector.jaeger.terms import Term, split
from collector.otlp.decode import spans_of

_MOST_LOOKED_AT = 2_000


class Source(Protocol):
    """What is read; the methods are those of `Store`."""

    async def find(self, query: TraceQuery) -> Answer[FoundTrace]: ...  # noqa: D102
    async def trace_data(self, trace_id: str) -> bytes: ...  # noqa: D102
    async def services(self) -> Sequence[str]: ...  # noqa: D102
    async def operations(self, service: str) -> Sequence[Operation]: ...  # noqa: D102
    async def dependencies(self, start_unix_nano: int, end_unix_nano: int) -> Sequence[Dependency]: ...  # noqa: D102
    async def feedback(  # noqa: D102
        self, *, trace_id: str = "", states: Sequence[FeedbackState] = (), limit: int = 100
    ) -> Sequence[StoredFeedback]: ...


class Reader:
    """Traces with what is known of them, and searches for whatever they are shown with (`terms`)."""

    def __init__(self, source: Source, release: Callable[[int], Awaitable[Release | None]]) -> None:
        self._source = source
        self._release = release

    async def find(self, query: TraceQuery) -> Answer[FoundTrace]:
        """See `TelemetryStore.find`.

        What spans say themselves is searched for in all of them. What they are only shown with is looked for on the
        newest 2,000 traces that meet the rest.

        Raises:
            InvalidRequest: nothing was found, and a comparison is with something that is no number.
        """
        rest, terms = split(query)
        said = Answer[FoundTrace](()) if any(term.sign for term in terms) else await self._source.find(query)
        if not terms:
            return said
        by_spans = {one.trace_id: one for one in said}
        newest = await self._source.find(replace(rest, limit=_MOST_LOOKED_AT))
        found: dict[str, FoundTrace] = {}
        for one in newest:
            if len(found) == query.limit:
                break
            if one.trace_id in by_spans or await self._meets(one.trace_id, terms):
                found[one.trace_id] = one
        older = [one for one in said if one.trace_id not in found]
        fault = next((term.fault for term in terms if term.fault), "")
        if fault and not found and not older:
            raise InvalidRequest(fault)
        return Answer((*found.values(), *older)[: query.limit or None], said.partial or newest.partial)

    async def _meets(self, trace_id: str, terms: Sequence[Term]) -> bool:
        """Each term by some feedback on the trace, or by something that one of its spans is shown with."""
        feedback = await self._source.feedback(trace_id=trace_id, limit=0)
        left = [term for term in terms if not any(term.met_by(one.feedback) for one in feedback)]
        if not left:
            return True
        try:
            data = await self._source.trace_data(trace_id)
            if not all(term.may_be_said_in(data) for term in left):
                return False
            spans = await asyncio.to_thread(spans_of, await self.trace_data(trace_id))
        except TooLarge:  # to be shown, too
            return False
        return all(any(term.met_on(span) for span in spans) for term in left)

    async def trace_data(self, trace_id: str, *, raw: bool = False) -> bytes:
        """See `TelemetryStore.trace_data`. What is known beside it is added, unless `raw`."""
        data = await self._source.trace_data(trace_id)
        if raw or not data:
            return data
        feedback = await self._source.feedback(trace_id=trace_id, limit=0)
        releases = {number: await self._release(number) for number in named_releases(data)}
        known = {number: found for number, found in releases.items() if found is not None}
        return await asyncio.to_thread(decorated, data, feedback, known)

    async def services(self) -> Sequence[str]:
        """See `TelemetryStore`."""
        return await self._source.services()

    async def operations(self, service: str) -> Sequence[Operation]:
        """See `TelemetryStore`."""
        return await self._source.operations(service)

    async def dependencies(self, start_unix_nano: int, end_unix_nano: int) -> Sequence[Dependency]:
        """See `TelemetryStore`."""
        return await self._source.dependencies(start_unix_nano, end_unix_nano)
