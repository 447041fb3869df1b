"""The search as a look at every span."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from collector.core.page import Page, PageRequest, cursor, key_of, page_of
from collector.core.span import Span
from collector.core.telemetry import (
    Answer,
    Dependency,
    FoundTrace,
    Operation,
    Signal,
    TelemetryCounts,
    TraceQuery,
    TraceSummary,
)
from collector.otlp.decode import spans_of
from collector.otlp.responses import traces_answering
from collector.storage.memory.log import MemoryLog
from collector.storage.search.conditions import conditions_of
from collector.storage.search.listing import summary_of

_CALLING, _CALLED = (3, 4), (2, 5)
"""Kinds: client and producer, server and consumer."""


class _Came(NamedTuple):
    position: int
    span: Span


class MemorySearch:
    """See `TelemetrySearch`. Always looks at everything: no answer is partial, and no pair of spans too far apart."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def find(self, query: TraceQuery) -> Answer[FoundTrace]:
        """See `TelemetrySearch`."""
        conditions = conditions_of(query)
        newest: dict[str, tuple[int, int]] = {}
        for position, span in self._spans():
            if conditions.met(span):
                rank = span.start_time_unix_nano, position
                newest[span.context.trace_id] = max(rank, newest.get(span.context.trace_id, rank))
        ordered = sorted(((*rank, trace_id) for trace_id, rank in newest.items()), reverse=True)
        return Answer(tuple(FoundTrace(trace_id, start) for start, _, trace_id in ordered[: query.limit or None]))

    async def traces(self, page: PageRequest) -> Page[TraceSummary]:
        """See `TelemetrySearch`. A page begins behind a trace, in a list of what came up to the first page."""
        key = key_of(page.cursor, "traces", int, int, str)
        end = int(key[0]) if key else await self._log.newest_position()
        behind = (-int(key[1]), str(key[2])) if key else (-end - 1, "")
        touched = {span.context.trace_id: position for position, span in self._spans() if position <= end}
        listed = sorted((-position, trace_id) for trace_id, position in touched.items())
        lines = [(place, summary_of(await self._log.trace(place[1]))) for place in listed if place > behind]
        return page_of(
            lines,
            page.limit,
            lambda line: line[1],
            lambda line: cursor("traces", end, -line[0][0], line[0][1]),
            lambda line: len(line[1].root_name) + sum(map(len, line[1].services)) + 200,
        )

    async def answering(self, response_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """See `TelemetrySearch`."""
        found: dict[str, dict[str, None]] = {}
        for _, request in reversed(self._log.kept):
            if request.signal is Signal.TRACES:
                for response_id, traces in traces_answering(request.body, response_ids).items():
                    found.setdefault(response_id, {}).update(dict.fromkeys(reversed(traces)))
        return {response_id: list(traces) for response_id, traces in found.items()}

    async def services(self) -> Sequence[str]:
        """See `TelemetrySearch`."""
        return sorted({span.resource.service for _, span in self._spans()})

    async def operations(self, service: str) -> Sequence[Operation]:
        """See `TelemetrySearch`."""
        found = {Operation(span.resource.service, span.name, span.kind) for _, span in self._spans()}
        wanted = (one for one in found if service in ("", one.service))
        return sorted(wanted, key=lambda one: (one.name, one.kind, one.service))

    async def dependencies(self, start_unix_nano: int, end_unix_nano: int) -> Answer[Dependency]:
        """See `TelemetrySearch`."""
        spans = [span for _, span in self._spans()]
        calling = {_id_of(span): span.resource.service for span in spans if span.kind in _CALLING}
        others = {_id_of(span): span.resource.service for span in spans if span.kind not in _CALLING}
        counted: Counter[tuple[str, str]] = Counter()
        for span in spans:
            caller = calling.get(_id_of(span)) if span.kind in _CALLED else None  # a client that shares its id (B3)
            parent = span.context.trace_id, span.parent_span_id or ""
            if caller is None and parent != _id_of(span):
                caller = others.get(parent, calling.get(parent))
            if caller is not None and start_unix_nano <= span.start_time_unix_nano <= end_unix_nano:
                counted[caller, span.resource.service] += 1
        return Answer(tuple(Dependency(*pair, count) for pair, count in sorted(counted.items())))

    async def counts(self) -> TelemetryCounts:
        """See `TelemetrySearch`."""
        spans = [span for _, span in self._spans()]
        return TelemetryCounts(
            spans=len(spans),
            traces=len({span.context.trace_id for span in spans}),
            log_records=sum(one.request.items for one in self._log.kept if one.request.signal is Signal.LOGS),
        )

    def _spans(self) -> Iterator[_Came]:
        for position, request in self._log.kept:
            if request.signal is Signal.TRACES:
                yield from (_Came(position, span) for span in spans_of(request.body))


def _id_of(span: Span) -> tuple[str, str]:
    return span.context.trace_id, span.context.span_id
