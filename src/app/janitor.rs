//! The janitor: what is over goes, in small commits, so that nobody waits for one. How long things are kept
//! stands in the settings; which table is kept how stands in docs/privacy.md.

use super::{App, AppError, trail};
use crate::domain::time::Timestamp;
use crate::store::{Tx, forget};

/// Small rows in one commit, and webhooks of up to 3 MiB each.
const ROWS: u32 = 200;
const BODIES: u32 = 32;

/// One round: at most one small commit of each kind. Whether there may be more to do at once.
pub async fn round(app: &App) -> Result<bool, AppError> {
    let now = app.now();
    let keep = &app.retention;
    let mut more = false;
    let full = |removed: usize, limit: u32| usize::try_from(limit).is_ok_and(|it| removed >= it);

    let mut tx = app.store.write().await?;
    let before = now.plus_days(-keep.seen_days);
    more |= full(forget::seen(&mut tx, before, ROWS).await?, ROWS);
    tx.commit().await?;

    let mut tx = app.store.write().await?;
    let raw = now.plus_days(-keep.raw_days);
    more |= full(forget::items(&mut tx, raw, ROWS).await?, ROWS);
    tx.commit().await?;

    let mut tx = app.store.write().await?;
    more |= full(small(app, &mut tx, now).await?, ROWS);
    tx.commit().await?;

    // After the items that came in with them.
    let mut tx = app.store.write().await?;
    more |= full(forget::raw(&mut tx, raw, BODIES).await?, BODIES);
    tx.commit().await?;

    // After what they sealed.
    let mut tx = app.store.write().await?;
    more |= full(forget::days(&mut tx, raw, now, ROWS).await?, ROWS);
    tx.commit().await?;

    Ok(more)
}

async fn small(app: &App, tx: &mut Tx, now: Timestamp) -> Result<usize, AppError> {
    let keep = &app.retention;
    let aside = forget::aside(tx, now.plus_days(-keep.aside_days), ROWS).await?;
    for id in &aside {
        tracing::warn!(%id, "what was put aside is forgotten by its age");
    }
    let receipts = forget::receipts(tx, now.plus_days(-keep.receipt_days), ROWS).await?;
    let invites = forget::invites(tx, now.plus_days(-keep.raw_days), ROWS).await?;
    let idle = now.plus_seconds(-keep.idle_seconds);
    let sessions = forget::sessions(tx, now, idle, ROWS).await?;
    Ok(aside.len().max(receipts).max(invites).max(sessions))
}

/// A destroyed key is looked for this long after its moment: clocks differ, and commits take a while.
const OVERLAP_SECONDS: i64 = 300;

/// What the janitor remembers from one second to the next.
pub struct Watch {
    since: Timestamp,
}

impl Watch {
    pub fn new(app: &App) -> Self {
        Self { since: app.now() }
    }

    /// Every second, in every process: keys that another process destroyed are forgotten, since an erasure is
    /// a command of its own.
    pub async fn forget(&mut self, app: &App) -> Result<(), AppError> {
        let now = app.now();
        let since = self.since.plus_seconds(-OVERLAP_SECONDS);
        app.store.read().await?.forget_destroyed(since).await?;
        self.since = now;
        Ok(())
    }

    /// Every second: that, and rows of the trail get their place. A trail that cannot be linked keeps no key
    /// in mind.
    pub async fn second(&mut self, app: &App) -> Result<(), AppError> {
        self.forget(app).await?;
        while trail::link(&app.store).await? > 0 {}
        Ok(())
    }
}
