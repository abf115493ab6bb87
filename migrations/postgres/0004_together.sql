-- Several drafts that a coach approves in one act: each has its own approval, and the act's id ties them together for the one
-- way back.
ALTER TABLE approvals ADD COLUMN act_id TEXT;
CREATE INDEX approvals_by_act_id_set ON approvals (act_id) WHERE act_id IS NOT NULL;

-- Who looks at which draft now. A row is worth seconds; it hangs on no message, so that it never holds up an erasure.
CREATE TABLE looking (
    message_id TEXT NOT NULL,
    coach_id TEXT NOT NULL REFERENCES coaches (id),
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (message_id, coach_id)
);
CREATE INDEX looking_by_coach_id ON looking (coach_id);
