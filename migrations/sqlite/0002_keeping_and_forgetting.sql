-- What keeping no longer than needed asks of the schema: audit rows that wait for their place in the chain, and an index for
-- each question that the janitor asks all the time.

-- A row stands here from the commit that wrote it until the chain holds it. Ids alone cannot tell: the clocks of two
-- instances differ, and a transaction may commit later than one with a newer id.
CREATE TABLE audit_waiting (
    audit_id TEXT NOT NULL REFERENCES audit (id),
    PRIMARY KEY (audit_id)
);
INSERT INTO audit_waiting (audit_id) SELECT id FROM audit;

-- Which keys does an older master still wrap? Which were destroyed since I last looked?
CREATE INDEX keys_by_master_id_open ON keys (master, id) WHERE destroyed_at IS NULL;
CREATE INDEX keys_by_destroyed_at_set ON keys (destroyed_at) WHERE destroyed_at IS NOT NULL;

-- What is over?
CREATE INDEX receipts_by_created_at_open ON receipts (created_at) WHERE message_id IS NULL;
CREATE INDEX invites_by_ends_at ON invites (ends_at);
CREATE INDEX sessions_by_ends_at ON sessions (ends_at);
