//! The verbs: one file per thing the service does. Each is a function that starts from a row and ends
//! in a row.

pub mod absence;
pub mod approve;
pub mod aside;
pub mod calendar;
pub mod desk;
pub mod effects;
pub mod erase;
pub mod experiments;
pub mod export;
pub mod forecast;
pub mod forward;
pub mod health;
pub mod import;
pub mod inbox;
pub mod invite;
pub mod janitor;
pub mod keys;
pub mod look;
pub mod media;
pub mod meetings;
pub mod note;
pub mod numbers;
pub mod opt_in;
pub mod outcome;
pub mod plan;
pub mod presence;
pub mod pulse;
pub mod receipts;
pub mod receive;
pub mod rehearse;
pub mod restore;
pub mod seed;
pub mod send;
pub mod sign_in;
pub mod signs;
pub mod slots;
pub mod speech;
pub mod takeover;
pub mod tick;
pub mod together;
pub mod town;
pub mod trail;
pub mod turn;
pub mod unpack;
pub mod vacancies;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::FutureExt as _;

use crate::domain::cadence::Cadence;
use crate::domain::command::Vocabulary;
use crate::domain::ids::{LineId, OrganisationId, RowId, TeamId};
use crate::domain::media::Largest;
use crate::domain::time::{Holidays, Timestamp, Tz};
use crate::ports::chance::Chance;
use crate::ports::channel::{Channel, Endpoint};
use crate::ports::clock::Clock;
use crate::ports::transport::Transport;
/// The loops that a commit wakes.
pub use crate::store::Queue;
use crate::store::{Store, StoreError};
use crate::texts::book::Book;
use crate::texts::experiments::Experiments;
use crate::wire::files::Files;

/// Everything a verb needs. Built once, by `assemble.rs`.
pub struct App {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<dyn Chance>,
    pub transport: Arc<dyn Transport>,
    pub files: Files,
    pub vacancies: vacancies::Setup,
    pub book: Arc<Book>,
    pub vocabulary: Arc<Vocabulary>,
    pub cadence: Arc<Cadence>,
    pub experiments: Arc<Experiments>,
    pub houses: BTreeMap<OrganisationId, House>,
    pub lines: BTreeMap<LineId, Line>,
    pub doors: BTreeMap<String, Door>,
    pub limits: Limits,
    pub retention: Retention,
    pub inlet: receive::Inlet,
    pub rates: send::Rates,
    /// Where this installation keeps its files.
    pub data_dir: PathBuf,
    pub numbers: Arc<numbers::Numbers>,
    pub unpacked: unpack::Unpacked,
    pub pulse: pulse::Pulse,
}

/// An organisation as the settings have it.
#[derive(Debug, Clone)]
pub struct House {
    pub id: OrganisationId,
    pub slug: String,
    pub name: String,
    pub zone: Tz,
    pub holidays: Holidays,
    /// The first team takes in people whom nobody knows.
    pub teams: Vec<(TeamId, String)>,
}

/// One line: where it belongs and which endpoint sends from it.
#[derive(Debug, Clone)]
pub struct Line {
    pub id: LineId,
    pub organisation: OrganisationId,
    pub endpoint: String,
    /// The provider's name for it (Meta: `phone_number_id`).
    pub address: String,
    /// How people know it: the number as they dial it.
    pub display: String,
}

/// One endpoint with the channel that speaks its provider's language.
#[derive(Clone)]
pub struct Door {
    pub endpoint: Endpoint,
    pub channel: &'static dyn Channel,
}

/// Numbers from the settings that the verbs obey.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long an approval can be taken back, in seconds.
    pub undo_seconds: i64,
    /// Sends in the air at once: also what one crash can leave in doubt.
    pub in_flight: usize,
    /// Messages a second from one line.
    pub per_line_second: u32,
    /// Seconds between two messages to one person.
    pub pair_seconds: i64,
    /// Seconds that *sending* may last before it becomes doubt.
    pub lease_seconds: i64,
    /// The largest file of each kind that is fetched.
    pub largest: Largest,
    /// Seconds after which a file that was claimed may be claimed again.
    pub fetch_lease_seconds: i64,
    /// Where people and providers reach this service.
    pub public_url: String,
}

/// How long what is kept, from the settings.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    pub raw_days: i64,
    pub seen_days: i64,
    pub aside_days: i64,
    pub receipt_days: i64,
    pub backup_days: i64,
    /// After so many seconds without a hand at the keyboard a session is over.
    pub idle_seconds: i64,
}

/// What a verb can come back with beside its result. `web/error.rs` makes a status of it.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not there, or not for this coach: the same answer, on purpose.
    #[error("not found")]
    NotFound,
    /// The world changed since the page was made; `what` is a key of the page's texts.
    #[error("overtaken: {what}")]
    Overtaken { what: &'static str },
    /// The house's rules say no; `why` is a key of the page's texts.
    #[error("not allowed: {why}")]
    No { why: &'static str },
    /// A text could not be made: a bug in a flow or a text.
    #[error("text: {0}")]
    Text(String),
}

/// A panic is a bug of ours in one thing: it becomes an error like any other, and the loop goes on.
async fn unpanicked<T>(work: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    let work = AssertUnwindSafe(work).catch_unwind();
    let panicked = || AppError::Text("it panicked: the log says where".into());
    work.await.unwrap_or_else(|_| Err(panicked()))
}

/// The same for work that waits for nothing. `None`: it panicked.
fn unpanicked_at_once<T>(work: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).ok()
}

impl App {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn house(&self, organisation: OrganisationId) -> Result<&House, AppError> {
        self.houses.get(&organisation).ok_or(AppError::NotFound)
    }

    /// A new id of any kind.
    pub fn id<T: From<ulid::Ulid>>(&self, now: Timestamp) -> T {
        self.chance.id(now)
    }

    pub fn row_id(&self, now: Timestamp) -> RowId {
        self.chance.id(now)
    }

    /// The channel and endpoint that send from a line.
    pub fn door_of(&self, line: LineId) -> Option<(&Line, &Door)> {
        let line = self.lines.get(&line)?;
        Some((line, self.doors.get(&line.endpoint)?))
    }

    /// The lines of one organisation, in the order of the settings' names.
    pub fn lines_of(&self, organisation: OrganisationId) -> impl Iterator<Item = (&Line, &Door)> {
        self.lines
            .values()
            .filter(move |line| line.organisation == organisation)
            .filter_map(|line| Some((line, self.doors.get(&line.endpoint)?)))
    }
}
