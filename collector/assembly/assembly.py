"""Graphs of traces, bounded in size, time and number."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

from collector.assembly.explained import explained
from collector.assembly.gathering import Gathering
from collector.assembly.job import assembled, over_spans
from collector.assembly.shared import Shared
from collector.core.errors import TooLarge
from collector.core.explanation import Explanation
from collector.core.graph import TraceGraph
from collector.core.protocols import Store
from collector.core.release import Release
from collector.core.span import Span
from collector.core.study import Reach
from collector.core.telemetry import TraceBounds
from collector.otlp.decode import SHORT_BYTES, spans_of
from collector.workers.workers import Workers

_T = TypeVar("_T")
Work: TypeAlias = Callable[[], Any]
"""Of a module's top level with its arguments; asks for what it needs (`collector.assembly.job.Work`)."""

_SMALL_SPANS = 500
_TIMES_A_GRAPH = 10
"""A judgement finds its span in a trace that is too large for a graph, too."""


@dataclass(frozen=True, slots=True)
class AssemblyLimits:
    """See the configuration's section ``graph``."""

    max_spans: int = 50_000
    max_bytes: int = 64 * 2**20
    max_seconds: float = 60.0
    rules_off: frozenset[str] = frozenset()
    min_confidence: float = 0.4


class Assembly:
    """Makes graphs: small ones in threads of the collector, at once; large ones in its workers, each once at a time.

    Args:
        store: Where traces, feedback and parameters are.
        release: Finds a release by its number.
        workers: Compute.
        limits: See there.
    """

    def __init__(
        self,
        store: Store,
        release: Callable[[int], Awaitable[Release | None]],
        workers: Workers,
        limits: AssemblyLimits | None = None,
    ) -> None:
        self._store = store
        self._release = release
        self._workers = workers
        self._limits = limits or AssemblyLimits()
        self._shared = Shared()

    @property
    def min_confidence(self) -> float:
        """Of the edges that an optimizer is shown, where a study says nothing else."""
        return self._limits.min_confidence

    async def made(
        self, trace_id: str, reach: Reach, finish: Callable[[TraceGraph], _T], name: Hashable | None = None
    ) -> _T:
        """What `finish` makes of a trace's graph, of its surroundings as they are when nobody asks for it yet.

        Who is cancelled stops the computation, unless others wait for the same.

        Args:
            trace_id: The trace whose outputs the graph leads to.
            reach: Which traces it is made of, the nearest that are not too many or too large.
            finish: Of a module's top level; is given and gives back what can be pickled.
            name: Of `finish` and its arguments: a large graph is computed once for all who ask under one name.

        Raises:
            NotFound: no span of the trace has come.
            GraphError: its dataflow runs in a circle.
            TooLarge: beyond the limits; says what was found, what is allowed, and where that stands.
            WorkerLost: its computation crashed.
        """
        work: Work = partial(assembled, trace_id, self._limits.rules_off, finish)
        return cast(_T, await self._bounded(trace_id, reach, work, name))

    async def explained(self, trace_id: str, reach: Reach, span_id: str) -> Explanation:
        """Why the graph says what it says of a span.

        Raises:
            NotFound: no span of the trace has come, or that span is not in it.
            GraphError, TooLarge, WorkerLost: as `made`.
        """
        work: Work = partial(explained, trace_id, self._limits.rules_off, span_id)
        return cast(Explanation, await self._bounded(trace_id, reach, work, ("explained", span_id)))

    async def _bounded(self, trace_id: str, reach: Reach, work: Work, name: Hashable | None) -> Any:
        limits = self._limits
        bounds = TraceBounds(limits.max_spans, limits.max_bytes, "graph")
        inline = self._workers.limits.inline_bytes
        small = TraceBounds(min(_SMALL_SPANS, bounds.spans), min(inline, bounds.bytes), "graph")
        try:
            return await self._computed(trace_id, reach, work, small, size=0)
        except TooLarge:
            if small == bounds:
                raise
        if name is None:
            return await self._computed(trace_id, reach, work, bounds, size=inline + 1)
        state = await (self._revision(trace_id) if reach is Reach.TRACE else self._store.log.newest_position())
        begin = partial(self._computed, trace_id, reach, work, bounds, size=inline + 1)
        return await self._shared.run((trace_id, reach, name, state), begin)

    async def _revision(self, trace_id: str) -> str:
        """Another text whenever spans, log records or feedback of the trace came, changed or went; "" if unknown."""
        told = await self._store.log.revision(trace_id)
        return told and f"{told}/{await self._store.feedback.revision(trace_id)}"

    async def over_spans(self, trace_id: str, work: Callable[[Sequence[Span]], _T], *, short: bool = False) -> _T:
        """What `work` makes of a trace's spans as they came, where it holds nothing else up.

        Args:
            trace_id: The trace; one that is unknown has no spans.
            work: Of a module's top level; is given and gives back what can be pickled.
            short: Whether the work is done at once where the trace is small.

        Raises:
            TooLarge: the trace has ten times as much as a graph may be made of, or work takes longer than one may.
            WorkerLost: it crashed.
        """
        limits = self._limits
        bounds = TraceBounds(_TIMES_A_GRAPH * limits.max_spans, _TIMES_A_GRAPH * limits.max_bytes, "graph")
        inline = self._workers.limits.inline_bytes
        try:
            data = await self._store.log.trace_data(trace_id, TraceBounds(_SMALL_SPANS, inline, "graph"))
        except TooLarge:

            async def answer(_: None) -> bytes:
                return await self._store.log.trace_data(trace_id, bounds)

            result: _T = await self._workers.run(
                over_spans, work, size=inline + 1, seconds=limits.max_seconds, answer=answer
            )
            return result
        if short and len(data) < SHORT_BYTES:
            return work(spans_of(data))
        return await asyncio.to_thread(lambda: work(spans_of(data)))

    async def _computed(self, trace_id: str, reach: Reach, work: Work, bounds: TraceBounds, size: int) -> Any:
        gathering = Gathering(self._store, self._release, trace_id, reach, bounds, whole=size == 0)
        try:
            return await self._workers.run(work, size=size, seconds=self._limits.max_seconds, answer=gathering.answer)
        except TooLarge as error:
            if str(error).startswith("trace "):
                raise
            allowed = "the most that graph.max_seconds and graph.max_process_bytes allow"
            raise TooLarge(f"trace {trace_id} is too large: {error}, {allowed}") from error
