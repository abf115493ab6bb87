-- Since when a line stands still, and the items that were set aside in the order of their time.

ALTER TABLE lines ADD COLUMN paused_at BIGINT;

CREATE INDEX inbox_by_created_at_id_quarantined ON inbox (created_at, id) WHERE state = 'quarantined';
