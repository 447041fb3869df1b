"""Feedback and its states, as rows: the statements behind `TableFeedback`."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from collector.core.feedback import Attachment, Feedback, FeedbackState, OpenFeedback, StoredFeedback
from collector.core.page import Page, PageRequest, cursor, key_of, page_of, text_bytes
from collector.core.span import SpanContext
from collector.otlp.responses import digest_of

_LAST_WORD = (
    "FROM feedback AS word WHERE word.judged_trace_id = feedback.judged_trace_id"
    " AND word.judged_span_id = feedback.judged_span_id AND word.name = feedback.name AND word.source = feedback.source"
    " AND word.says = {says} ORDER BY word.time_unix_nano DESC, word.sequence DESC LIMIT 1"
)
"""By the same source on the same output by the same metric; one look into an index, however many there are."""

_SUPERSEDED = (
    f"CASE feedback.says WHEN 1 THEN feedback.sequence <> (SELECT word.sequence {_LAST_WORD.format(says=1)})"
    f" ELSE feedback.sequence <> (SELECT word.sequence {_LAST_WORD.format(says=0)}) OR coalesce((SELECT"
    " (word.time_unix_nano, word.sequence) > (feedback.time_unix_nano, feedback.sequence)"
    f" {_LAST_WORD.format(says=1)}), 0) END"
)
_COLUMNS = (
    "id, judged_trace_id, judged_span_id, name, score, label, text, source, attributes, time_unix_nano,"
    f" state, received_unix_nano, release, response_id, by_key, by_value, {_SUPERSEDED}"
)
_KEYS = "trace_id, target_trace_id, response_digest"
_OF_KEY = "(trace_id = :key OR target_trace_id = :key OR response_digest = :key)"
"""Of a trace by its 16 bytes, or of an answer by its digest."""

_MOVABLE = "SELECT sequence FROM feedback WHERE id = :id AND settled = 0"
_NOT_BESIDE = f"DELETE FROM feedback_beside WHERE sequence = ({_MOVABLE})"  # noqa: S608 - constants
_NOW_BESIDE = f"INSERT OR IGNORE INTO feedback_beside SELECT sequence, :release FROM ({_MOVABLE})"  # noqa: S608 - constants
_OF_RELEASE = (
    "state = 'attached'"
    " AND (release = :release OR sequence IN (SELECT sequence FROM feedback_beside WHERE release = :release))"
)
"""On traces in which a service ran with a release."""

_BESIDE = "(SELECT group_concat(release) FROM feedback_beside AS other WHERE other.sequence = feedback.sequence)"

_OPEN_CONDITION = "state <> 'expired' AND settled = 0"
_OPEN = (
    "SELECT sequence, patient_until_unix_nano, trace_id, span_id,"  # noqa: S608 - constants
    " iif(response_id = '', by_key <> '', response_digest IS NULL),"
    f" {_BESIDE}, {_COLUMNS} FROM feedback"
    f" WHERE {_OPEN_CONDITION}"
)
_STATE = 6 + 10
"""Where the state stands in such a row."""

_SETTLED = "UPDATE feedback SET settled = 1 WHERE state = 'attached' AND settled = 0"
_BEYOND = (
    "SELECT sequence FROM feedback WHERE state = 'attached' AND settled = 0 ORDER BY sequence DESC LIMIT 1 OFFSET ?"
)


def keys_of(feedback: Sequence[Feedback]) -> set[bytes]:
    """What must be touched for feedback to find its span: traces by their 16 bytes, answers by their digests."""
    traces = {bytes.fromhex(one.target.trace_id) for one in feedback if one.target.trace_id}
    return traces | {digest_of(one.response_id) for one in feedback if one.response_id}


def submit(connection: sqlite3.Connection, feedback: Sequence[Feedback], received_unix_nano: int) -> None:
    """See `FeedbackStore.submit`."""
    connection.executemany(
        "INSERT OR IGNORE INTO feedback (id, trace_id, span_id, name, score, label, text, source, attributes,"
        " time_unix_nano, received_unix_nano, response_id, response_digest, by_key, by_value, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
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
                one.response_id,
                digest_of(one.response_id) if one.response_id else None,
                one.by_key,
                one.by_value,
            )
            for one in feedback
        ],
    )


def revision(connection: sqlite3.Connection, trace_id: str) -> str:
    """See `FeedbackStore.revision`."""
    (told,) = connection.execute(
        "SELECT count(*), coalesce(max(sequence), 0), sum(state = 'attached'), sum(state = 'expired')"
        " FROM feedback WHERE judged_trace_id = ?",
        (bytes.fromhex(trace_id),),
    )
    return "-".join(map(str, told))


def attachable(
    connection: sqlite3.Connection, limit: int, now_unix_nano: int, position: int, touched: Mapping[bytes, int]
) -> Sequence[OpenFeedback]:
    """See `FeedbackStore.attachable`.

    Args:
        connection: To read from.
        limit: How many; 0 means all.
        now_unix_nano: The time.
        position: Where the store ends now.
        touched: Where it ended when a trace or an answer was touched last, of those that were since they were looked
            for, by their keys (see `keys_of`).
    """
    rows = connection.execute(
        f"{_OPEN} AND missed_at = 0 ORDER BY state DESC, sequence LIMIT ?",
        (limit or -1,),  # those that wait first
    ).fetchall()
    rows += connection.execute(
        f"{_OPEN} AND state = 'waiting' AND patient_until_unix_nano > 0 AND patient_until_unix_nano <= ?"
        " AND missed_at > 0",
        (now_unix_nano,),
    )
    for key, touched_at in touched.items():
        missed = f"{_OPEN} AND {_OF_KEY} AND missed_at BETWEEN 1 AND :before"
        rows += connection.execute(missed, {"key": key, "before": touched_at - 1})
    in_order = sorted({row[0]: row for row in rows}.values(), key=lambda row: (row[_STATE] == "attached", row[0]))
    return [_open(row, position) for row in in_order[: limit or None]]


def look_again(connection: sqlite3.Connection) -> set[bytes]:
    """Makes all open feedback attachable; returns its keys."""
    connection.execute("UPDATE feedback SET missed_at = 0 WHERE state <> 'expired' AND settled = 0 AND missed_at > 0")
    rows = connection.execute(f"SELECT DISTINCT {_KEYS} FROM feedback WHERE {_OPEN_CONDITION}")  # noqa: S608 - constants
    return {key for row in rows for key in row if key}


def attach(
    connection: sqlite3.Connection, attachments: Sequence[Attachment], looked_for: Sequence[OpenFeedback]
) -> tuple[int, set[bytes]]:
    """See `FeedbackStore.attach`. What moves to another trace is looked for once more: that may have been touched.

    Returns how many were attached, and the answers that no open feedback looks for any more.
    """
    connection.executemany(
        "UPDATE feedback SET missed_at = max(missed_at, ?), patient_until_unix_nano = ? WHERE id = ?",
        [(one.position, one.patient_until_unix_nano, one.id) for one in looked_for],
    )
    connection.executemany(
        "UPDATE feedback SET state = 'attached', target_trace_id = nullif(:trace_id, trace_id),"
        " target_span_id = :span_id, release = :release,"
        " missed_at = iif(judged_trace_id = :trace_id, max(missed_at, 1), 0),"
        " response_digest = iif(:answered, NULL, response_digest) WHERE id = :id AND settled = 0",
        [
            {
                "trace_id": bytes.fromhex(one.target.trace_id),
                "span_id": one.target.span_id,
                "release": one.release,
                "answered": one.answered,
                "id": one.feedback_id,
            }
            for one in attachments
        ],
    )
    for one in attachments:
        connection.execute(_NOT_BESIDE, {"id": one.feedback_id})
        connection.executemany(_NOW_BESIDE, [{"id": one.feedback_id, "release": release} for release in one.beside])
    answered = {one.feedback_id for one in attachments if one.answered}
    keys = {digest_of(one.feedback.response_id) for one in looked_for if one.id in answered}
    return len(attachments), _without_open(connection, keys)


def expire(connection: sqlite3.Connection, received_before_unix_nano: int) -> tuple[int, set[bytes]]:
    """See `FeedbackStore.expire`. Also the keys that have no open feedback any more, as in the next two."""
    return _closed(
        connection,
        "UPDATE feedback SET state = 'expired' WHERE state = 'waiting' AND received_unix_nano < ?",
        (received_before_unix_nano,),
    )


def settle(connection: sqlite3.Connection, received_before_unix_nano: int, most: int) -> tuple[int, set[bytes]]:
    """See `FeedbackStore.settle`."""
    _, old = _closed(connection, f"{_SETTLED} AND received_unix_nano < ?", (received_before_unix_nano,))
    count, beyond = _closed(connection, f"{_SETTLED} AND sequence <= ({_BEYOND})", (most,))
    return count, old | beyond


def settle_counted(connection: sqlite3.Connection, release: int, name: str) -> tuple[int, set[bytes]]:
    """See `FeedbackStore.settle_counted`."""
    return _closed(connection, f"{_SETTLED} AND {_OF_RELEASE} AND name = :name", {"release": release, "name": name})


def _closed(
    connection: sqlite3.Connection, update: str, values: tuple[object, ...] | Mapping[str, object]
) -> tuple[int, set[bytes]]:
    """How many rows were changed, and those of their keys that have no open feedback any more."""
    changed = connection.execute(f"{update} RETURNING {_KEYS}", values).fetchall()
    return len(changed), _without_open(connection, {key for row in changed for key in row if key})


def _without_open(connection: sqlite3.Connection, keys: set[bytes]) -> set[bytes]:
    still_open = f"SELECT 1 FROM feedback WHERE {_OPEN_CONDITION} AND {_OF_KEY} LIMIT 1"  # noqa: S608 - constants
    return {key for key in keys if connection.execute(still_open, {"key": key}).fetchone() is None}


def has_expired(connection: sqlite3.Connection, received_before_unix_nano: int) -> bool:
    """Whether `expire` would change anything."""
    row = connection.execute(
        "SELECT 1 FROM feedback WHERE state = 'waiting' AND received_unix_nano < ? LIMIT 1",
        (received_before_unix_nano,),
    ).fetchone()
    return row is not None


def has_settled(connection: sqlite3.Connection, received_before_unix_nano: int, most: int) -> bool:
    """Whether `settle` would change anything; looks at the oldest movable feedback and the first beyond the most."""
    oldest = (
        "SELECT received_unix_nano FROM feedback WHERE state = 'attached' AND settled = 0 ORDER BY sequence LIMIT 1"
    )
    row = connection.execute(oldest).fetchone()
    return row is not None and (
        row[0] < received_before_unix_nano or connection.execute(_BEYOND, (most,)).fetchone() is not None
    )


def listed(
    connection: sqlite3.Connection, page: PageRequest, trace_id: str, states: Sequence[FeedbackState]
) -> Page[StoredFeedback]:
    """See `FeedbackStore.listed`."""
    wanted = [state.value for state in states or FeedbackState]
    behind = key_of(page.cursor, "feedback", int)
    of_trace = " AND judged_trace_id = ?" if trace_id else ""
    older = " AND sequence < ?" if behind else ""
    found = connection.execute(
        f"SELECT sequence FROM feedback WHERE state IN ({', '.join('?' * len(wanted))}){of_trace}{older}"  # noqa: S608 - constants and marks
        " ORDER BY sequence DESC LIMIT ?",
        (*wanted, *([bytes.fromhex(trace_id)] if trace_id else []), *(behind or ()), page.limit + 1),
    ).fetchall()
    of_sequence = f"SELECT sequence, {_COLUMNS} FROM feedback WHERE sequence = ?"  # noqa: S608 - constants
    rows = (connection.execute(of_sequence, row).fetchone() for row in found)
    return page_of(
        (row for row in rows if row),
        page.limit,
        lambda row: _stored(row[1:]),
        lambda row: cursor("feedback", row[0]),
        text_bytes,
    )


def of_release(connection: sqlite3.Connection, release: int, name: str) -> Sequence[StoredFeedback]:
    """See `FeedbackStore.of_release`."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM feedback WHERE {_OF_RELEASE} AND name = :name ORDER BY sequence",  # noqa: S608 - constants
        {"release": release, "name": name},
    )
    return [_stored(row) for row in rows]


