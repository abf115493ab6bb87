//! Receive: request -> verified -> one sealed row -> the answer. Nothing is parsed on the way. Many
//! requests share one commit: the one writer takes whoever waits and answers each only after its row is
//! durable. Where a commit is slow it waits a moment for those whom the last commit answered.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::App;
use super::pulse::Loop;
use crate::domain::ids::KeyId;
use crate::domain::time::Timestamp;
use crate::failpoint;
use crate::ports::channel::{Channel, HttpRequest, Reply};
use crate::store::StoreError;
use crate::store::inbox::{self, NewRaw};
use crate::store::sealed::Sealer;

/// Where requests wait for the writer.
pub struct Inlet {
    sender: mpsc::Sender<Waiting>,
    receiver: Mutex<Option<mpsc::Receiver<Waiting>>>,
    /// The key under which everything of this UTC day is sealed.
    day: RwLock<Option<(NaiveDate, KeyId, Sealer)>>,
    /// Held by whoever asks the database for that key.
    asking: Mutex<()>,
}

struct Waiting {
    /// `None` once it went to the database.
    raw: Option<NewRaw>,
    answer: oneshot::Sender<bool>,
}

impl Inlet {
    /// `waiting` is how many requests may wait; one more is told to come back later.
    pub fn new(waiting: usize) -> Self {
        let (sender, receiver) = mpsc::channel(waiting);
        Self {
            sender,
            receiver: Mutex::new(Some(receiver)),
            day: RwLock::default(),
            asking: Mutex::default(),
        }
    }

    fn waiting(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }
}

/// Why a request got no thanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    NoSuchEndpoint,
    Unverified,
    /// Too many wait already: the provider must come again.
    Full,
    /// Not durable: the provider must come again.
    Unavailable,
}

impl Refused {
    /// The word by which it is counted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSuchEndpoint => "no_such_endpoint",
            Self::Unverified => "unverified",
            Self::Full => "queue_full",
            Self::Unavailable => "not_stored",
        }
    }
}

/// The GET with which a provider asks whether this URL is ours.
pub fn greet(app: &App, endpoint: &str, query: &str) -> Result<Reply, Refused> {
    let door = app.doors.get(endpoint).ok_or(Refused::NoSuchEndpoint)?;
    Ok(door.channel.greet(&door.endpoint, query))
}

/// Which channel speaks at this endpoint: the word by which its webhooks are counted.
pub fn channel(app: &App, endpoint: &str) -> &'static str {
    app.doors
        .get(endpoint)
        .map_or("none", |door| door.channel.name())
}

/// A webhook. `Ok` means that its bytes are durable.
pub async fn receive(
    app: &App,
    endpoint: &str,
    request: &HttpRequest<'_>,
) -> Result<Reply, Refused> {
    take(app, endpoint, request).await?.durable().await
}

/// A webhook that waits for the writer. Of the request nothing is needed any more: a thousand may wait here.
pub struct Taken {
    channel: &'static dyn Channel,
    answered: oneshot::Receiver<bool>,
}

impl Taken {
    /// `Ok` means that its bytes are durable.
    pub async fn durable(self) -> Result<Reply, Refused> {
        match self.answered.await {
            Ok(true) => Ok(self.channel.thanks()),
            Ok(false) | Err(_) => Err(Refused::Unavailable),
        }
    }
}

/// Verifies a webhook and hands its sealed bytes to the writer. It is not durable yet.
pub async fn take(app: &App, endpoint: &str, request: &HttpRequest<'_>) -> Result<Taken, Refused> {
    let door = app.doors.get(endpoint).ok_or(Refused::NoSuchEndpoint)?;
    let verified = door
        .channel
        .verify(&door.endpoint, request)
        .map_err(|_| Refused::Unverified)?;
    let now = app.now();
    let (key, sealer) = day_key(app, now).await.map_err(|error| {
        tracing::error!(%error, "a webhook was not stored and not acknowledged");
        Refused::Unavailable
    })?;
    let (slug, bytes) = (&door.endpoint.slug, verified.bytes());
    let raw = NewRaw::sealed(app.id(now), slug, (key, &sealer), bytes, now);
    let (answer, answered) = oneshot::channel();
    app.inlet
        .sender
        .try_send(Waiting {
            raw: Some(raw),
            answer,
        })
        .map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::Full,
            mpsc::error::TrySendError::Closed(_) => Refused::Unavailable,
        })?;
    app.numbers.queued(app.inlet.waiting());
    Ok(Taken {
        channel: door.channel,
        answered,
    })
}

/// How long a request waits for another that asks for the key of the day: as long as that one waits for the
/// database.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most that one commit takes.
const BATCH: usize = 256;

