//! The log: our own words and ids, at every level, and in a panic too. `tests/it/canary.rs` holds it.

use std::io::{IsTerminal as _, Write as _};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

/// Readable on a terminal, one JSON object a line elsewhere.
pub fn begin(filter: &str) {
    let wanted = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Both filters stand before everything. As a filter of one layer they would lose lines: sqlx asks
    // whether a line of its own is wanted and then says nothing, and a layer's filter keeps that "no"
    // for the next line of the thread.
    let said = registry().with(wanted).with(filter_fn(harmless));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let set = if std::io::stderr().is_terminal() {
        said.with(lines).try_init()
    } else {
        said.with(lines.json()).try_init()
    };
    // A second try, as in tests, keeps the first.
    drop(set);
}

/// What no setting can raise. Below warnings a library says whatever it holds in its hands: handlebars
/// shows every value of a page, HTTP clients show addresses and headers. Nobody can promise for the next
/// version of any of them, so only this program may speak at every level.
fn harmless(about: &Metadata<'_>) -> bool {
    let target = about.target();
    target == "tussendoor" || target.starts_with("tussendoor::") || *about.level() <= Level::WARN
}

/// A panic's own words may quote what it stumbled over (cutting a text inside a letter quotes the text),
/// so only its place is told.
pub fn about_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        if tracing::dispatcher::has_been_set() {
            tracing::error!(place, "a bug stopped a piece of work");
        } else {
            let line = format!("tussendoor: a bug stopped the work at {place}");
            // Nobody to tell if standard error is gone.
            drop(writeln!(std::io::stderr(), "{line}"));
        }
    }));
}
