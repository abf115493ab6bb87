//! Looking at a feed: when its schedule says so, with the version that we have, within limits of time, size
//! and host. A feed that does not work keeps what is there and says since when.

use super::take::{self, Report, Taken};
use super::{App, AppError, Feed, Place};
use crate::app::unpanicked;
use crate::domain::time::{Timestamp, next_occurrence};
use crate::ports::transport::Ask;
use crate::store::feeds::{self, Standing};
use crate::store::vacancies::{self, Source};
use crate::wire::feeds as wire;
use crate::wire::files::{Fetched, Version};

/// What a look came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// It has what it had.
    Same,
    Took(Report),
    /// Nothing was changed, and why; never a word of the feed.
    Broken(String),
    /// Another process is at it.
    Busy,
}

/// Looks at every feed whose time has come; how many.
pub(super) async fn due(app: &App) -> Result<usize, AppError> {
    let now = app.now();
    let mut done = 0;
    for feed in &app.vacancies.feeds {
        let mut tx = app.store.read().await?;
        let standing = feeds::of(&mut tx, &feed.name).await?;
        drop(tx);
        let house = app.house(feed.organisation)?;
        let must = standing.as_ref().is_none_or(|standing| {
            next_occurrence(&feed.looks, standing.looked_at, house.zone)
                .is_some_and(|next| next <= now)
        });
        if !must {
            continue;
        }
        match unpanicked(look(app, feed, false)).await {
            Ok(Looked::Busy) => {}
            Ok(_) => done += 1,
            Err(AppError::Store(error)) if error.may_pass() => return Err(error.into()),
            // One feed holds up no other: it was marked as looked at, and has its turn again by its schedule.
            Err(error) => {
                tracing::error!(feed = feed.name, %error, "a feed could not be looked at")
            }
        }
    }
    Ok(done)
}

/// Looks at one feed now. `anew`: for everything, whatever version we have.
pub async fn look(app: &App, feed: &Feed, anew: bool) -> Result<Looked, AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let standing = feeds::of(&mut tx, &feed.name).await?;
    let seen = standing.as_ref().map(|standing| standing.version);
    if !feeds::take(&mut tx, &feed.name, feed.organisation, seen, now).await? {
        tx.rollback().await?;
        return Ok(Looked::Busy);
    }
    if anew {
        feeds::forget_version(&mut tx, &feed.name).await?;
    }
    tx.commit().await?;
    let have = match standing.as_ref().filter(|_| !anew) {
        Some(standing) => version_of(standing),
        None => Version::default(),
    };
    let looked = match bytes(app, feed, &have).await {
        Got::Same => Looked::Same,
        Got::Nothing(why) => Looked::Broken(why),
        Got::Bytes(bytes, version) => {
            let had = standing.as_ref().map_or(0, |standing| standing.items);
            return read(app, feed, bytes, version, had, standing.as_ref()).await;
        }
    };
    let mut tx = app.store.write().await?;
    match &looked {
        Looked::Same => {
            let source = Source {
                organisation: feed.organisation,
                name: &feed.name,
            };
            vacancies::all_seen(&mut tx, source, now).await?;
            feeds::same(&mut tx, &feed.name, now).await?;
        }
        Looked::Broken(why) => {
            tracing::warn!(feed = feed.name, why, "a feed does not work");
            feeds::broken(&mut tx, &feed.name, why, now).await?;
        }
        Looked::Took(_) | Looked::Busy => {}
    }
    tx.commit().await?;
    Ok(looked)
}

fn version_of(standing: &Standing) -> Version {
    Version {
        etag: standing.etag.clone(),
        last_modified: standing.last_modified.clone(),
    }
}

