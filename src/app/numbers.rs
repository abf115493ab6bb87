//! What is counted and measured, for whoever watches the machine: the names, their buckets and their text
//! form. One recorder, held by `App` and handed on: nothing is installed for the whole process. Labels are
//! words of ours (a result, a state, a provider's name), never an id, a name or a number of a person.

use std::time::Duration;

use metrics::{Key, KeyName, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

use crate::domain::time::Timestamp;

/// One number: its name, how it moves, and what it says.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    pub name: &'static str,
    kind: Kind,
    help: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Up only, since the start of the process.
    Counter,
    /// As things stand now.
    Gauge,
    /// How long, or how many at once, in buckets.
    Histogram(&'static [f64]),
}

const fn counter(name: &'static str, help: &'static str) -> Number {
    Number {
        name,
        kind: Kind::Counter,
        help,
    }
}

const fn gauge(name: &'static str, help: &'static str) -> Number {
    Number {
        name,
        kind: Kind::Gauge,
        help,
    }
}

const fn histogram(name: &'static str, buckets: &'static [f64], help: &'static str) -> Number {
    Number {
        name,
        kind: Kind::Histogram(buckets),
        help,
    }
}

/// A fast disk commits in less than a millisecond, a provider may take half a minute.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
const PIECES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

const WEBHOOKS: Number = counter(
    "tussendoor_webhooks_total",
    "Webhooks, by channel and what became of them",
);
const BATCH: Number = histogram(
    "tussendoor_receive_batch_size",
    PIECES,
    "Webhooks in one commit",
);
const COMMIT: Number = histogram(
    "tussendoor_receive_commit_seconds",
    SECONDS,
    "Time to make one batch of webhooks durable",
);
const QUEUED: Number = gauge(
    "tussendoor_receive_waiting",
    "Webhooks that wait for the writer",
);
const TURNS: Number = counter(
    "tussendoor_turns_total",
    "Items of the inbox that were played",
);
const TURN_TIME: Number = histogram(
    "tussendoor_turns_batch_seconds",
    SECONDS,
    "Time to play one batch of the inbox",
);
const SENDS: Number = counter(
    "tussendoor_sends_total",
    "Attempts to send, by channel and outcome",
);
const SEND_TIME: Number = histogram(
    "tussendoor_send_seconds",
    SECONDS,
    "Time at the provider, by channel",
);
const FLYING: Number = gauge(
    "tussendoor_sends_in_flight",
    "Attempts between the promise and the answer",
);
const CONNECTIONS: Number = gauge(
    "tussendoor_http_connections",
    "Open connections at the public door",
);
const SENT_AWAY: Number = counter(
    "tussendoor_http_sent_away_total",
    "Idle connections that were closed to make room for others",
);
/// Unpacked and not yet unpacked together, without what is set aside.
pub const INBOX: Number = gauge("tussendoor_inbox_new", "Received and not yet played");
/// How long the oldest of those waits.
pub const INBOX_AGE: Number = gauge(
    "tussendoor_inbox_oldest_age_seconds",
    "Age of the oldest that was received and not yet played",
);
/// By state; only states that are no end.
pub const OUTBOX: Number = gauge(
    "tussendoor_outbox_messages",
    "Messages that are not at their end, by state",
);
/// How long the oldest that may leave waits for it.
pub const OUTBOX_AGE: Number = gauge(
    "tussendoor_outbox_oldest_due_age_seconds",
    "How long the oldest message that may leave waits for the sender",
);
/// By channel.
pub const PAUSED: Number = gauge(
    "tussendoor_lines_paused",
    "Lines that stand still because the provider refuses our account, by channel",
);
/// Rows of the ledger without a reason yet.
pub const NUDGES: Number = gauge("tussendoor_nudges_open", "Nudges that have no end yet");
/// Open, past their moment and not started.
pub const OVERDUE: Number = gauge(
    "tussendoor_nudges_overdue",
    "Nudges that should have started and did not",
);
/// `database` and `wal`.
pub const BYTES: Number = gauge("tussendoor_database_bytes", "Size of the database, by part");
/// Of the volume with the data folder.
pub const FREE: Number = gauge(
    "tussendoor_disk_free_bytes",
    "Free space on the volume of data_dir",
);
/// One for each check of the health answer.
pub const CHECKS: Number = gauge(
    "tussendoor_health",
    "The checks of the health answer: 0 well, 1 somebody should look, 2 alarm",
);
/// 0 while the rest of these numbers is old.
pub const UP: Number = gauge(
    "tussendoor_database_up",
    "Does the database answer; if not, what is read from it is old",
);
/// By loop of this process.
pub const LOOP_AGE: Number = gauge(
    "tussendoor_worker_turned_age_seconds",
    "Time since each loop of this process turned",
);
const STARTED: Number = gauge(
    "process_start_time_seconds",
    "When this process started, in seconds since 1970",
);
const BUILD: Number = gauge("tussendoor_build_info", "1, with the version as its label");

/// All of them.
pub const ALL: &[Number] = &[
    WEBHOOKS,
    BATCH,
    COMMIT,
    QUEUED,
    TURNS,
    TURN_TIME,
    SENDS,
    SEND_TIME,
    FLYING,
    CONNECTIONS,
    SENT_AWAY,
    INBOX,
    INBOX_AGE,
    OUTBOX,
    OUTBOX_AGE,
    PAUSED,
    NUDGES,
    OVERDUE,
    BYTES,
    FREE,
    CHECKS,
    UP,
    LOOP_AGE,
    STARTED,
    BUILD,
];

/// What a label may hold: a word of ours.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// The numbers of this process.
pub struct Numbers(PrometheusRecorder);

impl Numbers {
    /// Begins to count. `now` is when the process started.
    pub fn new(now: Timestamp) -> Result<Self, BuildError> {
        let mut builder = PrometheusBuilder::new();
        for number in ALL {
            if let Kind::Histogram(buckets) = number.kind {
                let matcher = Matcher::Full(number.name.to_owned());
                builder = builder.set_buckets_for_metric(matcher, buckets)?;
            }
        }
        let recorder = builder.build_recorder();
        for number in ALL {
            let (name, help) = (KeyName::from_const_str(number.name), number.help.into());
            match number.kind {
                Kind::Counter => recorder.describe_counter(name, None, help),
                Kind::Gauge => recorder.describe_gauge(name, None, help),
                Kind::Histogram(_) => recorder.describe_histogram(name, None, help),
            }
        }
        let numbers = Self(recorder);
        numbers.set(STARTED, &[], as_float(now.0) / 1e6);
        numbers.set(BUILD, &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        Ok(numbers)
    }

    /// As things stand now.
    pub fn set(&self, number: Number, labels: Labels<'_>, value: f64) {
        self.0
            .register_gauge(&key(number, labels), &METADATA)
            .set(value);
    }

    /// A webhook that was answered. A channel is `none` where the endpoint is not one of ours.
    pub fn webhook(&self, channel: &str, result: &str) {
        self.count(WEBHOOKS, &[("channel", channel), ("result", result)], 1);
    }

    /// A batch of webhooks became durable.
    pub fn received(&self, batch: usize, took: Duration) {
        self.measure(BATCH, &[], as_float(batch));
        self.measure(COMMIT, &[], took.as_secs_f64());
    }

    /// How many webhooks wait for the writer.
    pub fn queued(&self, waiting: usize) {
        self.set(QUEUED, &[], as_float(waiting));
    }

    /// A batch of the inbox was played.
    pub fn turned(&self, items: usize, took: Duration) {
        self.count(TURNS, &[], u64::try_from(items).unwrap_or(0));
        self.measure(TURN_TIME, &[], took.as_secs_f64());
    }

    /// An attempt leaves for the wire.
    pub fn leaves(&self) {
        self.0
            .register_gauge(&key(FLYING, &[]), &METADATA)
            .increment(1.0);
    }

    /// It is back, with what its answer proves.
    pub fn is_back(&self, channel: &str, outcome: &str, took: Duration) {
        self.0
            .register_gauge(&key(FLYING, &[]), &METADATA)
            .decrement(1.0);
        self.count(SENDS, &[("channel", channel), ("outcome", outcome)], 1);
        self.measure(SEND_TIME, &[("channel", channel)], took.as_secs_f64());
    }

    /// Connections at the public door.
    pub fn connections(&self, open: usize) {
        self.set(CONNECTIONS, &[], as_float(open));
    }

    /// An idle connection had to make room.
    pub fn sent_away(&self) {
        self.count(SENT_AWAY, &[], 1);
    }

    /// The text form that Prometheus reads.
    pub fn text(&self) -> String {
        self.0.handle().render()
    }

    /// Histograms gather what was measured until somebody does this; without it they grow for ever.
    pub fn upkeep(&self) {
        self.0.handle().run_upkeep();
    }

    fn count(&self, number: Number, labels: Labels<'_>, by: u64) {
        self.0
            .register_counter(&key(number, labels), &METADATA)
            .increment(by);
    }

    fn measure(&self, number: Number, labels: Labels<'_>, value: f64) {
        self.0
            .register_histogram(&key(number, labels), &METADATA)
            .record(value);
    }
}

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

fn key(number: Number, labels: Labels<'_>) -> Key {
    let labels: Vec<Label> = labels
        .iter()
        .map(|(name, value)| Label::new(*name, (*value).to_owned()))
        .collect();
    Key::from_parts(number.name, labels)
}

/// Numbers of things fit a float well enough to be drawn.
#[expect(
    clippy::cast_precision_loss,
    reason = "a count beyond 2^52 may be drawn a little wrong"
)]
pub fn as_float(count: impl TryInto<i64>) -> f64 {
    count.try_into().unwrap_or(i64::MAX) as f64
}
