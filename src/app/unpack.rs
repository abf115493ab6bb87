//! Unpack: raw body -> parsed items, each once -> inbox. Items are made distinct within the batch
//! first; then the database's memory of identities decides. Verified bytes that cannot be read keep
//! their problem for the operator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};

use super::{App, AppError, Door, unpanicked_at_once};
use crate::domain::ids::{KeyId, RawId};
use crate::domain::time::Timestamp;
use crate::failpoint;
use crate::ports::channel::{Item, Verified, What};
use crate::store::Tx;
use crate::store::alone::{self, Work};
use crate::store::inbox::{self, NewItem};

/// Raw bodies in one transaction: about as long as a batch of turns, so that nobody waits longer for it.
const BATCH: usize = 256;

/// Unpacks what waits, oldest first; how many bodies that were.
pub async fn unpack(app: &App) -> Result<usize, AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    if !alone::is_ours(&mut tx, Work::Unpack).await? {
        tx.rollback().await?;
        return Ok(0);
    }
    let raws = inbox::raw_new(&mut tx, BATCH).await?;
    if raws.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let count = raws.len();
    let mut found: BTreeMap<&'static str, Vec<Found>> = BTreeMap::new();
    let mut distinct: BTreeSet<String> = BTreeSet::new();
    for raw in raws {
        let problem = match app.doors.get(&raw.endpoint) {
            None => Some("its endpoint is no longer in the settings".to_owned()),
            Some(door) => match parsed(door, raw.body.as_deref()) {
                Err(why) => Some(why),
                Ok(items) => {
                    let name = door.channel.name();
                    for item in items {
                        let hash = tx.hash("item", &format!("{name}|{}", item.identity));
                        if distinct.insert(hash.clone()) {
                            found.entry(name).or_default().push(Found {
                                nth: distinct.len(),
                                raw: raw.id,
                                key: raw.key,
                                hash,
                                item,
                            });
                        }
                    }
                    None
                }
            },
        };
        inbox::raw_done(&mut tx, raw.id, problem.as_deref());
    }
    let first = app.unpacked.room(distinct.len(), now);
    for (channel, items) in found {
        keep_new(app, &mut tx, channel, items, (first, now)).await?;
    }
    failpoint::hit("unpack.before_commit");
    tx.commit().await?;
    failpoint::hit("unpack.after_commit");
    Ok(count)
}

/// What the bytes say, or why they say nothing. A panic is a bug of ours in one body: the others are read.
fn parsed(door: &Door, body: Option<&[u8]>) -> Result<Vec<Item>, String> {
    let body = body.ok_or("it cannot be opened")?;
    match unpanicked_at_once(|| door.channel.parse(Verified::stored(body))) {
        Some(parsed) => parsed.map_err(|unparseable| unparseable.why),
        None => Err("it panicked: the log says where".into()),
    }
}

/// Until which moment this process has given items their places. A microsecond between two keeps the order in
/// which the provider told them, over the keys of one batch and from one batch to the next.
#[derive(Debug, Default)]
pub struct Unpacked(AtomicI64);

impl Unpacked {
    /// The first of so many places; they end now, or after the last that was given.
    fn room(&self, count: usize, now: Timestamp) -> i64 {
        let count = i64::try_from(count).unwrap_or(0);
        let first = (now.0 - count).max(self.0.load(Ordering::Relaxed));
        self.0.store((first + count).min(now.0), Ordering::Relaxed);
        first
    }
}

struct Found {
    /// Its number in the batch, from 1.
    nth: usize,
    raw: RawId,
    key: KeyId,
    hash: String,
    item: Item,
}

async fn keep_new(
    app: &App,
    tx: &mut Tx,
    channel: &'static str,
    items: Vec<Found>,
    (first, now): (i64, Timestamp),
) -> Result<(), AppError> {
    let hashes: Vec<String> = items.iter().map(|found| found.hash.clone()).collect();
    let new: BTreeSet<String> = inbox::first_seen(tx, channel, &hashes, now)
        .await?
        .into_iter()
        .collect();
    let mut by_key: BTreeMap<KeyId, Vec<NewItem>> = BTreeMap::new();
    for found in items.into_iter().filter(|found| new.contains(&found.hash)) {
        let line = app
            .lines
            .values()
            .find(|line| {
                line.address == found.item.line
                    && app
                        .doors
                        .get(&line.endpoint)
                        .is_some_and(|door| door.channel.name() == channel)
            })
            .map(|line| line.id);
        let (kind, sender) = match &found.item.what {
            What::Heard(heard) => (
                "heard",
                heard.from.number.as_ref().or(heard.from.user_id.as_ref()),
            ),
            What::Receipt(_) => ("receipt", None),
            What::Account(account) => (
                if account.template {
                    "template"
                } else {
                    "account"
                },
                None,
            ),
        };
        let sender_hash = sender.map(|sender| tx.hash("sender", sender));
        by_key.entry(found.key).or_default().push(NewItem {
            id: app.id(now),
            raw: found.raw,
            channel,
            line,
            kind,
            sender_hash,
            item: found.item,
            at: place(first, found.nth, now),
        });
    }
    for (key, items) in by_key {
        inbox::add_items(tx, key, items).await?;
    }
    Ok(())
}

/// Never after now: nobody would play it yet. Where that leaves too little room, ids tell the order.
fn place(first: i64, nth: usize, now: Timestamp) -> Timestamp {
    let nth = i64::try_from(nth).unwrap_or(0);
    Timestamp((first + nth - 1).min(now.0))
}
