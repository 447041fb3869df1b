-- What was decided and what happened, in order; rows are only ever added (core/ledger.py).
-- AUTOINCREMENT: a sequence is never given twice.
CREATE TABLE ledger (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL, -- JSON object
    subject TEXT NOT NULL,
    actor TEXT NOT NULL,
    time_unix_nano INTEGER NOT NULL,
    UNIQUE (stream, version)
);
CREATE INDEX ledger_by_subject ON ledger (subject, sequence);
