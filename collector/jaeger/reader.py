"""What Jaeger is shown: the stored traces, and what otel-opto knows of them beside their spans."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from collector.core.feedback import FeedbackState, StoredFeedback
from collector.core.release import Release
from collector.core.telemetry import Dependency, FoundTrace, Operation, TraceQuery
from collector.jaeger.decoration import decorated, named_releases
from collector.jaeger.feedback_terms import FeedbackTerm, split

_MOST_LOOKED_AT = 2_000


class Source(Protocol):
    """What is read; the methods are those of `Store`."""

    async def find(self, query: TraceQuery) -> Sequence[FoundTrace]: ...  # noqa: D102
    async def trace_data(self, trace_id: str) -> bytes: ...  # noqa: D102
    async def services(self) -> Sequence[str]: ...  # noqa: D102
    async def operations(self, service: str) -> Sequence[Operation]: ...  # noqa: D102
    async def dependencies(self, start_unix_nano: int, end_unix_nano: int) -> Sequence[Dependency]: ...  # noqa: D102
    async def feedback(  # noqa: D102
        self, *, trace_id: str = "", states: Sequence[FeedbackState] = (), limit: int = 100
    ) -> Sequence[StoredFeedback]: ...


class Reader:
    """Traces with their feedback. Attributes that begin with ``opto.feedback.`` compare feedback (`feedback_terms`)."""

    def __init__(self, source: Source, release: Callable[[int], Awaitable[Release | None]]) -> None:
        self._source = source
        self._release = release

    async def find(self, query: TraceQuery) -> Sequence[FoundTrace]:
        """See `TelemetryStore.find`. Terms on feedback look at the newest 2,000 traces that meet the rest."""
        rest, terms = split(query)
        if not terms:
            return await self._source.find(query)
        found: list[FoundTrace] = []
        candidates = await self._source.find(_limited(rest, _MOST_LOOKED_AT))
        for candidate in candidates:
            if await self._meets(candidate.trace_id, terms):
                found.append(candidate)
                if len(found) == query.limit:
                    break
        return found

    async def _meets(self, trace_id: str, terms: Sequence[FeedbackTerm]) -> bool:
        feedback = await self._source.feedback(trace_id=trace_id, limit=0)
        return all(any(term.met(one.feedback) for one in feedback) for term in terms)

    async def trace_data(self, trace_id: str, *, raw: bool = False) -> bytes:
        """See `TelemetryStore.trace_data`. What is known beside it is added, unless `raw`."""
        data = await self._source.trace_data(trace_id)
        if raw or not data:
            return data
        feedback = await self._source.feedback(trace_id=trace_id, limit=0)
        releases = {number: await self._release(number) for number in named_releases(data)}
        return decorated(data, feedback, {number: found for number, found in releases.items() if found is not None})

    async def services(self) -> Sequence[str]:
        """See `TelemetryStore`."""
        return await self._source.services()

    async def operations(self, service: str) -> Sequence[Operation]:
        """See `TelemetryStore`."""
        return await self._source.operations(service)

    async def dependencies(self, start_unix_nano: int, end_unix_nano: int) -> Sequence[Dependency]:
        """See `TelemetryStore`."""
        return await self._source.dependencies(start_unix_nano, end_unix_nano)


def _limited(query: TraceQuery, limit: int) -> TraceQuery:
    return TraceQuery(
        query.service,
        query.operation,
        query.attributes,
        query.start_min_unix_nano,
        query.start_max_unix_nano,
        query.duration_min_nano,
        query.duration_max_nano,
        limit,
    )
