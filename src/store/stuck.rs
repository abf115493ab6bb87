//! What is stuck, for the operator: how many and since when, and references; no text of a candidate.

use super::Queue;
use super::error::StoreError;
use super::statement::{Stmt, Value, bind, statements};
use super::tx::Row;
use super::tx::Tx;
use crate::domain::access::Scope;
use crate::domain::ids::{LineId, OrganisationId};
use crate::domain::time::Timestamp;

statements! {
    RAW = "SELECT id, endpoint, problem, received_at FROM raw_bodies WHERE problem IS NOT NULL AND endpoint IN (SELECT endpoint FROM lines WHERE organisation_id = $1) ORDER BY received_at DESC, id DESC LIMIT 200";
    KEPT = "SELECT x.id, x.channel, x.kind, x.why, x.created_at FROM inbox x JOIN raw_bodies r ON r.id = x.raw_id WHERE x.kind IN ('account', 'template') AND r.endpoint IN (SELECT endpoint FROM lines WHERE organisation_id = $1) ORDER BY x.created_at DESC, x.id DESC LIMIT 200";
    QUARANTINED = "SELECT x.id, x.channel, x.kind, x.why, x.tries, x.created_at FROM inbox x JOIN raw_bodies r ON r.id = x.raw_id WHERE x.state = 'quarantined' AND r.endpoint IN (SELECT endpoint FROM lines WHERE organisation_id = $1) ORDER BY x.created_at DESC, x.id DESC LIMIT 200";
    ASIDE = "SELECT x.id, x.kind, x.why, x.created_at, COALESCE(l.display, r.endpoint) AS line FROM inbox x JOIN raw_bodies r ON r.id = x.raw_id LEFT JOIN lines l ON l.id = x.line_id WHERE x.state = 'quarantined' ORDER BY x.created_at, x.id";
    ASIDE_RAW = "SELECT id, 'webhook' AS kind, problem AS why, received_at AS created_at, endpoint AS line FROM raw_bodies WHERE problem IS NOT NULL ORDER BY received_at, id";
    AGAIN = "UPDATE inbox SET state = 'new', tries = 0, due_at = $2 WHERE id = $1 AND state = 'quarantined'";
    AGAIN_RAW = "UPDATE raw_bodies SET state = 'new', problem = NULL WHERE id = $1 AND problem IS NOT NULL";
    END = "UPDATE inbox SET state = 'done' WHERE id = $1 AND state = 'quarantined'";
    END_RAW = "UPDATE raw_bodies SET problem = NULL WHERE id = $1 AND problem IS NOT NULL";
    TALLY_RAW = "SELECT CAST(COUNT(*) AS BIGINT) AS n, MIN(r.received_at) AS since FROM raw_bodies r WHERE r.state = 'new' AND r.endpoint > '' AND (CAST($1 AS TEXT) IS NULL OR r.endpoint IN (SELECT endpoint FROM lines WHERE organisation_id = $1))";
    TALLY_ITEMS = "SELECT CAST(COUNT(*) AS BIGINT) AS n, MIN(x.created_at) AS since FROM inbox x WHERE x.state = 'new' AND x.due_at > 0 AND (CAST($1 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM raw_bodies r JOIN lines l ON l.endpoint = r.endpoint WHERE r.id = x.raw_id AND l.organisation_id = $1))";
    TALLY_QUARANTINED = "SELECT CAST(COUNT(*) AS BIGINT) AS n, MIN(x.created_at) AS since FROM inbox x WHERE x.state = 'quarantined' AND (CAST($1 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM raw_bodies r JOIN lines l ON l.endpoint = r.endpoint WHERE r.id = x.raw_id AND l.organisation_id = $1))";
    TALLY_UNREADABLE = "SELECT CAST(COUNT(*) AS BIGINT) AS n, MIN(r.received_at) AS since FROM raw_bodies r WHERE r.problem IS NOT NULL AND (CAST($1 AS TEXT) IS NULL OR r.endpoint IN (SELECT endpoint FROM lines WHERE organisation_id = $1))";
    TALLY_OUTBOX = "SELECT o.state, CAST(COUNT(*) AS BIGINT) AS n FROM outgoing o WHERE o.state IN ('draft', 'waiting', 'approved', 'held', 'retry') AND o.not_after_at > 0 AND (CAST($1 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM candidates c WHERE c.id = o.candidate_id AND c.organisation_id = $1)) GROUP BY o.state";
    TALLY_DUE = "SELECT CAST(COUNT(*) AS BIGINT) AS n, MIN(o.not_before_at) AS since FROM outgoing o WHERE o.state IN ('approved', 'retry') AND o.not_before_at <= $2 AND (CAST($1 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM candidates c WHERE c.id = o.candidate_id AND c.organisation_id = $1))";
    TALLY_SENDING = "SELECT CAST(COUNT(*) AS BIGINT) AS n, MIN(o.lease_until_at) AS since FROM outgoing o WHERE o.state = 'sending' AND o.lease_until_at < $2 AND (CAST($1 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM candidates c WHERE c.id = o.candidate_id AND c.organisation_id = $1))";
    TALLY_DOUBT = "SELECT CAST(COUNT(*) AS BIGINT) AS n, MIN(o.not_before_at) AS since FROM outgoing o WHERE o.state IN ('waiting', 'in_doubt') AND o.state = 'in_doubt' AND COALESCE(o.state_why, '') <> 'left_alone' AND (CAST($1 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM candidates c WHERE c.id = o.candidate_id AND c.organisation_id = $1))";
    TALLY_NUDGES = "SELECT CAST(COUNT(*) AS BIGINT) AS n, MIN(n.due_at) AS since FROM nudges n WHERE n.closed_at IS NULL AND n.due_at > 0 AND (CAST($1 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM candidates c WHERE c.id = n.candidate_id AND c.organisation_id = $1))";
    TALLY_OVERDUE = "SELECT CAST(COUNT(*) AS BIGINT) AS n, MIN(n.due_at) AS since FROM nudges n WHERE n.closed_at IS NULL AND n.due_at < $2 AND n.started_at IS NULL AND (CAST($1 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM candidates c WHERE c.id = n.candidate_id AND c.organisation_id = $1))";
    PAUSED = "SELECT id, channel, paused_at FROM lines WHERE paused_why IS NOT NULL AND (CAST($1 AS TEXT) IS NULL OR organisation_id = $1)";
    FEEDS = "SELECT name, broken_since_at FROM feeds WHERE broken_since_at IS NOT NULL AND (CAST($1 AS TEXT) IS NULL OR organisation_id = $1) ORDER BY name";
    BYTES = {
        sqlite: "SELECT CAST(c.page_count * s.page_size AS BIGINT) AS n FROM pragma_page_count() c, pragma_page_size() s",
        postgres: "SELECT pg_database_size(current_database()) AS n",
    };
    ALIVE = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM marks";
}

