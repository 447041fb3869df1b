"""Spans and log records: requests as they came, found by trace."""

import heapq
from collections.abc import Iterator, Sequence

from collector.core.span import LogRecord, Span, StatusCode
from collector.core.telemetry import Operation, Signal, TraceSummary
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.raw import TraceDataBuilder, trace_ids_in
from collector.storage.segment import Segment

_AT_ONCE = 64


def trace_data(segments: Sequence[Segment], trace_id: str) -> bytes:
    """See `TelemetryStore.trace_data`."""
    wanted = _bytes_of(trace_id)
    if wanted is None:
        return b""
    gathered = TraceDataBuilder(wanted)
    for segment in segments:
        for body in segment.bodies(wanted, Signal.TRACES):
            gathered.add(body)
    return gathered.build()


def trace(segments: Sequence[Segment], trace_id: str) -> Sequence[Span]:
    """See `TelemetryStore.trace`."""
    spans = sorted(
        spans_of(trace_data(segments, trace_id)),
        key=lambda span: (span.start_time_unix_nano, span.context.span_id),
    )
    seen: dict[str, list[Span]] = {}
    once = []
    for span in spans:  # byte-equal ones are gone already; these differ in their encoding only
        known = seen.setdefault(span.context.span_id, [])
        if span not in known:
            known.append(span)
            once.append(span)
    return once


def log_records(segments: Sequence[Segment], trace_id: str) -> Sequence[LogRecord]:
    """See `TelemetryStore.log_records`."""
    wanted = _bytes_of(trace_id)
    if wanted is None:
        return ()
    found = [
        record
        for segment in segments
        for body in segment.bodies(wanted, Signal.LOGS)
        for record in log_records_of(body)
        if record.context is not None and record.context.trace_id == trace_id
    ]
    return sorted(found, key=lambda record: record.time_unix_nano or record.observed_time_unix_nano)


def traces(segments: Sequence[Segment], limit: int) -> Sequence[TraceSummary]:
    """See `TelemetryStore.traces`. Traces that one request touched last come by id."""
    newest: dict[str, None] = {}
    for touched in _touched(segments):
        newest.update(dict.fromkeys(sorted(trace_id.hex() for trace_id in touched)))
        if len(newest) >= limit > 0:
            break
    return [_summary(trace(segments, trace_id)) for trace_id in list(newest)[: limit or None]]


def _touched(segments: Sequence[Segment]) -> Iterator[set[bytes]]:
    """The traces of each request, the last request first."""
    for segment in reversed(segments):
        before = segment.file.size
        while places := segment.index.newest_places(before, _AT_ONCE):
            for place in places:
                yield set(trace_ids_in(segment.body(place)))
            before = places[-1].offset


def services(segments: Sequence[Segment]) -> Sequence[str]:
    """See `TelemetryStore.services`."""
    return sorted({service for segment in segments for service in segment.index.services() if service})


def operations(segments: Sequence[Segment], service: str) -> Sequence[Operation]:
    """See `TelemetryStore.operations`."""
    found = {operation for segment in segments for operation in segment.index.operations(service)}
    return sorted(found, key=lambda operation: (operation.name, operation.kind, operation.service))


def touches(segments: Sequence[Segment], trace_id: str) -> bool:
    """Whether a span of the trace has come."""
    wanted = _bytes_of(trace_id)
    return wanted is not None and any(segment.index.places(wanted, Signal.TRACES) for segment in reversed(segments))


def trace_count(segments: Sequence[Segment]) -> int:
    """How many traces there are. Merges the sorted ids of all segments: about half a second for half a million."""
    if len(segments) == 1:
        return len(segments[0].index.trace_ids())
    count, last = 0, None
    for trace_id in heapq.merge(*(segment.index.trace_ids() for segment in segments)):
        count += trace_id != last
        last = trace_id
    return count


def _summary(spans: Sequence[Span]) -> TraceSummary:
    known = {span.context.span_id for span in spans}
    root = next((span for span in spans if span.parent_span_id is None), None)
    top = root or next((span for span in spans if span.parent_span_id not in known), spans[0])
    return TraceSummary(
        trace_id=top.context.trace_id,
        root_name=top.name,
        services=tuple(sorted({span.resource.service for span in spans})),
        start_time_unix_nano=min(span.start_time_unix_nano for span in spans),
        end_time_unix_nano=max(span.end_time_unix_nano for span in spans),
        span_count=len(spans),
        error_count=sum(1 for span in spans if span.status_code == StatusCode.ERROR),
    )


def _bytes_of(trace_id: str) -> bytes | None:
    if len(trace_id) != 32 or any(character not in "0123456789abcdef" for character in trace_id):
        return None
    return bytes.fromhex(trace_id)
