-- What the calendar keeps of a person: when it looks next, and which share of the contacts was agreed to be online.
-- Without a row, or without a moment, nobody looks: consent brings both.
CREATE TABLE watch (
    candidate_id TEXT PRIMARY KEY REFERENCES candidates (id),
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    look_at BIGINT,
    online_percent BIGINT
);
CREATE INDEX watch_by_organisation_id_look_at_candidate_id_set ON watch (organisation_id, look_at, candidate_id) WHERE look_at IS NOT NULL;
INSERT INTO watch (candidate_id, organisation_id, look_at)
SELECT c.id, c.organisation_id, 0 FROM candidates c WHERE c.state <> 'erased' AND EXISTS (SELECT 1 FROM consents k WHERE k.candidate_id = c.id);

-- Rows about nothing in particular are told apart by the flow that they belong to.
ALTER TABLE nudges ADD COLUMN flow TEXT;
UPDATE nudges SET flow = 'task_nudge' WHERE rule IN ('task_due', 'task_late') OR rule LIKE 'task_nudge/%';

-- Who ticked a task: the person, an import, a coach.
ALTER TABLE tasks ADD COLUMN done_by TEXT;

-- Who waits for an answer, since when: read once a day, the longest first.
CREATE INDEX candidates_by_organisation_id_unanswered_since_at_set ON candidates (organisation_id, unanswered_since_at) WHERE unanswered_since_at IS NOT NULL;

-- Which coach a person had before: the new one is introduced by name.
CREATE TABLE transfers (
    id TEXT PRIMARY KEY,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    from_coach_id TEXT REFERENCES coaches (id),
    to_coach_id TEXT NOT NULL REFERENCES coaches (id),
    at BIGINT NOT NULL
);
CREATE INDEX transfers_by_candidate_id_at ON transfers (candidate_id, at);
CREATE INDEX transfers_by_from_coach_id ON transfers (from_coach_id);
CREATE INDEX transfers_by_to_coach_id ON transfers (to_coach_id);
