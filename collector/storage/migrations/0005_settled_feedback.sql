-- Attached feedback may move to another span of its trace until it is settled: a trial has counted it, or its time is over.
-- What an earlier version attached stays where it is.
ALTER TABLE feedback ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
UPDATE feedback SET settled = 1 WHERE state = 'attached';

-- Until when waiting feedback on a whole trace waits for a parent of its topmost span; 0: it does not.
ALTER TABLE feedback ADD COLUMN patient_until_unix_nano INTEGER NOT NULL DEFAULT 0;

CREATE INDEX feedback_not_looked_for ON feedback (sequence) WHERE state <> 'expired' AND settled = 0 AND missed_at = 0;
CREATE INDEX feedback_patient ON feedback (patient_until_unix_nano) WHERE state = 'waiting' AND patient_until_unix_nano > 0;
CREATE INDEX feedback_movable ON feedback (sequence) WHERE state = 'attached' AND settled = 0;
