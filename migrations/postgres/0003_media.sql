ALTER TABLE media ADD COLUMN why TEXT;
UPDATE media SET due_at = 0 WHERE state = 'wanted' AND due_at IS NULL;

CREATE TABLE media_files (
    media_id TEXT PRIMARY KEY REFERENCES media (id),
    body_sealed BYTEA NOT NULL
);
