//! What the house agreed on: who may import whom, which names have one home, which files are long.

/// Who may import whom. The longest prefix of a file's path counts. A file may always import itself,
/// what is below it, and its brothers in a folder that is one thing (`channels/x.rs` with
/// `channels/x/`). A file that no row covers fails the test.
pub const LAYERS: &[(&str, &str)] = &[
    ("lib.rs", ""),
    ("main.rs", "cli failpoint"),
    ("cli.rs", EVERYTHING),
    ("cli/", EVERYTHING),
    ("assemble.rs", EVERYTHING),
    ("assemble/", EVERYTHING),
    ("settings.rs", ""),
    ("settings/", "settings"),
    ("failpoint.rs", ""),
    ("domain/", "domain"),
    ("domain/mod.rs", ""),
    ("ports/", "domain ports"),
    ("channels/", "domain ports channels::kit"),
    ("channels/mod.rs", "domain ports channels"),
    (
        "channels/whatsapp_meta/",
        "domain ports channels::kit channels::whatsapp_meta",
    ),
    ("texts/", "domain ports texts"),
    ("wire/", "domain ports wire failpoint"),
    ("store/", STORE),
    ("store/mod.rs", "domain ports store"),
    ("store/tx.rs", "domain ports store"),
    ("store/checkpoint.rs", "domain ports store"),
    (
        "app/",
        "domain ports channels texts wire store app failpoint",
    ),
    ("web/", "domain ports texts app web"),
    ("web/webhooks.rs", "app ports::channel"),
    ("workers/", "app workers"),
];

pub const EVERYTHING: &str =
    "app assemble channels cli domain failpoint ports settings store texts web wire workers";

/// An aggregate knows the transaction, the statement and the seal, and no other aggregate.
pub const STORE: &str = "domain ports \
    store::tx store::statement store::sealed store::error \
    store::Tx store::Row store::StoreError store::Queue store::News \
    store::Store store::Serves";

/// Imports that the table refuses and that are meant: which file, what, and why.
pub const MEANT: &[(&str, &str, &str)] = &[
    (
        "store/arrivals.rs",
        "store::contacts",
        "makes in sets what contacts makes one at a time",
    ),
    (
        "store/attempts.rs",
        "store::outbox",
        "an attempt is an attempt to send a message of the outbox",
    ),
    (
        "store/rounds.rs",
        "store::outbox store::attempts store::contacts",
        "a round of the sender is of several aggregates: messages, their attempts and their people",
    ),
    (
        "store/contacts.rs",
        "store::talks store::addresses",
        "a candidate is made with a key and an idle talk, and fetched ahead with their addresses",
    ),
    (
        "store/pages.rs",
        "store::contacts",
        "reads for one page across aggregates, and opens names as contacts does",
    ),
];

/// Files of more than 500 lines, and why each is still one thing.
pub const LONG: &[(&str, &str)] = &[];

/// Names that occur in one place only: what to look for, where it may stand, and why.
pub const HOMES: &[(&[&str], &[&str], &str)] = &[
    (
        &["Verified", "::", "stored"],
        &["app/unpack.rs"],
        "only bytes that were verified before they were stored may be parsed",
    ),
    (
        &["anyhow", "::"],
        &["cli", "assemble", "main.rs"],
        "errors have a type everywhere else",
    ),
    (
        &["sqlx", "::"],
        &["store/"],
        "the databases stay behind the two doors",
    ),
    (&["AssertSqlSafe"], &["store/"], "SQL is a constant"),
    (
        &["chacha20poly1305", "::"],
        &["store/sealed.rs"],
        "only one file sees data keys",
    ),
    (
        &["reqwest", "::"],
        &["wire/"],
        "deadlines, the allow-list and no retry live there",
    ),
    (
        &["axum", "::"],
        &["web/", "cli"],
        "HTTP stays in the delivery layer",
    ),
];