/// Something an operator should know of: references only.
pub struct Stuck {
    pub id: String,
    /// The endpoint or the channel it came by.
    pub by: String,
    pub kind: String,
    pub why: String,
    pub at: Timestamp,
}

/// Raw webhooks that were signed well and could not be read.
pub async fn unreadable(tx: &mut Tx, scope: &Scope) -> Result<Vec<Stuck>, StoreError> {
    tx.all(&RAW, bind![scope.organisation])
        .await?
        .iter()
        .map(|row| {
            Ok(Stuck {
                id: row.text("id")?,
                by: row.text("endpoint")?,
                kind: "raw".into(),
                why: row.text("problem")?,
                at: row.at("received_at")?,
            })
        })
        .collect()
}

/// Items about the account, templates and groups.
pub async fn kept(tx: &mut Tx, scope: &Scope) -> Result<Vec<Stuck>, StoreError> {
    let rows = tx.all(&KEPT, bind![scope.organisation]).await?;
    rows.iter().map(stuck_of).collect()
}

/// Items that were set aside after five tries.
pub async fn quarantined(tx: &mut Tx, scope: &Scope) -> Result<Vec<Stuck>, StoreError> {
    let rows = tx.all(&QUARANTINED, bind![scope.organisation]).await?;
    rows.iter().map(stuck_of).collect()
}

/// Everything that was put aside, of every organisation: items, then webhooks.
pub async fn aside(tx: &mut Tx) -> Result<Vec<Stuck>, StoreError> {
    let mut rows = tx.all(&ASIDE, bind![]).await?;
    rows.extend(tx.all(&ASIDE_RAW, bind![]).await?);
    let stuck = |row: &Row| {
        Ok(Stuck {
            id: row.text("id")?,
            by: row.text("line")?,
            kind: row.text("kind")?,
            why: row.maybe_text("why")?.unwrap_or_default(),
            at: row.at("created_at")?,
        })
    };
    rows.iter().map(stuck).collect()
}

/// What was put aside has its turn again, with all its tries. What it is, if it is there.
pub async fn again(
    tx: &mut Tx,
    id: &str,
    now: Timestamp,
) -> Result<Option<&'static str>, StoreError> {
    tx.wake(Queue::Unpack);
    tx.wake(Queue::Turns);
    if tx.run(&AGAIN, bind![id, now]).await? == 1 {
        return Ok(Some("item"));
    }
    let raws = tx.run(&AGAIN_RAW, bind![id]).await?;
    Ok((raws == 1).then_some("webhook"))
}

