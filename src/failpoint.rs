//! Named crash points that end the process at once, without unwinding (`threats.md` section 8).
//! Armed by the environment variable `TUSSENDOOR_FAILPOINT=name` or `name:n` (the n-th passing);
//! `name!text` panics with that text instead. Without the feature `failpoints` a point is nothing.

/// Every point, so that the crash test visits each of them.
pub const ALL: &[&str] = &[
    "receive.before_commit",
    "receive.after_commit",
    "unpack.before_commit",
    "unpack.after_commit",
    "turn.before_commit",
    "turn.after_commit",
    "tick.before_commit",
    "tick.after_commit",
    "approve.before_commit",
    "approve.after_commit",
    "choose.before_commit",
    "choose.after_commit",
    "wire.before_write",
    "wire.after_answer",
    "outcome.before_commit",
    "outcome.after_commit",
    "media.before_fetch",
    "media.after_fetch",
    "media.before_commit",
    "media.after_commit",
];

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Armed {
        name: String,
        left: AtomicU32,
        /// What a panic says; `None` ends the process.
        text: Option<String>,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    /// Called once, by `main`.
    pub fn arm(spec: Option<&str>) {
        let parsed = spec.map(|spec| {
            let (spec, text) = match spec.split_once('!') {
                Some((spec, text)) => (spec, Some(text.to_owned())),
                None => (spec, None),
            };
            let (name, n) = spec.split_once(':').unwrap_or((spec, "1"));
            Armed {
                name: name.to_owned(),
                left: AtomicU32::new(n.parse().unwrap_or(1)),
                text,
            }
        });
        ARMED.get_or_init(|| parsed);
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that ends the process at once"
    )]
    pub fn hit(name: &str) {
        if let Some(Some(armed)) = ARMED.get()
            && armed.name == name
            && armed.left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            match &armed.text {
                Some(text) => panic!("{text}"),
                None => std::process::abort(),
            }
        }
    }
}

#[cfg(feature = "failpoints")]
pub use armed::{arm, hit};

#[cfg(not(feature = "failpoints"))]
pub const fn hit(_name: &str) {}
