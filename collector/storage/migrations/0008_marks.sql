-- What the store remembers of itself: up to where lost feedback was looked for again, and what time it was.
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
