"""What belongs to a graph, read from the store when the computation asks for it."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from collector.assembly.job import Surroundings, Survey
from collector.core.errors import NotFound, TooLarge
from collector.core.page import PageRequest
from collector.core.protocols import Store
from collector.core.release import Release
from collector.core.study import Reach
from collector.core.telemetry import TraceBounds, TraceQuery

_NEWEST: Final = PageRequest(1_000)
"""Of a trace's feedback stands in its graph."""

MOST_TRACES: Final = 64
"""So many traces make one graph at most."""


class Gathering:
    """Answers the questions of one `collector.assembly.job.assembled`.

    Args:
        store: Where everything is.
        release: Finds a release by its number.
        trace_id: Of the graph.
        reach: Which other traces belong to it.
        bounds: Of all spans together, and of all log records together.
        whole: Whether a trace within reach that does not fit is too large, too; else it is left out, as those beyond
            `MOST_TRACES` are.
    """

    def __init__(
        self,
        store: Store,
        release: Callable[[int], Awaitable[Release | None]],
        trace_id: str,
        reach: Reach,
        bounds: TraceBounds,
        *,
        whole: bool,
    ) -> None:
        self._store = store
        self._release = release
        self._trace_id = trace_id
        self._reach = reach
        self._bounds = bounds
        self._whole = whole
        self._taken = [trace_id]
        self._seen = {trace_id}
        self._waiting: deque[str] = deque()
        self._spans = self._bytes = 0
        self._releases: set[int] = set()
        self._services: set[str] = set()

    async def answer(self, survey: Survey | None) -> bytes | Surroundings:
        """The spans of the next trace, then the surroundings of all.

        Raises:
            NotFound: no span of the trace has come.
            TooLarge: they are more than the bounds allow.
        """
        if survey is None:
            data = await self._store.log.trace_data(self._trace_id, self._bounds)
            if not data:
                raise NotFound(
                    f"trace {self._trace_id}: no span of it is stored; `otel-opto traces` lists the stored ones"
                )
            self._bytes = len(data)
            return data
        self._spans += survey.spans
        self._releases |= survey.releases
        self._services |= survey.services
        if self._reach is Reach.SESSION and len(self._taken) == 1 and survey.session is not None:
            self._waiting += await self._of_session(survey)
        if self._reach is not Reach.TRACE:
            self._waiting += survey.linked
        return await self._next_trace() or await self._surroundings()

    async def _of_session(self, survey: Survey) -> list[str]:
        """The earlier traces of the session."""
        assert survey.session is not None
        named = dict([survey.session])
        query = TraceQuery(attributes=named, start_max_unix_nano=survey.latest_start, limit=MOST_TRACES)
        return [found.trace_id for found in await self._store.search.find(query)]

    async def _next_trace(self) -> bytes:
        while self._waiting and len(self._seen) < MOST_TRACES:
            trace_id = self._waiting.popleft()
            if trace_id in self._seen:
                continue
            self._seen.add(trace_id)
            bounds = self._bounds
            room = TraceBounds(bounds.spans - self._spans, bounds.bytes - self._bytes, bounds.key)
            try:
                data = await self._store.log.trace_data(trace_id, room)
            except TooLarge:
                if self._whole:
                    raise
                continue
            if data:
                self._taken.append(trace_id)
                self._bytes += len(data)
                return data
        return b""

    async def _surroundings(self) -> Surroundings:
        stored = (await self._store.feedback.listed(_NEWEST, trace_id=self._trace_id)).items
        releases = [await self._release(number) for number in sorted(self._releases)]
        return Surroundings(
            await self._logs(),
            {release.number: release for release in releases if release},
            {
                (service, spec.key): spec
                for service in sorted(self._services)
                for spec in await self._store.parameters.of(service)
            },
            [kept.feedback for kept in stored if not kept.superseded],
        )

    async def _logs(self) -> bytes:
        gathered: list[bytes] = []
        size = 0
        for trace_id in self._taken:
            room = TraceBounds(self._bounds.spans, self._bounds.bytes - size, self._bounds.key)
            try:
                gathered.append(await self._store.log.log_data(trace_id, room))
            except TooLarge:
                if self._whole or trace_id == self._trace_id:
                    raise
                continue
            size += len(gathered[-1])
        return b"".join(gathered)
