-- The schema of the service. Columns: TEXT, BIGINT, BOOLEAN, BYTEA only, so that the same bytes run on SQLite and on
-- PostgreSQL. Every *_at is microseconds since 1970 UTC, bound by us; every *_on is yyyy-mm-dd; *_sealed is encrypted under
-- the person's key; *_hash of anything personal is keyed. No INTEGER: PostgreSQL's does not decode as i64.

CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    master TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    destroyed_at BIGINT
);
CREATE UNIQUE INDEX keys_by_owner ON keys (owner);

CREATE TABLE organisations (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    zone TEXT NOT NULL
);
CREATE UNIQUE INDEX organisations_by_slug ON organisations (slug);

CREATE TABLE teams (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL
);
CREATE UNIQUE INDEX teams_by_organisation_id_name ON teams (organisation_id, name);

CREATE TABLE coaches (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    key_id TEXT NOT NULL REFERENCES keys (id),
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('coach', 'lead', 'admin')),
    password TEXT NOT NULL,
    totp_sealed BYTEA,
    stand_in_id TEXT REFERENCES coaches (id),
    away_until_on TEXT,
    language TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'blocked')),
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX coaches_by_email ON coaches (email);
CREATE INDEX coaches_by_organisation_id ON coaches (organisation_id);
CREATE INDEX coaches_by_key_id ON coaches (key_id);
CREATE INDEX coaches_by_stand_in_id ON coaches (stand_in_id);

CREATE TABLE coach_teams (
    coach_id TEXT NOT NULL REFERENCES coaches (id),
    team_id TEXT NOT NULL REFERENCES teams (id),
    PRIMARY KEY (coach_id, team_id)
);
CREATE INDEX coach_teams_by_team_id ON coach_teams (team_id);

CREATE TABLE sessions (
    token_hash TEXT NOT NULL,
    coach_id TEXT NOT NULL REFERENCES coaches (id),
    second_factor BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (token_hash)
);
CREATE INDEX sessions_by_coach_id ON sessions (coach_id);