/// Reads and takes in what came.
async fn read(
    app: &App,
    feed: &Feed,
    bytes: Vec<u8>,
    version: Version,
    had: u32,
    standing: Option<&Standing>,
) -> Result<Looked, AppError> {
    let source = Source {
        organisation: feed.organisation,
        name: &feed.name,
    };
    // Reading is work of its own, and a panic in it is a bug of ours in one feed.
    let (format, mapping) = (feed.format, feed.mapping.clone());
    let read = tokio::task::spawn_blocking(move || wire::read(&bytes, format, &mapping));
    let taken = match read.await {
        Ok(Ok(read)) => {
            let had = usize::try_from(had).unwrap_or(0);
            match take::take(app, source, &read, feed.whole, had).await? {
                Taken::Done(report) => Ok(report),
                Taken::Refused(refused) => Err(refused.to_string()),
                Taken::Busy => {
                    again(app, feed, standing).await?;
                    return Ok(Looked::Busy);
                }
            }
        }
        Ok(Err(unreadable)) => Err(unreadable.to_string()),
        Err(_) => Err("it panicked: the log says where".into()),
    };
    let now = app.now();
    let mut tx = app.store.write().await?;
    let looked = match taken {
        Ok(report) => {
            let marks = (version.etag.as_deref(), version.last_modified.as_deref());
            let counts = (report.items, report.skipped);
            feeds::worked(&mut tx, &feed.name, marks, counts, now).await?;
            Looked::Took(report)
        }
        Err(why) => {
            tracing::warn!(feed = feed.name, why, "a feed does not work");
            feeds::broken(&mut tx, &feed.name, &why, now).await?;
            Looked::Broken(why)
        }
    };
    tx.commit().await?;
    Ok(looked)
}

/// Another process wrote vacancies in the same moment: this feed is due again.
async fn again(app: &App, feed: &Feed, standing: Option<&Standing>) -> Result<(), AppError> {
    let before = standing.map_or(Timestamp(0), |standing| standing.looked_at);
    let mut tx = app.store.write().await?;
    let now = feeds::of(&mut tx, &feed.name).await?;
    let version = now.map(|now| now.version);
    feeds::take(&mut tx, &feed.name, feed.organisation, version, before).await?;
    Ok(tx.commit().await?)
}

enum Got {
    Bytes(Vec<u8>, Version),
    Same,
    Nothing(String),
}

async fn bytes(app: &App, feed: &Feed, have: &Version) -> Got {
    let most = app.vacancies.limits.body_bytes;
    match &feed.place {
        Place::Url(url) => {
            let ask = Ask {
                url: url.clone(),
                headers: Vec::new(),
            };
            let wire = &app.vacancies.wire;
            match wire.get_unless(&feed.name, ask, have, most).await {
                (Fetched::Answer { status: 200, body }, version) => Got::Bytes(body, version),
                (Fetched::Answer { status: 304, .. }, _) => Got::Same,
                (Fetched::Answer { status, .. }, _) => {
                    Got::Nothing(format!("the server answered {status}"))
                }
                (Fetched::TooLarge, _) => Got::Nothing(too_large(most)),
                (Fetched::NotThere, _) => {
                    Got::Nothing("its address leads nowhere that may be asked".into())
                }
                (Fetched::Nothing { why }, _) => Got::Nothing(why),
            }
        }
        Place::File(path) => match file(path, have, most).await {
            Ok(got) => got,
            Err(error) => Got::Nothing(format!("the file cannot be read: {}", error.kind())),
        },
    }
}

fn too_large(most: usize) -> String {
    format!("it is larger than {most} bytes")
}

/// A file is the same as long as its moment and its size are.
async fn file(path: &std::path::Path, have: &Version, most: usize) -> std::io::Result<Got> {
    let about = tokio::fs::metadata(path).await?;
    if about.len() > u64::try_from(most).unwrap_or(u64::MAX) {
        return Ok(Got::Nothing(too_large(most)));
    }
    let changed = about.modified()?;
    let since = changed.duration_since(std::time::SystemTime::UNIX_EPOCH);
    let moment = since.map_or(0, |since| since.as_micros());
    let version = Version {
        etag: Some(format!("{moment}-{}", about.len())),
        last_modified: None,
    };
    if version == *have {
        return Ok(Got::Same);
    }
    Ok(Got::Bytes(tokio::fs::read(path).await?, version))
}
