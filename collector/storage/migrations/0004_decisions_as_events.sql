-- Releases, studies and trials become events of the ledger (publisher/events.py, study/history.py). Every release was
-- in force for everybody. The tables kept no time of a study's events: they get that of the trial's release.
INSERT INTO ledger (stream, version, kind, data, subject, actor, time_unix_nano)
SELECT 'releases', number, 'released',
    json_object('parent', parent, 'reason', reason, 'content', json(content)), service, 'migration', created_unix_nano
FROM releases ORDER BY number;

INSERT INTO ledger (stream, version, kind, data, subject, actor, time_unix_nano)
SELECT 'assignment/' || service, row_number() OVER (PARTITION BY service ORDER BY number), 'assigned',
    json_object('control', number, 'arms', json_array(), 'salt', '', 'reason', reason),
    service, 'migration', created_unix_nano
FROM releases ORDER BY number;

WITH steps (study, trial, step, place, kind, data) AS (
    SELECT name, -1, 0, 0, 'study_created', definition FROM studies
    UNION ALL
    SELECT study, trial, 0, sequence, 'proposal_rejected',
        json_object(
            'trial', trial, 'values', json_extract(content, '$.values'),
            'reasoning', json_extract(content, '$.reasoning'), 'cost', json_extract(content, '$.cost'),
            'errors', json(errors)
        )
    FROM rejected_proposals
    UNION ALL
    SELECT study, number, 1, 0, 'trial_opened',
        json_object(
            'number', number, 'release', release, 'values', json(content), 'reasoning', reasoning, 'cost', json(cost)
        )
    FROM trials
    UNION ALL
    SELECT study, number, 2, 0, 'trial_completed',
        json_object('number', number, 'score', score, 'feedback_count', feedback_count)
    FROM trials WHERE score IS NOT NULL
    UNION ALL
    SELECT name, 1 << 62, 0, 0, 'study_concluded', json_object('state', state, 'message', message)
    FROM studies WHERE state <> 'running'
)
INSERT INTO ledger (stream, version, kind, data, subject, actor, time_unix_nano)
SELECT 'study/' || steps.study, row_number() OVER (PARTITION BY steps.study ORDER BY trial, step, place), kind, data,
    json_extract(studies.definition, '$.service'), 'migration',
    coalesce((
        SELECT created_unix_nano FROM trials JOIN releases ON releases.number = trials.release
        WHERE trials.study = steps.study AND trials.number <= max(steps.trial, 0) ORDER BY trials.number DESC LIMIT 1
    ), 0)
FROM steps JOIN studies ON studies.name = steps.study
ORDER BY studies.sequence, trial, step, place;

INSERT INTO ledger (stream, version, kind, data, subject, actor, time_unix_nano)
SELECT 'studies/' || json_extract(definition, '$.service'),
    row_number() OVER (PARTITION BY json_extract(definition, '$.service') ORDER BY sequence), 'study_began',
    json_object('study', name), json_extract(definition, '$.service'), 'migration', 0
FROM studies WHERE state = 'running' ORDER BY sequence;

DROP TABLE releases;
DROP TABLE trials;
DROP TABLE rejected_proposals;
DROP TABLE studies;
