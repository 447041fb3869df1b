"""Spans and log records: requests as they came, found by trace."""

import sqlite3
from collections.abc import Sequence

from collector.core.span import LogRecord, Span, StatusCode
from collector.core.telemetry import OtlpRequest, Signal, TraceSummary
from collector.otlp.decode import log_records_of, spans_of_trace


def append(connection: sqlite3.Connection, request: OtlpRequest) -> None:
    """Keeps a request and says which traces it touches."""
    cursor = connection.execute(
        "INSERT INTO requests (signal, received_unix_nano, items, body) VALUES (?, ?, ?, ?)",
        (request.signal.value, request.received_unix_nano, request.items, request.body),
    )
    traces = [bytes.fromhex(trace_id) for trace_id in sorted(request.trace_ids)]
    connection.executemany(
        "INSERT INTO trace_requests VALUES (?, ?, ?)",
        [(trace_id, request.signal.value, cursor.lastrowid) for trace_id in traces],
    )
    counted = "spans" if request.signal is Signal.TRACES else "log_records"
    connection.execute("UPDATE totals SET amount = amount + ? WHERE name = ?", (request.items, counted))
    if request.signal is Signal.TRACES:
        _touch(connection, traces, cursor.lastrowid)


def _touch(connection: sqlite3.Connection, traces: Sequence[bytes], request_id: int | None) -> None:
    new = connection.executemany(
        "INSERT OR IGNORE INTO traces VALUES (?, ?)", [(trace_id, request_id) for trace_id in traces]
    ).rowcount
    connection.execute("UPDATE totals SET amount = amount + ? WHERE name = 'traces'", (new,))
    if new < len(traces):
        connection.executemany(
            "UPDATE traces SET last_request_id = ? WHERE trace_id = ?", [(request_id, trace_id) for trace_id in traces]
        )


def _bodies(connection: sqlite3.Connection, trace_id: str, signal: Signal) -> Sequence[bytes]:
    rows = connection.execute(
        "SELECT body FROM trace_requests JOIN requests ON requests.id = request_id"
        " WHERE trace_id = ? AND trace_requests.signal = ? ORDER BY request_id",
        (bytes.fromhex(trace_id), signal.value),
    )
    return [body for (body,) in rows]


def trace(connection: sqlite3.Connection, trace_id: str) -> Sequence[Span]:
    """See `TelemetryStore.trace`."""
    if not _is_trace_id(trace_id):
        return ()
    once: list[Span] = []
    seen: dict[str, list[Span]] = {}
    for body in _bodies(connection, trace_id, Signal.TRACES):
        for span in spans_of_trace(body, trace_id):
            known = seen.setdefault(span.context.span_id, [])
            if span not in known:
                known.append(span)
                once.append(span)
    return sorted(once, key=lambda span: (span.start_time_unix_nano, span.context.span_id))


def log_records(connection: sqlite3.Connection, trace_id: str) -> Sequence[LogRecord]:
    """See `TelemetryStore.log_records`."""
    if not _is_trace_id(trace_id):
        return ()
    found = [
        record
        for body in _bodies(connection, trace_id, Signal.LOGS)
        for record in log_records_of(body)
        if record.context is not None and record.context.trace_id == trace_id
    ]
    return sorted(found, key=lambda record: record.time_unix_nano or record.observed_time_unix_nano)


def traces(connection: sqlite3.Connection, limit: int) -> Sequence[TraceSummary]:
    """See `TelemetryStore.traces`."""
    rows = connection.execute(
        "SELECT trace_id FROM traces ORDER BY last_request_id DESC, trace_id LIMIT ?", (limit or -1,)
    ).fetchall()
    return [_summary(trace(connection, trace_id.hex())) for (trace_id,) in rows]


def totals(connection: sqlite3.Connection) -> dict[str, int]:
    """Spans, log records and traces."""
    return dict(connection.execute("SELECT name, amount FROM totals").fetchall())


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


def _is_trace_id(text: str) -> bool:
    return len(text) == 32 and all(character in "0123456789abcdef" for character in text)
