-- Exercises with a phone that somebody did: each once. Enough of them raise the digital skill.
CREATE TABLE exercises (
    candidate_id TEXT NOT NULL REFERENCES candidates (id),
    exercise TEXT NOT NULL,
    done_at BIGINT NOT NULL,
    PRIMARY KEY (candidate_id, exercise)
);
