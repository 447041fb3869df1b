-- Feedback may name what it judges by an attribute of its spans (session.id, a number of an order); both empty where it
-- does not.
ALTER TABLE feedback ADD COLUMN by_key TEXT NOT NULL DEFAULT '';
ALTER TABLE feedback ADD COLUMN by_value TEXT NOT NULL DEFAULT '';
