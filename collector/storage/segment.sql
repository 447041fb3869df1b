-- The index of one segment file. Offsets are those of bodies in it; signals are 1 (traces) and 2 (logs).
CREATE TABLE requests (
    offset INTEGER PRIMARY KEY,
    length INTEGER NOT NULL,
    signal INTEGER NOT NULL,
    items INTEGER NOT NULL,
    received_unix_nano INTEGER NOT NULL
);

-- Which requests touch a trace.
CREATE TABLE trace_requests (
    trace_id BLOB NOT NULL,
    signal INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    PRIMARY KEY (trace_id, signal, offset)
) WITHOUT ROWID;

CREATE TABLE operations (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    kind INTEGER NOT NULL,
    UNIQUE (service, name, kind)
);

-- Which requests hold an operation, and between which bounds its spans lie there, in nanoseconds.
CREATE TABLE occurrences (
    operation INTEGER NOT NULL REFERENCES operations (id),
    latest_start INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    earliest_start INTEGER NOT NULL,
    shortest INTEGER NOT NULL,
    longest INTEGER NOT NULL,
    PRIMARY KEY (operation, latest_start, offset)
) WITHOUT ROWID;

PRAGMA user_version = 1;
