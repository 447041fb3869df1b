"""Spans and log records: requests as they came, found by trace."""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from collector.core.errors import TooLarge
from collector.core.span import LogRecord, Span
from collector.core.telemetry import Operation, Signal, TraceBounds
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.pieces import pieces
from collector.otlp.raw import TraceDataBuilder, selected
from collector.otlp.responses import traces_answering
from collector.storage.patience import OutOfTime, Patience
from collector.storage.segment import Segment

_AT_ONCE = 64
_MOST_SUMMARIZED = 20_000
_MOST_COMPARED = 64
"""Of different spans with one id; beyond that an equal one may be read twice."""


def trace_data(
    segments: Sequence[Segment], trace_id: str, patience: Patience, bounds: TraceBounds | None = None
) -> bytes:
    """See `TelemetryStore.trace_data`."""
    wanted = _bytes_of(trace_id)
    if wanted is None:
        return b""
    gathered = TraceDataBuilder(wanted)
    for piece in requests_of(segments, wanted, Signal.TRACES, patience):
        gathered.add(piece)
        if bounds is not None:
            _check(trace_id, "spans", gathered.spans, gathered.bytes, bounds)
    return gathered.build()


def log_data(
    segments: Sequence[Segment], trace_id: str, patience: Patience, bounds: TraceBounds | None = None
) -> bytes:
    """See `TelemetryStore.log_data`. Logs have the form of traces, with other names (logs.proto, trace.proto)."""
    wanted = _bytes_of(trace_id)
    if wanted is None:
        return b""
    found: list[bytes] = []
    records = size = 0

    def of_trace(_: bytes, candidates: Sequence[bytes]) -> Sequence[bytes]:
        nonlocal records
        kept = [record for record in candidates if wanted in record]
        records += len(kept)
        return kept

    for piece in requests_of(segments, wanted, Signal.LOGS, patience):
        found.append(selected(piece, of_trace))
        size += len(found[-1])
        if bounds is not None:
            _check(trace_id, "log records", records, size, bounds)
    return b"".join(found)


def requests_of(segments: Sequence[Segment], trace_id: bytes, signal: Signal, patience: Patience) -> Iterator[bytes]:
    """All requests that touch a trace, never much at once."""
    for segment in segments:
        for place in segment.index.places(trace_id, signal):
            for piece in pieces(segment.body(place, signal)):
                patience.go_on()
                yield piece


def _check(trace_id: str, items: str, count: int, size: int, bounds: TraceBounds) -> None:
    if count > bounds.spans:
        found, allowed = f"{bounds.spans:,} {items}", f"{bounds.key}.max_spans"
    elif size > bounds.bytes:
        found, allowed = f"{bounds.bytes:,} bytes of {items}", f"{bounds.key}.max_bytes"
    else:
        return
    raise TooLarge(
        f"trace {trace_id} is too large: found more than {found}, the most that {allowed} allows, and read no further"
    )


def trace(segments: Sequence[Segment], trace_id: str, patience: Patience) -> Sequence[Span]:
    """See `TelemetryStore.trace`."""
    return once(spans_in(trace_data(segments, trace_id, patience), patience))


def spans_in(data: bytes, patience: Patience) -> Iterator[Span]:
    """The spans of a serialized ``TracesData``, never many at once."""
    for piece in pieces(data):
        patience.go_on()
        yield from spans_of(piece)


def once(found: Iterable[Span]) -> Sequence[Span]:
    """Spans by start and id, equal ones once."""
    spans = sorted(found, key=lambda span: (span.start_time_unix_nano, span.context.span_id))
    seen: dict[str, list[Span]] = {}
    kept = []
    for span in spans:  # byte-equal ones are gone already; these differ in their encoding only
        known = seen.setdefault(span.context.span_id, [])
        if span not in known[-_MOST_COMPARED:]:
            known.append(span)
            kept.append(span)
    return kept


def log_records(segments: Sequence[Segment], trace_id: str, patience: Patience) -> Sequence[LogRecord]:
    """See `TelemetryStore.log_records`."""
    found: list[LogRecord] = []
    for piece in pieces(log_data(segments, trace_id, patience)):
        patience.go_on()
        found += [one for one in log_records_of(piece) if one.context is not None and one.context.trace_id == trace_id]
    return sorted(found, key=lambda record: record.time_unix_nano or record.observed_time_unix_nano)


def revision(segments: Sequence[Segment], trace_id: str) -> str:
    """See `TelemetryStore.revision`, of what is in segments: what came first, what last, and how often."""
    wanted = _bytes_of(trace_id)
    if wanted is None:
        return ""
    positions = [
        segment.position(place.offset)
        for signal in Signal
        for segment in segments
        for place in segment.index.places(wanted, signal)
    ]
    return f"{min(positions)}-{max(positions)}-{len(positions)}" if positions else ""


def answering(
    segments: Sequence[Segment], response_ids: Collection[str], patience: Patience
) -> Mapping[str, Sequence[str]]:
    """See `TelemetryStore.answering`. Reads the lists of the segments' answers, the newest segment's first."""
    found: dict[str, dict[str, None]] = {}
    left = set(response_ids)
    for segment in reversed(segments):
        if not left:
            break
        for body, named in segment.answering(left, patience):
            for response_id, traces in traces_answering(body, named).items():
                found.setdefault(response_id, {}).update(dict.fromkeys(reversed(traces)))
        left -= found.keys()
    return {response_id: list(traces) for response_id, traces in found.items()}


def services(segments: Sequence[Segment]) -> Sequence[str]:
    """See `TelemetryStore.services`."""
    return sorted({service for segment in segments for service in segment.index.services()})


def operations(segments: Sequence[Segment], service: str) -> Sequence[Operation]:
    """See `TelemetryStore.operations`."""
    found = {operation for segment in segments for operation in segment.index.operations(service)}
    return sorted(found, key=lambda operation: (operation.name, operation.kind, operation.service))


def touches(segments: Sequence[Segment], trace_id: str) -> bool:
    """Whether a span of the trace has come."""
    wanted = _bytes_of(trace_id)
    return wanted is not None and any(segment.index.places(wanted, Signal.TRACES) for segment in reversed(segments))


def trace_count(segments: Sequence[Segment], patience: Patience) -> int:
    """How many traces there are. Merges the sorted ids of all segments: about half a second for half a million.

    Where that would take too long, a trace counts once for each segment that it is in.
    """
    if len(segments) > 1:
        try:
            return sum(1 for _ in _distinct(segments, patience))
        except OutOfTime:
            pass
    return sum(segment.index.trace_count() for segment in segments)


def _distinct(segments: Sequence[Segment], patience: Patience) -> Iterator[bytes]:
    last = b""
    for number, trace_id in enumerate(heapq.merge(*(segment.index.trace_ids() for segment in segments))):
        if number % _AT_ONCE == 0:
            patience.go_on()
        if trace_id != last:
            yield trace_id
        last = trace_id


def _bytes_of(trace_id: str) -> bytes | None:
    if len(trace_id) != 32 or any(character not in "0123456789abcdef" for character in trace_id):
        return None
    return bytes.fromhex(trace_id)
