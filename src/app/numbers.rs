//! What is counted and measured, for whoever watches the machine: the names, their buckets and their text
//! form. Held by `App` and handed on: nothing is installed for the whole process. Labels are words of ours
//! (a result, a state, a provider's name), never an id, a name or a number of a person, so there are few.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Error, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder,
};

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

/// What was counted under one name, by the values of its labels.
#[derive(Clone)]
enum Counted {
    Counter(IntCounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
}

/// The numbers of this process. A number shows itself from the first time that something is said of it; its
/// labels are always the same.
#[derive(Default)]
pub struct Numbers {
    registry: Registry,
    all: Mutex<BTreeMap<&'static str, Counted>>,
}

impl Numbers {
    /// Begins to count. `now` is when the process started.
    pub fn new(now: Timestamp) -> Self {
        let numbers = Self::default();
        numbers.set(STARTED, &[], as_float(now.0) / 1e6);
        numbers.set(BUILD, &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        numbers
    }

    /// As things stand now.
    pub fn set(&self, number: Number, labels: Labels<'_>, value: f64) {
        self.say(number, labels, |counted, labels| {
            if let Counted::Gauge(gauge) = counted {
                gauge.get_metric_with_label_values(labels)?.set(value);
            }
            Ok(())
        });
    }

    /// A webhook that was answered. A channel is `none` where the endpoint is not one of ours.
    pub fn webhook(&self, channel: &str, result: &str) {
        self.count(WEBHOOKS, &[("channel", channel), ("result", result)], 1);
    }

    /// A batch of webhooks became durable.
    pub fn received(&self, batch: usize, took: Duration) {
        self.add(BATCH, &[], as_float(batch));
        self.add(COMMIT, &[], took.as_secs_f64());
    }

    /// How many webhooks wait for the writer.
    pub fn queued(&self, waiting: usize) {
        self.set(QUEUED, &[], as_float(waiting));
    }

    /// A batch of the inbox was played.
    pub fn turned(&self, items: usize, took: Duration) {
        self.count(TURNS, &[], u64::try_from(items).unwrap_or(0));
        self.add(TURN_TIME, &[], took.as_secs_f64());
    }

    /// An attempt leaves for the wire.
    pub fn leaves(&self) {
        self.add(FLYING, &[], 1.0);
    }

    /// It is back, with what its answer proves.
    pub fn is_back(&self, channel: &str, outcome: &str, took: Duration) {
        self.add(FLYING, &[], -1.0);
        self.count(SENDS, &[("channel", channel), ("outcome", outcome)], 1);
        self.add(SEND_TIME, &[("channel", channel)], took.as_secs_f64());
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
        let text = TextEncoder::new().encode_to_string(&self.registry.gather());
        text.unwrap_or_else(|error| format!("# {error}\n"))
    }

    fn count(&self, number: Number, labels: Labels<'_>, by: u64) {
        self.say(number, labels, |counted, labels| {
            if let Counted::Counter(counter) = counted {
                counter.get_metric_with_label_values(labels)?.inc_by(by);
            }
            Ok(())
        });
    }

    /// Moves a gauge, or puts one more into a histogram.
    fn add(&self, number: Number, labels: Labels<'_>, by: f64) {
        self.say(number, labels, |counted, labels| {
            match counted {
                Counted::Gauge(gauge) => gauge.get_metric_with_label_values(labels)?.add(by),
                Counted::Histogram(all) => all.get_metric_with_label_values(labels)?.observe(by),
                Counted::Counter(_) => {}
            }
            Ok(())
        });
    }

    /// Says something of a number. What cannot be counted is said in the log and stops nothing.
    fn say(
        &self,
        number: Number,
        labels: Labels<'_>,
        how: impl FnOnce(&Counted, &[&str]) -> Result<(), Error>,
    ) {
        let values: Vec<&str> = labels.iter().map(|(_, value)| *value).collect();
        let said = self
            .counted(number, labels)
            .and_then(|counted| how(&counted, &values));
        if let Err(error) = said {
            tracing::error!(number = number.name, %error, "a number was not counted");
        }
    }

    fn counted(&self, number: Number, labels: Labels<'_>) -> Result<Counted, Error> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counted) = all.get(number.name) {
            return Ok(counted.clone());
        }
        let names: Vec<&str> = labels.iter().map(|(name, _)| *name).collect();
        let (new, collector) = number.begun(&names)?;
        self.registry.register(collector)?;
        all.insert(number.name, new.clone());
        Ok(new)
    }
}

impl Number {
    fn begun(self, labels: &[&str]) -> Result<(Counted, Box<dyn Collector>), Error> {
        let options = Opts::new(self.name, self.help);
        Ok(match self.kind {
            Kind::Counter => {
                let new = IntCounterVec::new(options, labels)?;
                (Counted::Counter(new.clone()), Box::new(new))
            }
            Kind::Gauge => {
                let new = GaugeVec::new(options, labels)?;
                (Counted::Gauge(new.clone()), Box::new(new))
            }
            Kind::Histogram(buckets) => {
                let options = HistogramOpts::from(options).buckets(buckets.to_vec());
                let new = HistogramVec::new(options, labels)?;
                (Counted::Histogram(new.clone()), Box::new(new))
            }
        })
    }
}

/// Numbers of things fit a float well enough to be drawn.
#[expect(
    clippy::cast_precision_loss,
    reason = "a count beyond 2^52 may be drawn a little wrong"
)]
pub fn as_float(count: impl TryInto<i64>) -> f64 {
    count.try_into().unwrap_or(i64::MAX) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_and_measured_stands_in_the_text() {
        let numbers = Numbers::new(Timestamp(1_000_000));
        numbers.webhook("whatsapp_meta", "kept");
        numbers.webhook("whatsapp_meta", "kept");
        numbers.webhook("none", "a \"b\"\\\n");
        numbers.leaves();
        for seconds in [0.001, 0.002, 0.002, 40.0] {
            numbers.is_back("sms_x", "accepted", Duration::from_secs_f64(seconds));
        }
        let text = numbers.text();
        for line in [
            "# HELP process_start_time_seconds When this process started, in seconds since 1970",
            "# TYPE process_start_time_seconds gauge",
            "process_start_time_seconds 1",
            "# TYPE tussendoor_webhooks_total counter",
            r#"tussendoor_webhooks_total{channel="whatsapp_meta",result="kept"} 2"#,
            r#"tussendoor_webhooks_total{channel="none",result="a \"b\"\\\n"} 1"#,
            "tussendoor_sends_in_flight -3",
            "# TYPE tussendoor_send_seconds histogram",
            r#"tussendoor_send_seconds_bucket{channel="sms_x",le="0.001"} 1"#,
            r#"tussendoor_send_seconds_bucket{channel="sms_x",le="0.0025"} 3"#,
            r#"tussendoor_send_seconds_bucket{channel="sms_x",le="30"} 3"#,
            r#"tussendoor_send_seconds_bucket{channel="sms_x",le="+Inf"} 4"#,
            r#"tussendoor_send_seconds_sum{channel="sms_x"} 40.005"#,
            r#"tussendoor_send_seconds_count{channel="sms_x"} 4"#,
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
        // Nothing was said of it yet.
        assert!(!text.contains("tussendoor_inbox_new"));
    }
}
