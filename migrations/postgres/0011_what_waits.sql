-- What waits to be started is looked for at every tick, in the order in which it fell due; drafts that
-- were started and wait for a coach are not in its way. Open flags are read for a coach's morning.
CREATE INDEX nudges_by_due_at_id_waiting ON nudges (due_at, id) WHERE closed_at IS NULL AND started_at IS NULL;
CREATE INDEX flags_by_opened_at_id_open ON flags (opened_at, id) WHERE closed_at IS NULL;
