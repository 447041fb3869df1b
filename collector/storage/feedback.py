"""Feedback and its states."""

import json
import sqlite3
from collections.abc import Mapping, Sequence

from collector.core.feedback import Attachment, Feedback, FeedbackState, StoredFeedback, WaitingFeedback
from collector.core.span import SpanContext

_COLUMNS = (
    "id, trace_id, coalesce(target_span_id, span_id), name, score, label, text, source, attributes, time_unix_nano,"
    " state, received_unix_nano, release"
)


def submit(connection: sqlite3.Connection, feedback: Sequence[Feedback], received_unix_nano: int) -> None:
    """See `FeedbackStore.submit`."""
    connection.executemany(
        "INSERT OR IGNORE INTO feedback (id, trace_id, span_id, name, score, label, text, source, attributes,"
        " time_unix_nano, received_unix_nano, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
        [
            (
                one.id,
                bytes.fromhex(one.target.trace_id),
                one.target.span_id,
                one.name,
                one.score,
                one.label,
                one.text,
                one.source,
                json.dumps(dict(one.attributes)),
                one.time_unix_nano,
                received_unix_nano,
            )
            for one in feedback
        ],
    )


def revision(connection: sqlite3.Connection, trace_id: str) -> str:
    """See `TelemetryStore.revision`, of feedback."""
    (told,) = connection.execute(
        "SELECT count(*), coalesce(max(sequence), 0), sum(state = 'attached'), sum(state = 'expired')"
        " FROM feedback WHERE trace_id = ?",
        (bytes.fromhex(trace_id),),
    )
    return "-".join(map(str, told))


def attachable(
    connection: sqlite3.Connection, limit: int, position: int, touched: Mapping[bytes, int]
) -> Sequence[WaitingFeedback]:
    """See `FeedbackStore.attachable`.

    Args:
        connection: To read from.
        limit: How many; 0 means all.
        position: Where the store ends now.
        touched: Where it ended when a trace was touched last, of the traces that were since they were looked for.
    """
    select = f"SELECT sequence, missed_at, {_COLUMNS} FROM feedback WHERE state = 'waiting'"  # noqa: S608 - a constant
    rows = connection.execute(f"{select} AND missed_at = 0 ORDER BY sequence LIMIT ?", (limit or -1,)).fetchall()
    for trace_id, touched_at in touched.items():
        rows += connection.execute(
            f"{select} AND trace_id = ? AND missed_at BETWEEN 1 AND ?", (trace_id, touched_at - 1)
        )
    found = [_stored(row) for _, _, *row in sorted(rows, key=lambda row: int(row[0]))]
    return [WaitingFeedback(stored.id, stored.feedback, position) for stored in found[: limit or None]]


def look_again(connection: sqlite3.Connection) -> set[bytes]:
    """Makes all waiting feedback attachable; returns the traces that it waits for."""
    connection.execute("UPDATE feedback SET missed_at = 0 WHERE state = 'waiting' AND missed_at > 0")
    return waiting_traces(connection)


def waiting_traces(connection: sqlite3.Connection) -> set[bytes]:
    """The traces that feedback waits for."""
    return {trace for (trace,) in connection.execute("SELECT DISTINCT trace_id FROM feedback WHERE state = 'waiting'")}


def attach(
    connection: sqlite3.Connection, attachments: Sequence[Attachment], missed: Sequence[WaitingFeedback]
) -> set[bytes]:
    """See `FeedbackStore.attach`. Returns those of their traces for which feedback still waits."""
    connection.executemany(
        "UPDATE feedback SET state = 'attached', target_span_id = ?, release = ? WHERE id = ? AND state <> 'attached'",
        [(one.target.span_id, one.release, one.feedback_id) for one in attachments],
    )
    connection.executemany(
        "UPDATE feedback SET missed_at = max(missed_at, ?) WHERE id = ?", [(one.position, one.id) for one in missed]
    )
    traces = {bytes.fromhex(one.target.trace_id) for one in attachments}
    traces |= {bytes.fromhex(one.feedback.target.trace_id) for one in missed}
    waiting = "SELECT 1 FROM feedback WHERE trace_id = ? AND state = 'waiting' LIMIT 1"
    return {trace for trace in traces if connection.execute(waiting, (trace,)).fetchone()}


def expire(connection: sqlite3.Connection, received_before_unix_nano: int) -> int:
    """See `FeedbackStore.expire`."""
    return connection.execute(
        "UPDATE feedback SET state = 'expired' WHERE state = 'waiting' AND received_unix_nano < ?",
        (received_before_unix_nano,),
    ).rowcount


def has_expired(connection: sqlite3.Connection, received_before_unix_nano: int) -> bool:
    """Whether `expire` would change anything."""
    row = connection.execute(
        "SELECT 1 FROM feedback WHERE state = 'waiting' AND received_unix_nano < ? LIMIT 1",
        (received_before_unix_nano,),
    ).fetchone()
    return row is not None


def feedback(
    connection: sqlite3.Connection, trace_id: str, states: Sequence[FeedbackState], limit: int
) -> Sequence[StoredFeedback]:
    """See `FeedbackStore.feedback`."""
    wanted = [state.value for state in states or FeedbackState]
    of_trace = bytes.fromhex(trace_id) if trace_id else None
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM feedback WHERE (? IS NULL OR trace_id = ?)"  # noqa: S608 - constants and marks
        f" AND state IN ({', '.join('?' * len(wanted))}) ORDER BY sequence DESC LIMIT ?",
        (of_trace, of_trace, *wanted, limit or -1),
    )
    return [_stored(row) for row in rows]


def feedback_of_release(connection: sqlite3.Connection, release: int, name: str) -> Sequence[StoredFeedback]:
    """See `FeedbackStore.feedback_of_release`."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM feedback WHERE state = 'attached' AND release = ? AND name = ?"  # noqa: S608
        " ORDER BY sequence",
        (release, name),
    )
    return [_stored(row) for row in rows]


def metrics_of_release(connection: sqlite3.Connection, release: int) -> dict[str, int]:
    """See `FeedbackStore.metrics_of_release`; those that come most often."""
    rows = connection.execute(
        "SELECT name, count(*) FROM feedback WHERE state = 'attached' AND release = ? GROUP BY name"
        " ORDER BY count(*) DESC, name LIMIT 100",
        (release,),
    )
    return dict(rows.fetchall())


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How much there is in each state."""
    found = dict(connection.execute("SELECT state, count(*) FROM feedback GROUP BY state").fetchall())
    return {state.value: found.get(state.value, 0) for state in FeedbackState}


def _stored(row: Sequence[object]) -> StoredFeedback:
    (feedback_id, trace_id, span_id, name, score, label, text, source, attributes, time, state, received, release) = row
    assert isinstance(trace_id, bytes)
    return StoredFeedback(
        id=str(feedback_id),
        feedback=Feedback(
            target=SpanContext(trace_id.hex(), str(span_id)),
            name=str(name),
            score=score if isinstance(score, float) else None,
            label=str(label),
            text=str(text),
            source=str(source),
            attributes=json.loads(str(attributes)),
            time_unix_nano=int(str(time)),
        ),
        state=FeedbackState(state),
        received_unix_nano=int(str(received)),
        release=release if isinstance(release, int) else None,
    )
