//! A town's worth of rows, made by the database itself: people who exist and to whom nothing happens
//! now. Nothing in them is sealed: whoever reads one fails, and that is the point.

use super::database::Database;

/// So many people, each with a talk that sleeps, a task that is not due, a nudge that is over and one
/// that is to come; and so many accepted messages each, with a form and an attempt.
pub async fn fill(database: &Database, people: u32, messages: u32) -> anyhow::Result<()> {
    let series = |count: u32| {
        format!(
            "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count})"
        )
    };
    let id = |letter: char| format!("'{letter}' || CAST(100000000 + n AS TEXT)");
    let blob = "CAST('x' AS BYTEA)";
    // 2030 and later, and the summer before: in microseconds.
    let (later, before) = ("(1900000000000000 + n)", "(1750000000000000 + n)");
    let (c, p, t, m) = (id('C'), id('P'), id('T'), id('M'));
    let each = series(people);
    let mut texts = vec![
        format!(
            "INSERT INTO keys (id, owner, wrapped, master, created_at, destroyed_at) VALUES ('K', 'filler', {blob}, 'none', 0, 1)"
        ),
        format!(
            "{each} INSERT INTO candidates (id, organisation_id, team_id, key_id, name_sealed, profile_sealed, language, digital_skill, track, automated_in_row, by_hand, state, version, created_at) SELECT {c}, (SELECT id FROM organisations), (SELECT id FROM teams), 'K', {blob}, {blob}, 'nl', 'basic', 'participation', 0, FALSE, 'active', 0, n FROM s"
        ),
        format!(
            "{each} INSERT INTO addresses (id, candidate_id, kind, value_sealed, value_hash, state, version) SELECT 'A' || CAST(100000000 + n AS TEXT), {c}, 'whatsapp', {blob}, CAST(n AS TEXT), 'proven', 0 FROM s"
        ),
        format!(
            "{each} INSERT INTO talks (candidate_id, state, body_sealed, wake_at, version) SELECT {c}, 'asking', {blob}, {later}, 0 FROM s"
        ),
        format!(
            "{each} INSERT INTO plans (id, candidate_id, goal_sealed, started_on, version) SELECT {p}, {c}, {blob}, '2026-01-01', 0 FROM s"
        ),
        format!(
            "{each} INSERT INTO tasks (id, plan_id, candidate_id, number, title_sealed, state, due_on, version) SELECT {t}, {p}, {c}, 1, {blob}, 'open', '2030-01-01', 0 FROM s"
        ),
        format!(
            "{each} INSERT INTO nudges (id, candidate_id, rule, subject, due_on, due_at, closed_at, because) SELECT 'N' || CAST(100000000 + n AS TEXT), {c}, 'task_due', 'task:' || {t}, '2025-01-01', {before}, {before}, 'sent' FROM s"
        ),
        format!(
            "{each} INSERT INTO nudges (id, candidate_id, rule, subject, due_on, due_at) SELECT 'O' || CAST(100000000 + n AS TEXT), {c}, 'task_due', 'task:' || {t}, '2030-01-01', {later} FROM s"
        ),
    ];
    if messages > 0 {
        let all = series(people * messages);
        let whose = format!("'C' || CAST(100000001 + n % {people} AS TEXT)");
        texts.extend([
            format!(
                "{all} INSERT INTO outgoing (id, candidate_id, said, purpose, subject, why, state, approve, last_word, content_hash, form, attempt, not_before_at, not_after_at, accepted_at, version, created_at) SELECT {m}, {whose}, n / {people} + 1, 'tasks', 'nothing', 'task_nudge/done_yet', 'accepted', 'auto', FALSE, 'h', 0, 1, {before}, {before}, {before}, 1, {before} FROM s"
            ),
            format!(
                "{all} INSERT INTO attempts (message_id, attempt, position, token_hash, started_at, ended_at, outcome, provider_hash) SELECT {m}, 1, 0, 't' || CAST(n AS TEXT), {before}, {before}, 'accepted', 'p' || CAST(n AS TEXT) FROM s"
            ),
        ]);
    }
    for text in &texts {
        database.execute(text).await?;
    }
    database.settle().await
}
