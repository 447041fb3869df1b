-- Units of rollouts (core/units.py): which traces entered, up to where entries were looked for, what became of each unit.
CREATE TABLE rollout_entries (
    rollout TEXT NOT NULL,
    trace_id BLOB NOT NULL,
    unit TEXT NOT NULL,
    in_arm INTEGER NOT NULL,
    share REAL NOT NULL,
    time_unix_nano INTEGER NOT NULL,
    PRIMARY KEY (rollout, trace_id)
) WITHOUT ROWID;
CREATE INDEX rollout_entries_by_unit ON rollout_entries (rollout, unit, in_arm, time_unix_nano);

CREATE TABLE rollout_positions (
    rollout TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE rollout_units (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    rollout TEXT NOT NULL,
    unit TEXT NOT NULL,
    in_arm INTEGER NOT NULL,
    content TEXT NOT NULL, -- JSON: a unit, or null where it counts nowhere
    UNIQUE (rollout, unit, in_arm)
);
CREATE INDEX rollout_units_by_place ON rollout_units (rollout, place);

-- Units that are not judged, by the time of their first trace.
CREATE TABLE rollout_open_units (
    rollout TEXT NOT NULL,
    unit TEXT NOT NULL,
    in_arm INTEGER NOT NULL,
    entered_unix_nano INTEGER NOT NULL,
    PRIMARY KEY (rollout, unit, in_arm)
) WITHOUT ROWID;
CREATE INDEX rollout_open_units_by_time ON rollout_open_units (rollout, entered_unix_nano);
