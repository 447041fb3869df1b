"""Spans and log records: requests as they came, found by trace."""

from collections.abc import Iterable, Iterator, Sequence

from collector.core.span import LogRecord, Span
from collector.core.telemetry import Signal, TraceBounds
from collector.otlp.decode import log_records_of, spans_of
from collector.otlp.pieces import pieces
from collector.otlp.raw import TraceDataBuilder, selected
from collector.storage.patience import Patience
from collector.storage.segments.segment import Segment

_MOST_COMPARED = 64
"""Of different spans with one id; beyond that an equal one may be read twice."""


def trace_data(
    segments: Sequence[Segment], trace_id: str, patience: Patience, bounds: TraceBounds | None = None
) -> bytes:
    """See `TelemetryLog.trace_data`."""
    wanted = _bytes_of(trace_id)
    if wanted is None:
        return b""
    gathered = TraceDataBuilder(wanted)
    for piece in requests_of(segments, wanted, Signal.TRACES, patience):
        gathered.add(piece)
        if bounds is not None:
            bounds.check(trace_id, "spans", gathered.spans, gathered.bytes)
    return gathered.build()


def log_data(
    segments: Sequence[Segment], trace_id: str, patience: Patience, bounds: TraceBounds | None = None
) -> bytes:
    """See `TelemetryLog.log_data`. Logs have the form of traces, with other names (logs.proto, trace.proto)."""
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
            bounds.check(trace_id, "log records", records, size)
    return b"".join(found)


def requests_of(segments: Sequence[Segment], trace_id: bytes, signal: Signal, patience: Patience) -> Iterator[bytes]:
    """All requests that touch a trace, never much at once."""
    for segment in segments:
        for place in segment.index.places(trace_id, signal):
            for piece in pieces(segment.body(place, signal)):
                patience.go_on()
                yield piece


def trace(segments: Sequence[Segment], trace_id: str, patience: Patience) -> Sequence[Span]:
    """See `TelemetryLog.trace`."""
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
    """See `TelemetryLog.log_records`."""
    found: list[LogRecord] = []
    for piece in pieces(log_data(segments, trace_id, patience)):
        patience.go_on()
        found += [one for one in log_records_of(piece) if one.context is not None and one.context.trace_id == trace_id]
    return sorted(found, key=lambda record: record.time_unix_nano or record.observed_time_unix_nano)


def revision(segments: Sequence[Segment], trace_id: str) -> str:
    """See `TelemetryLog.revision`: what came first, what last, and how often."""
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


def _bytes_of(trace_id: str) -> bytes | None:
    if len(trace_id) != 32 or any(character not in "0123456789abcdef" for character in trace_id):
        return None
    return bytes.fromhex(trace_id)