/// A commit that takes at least this long is worth a moment's wait for company.
const SLOW: Duration = Duration::from_millis(4);

/// How often the writer shows that it lives when nobody comes.
const BEAT: Duration = Duration::from_secs(5);

/// Writers at once. SQLite has one door for all; a commit of PostgreSQL waits for its disk and its socket,
/// and the next batch need not wait with it.
const WRITERS_OF_POSTGRES: usize = 2;

/// The writers. They end when nobody can send any more, or when `stop` says so and nobody waits.
pub async fn write_batches(app: Arc<App>, stop: tokio_util::sync::CancellationToken) {
    let Some(receiver) = app.inlet.receiver.lock().await.take() else {
        return;
    };
    let receiver = Mutex::new(receiver);
    let writers = match app.store.is_postgres() {
        true => WRITERS_OF_POSTGRES,
        false => 1,
    };
    let writers = (0..writers).map(|_| one_writer(&app, &receiver, &stop));
    futures_util::future::join_all(writers).await;
}

async fn one_writer(
    app: &App,
    receiver: &Mutex<mpsc::Receiver<Waiting>>,
    stop: &tokio_util::sync::CancellationToken,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut last = (0, Duration::ZERO);
    loop {
        app.pulse.beat(Loop::Receive);
        {
            let mut receiver = receiver.lock().await;
            tokio::select! {
                taken = tokio::time::timeout(BEAT, receiver.recv_many(&mut batch, BATCH)) => match taken {
                    Ok(0) => return,
                    Ok(_) => gather(&mut receiver, &mut batch, last).await,
                    Err(_) => continue,
                },
                () = stop.cancelled(), if receiver.is_empty() => return,
            }
        }
        let (size, begun) = (batch.len(), clock());
        let durable = match write(app, &mut batch).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, requests = batch.len(), "webhooks were not stored and not acknowledged");
                false
            }
        };
        last = (size, begun.elapsed());
        app.numbers.queued(app.inlet.waiting());
        for waiting in batch.drain(..) {
            // The provider hung up; its row is there, and it will come again and be recognised.
            let _ = waiting.answer.send(durable);
        }
    }
}

/// Whom a commit answered comes back a moment later. Without this the first of them would begin the next
/// commit alone and all others wait for it: two slow commits a round instead of one. At most a quarter of
/// what the last commit took, and not at all where commits are quick or few came last time.
async fn gather(
    receiver: &mut mpsc::Receiver<Waiting>,
    batch: &mut Vec<Waiting>,
    (size, took): (usize, Duration),
) {
    if took < SLOW {
        return;
    }
    let company = async {
        while batch.len() < size {
            let room = BATCH - batch.len();
            if receiver.recv_many(batch, room).await == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(took / 4, company).await;
}

/// Takes the requests of the batch to the database. Their answers stay.
async fn write(app: &App, batch: &mut [Waiting]) -> Result<(), StoreError> {
    let begun = clock();
    let mut tx = app.store.write().await?;
    let raws = batch.iter_mut().filter_map(|waiting| waiting.raw.take());
    inbox::append(&mut tx, raws).await?;
    failpoint::hit("receive.before_commit");
    tx.commit().await?;
    failpoint::hit("receive.after_commit");
    app.numbers.received(batch.len(), begun.elapsed());
    Ok(())
}

/// The key of today. One asks the database for it, and the others wait for that one: at the first webhooks
/// of a day a thousand may come here at once.
async fn day_key(app: &App, now: Timestamp) -> Result<(KeyId, Sealer), StoreError> {
    let today = now.utc().date_naive();
    if let Some(known) = known_key(app, today) {
        return Ok(known);
    }
    let asking = tokio::time::timeout(PATIENCE, app.inlet.asking.lock()).await;
    let _asking =
        asking.map_err(|_| StoreError::Unavailable("the key of the day does not come".into()))?;
    if let Some(known) = known_key(app, today) {
        return Ok(known);
    }
    // In a box: it is the largest part of a request's future by far, and needed once a day.
    let (key, sealer) = Box::pin(inbox::day_key(&app.store, today, now)).await?;
    let mut day = app
        .inlet
        .day
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    *day = Some((today, key, sealer.clone()));
    Ok((key, sealer))
}

fn known_key(app: &App, today: NaiveDate) -> Option<(KeyId, Sealer)> {
    let day = app.inlet.day.read().unwrap_or_else(PoisonError::into_inner);
    let (of, key, sealer) = day.as_ref()?;
    (*of == today).then(|| (*key, sealer.clone()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a commit takes is a number to watch"
)]
fn clock() -> Instant {
    Instant::now()
}
