-- Vacancies out of feeds: where each was told of, what it says in words, and how every feed fares. The same
-- vacancy in two feeds is one row with two sources; it closes when the last of them has it no more.
ALTER TABLE vacancies ADD COLUMN town TEXT NOT NULL DEFAULT '';
ALTER TABLE vacancies ADD COLUMN same_as TEXT NOT NULL DEFAULT '';
ALTER TABLE vacancies ADD COLUMN content_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE vacancies ADD COLUMN found_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE vacancies ADD COLUMN matched_at BIGINT;
CREATE INDEX vacancies_by_organisation_id_same_as ON vacancies (organisation_id, same_as);
CREATE INDEX vacancies_by_organisation_id_id_unmatched ON vacancies (organisation_id, id) WHERE state = 'open' AND matched_at IS NULL;
CREATE INDEX vacancies_by_organisation_id_closes_on_open ON vacancies (organisation_id, closes_on) WHERE state = 'open';
CREATE INDEX vacancies_by_organisation_id_found_at ON vacancies (organisation_id, found_at, id);
CREATE INDEX matches_by_vacancy_id_found ON matches (vacancy_id) WHERE state = 'found';
CREATE INDEX matches_by_vacancy_id_asked ON matches (vacancy_id) WHERE state = 'asked';
CREATE INDEX matches_by_candidate_id_found ON matches (candidate_id, score) WHERE state = 'found';

CREATE TABLE vacancy_sources (
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    source TEXT NOT NULL,
    source_ref TEXT NOT NULL,
    vacancy_id TEXT NOT NULL REFERENCES vacancies (id),
    seen_at BIGINT NOT NULL,
    gone_at BIGINT,
    PRIMARY KEY (organisation_id, source, source_ref)
);
CREATE INDEX vacancy_sources_by_vacancy_id ON vacancy_sources (vacancy_id);
CREATE INDEX vacancy_sources_by_organisation_id_source_seen_at_there ON vacancy_sources (organisation_id, source, seen_at) WHERE gone_at IS NULL;

CREATE TABLE vacancy_words (
    vacancy_id TEXT NOT NULL REFERENCES vacancies (id),
    word TEXT NOT NULL,
    in_title BOOLEAN NOT NULL,
    PRIMARY KEY (vacancy_id, word)
);
CREATE INDEX vacancy_words_by_word_vacancy_id ON vacancy_words (word, vacancy_id);

CREATE TABLE feeds (
    name TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    looked_at BIGINT NOT NULL,
    worked_at BIGINT,
    broken_since_at BIGINT,
    problem TEXT,
    etag TEXT,
    last_modified TEXT,
    items BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX feeds_by_organisation_id ON feeds (organisation_id);
