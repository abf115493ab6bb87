-- A person may say no to work: the answer is kept as that. The constraint cannot be changed in place on SQLite,
-- so the table is made anew on both.
CREATE TABLE matches_anew (
    id TEXT PRIMARY KEY,
    vacancy_id TEXT NOT NULL REFERENCES vacancies (id),
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    score BIGINT NOT NULL,
    why TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('found', 'asked', 'yes', 'no', 'too_far', 'other_hours', 'ask_coach', 'silent', 'closed')),
    asked_at BIGINT,
    answered_at BIGINT,
    version BIGINT NOT NULL
);
INSERT INTO matches_anew (id, vacancy_id, candidate_id, score, why, state, asked_at, answered_at, version)
SELECT id, vacancy_id, candidate_id, score, why, state, asked_at, answered_at, version FROM matches;
DROP TABLE matches;
ALTER TABLE matches_anew RENAME TO matches;
CREATE UNIQUE INDEX matches_by_vacancy_id_candidate_id ON matches (vacancy_id, candidate_id);
CREATE INDEX matches_by_candidate_id_state ON matches (candidate_id, state);
CREATE INDEX matches_by_vacancy_id_found ON matches (vacancy_id) WHERE state = 'found';
CREATE INDEX matches_by_vacancy_id_asked ON matches (vacancy_id) WHERE state = 'asked';
CREATE INDEX matches_by_candidate_id_found ON matches (candidate_id, score) WHERE state = 'found';

-- Which wording of a text under an experiment a message has. `terms` is the hash of what was agreed beforehand
-- and of both wordings: what is changed begins anew.
CREATE TABLE experiment_arms (
    message_id TEXT NOT NULL REFERENCES outgoing (id),
    experiment TEXT NOT NULL,
    terms TEXT NOT NULL,
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    arm TEXT NOT NULL CHECK (arm IN ('first', 'other')),
    PRIMARY KEY (message_id, experiment)
);
CREATE INDEX experiment_arms_by_experiment_terms ON experiment_arms (experiment, terms);
CREATE INDEX experiment_arms_by_candidate_id ON experiment_arms (candidate_id);
