-- What booking asks of the schema. A slot has a mode, may belong to a series that is withdrawn as one, and may carry the
-- caller's own id. A meeting knows when it last changed (its calendar file must read the same twice), what will be done in it,
-- and how many people are in it.
ALTER TABLE slots ADD COLUMN mode TEXT NOT NULL DEFAULT 'office' CHECK (mode IN ('office', 'phone', 'video', 'elsewhere'));
ALTER TABLE slots ADD COLUMN series TEXT;
ALTER TABLE slots ADD COLUMN ref_hash TEXT;
CREATE UNIQUE INDEX slots_by_ref_hash_set ON slots (ref_hash) WHERE ref_hash IS NOT NULL;
CREATE INDEX slots_by_series_set ON slots (series) WHERE series IS NOT NULL;
CREATE INDEX slots_by_coach_id_starts_at ON slots (coach_id, starts_at);
DROP INDEX slots_by_coach_id;

ALTER TABLE meetings ADD COLUMN task_sealed BYTEA;
ALTER TABLE meetings ADD COLUMN participants BIGINT NOT NULL DEFAULT 2 CHECK (participants >= 2);
ALTER TABLE meetings ADD COLUMN ref_hash TEXT;
ALTER TABLE meetings ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX meetings_by_ref_hash_set ON meetings (ref_hash) WHERE ref_hash IS NOT NULL;
CREATE INDEX meetings_by_coach_id_starts_at ON meetings (coach_id, starts_at);
DROP INDEX meetings_by_coach_id;

-- The address at which a coach's own calendar program fetches the meetings: whoever knows it may read, so only its hash is kept.
CREATE TABLE calendars (
    coach_id TEXT PRIMARY KEY REFERENCES coaches (id),
    token_hash TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX calendars_by_token_hash ON calendars (token_hash);

-- Where a coach's other appointments are read, and when they are: no moment is offered in a time that is taken elsewhere.
CREATE TABLE busy_feeds (
    coach_id TEXT PRIMARY KEY REFERENCES coaches (id),
    url_sealed BYTEA NOT NULL,
    due_at BIGINT NOT NULL,
    fetched_at BIGINT,
    problem TEXT,
    version BIGINT NOT NULL
);
CREATE INDEX busy_feeds_by_due_at ON busy_feeds (due_at);

CREATE TABLE busy_times (
    coach_id TEXT NOT NULL REFERENCES coaches (id),
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (coach_id, starts_at, ends_at)
);