/// Nobody will look at it any more: it goes with its day.
pub async fn end(tx: &mut Tx, id: &str) -> Result<Option<&'static str>, StoreError> {
    if tx.run(&END, bind![id]).await? == 1 {
        return Ok(Some("item"));
    }
    let raws = tx.run(&END_RAW, bind![id]).await?;
    Ok((raws == 1).then_some("webhook"))
}

fn stuck_of(row: &Row) -> Result<Stuck, StoreError> {
    Ok(Stuck {
        id: row.text("id")?,
        by: row.text("channel")?,
        kind: row.text("kind")?,
        why: row.maybe_text("why")?.unwrap_or_default(),
        at: row.at("created_at")?,
    })
}

/// Does the database answer?
pub async fn alive(tx: &mut Tx) -> Result<(), StoreError> {
    tx.all(&ALIVE, bind![]).await.map(drop)
}

/// How many, and since when the oldest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub count: u64,
    pub since: Option<Timestamp>,
}

/// A line that stands still.
pub struct PausedLine {
    pub id: LineId,
    pub channel: String,
    pub since: Option<Timestamp>,
}

/// Everything that is on its way or stuck, of one organisation or of all. What is on its way is read by
/// the index of what is open, so that a full database costs no more than an empty one.
pub struct Tallies {
    /// Webhooks that nobody unpacked yet.
    pub raw: Tally,
    /// Items that were not played yet.
    pub items: Tally,
    pub quarantined: Tally,
    pub unreadable: Tally,
    /// Messages by state, as far as they have not left.
    pub outbox: Vec<(String, u64)>,
    /// Approved and past the moment on which they may leave.
    pub due: Tally,
    /// In *sending* although the lease ran out.
    pub lost: Tally,
    pub doubt: Tally,
    pub nudges: Tally,
    /// Nudges past their moment that did not start.
    pub overdue: Tally,
    pub paused: Vec<PausedLine>,
    /// Feeds that do not work, and since when.
    pub feeds: Vec<(String, Timestamp)>,
    /// Size of the database.
    pub bytes: u64,
}

/// The moments that divide what is on its way from what is stuck.
pub struct Moments {
    pub due: Timestamp,
    pub lease: Timestamp,
    pub nudge: Timestamp,
}

pub async fn tallies(
    tx: &mut Tx,
    organisation: Option<OrganisationId>,
    moments: &Moments,
) -> Result<Tallies, StoreError> {
    let outbox = tx.all(&TALLY_OUTBOX, bind![organisation]).await?;
    let paused = tx.all(&PAUSED, bind![organisation]).await?;
    let feeds = tx.all(&FEEDS, bind![organisation]).await?;
    let bytes = tx.maybe(&BYTES, bind![]).await?;
    let all = bind![organisation];
    Ok(Tallies {
        raw: tally(tx, &TALLY_RAW, all.clone()).await?,
        items: tally(tx, &TALLY_ITEMS, all.clone()).await?,
        quarantined: tally(tx, &TALLY_QUARANTINED, all.clone()).await?,
        unreadable: tally(tx, &TALLY_UNREADABLE, all.clone()).await?,
        outbox: outbox
            .iter()
            .map(|row| Ok((row.text("state")?, whole(row)?)))
            .collect::<Result<_, StoreError>>()?,
        due: tally(tx, &TALLY_DUE, bind![organisation, moments.due]).await?,
        lost: tally(tx, &TALLY_SENDING, bind![organisation, moments.lease]).await?,
        doubt: tally(tx, &TALLY_DOUBT, all.clone()).await?,
        nudges: tally(tx, &TALLY_NUDGES, all).await?,
        overdue: tally(tx, &TALLY_OVERDUE, bind![organisation, moments.nudge]).await?,
        paused: paused
            .iter()
            .map(|row| {
                Ok(PausedLine {
                    id: row.parsed("id")?,
                    channel: row.text("channel")?,
                    since: row.maybe_at("paused_at")?,
                })
            })
            .collect::<Result<_, StoreError>>()?,
        feeds: feeds
            .iter()
            .map(|row| Ok((row.text("name")?, row.at("broken_since_at")?)))
            .collect::<Result<_, StoreError>>()?,
        bytes: bytes.as_ref().map(whole).transpose()?.unwrap_or(0),
    })
}

async fn tally(tx: &mut Tx, stmt: &Stmt, values: Vec<Value>) -> Result<Tally, StoreError> {
    match tx.maybe(stmt, values).await? {
        Some(row) => Ok(Tally {
            count: whole(&row)?,
            since: row.maybe_at("since")?,
        }),
        None => Ok(Tally::default()),
    }
}

fn whole(row: &Row) -> Result<u64, StoreError> {
    u64::try_from(row.int("n")?).map_err(|_| row.corrupt("n"))
}
