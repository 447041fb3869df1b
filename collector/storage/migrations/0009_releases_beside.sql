-- The releases that other services of a judged trace ran with (core/feedback.py, Attachment): the feedback counts for
-- their studies, too.
CREATE TABLE feedback_beside (
    sequence INTEGER NOT NULL, -- of the feedback
    release INTEGER NOT NULL,
    PRIMARY KEY (sequence, release)
) WITHOUT ROWID;
CREATE INDEX feedback_beside_by_release ON feedback_beside (release, sequence);
