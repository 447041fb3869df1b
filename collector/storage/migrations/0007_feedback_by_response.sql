-- Feedback may name the answer that it judges (gen_ai.response.id), and then be attached to a span of another trace than
-- the one it came with, or of any where it came with none (an empty trace_id).
ALTER TABLE feedback ADD COLUMN response_id TEXT NOT NULL DEFAULT '';
ALTER TABLE feedback ADD COLUMN response_digest BLOB; -- of a response id that is still looked for; else NULL
ALTER TABLE feedback ADD COLUMN target_trace_id BLOB; -- of attached feedback: the judged span's trace, where it is another

-- What is judged, and whether it has a score or a label: of one source the last word that has counts.
ALTER TABLE feedback ADD COLUMN judged_trace_id BLOB GENERATED ALWAYS AS (coalesce(target_trace_id, trace_id)) VIRTUAL;
ALTER TABLE feedback ADD COLUMN judged_span_id TEXT GENERATED ALWAYS AS (coalesce(target_span_id, span_id)) VIRTUAL;
ALTER TABLE feedback ADD COLUMN says INTEGER GENERATED ALWAYS AS (score IS NOT NULL OR label <> '') VIRTUAL;

CREATE INDEX feedback_by_response ON feedback (response_digest) WHERE response_digest IS NOT NULL;
CREATE INDEX feedback_by_target ON feedback (target_trace_id) WHERE target_trace_id IS NOT NULL;
CREATE INDEX feedback_words
    ON feedback (judged_trace_id, judged_span_id, name, source, says, time_unix_nano, sequence);
