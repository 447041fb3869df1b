-- The index of one segment file. Offsets are those of bodies in it; signals are 1 (traces) and 2 (logs).
-- Of requests of spans also what is in them: the ids of their operations (4 bytes each, little endian), and between
-- which bounds their starts and durations lie, in nanoseconds.
CREATE TABLE requests (
    offset INTEGER PRIMARY KEY,
    length INTEGER NOT NULL,
    signal INTEGER NOT NULL,
    items INTEGER NOT NULL,
    received_unix_nano INTEGER NOT NULL,
    operations BLOB NOT NULL,
    earliest_start INTEGER NOT NULL,
    latest_start INTEGER NOT NULL,
    shortest INTEGER NOT NULL,
    longest INTEGER NOT NULL
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

PRAGMA user_version = 1;
