-- Spans and log records are not here: they are kept as they came in segments/ (segment_file.py).

-- One row: who this collector is, whatever its addresses.
CREATE TABLE identity (instance_id TEXT NOT NULL);
INSERT INTO identity VALUES (lower(hex(randomblob(8))));

-- Up to which position of the segments requests were forwarded.
CREATE TABLE delivered (
    destination TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE feedback (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    trace_id BLOB NOT NULL,
    span_id TEXT NOT NULL,
    name TEXT NOT NULL,
    score REAL,
    label TEXT NOT NULL,
    text TEXT NOT NULL,
    source TEXT NOT NULL,
    attributes TEXT NOT NULL, -- JSON object
    time_unix_nano INTEGER NOT NULL,
    received_unix_nano INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'attached', 'expired')),
    missed_at INTEGER NOT NULL DEFAULT 0, -- the newest request when its span was looked for in vain; 0: never was
    target_span_id TEXT, -- of attached feedback: the judged span, filled in where span_id is empty
    release INTEGER
);
CREATE INDEX feedback_by_trace ON feedback (trace_id);
CREATE INDEX feedback_waiting ON feedback (sequence) WHERE state = 'waiting';
CREATE INDEX feedback_by_release ON feedback (release, name, sequence) WHERE state = 'attached';

CREATE TABLE parameters (
    service TEXT NOT NULL,
    key TEXT NOT NULL,
    spec TEXT NOT NULL, -- JSON object
    PRIMARY KEY (service, key)
) WITHOUT ROWID;

-- AUTOINCREMENT: a number is never given twice.
CREATE TABLE releases (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    service TEXT NOT NULL,
    parent INTEGER,
    created_unix_nano INTEGER NOT NULL,
    reason TEXT NOT NULL,
    content TEXT NOT NULL -- JSON: key -> [value, version]
);
CREATE INDEX releases_by_service ON releases (service, number DESC);

CREATE TABLE acknowledgements (
    release INTEGER NOT NULL,
    service TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT NOT NULL,
    time_unix_nano INTEGER NOT NULL,
    PRIMARY KEY (release, service, instance_id)
) WITHOUT ROWID;

CREATE TABLE studies (
    sequence INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL, -- JSON object
    state TEXT NOT NULL,
    message TEXT NOT NULL
);

CREATE TABLE trials (
    study TEXT NOT NULL,
    number INTEGER NOT NULL,
    release INTEGER NOT NULL,
    content TEXT NOT NULL, -- JSON: values
    reasoning TEXT NOT NULL,
    cost TEXT NOT NULL, -- JSON object
    score REAL,
    feedback_count INTEGER NOT NULL,
    PRIMARY KEY (study, number)
) WITHOUT ROWID;

CREATE TABLE rejected_proposals (
    sequence INTEGER PRIMARY KEY,
    study TEXT NOT NULL,
    trial INTEGER NOT NULL,
    content TEXT NOT NULL, -- JSON: values, reasoning, cost
    errors TEXT NOT NULL -- JSON list
);