CREATE TABLE lines (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    endpoint TEXT NOT NULL,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    display TEXT NOT NULL,
    paused_why TEXT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX lines_by_channel_address ON lines (channel, address);
CREATE INDEX lines_by_organisation_id ON lines (organisation_id);

CREATE TABLE candidates (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    team_id TEXT NOT NULL REFERENCES teams (id),
    coach_id TEXT REFERENCES coaches (id),
    key_id TEXT NOT NULL REFERENCES keys (id),
    name_sealed BYTEA NOT NULL,
    profile_sealed BYTEA NOT NULL,
    language TEXT NOT NULL,
    digital_skill TEXT NOT NULL CHECK (digital_skill IN ('starter', 'basic', 'skilled')),
    track TEXT NOT NULL CHECK (track IN ('participation', 'reintegration', 'outplacement')),
    automated_in_row BIGINT NOT NULL,
    unanswered_since_at BIGINT,
    paused_until_on TEXT,
    by_hand BOOLEAN NOT NULL,
    ref_hash TEXT,
    state TEXT NOT NULL CHECK (state IN ('unknown', 'active', 'paused', 'left', 'erased')),
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX candidates_by_organisation_id_ref_hash_set ON candidates (organisation_id, ref_hash) WHERE ref_hash IS NOT NULL;
CREATE INDEX candidates_by_team_id_state ON candidates (team_id, state);
CREATE INDEX candidates_by_coach_id_unanswered_since_at ON candidates (coach_id, unanswered_since_at);
CREATE INDEX candidates_by_organisation_id ON candidates (organisation_id);
CREATE INDEX candidates_by_key_id ON candidates (key_id);

CREATE TABLE addresses (
    id TEXT PRIMARY KEY,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    kind TEXT NOT NULL CHECK (kind IN ('whatsapp', 'bsuid', 'phone', 'email')),
    value_sealed BYTEA NOT NULL,
    value_hash TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('proven', 'believed', 'doubted', 'dead')),
    heard_at BIGINT,
    state_at BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX addresses_by_candidate_id_kind_value_hash ON addresses (candidate_id, kind, value_hash);
CREATE INDEX addresses_by_value_hash ON addresses (value_hash);

CREATE TABLE windows (
    line_id TEXT NOT NULL REFERENCES lines (id),
    address_id TEXT NOT NULL REFERENCES addresses (id),
    heard_at BIGINT NOT NULL,
    PRIMARY KEY (line_id, address_id)
);
CREATE INDEX windows_by_address_id ON windows (address_id);

CREATE TABLE consents (
    id TEXT PRIMARY KEY,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('tasks', 'meetings', 'vacancies', 'check_ins')),
    channel TEXT NOT NULL CHECK (channel IN ('whatsapp', 'sms', 'email')),
    given BOOLEAN NOT NULL,
    at BIGINT NOT NULL,
    how TEXT NOT NULL CHECK (how IN ('qr', 'word', 'coach', 'form', 'provider')),
    proof TEXT
);
CREATE INDEX consents_by_candidate_id_purpose_channel_at ON consents (candidate_id, purpose, channel, at);

CREATE TABLE invites (
    code_hash TEXT NOT NULL,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    coach_id TEXT NOT NULL REFERENCES coaches (id),
    ends_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (code_hash)
);
CREATE INDEX invites_by_candidate_id ON invites (candidate_id);
CREATE INDEX invites_by_coach_id ON invites (coach_id);

CREATE TABLE plans (
    id TEXT PRIMARY KEY,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    goal_sealed BYTEA NOT NULL,
    started_on TEXT NOT NULL,
    ended_on TEXT,
    ref_hash TEXT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX plans_by_candidate_id_open ON plans (candidate_id) WHERE ended_on IS NULL;
CREATE UNIQUE INDEX plans_by_ref_hash_set ON plans (ref_hash) WHERE ref_hash IS NOT NULL;
CREATE INDEX plans_by_candidate_id ON plans (candidate_id);

CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    plan_id TEXT NOT NULL REFERENCES plans (id),
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    number BIGINT NOT NULL,
    title_sealed BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done', 'dropped')),
    due_on TEXT,
    done_at BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX tasks_by_plan_id_number ON tasks (plan_id, number);
CREATE INDEX tasks_by_state_due_on ON tasks (state, due_on);
CREATE INDEX tasks_by_candidate_id ON tasks (candidate_id);

CREATE TABLE searches (
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    body_sealed BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (candidate_id)
);

CREATE TABLE notes (
    id TEXT PRIMARY KEY,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    coach_id TEXT NOT NULL REFERENCES coaches (id),
    kind TEXT NOT NULL CHECK (kind IN ('note', 'sign')),
    body_sealed BYTEA NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX notes_by_candidate_id ON notes (candidate_id);
CREATE INDEX notes_by_coach_id ON notes (coach_id);

CREATE TABLE slots (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    team_id TEXT NOT NULL REFERENCES teams (id),
    coach_id TEXT NOT NULL REFERENCES coaches (id),
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    place TEXT NOT NULL,
    capacity BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'withdrawn')),
    version BIGINT NOT NULL,
    CHECK (taken BETWEEN 0 AND capacity)
);
CREATE INDEX slots_by_team_id_starts_at ON slots (team_id, starts_at);
CREATE INDEX slots_by_organisation_id ON slots (organisation_id);
CREATE INDEX slots_by_coach_id ON slots (coach_id);

CREATE TABLE meetings (
    id TEXT PRIMARY KEY,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    coach_id TEXT NOT NULL REFERENCES coaches (id),
    slot_id TEXT REFERENCES slots (id),
    kind TEXT NOT NULL CHECK (kind IN ('intake', 'progress', 'diagnosis', 'reassessment', 'practice', 'workshop')),
    mode TEXT NOT NULL CHECK (mode IN ('office', 'phone', 'video', 'elsewhere')),
    starts_at BIGINT,
    ends_at BIGINT,
    place TEXT,
    state TEXT NOT NULL CHECK (state IN ('proposed', 'booked', 'held', 'missed', 'cancelled')),
    ics_uid TEXT NOT NULL,
    ics_sequence BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK (state = 'proposed' OR starts_at IS NOT NULL)
);
CREATE UNIQUE INDEX meetings_by_ics_uid ON meetings (ics_uid);
CREATE INDEX meetings_by_candidate_id_state ON meetings (candidate_id, state);
CREATE INDEX meetings_by_state_starts_at ON meetings (state, starts_at);
CREATE INDEX meetings_by_coach_id ON meetings (coach_id);
CREATE INDEX meetings_by_slot_id ON meetings (slot_id);

CREATE TABLE vacancies (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    source TEXT NOT NULL,
    source_ref TEXT NOT NULL,
    title TEXT NOT NULL,
    employer TEXT NOT NULL,
    text TEXT NOT NULL,
    url TEXT,
    pc4 TEXT NOT NULL,
    hours_min BIGINT NOT NULL,
    hours_max BIGINT NOT NULL,
    needs TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    checked_at BIGINT NOT NULL,
    closes_on TEXT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX vacancies_by_organisation_id_source_source_ref ON vacancies (organisation_id, source, source_ref);
CREATE INDEX vacancies_by_organisation_id_state ON vacancies (organisation_id, state);

CREATE TABLE matches (
    id TEXT PRIMARY KEY,
    vacancy_id TEXT NOT NULL REFERENCES vacancies (id),
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    score BIGINT NOT NULL,
    why TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('found', 'asked', 'yes', 'too_far', 'other_hours', 'ask_coach', 'silent', 'closed')),
    asked_at BIGINT,
    answered_at BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX matches_by_vacancy_id_candidate_id ON matches (vacancy_id, candidate_id);
CREATE INDEX matches_by_candidate_id_state ON matches (candidate_id, state);

CREATE TABLE flows (
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    definition TEXT NOT NULL,
    texts TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (hash)
);

CREATE TABLE talks (
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    state TEXT NOT NULL CHECK (state IN ('idle', 'offered', 'asking', 'with_coach', 'left')),
    body_sealed BYTEA NOT NULL,
    wake_at BIGINT,
    version BIGINT NOT NULL,
    PRIMARY KEY (candidate_id)
);
CREATE INDEX talks_by_wake_at_set ON talks (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE turns (
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    number BIGINT NOT NULL,
    event_sealed BYTEA NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (candidate_id, number)
);

CREATE TABLE raw_bodies (
    id TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    key_id TEXT NOT NULL REFERENCES keys (id),
    head_sealed BYTEA NOT NULL,
    body_sealed BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('new', 'done')),
    problem TEXT,
    received_at BIGINT NOT NULL
);
CREATE INDEX raw_bodies_by_received_at_id_new ON raw_bodies (received_at, id) WHERE state = 'new';
CREATE INDEX raw_bodies_by_problem_received_at_set ON raw_bodies (problem, received_at) WHERE problem IS NOT NULL;
CREATE INDEX raw_bodies_by_key_id ON raw_bodies (key_id);

CREATE TABLE seen (
    channel TEXT NOT NULL,
    item_hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (channel, item_hash)
);
CREATE INDEX seen_by_at ON seen (at);

CREATE TABLE inbox (
    id TEXT PRIMARY KEY,
    raw_id TEXT NOT NULL REFERENCES raw_bodies (id),
    channel TEXT NOT NULL,
    line_id TEXT REFERENCES lines (id),
    kind TEXT NOT NULL CHECK (kind IN ('heard', 'receipt', 'template', 'account')),
    sender_hash TEXT,
    item_sealed BYTEA NOT NULL,
    key_id TEXT NOT NULL REFERENCES keys (id),
    state TEXT NOT NULL CHECK (state IN ('new', 'done', 'quarantined')),
    tries BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    why TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX inbox_by_due_at_id_new ON inbox (due_at, id) WHERE state = 'new';
CREATE INDEX inbox_by_sender_hash_id_new ON inbox (sender_hash, id) WHERE state = 'new';
CREATE INDEX inbox_by_kind_created_at ON inbox (kind, created_at);
CREATE INDEX inbox_by_raw_id ON inbox (raw_id);
CREATE INDEX inbox_by_line_id ON inbox (line_id);
CREATE INDEX inbox_by_key_id ON inbox (key_id);

CREATE TABLE incoming (
    id TEXT PRIMARY KEY,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    line_id TEXT NOT NULL REFERENCES lines (id),
    address_id TEXT NOT NULL REFERENCES addresses (id),
    body_sealed BYTEA NOT NULL,
    marks TEXT NOT NULL,
    answers BIGINT,
    provider_sealed BYTEA NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX incoming_by_candidate_id_at ON incoming (candidate_id, at);
CREATE INDEX incoming_by_line_id ON incoming (line_id);
CREATE INDEX incoming_by_address_id ON incoming (address_id);

CREATE TABLE media (
    id TEXT PRIMARY KEY,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    incoming_id TEXT REFERENCES incoming (id),
    kind TEXT NOT NULL,
    mime TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256_hash TEXT,
    source_sealed BYTEA NOT NULL,
    file TEXT,
    state TEXT NOT NULL CHECK (state IN ('wanted', 'stored', 'refused', 'gone')),
    tries BIGINT NOT NULL,
    due_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX media_by_due_at_wanted ON media (due_at) WHERE state = 'wanted';
CREATE INDEX media_by_candidate_id ON media (candidate_id);
CREATE INDEX media_by_incoming_id ON media (incoming_id);

CREATE TABLE outgoing (
    id TEXT PRIMARY KEY,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    said BIGINT,
    author_id TEXT REFERENCES coaches (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('tasks', 'meetings', 'vacancies', 'check_ins', 'reply')),
    subject TEXT NOT NULL,
    why TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'waiting', 'approved', 'held', 'sending', 'retry', 'in_doubt', 'accepted', 'rejected', 'cancelled', 'expired')),
    state_why TEXT,
    approve TEXT NOT NULL CHECK (approve IN ('coach', 'first_time', 'auto')),
    last_word BOOLEAN NOT NULL,
    content_hash TEXT NOT NULL,
    form BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    not_before_at BIGINT NOT NULL,
    not_after_at BIGINT NOT NULL,
    lease_until_at BIGINT,
    accepted_at BIGINT,
    delivered_at BIGINT,
    read_at BIGINT,
    failed_at BIGINT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK ((state = 'sending') = (lease_until_at IS NOT NULL))
);
CREATE UNIQUE INDEX outgoing_by_candidate_id_said ON outgoing (candidate_id, said);
CREATE UNIQUE INDEX outgoing_by_candidate_id_sending ON outgoing (candidate_id) WHERE state = 'sending';
CREATE INDEX outgoing_by_not_before_at_id_approved_retry ON outgoing (not_before_at, id) WHERE state IN ('approved', 'retry');
CREATE INDEX outgoing_by_lease_until_at_sending ON outgoing (lease_until_at) WHERE state = 'sending';
CREATE INDEX outgoing_by_candidate_id_created_at ON outgoing (candidate_id, created_at);
CREATE INDEX outgoing_by_not_before_at_id_held ON outgoing (not_before_at, id) WHERE state = 'held';
CREATE INDEX outgoing_by_not_after_at_id_draft_waiting_approved_held_retry ON outgoing (not_after_at, id) WHERE state IN ('draft', 'waiting', 'approved', 'held', 'retry');
CREATE INDEX outgoing_by_state_not_before_at_waiting_in_doubt ON outgoing (state, not_before_at) WHERE state IN ('waiting', 'in_doubt');
CREATE INDEX outgoing_by_author_id ON outgoing (author_id);

CREATE TABLE forms (
    message_id TEXT NOT NULL REFERENCES outgoing (id),
    position BIGINT NOT NULL,
    line_id TEXT NOT NULL REFERENCES lines (id),
    address_id TEXT NOT NULL REFERENCES addresses (id),
    kind TEXT NOT NULL CHECK (kind IN ('text', 'buttons', 'template', 'mail')),
    body_sealed BYTEA NOT NULL,
    units BIGINT NOT NULL,
    PRIMARY KEY (message_id, position)
);
CREATE INDEX forms_by_line_id ON forms (line_id);
CREATE INDEX forms_by_address_id ON forms (address_id);

CREATE TABLE attempts (
    message_id TEXT NOT NULL REFERENCES outgoing (id),
    attempt BIGINT NOT NULL,
    position BIGINT NOT NULL,
    token_hash TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    outcome TEXT CHECK (outcome IN ('accepted', 'rejected', 'retry', 'in_doubt')),
    code TEXT,
    provider_hash TEXT,
    provider_sealed BYTEA,
    PRIMARY KEY (message_id, attempt)
);
CREATE UNIQUE INDEX attempts_by_token_hash ON attempts (token_hash);
CREATE INDEX attempts_by_provider_hash_set ON attempts (provider_hash) WHERE provider_hash IS NOT NULL;

CREATE TABLE receipts (
    id TEXT PRIMARY KEY,
    line_id TEXT NOT NULL REFERENCES lines (id),
    token_hash TEXT,
    provider_hash TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('sent', 'delivered', 'read', 'failed')),
    code TEXT,
    at BIGINT NOT NULL,
    message_id TEXT REFERENCES outgoing (id),
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX receipts_by_provider_hash_kind ON receipts (provider_hash, kind);
CREATE INDEX receipts_by_token_hash_open ON receipts (token_hash) WHERE message_id IS NULL;
CREATE INDEX receipts_by_line_id ON receipts (line_id);
CREATE INDEX receipts_by_message_id ON receipts (message_id);

CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL REFERENCES outgoing (id),
    coach_id TEXT NOT NULL REFERENCES coaches (id),
    verb TEXT NOT NULL CHECK (verb IN ('approve', 'edit', 'hold', 'withdraw', 'resend', 'not_sent')),
    content_hash TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX approvals_by_message_id ON approvals (message_id);
CREATE INDEX approvals_by_coach_id ON approvals (coach_id);

CREATE TABLE nudges (
    id TEXT PRIMARY KEY,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    due_on TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    message_id TEXT REFERENCES outgoing (id),
    closed_at BIGINT,
    started_at BIGINT,
    because TEXT CHECK (because IN ('sent', 'held', 'withdrawn', 'expired', 'merged', 'undelivered')),
    CHECK ((closed_at IS NULL) = (because IS NULL))
);
CREATE UNIQUE INDEX nudges_by_candidate_id_rule_subject_due_on ON nudges (candidate_id, rule, subject, due_on);
CREATE INDEX nudges_by_due_at_open ON nudges (due_at) WHERE closed_at IS NULL;
CREATE INDEX nudges_by_candidate_id_closed_at ON nudges (candidate_id, closed_at);
CREATE INDEX nudges_by_message_id ON nudges (message_id);

CREATE TABLE policies (
    team_id TEXT NOT NULL REFERENCES teams (id),
    rule TEXT NOT NULL,
    approve TEXT NOT NULL CHECK (approve IN ('coach', 'first_time', 'auto')),
    PRIMARY KEY (team_id, rule)
);

CREATE TABLE occurrences (
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    rule TEXT NOT NULL,
    due_on TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, rule, due_on)
);

CREATE TABLE flags (
    id TEXT PRIMARY KEY,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    coach_id TEXT REFERENCES coaches (id),
    why TEXT NOT NULL,
    subject TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by_id TEXT REFERENCES coaches (id)
);
CREATE UNIQUE INDEX flags_by_candidate_id_why_subject_open ON flags (candidate_id, why, subject) WHERE closed_at IS NULL;
CREATE INDEX flags_by_coach_id_open ON flags (coach_id) WHERE closed_at IS NULL;
CREATE INDEX flags_by_candidate_id ON flags (candidate_id);
CREATE INDEX flags_by_coach_id ON flags (coach_id);
CREATE INDEX flags_by_closed_by_id ON flags (closed_by_id);

CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    coach_id TEXT NOT NULL REFERENCES coaches (id),
    kind TEXT NOT NULL,
    due_on TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('new', 'sent', 'failed')),
    tries BIGINT NOT NULL,
    due_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX notices_by_coach_id_kind_due_on ON notices (coach_id, kind, due_on);
CREATE INDEX notices_by_due_at_new ON notices (due_at) WHERE state = 'new';

CREATE TABLE holds (
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    class TEXT NOT NULL,
    until_on TEXT,
    reason TEXT NOT NULL,
    coach_id TEXT NOT NULL REFERENCES coaches (id),
    PRIMARY KEY (candidate_id, class)
);
CREATE INDEX holds_by_coach_id ON holds (coach_id);

CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    organisation TEXT,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    verb TEXT NOT NULL,
    object TEXT NOT NULL,
    content_hash TEXT
);

CREATE TABLE audit_links (
    seq BIGINT NOT NULL,
    audit_id TEXT NOT NULL REFERENCES audit (id),
    before_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (seq)
);
CREATE UNIQUE INDEX audit_links_by_audit_id ON audit_links (audit_id);

CREATE TABLE marks (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