def metrics_of_release(connection: sqlite3.Connection, release: int) -> dict[str, int]:
    """See `FeedbackStore.metrics_of_release`; those that come most often."""
    rows = connection.execute(
        f"SELECT name, count(*) FROM feedback WHERE {_OF_RELEASE} GROUP BY name"  # noqa: S608 - constants
        " ORDER BY count(*) DESC, name LIMIT 100",
        {"release": release},
    )
    return dict(rows.fetchall())


def judged(connection: sqlite3.Connection, name: str, trace_ids: Collection[str]) -> set[str]:
    """See `FeedbackStore.judged`; one look into an index for each trace."""
    said = "SELECT 1 FROM feedback WHERE judged_trace_id = ? AND name = ? LIMIT 1"
    return {one for one in trace_ids if connection.execute(said, (bytes.fromhex(one), name)).fetchone()}


def counts(connection: sqlite3.Connection) -> dict[FeedbackState, int]:
    """How much there is in each state."""
    found = dict(connection.execute("SELECT state, count(*) FROM feedback GROUP BY state").fetchall())
    return {state: found.get(state.value, 0) for state in FeedbackState}


def _open(row: Sequence[object], position: int) -> OpenFeedback:
    _, patient_until, trace_id, span_id, answered, beside, *columns = row
    assert isinstance(trace_id, bytes)
    stored = _stored(columns)
    attached = stored.state is FeedbackState.ATTACHED
    return OpenFeedback(
        id=stored.id,
        feedback=replace(stored.feedback, target=SpanContext(trace_id.hex(), str(span_id))),
        position=position,
        attachment=Attachment(
            stored.id,
            stored.feedback.target,
            stored.release,
            bool(answered),
            tuple(sorted(map(int, str(beside).split(",")))) if beside else (),
        )
        if attached
        else None,
        patient_until_unix_nano=int(str(patient_until)),
    )


def _stored(row: Sequence[object]) -> StoredFeedback:
    (feedback_id, trace_id, span_id, name, score, label, text, source, attributes, time, *kept) = row
    state, received, release, response_id, by_key, by_value, superseded = kept
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
            response_id=str(response_id),
            by_key=str(by_key),
            by_value=str(by_value),
        ),
        state=FeedbackState(state),
        received_unix_nano=int(str(received)),
        release=release if isinstance(release, int) else None,
        superseded=bool(superseded),
    )
