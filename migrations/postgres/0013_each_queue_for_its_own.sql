-- differs: SQLite plans without statistics and keeps its indexes as they are
-- An index of what waits serves only who asks by the column that it names twice. PostgreSQL plans by what its
-- statistics last saw: after a night in which nothing waits all of these look empty, so that each seemed as good as
-- the right one for anything, and the next storm was read from end to end for every message in it.
DROP INDEX outgoing_by_candidate_id_sending;
CREATE UNIQUE INDEX outgoing_by_candidate_id_sending ON outgoing (candidate_id) WHERE state = 'sending' AND candidate_id IS NOT NULL;
DROP INDEX outgoing_by_not_before_at_id_approved_retry;
CREATE INDEX outgoing_by_not_before_at_id_approved_retry ON outgoing (not_before_at, id) WHERE state IN ('approved', 'retry') AND not_before_at IS NOT NULL;
DROP INDEX outgoing_by_lease_until_at_sending;
CREATE INDEX outgoing_by_lease_until_at_sending ON outgoing (lease_until_at) WHERE state = 'sending' AND lease_until_at IS NOT NULL;
DROP INDEX outgoing_by_not_before_at_id_held;
CREATE INDEX outgoing_by_not_before_at_id_held ON outgoing (not_before_at, id) WHERE state = 'held' AND not_before_at IS NOT NULL;
DROP INDEX outgoing_by_not_after_at_id_draft_waiting_approved_held_retry;
CREATE INDEX outgoing_by_not_after_at_id_draft_waiting_approved_held_retry ON outgoing (not_after_at, id) WHERE state IN ('draft', 'waiting', 'approved', 'held', 'retry') AND not_after_at IS NOT NULL;
DROP INDEX nudges_by_due_at_open;
CREATE INDEX nudges_by_due_at_open ON nudges (due_at) WHERE closed_at IS NULL AND due_at IS NOT NULL;
DROP INDEX nudges_by_due_at_id_waiting;
CREATE INDEX nudges_by_due_at_id_waiting ON nudges (due_at, id) WHERE closed_at IS NULL AND started_at IS NULL AND due_at IS NOT NULL;
DROP INDEX raw_bodies_by_endpoint_received_at_id_new;
CREATE INDEX raw_bodies_by_endpoint_received_at_id_new ON raw_bodies (endpoint, received_at, id) WHERE state = 'new' AND endpoint IS NOT NULL;
DROP INDEX inbox_by_line_id_due_at_id_new;
CREATE INDEX inbox_by_line_id_due_at_id_new ON inbox (line_id, due_at, id) WHERE state = 'new' AND due_at IS NOT NULL;
DROP INDEX inbox_by_sender_hash_created_at_id_new;
CREATE INDEX inbox_by_sender_hash_created_at_id_new ON inbox (sender_hash, created_at, id) WHERE state = 'new' AND sender_hash IS NOT NULL;
