//! config/default.toml, a file, the environment: one typed value. Nobody else reads files or the
//! environment for settings, and only `from_process` sees the real environment.
//! Knows no provider: what each of them needs comes into `check` as data.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use chrono_tz::Tz;
use config::{Config, Environment, File, FileFormat};
use secrecy::{SecretBox, SecretString};
use serde::Deserialize;
use url::Url;

pub use self::media::Media;
use self::process::process_variables;
use self::said::{is_toml, said};
pub use self::vacancies::{Feed, FeedPlace, Vacancies};
use self::written::Written;

mod media;
mod process;
mod said;
mod vacancies;
mod written;

const DEFAULTS: &str = include_str!("../config/default.toml");
const DEMO: &str = include_str!("../config/demo.toml");
const PREFIX: &str = "TUSSENDOOR_";

/// Names that people expect, and what they stand for.
const EXPECTED: [(&str, &str); 4] = [
    ("DATABASE_URL", "TUSSENDOOR_DATABASE__URL"),
    ("LISTEN_ADDR", "TUSSENDOOR_LISTEN"),
    ("PUBLIC_URL", "TUSSENDOOR_PUBLIC_URL"),
    ("RUST_LOG", "TUSSENDOOR_LOG"),
];

/// The variable that names the settings file.
const FILE: &str = "TUSSENDOOR_CONFIG";
/// Read elsewhere: the clock and the planted migration of test builds (cli.rs), the armed crash point (main.rs), where the test
/// command records.
const NOT_OURS: [&str; 4] = [
    "TUSSENDOOR_CLOCK",
    "TUSSENDOOR_FAILPOINT",
    "TUSSENDOOR_PLANTED",
    "TUSSENDOOR_RECORD",
];

#[derive(Debug)]
pub struct Settings {
    pub data_dir: PathBuf,
    /// `sqlite://…` or `postgres://…`.
    pub database_url: SecretString,
    pub listen: SocketAddr,
    /// Where the numbers and the health answer are; nowhere if not set.
    pub metrics: Option<SocketAddr>,
    /// https, or http on loopback. Ends in `/`.
    pub public_url: Url,
    pub log: String,
    pub config_dir: Option<PathBuf>,
    pub templates_dir: Option<PathBuf>,
    pub keys: Keys,
    pub http: Http,
    pub receive: Receive,
    pub wire: Wire,
    pub send: Send,
    pub approve: Approve,
    pub session: Session,
    pub retention: Retention,
    pub media: Media,
    /// Where the calendars of coaches may be read: origins.
    pub calendar_hosts: Vec<String>,
    pub vacancies: Vacancies,
    /// These four by slug.
    pub feeds: BTreeMap<String, Feed>,
    pub organisations: BTreeMap<String, Organisation>,
    pub endpoints: BTreeMap<String, Endpoint>,
    pub lines: BTreeMap<String, Line>,
}

/// 32 bytes that never print.
pub type Key = SecretBox<[u8; 32]>;

#[derive(Debug)]
pub struct Keys {
    pub master: Key,
    /// Masters of before: they open what they wrapped until it is wrapped anew.
    pub master_old: Vec<Key>,
    pub lookup: Key,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    pub connections: usize,
    pub header_seconds: u64,
    pub body_seconds: u64,
    pub answer_seconds: u64,
    pub request_seconds: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receive {
    pub body_bytes: usize,
    pub queue: usize,
}

#[derive(Debug, Clone)]
pub struct Wire {
    pub connect_seconds: u64,
    pub read_seconds: u64,
    pub total_seconds: u64,
    /// May hold a password.
    pub proxy: Option<SecretString>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    pub in_flight: usize,
    pub per_second: u64,
    pub pair_seconds: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    pub undo_seconds: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    pub idle_minutes: u64,
    pub absolute_hours: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub raw_days: u64,
    pub seen_days: u64,
    pub aside_days: u64,
    pub receipt_days: u64,
    pub backup_days: u64,
}

#[derive(Debug, Clone)]
pub struct Organisation {
    pub name: String,
    pub zone: Tz,
    /// Its own, besides the public ones.
    pub holidays: BTreeSet<NaiveDate>,
    pub teams: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Endpoint {
    pub provider: String,
    pub options: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, SecretString>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub organisation: String,
    pub endpoint: String,
    /// The provider's name for it (Meta: `phone_number_id`).
    pub address: String,
    /// As people know it.
    pub display: String,
}

/// What the endpoints of one provider must have: (name, is it a secret), and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    pub name: &'static str,
    pub needs: Vec<(&'static str, bool)>,
}

/// One sentence that names the setting and what was expected. Never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("the setting {} is missing: expected {expected}", named(.setting))]
    Missing { setting: String, expected: String },
    #[error("the setting {} is wrong: expected {expected}", named(.setting))]
    Wrong { setting: String, expected: String },
    #[error("there is no setting {}", named(.setting))]
    Unknown { setting: String },
    #[error("{one} and {other} are both set: keep one of them")]
    Twice { one: String, other: String },
    #[error("the file that {variable} names cannot be read: {why}")]
    Unreadable { variable: String, why: String },
    #[error("the file that {FILE} names is not TOML in line {line}: {why}")]
    NotToml { line: usize, why: String },
    #[error("{variable} is not UTF-8")]
    NotUtf8 { variable: String },
    #[error(
        "the demo sends nothing to the outside: take the endpoint {endpoint} out of its settings"
    )]
    RealProvider { endpoint: String },
    #[error("the demo cannot keep its keys in {file}: {why}")]
    DemoKeys { file: String, why: String },
}

impl Settings {
    /// From the environment of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn from_process() -> Result<Self, SettingsError> {
        Self::load(process_variables(std::env::vars_os())?)
    }

    /// The demo's settings from the environment of this process; see `for_demo`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn demo_from_process(data_dir: &Path, fresh: &[u8; 64]) -> Result<Self, SettingsError> {
        Self::for_demo(process_variables(std::env::vars_os())?, data_dir, fresh)
    }

    pub fn load(
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        Self::read(&Variables::sort(environment)?, None)
    }

    /// As `load`, with `config/demo.toml` besides, with `data_dir` if no other is set, and with keys
    /// of its own: `fresh` random bytes the first time, the same ones from then on. Refuses every
    /// provider that is real.
    pub fn for_demo(
        environment: impl IntoIterator<Item = (String, String)>,
        data_dir: &Path,
        fresh: &[u8; 64],
    ) -> Result<Self, SettingsError> {
        let mut variables = Variables::sort(environment)?;
        let data_dir = variables
            .set_default("data_dir", || Ok(data_dir.to_string_lossy().into_owned()))?
            .clone();
        let keys = demo_keys(Path::new(&data_dir), fresh)?;
        let (master, lookup) = keys.split_at(keys.len() / 2);
        variables.set_default("keys.master", || Ok(master.to_owned()))?;
        variables.set_default("keys.lookup", || Ok(lookup.to_owned()))?;
        let settings = Self::read(&variables, Some(DEMO))?;
        match settings
            .endpoints
            .iter()
            .find(|(_, it)| it.provider != "simulator")
        {
            Some((slug, _)) => Err(SettingsError::RealProvider {
                endpoint: slug.clone(),
            }),
            None => Ok(settings),
        }
    }

    /// Every endpoint's provider is known and has what it needs, and nothing besides.
    pub fn check(&self, providers: &[Provider]) -> Result<(), SettingsError> {
        for (slug, endpoint) in &self.endpoints {
            let at = format!("endpoints.{slug}");
            let known = providers
                .iter()
                .find(|known| known.name == endpoint.provider);
            let Some(provider) = known else {
                let names: Vec<&str> = providers.iter().map(|known| known.name).collect();
                return Err(wrong(
                    format!("{at}.provider"),
                    format!("one of {}", names.join(", ")),
                ));
            };
            for (name, secret) in &provider.needs {
                let (table, present) = match secret {
                    true => ("secrets", endpoint.secrets.contains_key(*name)),
                    false => ("options", endpoint.options.contains_key(*name)),
                };
                if !present {
                    let expected = format!("what {} needs", provider.name);
                    return Err(missing(format!("{at}.{table}.{name}"), expected));
                }
            }
            let needed = |name: &str, secret| provider.needs.contains(&(name, secret));
            let option = endpoint.options.keys().find(|name| !needed(name, false));
            let secret = endpoint.secrets.keys().find(|name| !needed(name, true));
            if let Some(name) = option {
                return Err(SettingsError::Unknown {
                    setting: format!("{at}.options.{name}"),
                });
            }
            if let Some(name) = secret {
                return Err(SettingsError::Unknown {
                    setting: format!("{at}.secrets.{name}"),
                });
            }
        }
        Ok(())
    }

    /// Where anything may be sent: scheme, host and port of every endpoint's `base_url`.
    pub fn allowed_origins(&self) -> BTreeSet<String> {
        self.endpoints
            .values()
            .filter_map(|endpoint| Url::parse(endpoint.options.get("base_url")?).ok())
            .map(|url| url.origin().ascii_serialization())
            .collect()
    }

    fn read(variables: &Variables, demo: Option<&str>) -> Result<Self, SettingsError> {
        let mut sources = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(demo) = demo {
            sources = sources.add_source(File::from_str(demo, FileFormat::Toml));
        }
        if let Some(path) = &variables.file {
            let text = read_file(FILE, path)?;
            is_toml(&text)?;
            sources = sources.add_source(File::from_str(&text, FileFormat::Toml));
        }
        // Not `try_parsing`: it would make the secret "0012345" 12345.
        let environment = Environment::with_prefix(PREFIX.trim_end_matches('_'))
            .prefix_separator("_")
            .separator("__")
            .source(Some(variables.settings.clone().into_iter().collect()));
        let merged = sources.add_source(environment).build().map_err(said)?;
        merged.try_deserialize::<Written>().map_err(said)?.checked()
    }
}

/// The environment, sorted: variables that set something, and the one that names a file.
#[derive(Default)]
struct Variables {
    settings: BTreeMap<String, String>,
    file: Option<String>,
}

impl Variables {
    /// A variable without a value counts as not set.
    fn sort(
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let mut sorted = Self::default();
        let mut origin: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in environment {
            let expected = EXPECTED.iter().find(|(short, _)| *short == name);
            let variable = expected.map_or(name.as_str(), |(_, long)| *long);
            if value.is_empty() || !variable.starts_with(PREFIX) || NOT_OURS.contains(&variable) {
                continue;
            }
            if variable == FILE {
                sorted.file = Some(value);
                continue;
            }
            let by_file = variable
                .strip_suffix("_FILE")
                .filter(|it| is_secret(&setting_of(it)));
            let variable = by_file.unwrap_or(variable);
            let setting = setting_of(variable);
            if !setting.split('.').all(is_name) {
                return Err(SettingsError::Unknown { setting });
            }
            if let Some(one) = origin.insert(variable.to_owned(), name.clone()) {
                return Err(SettingsError::Twice { one, other: name });
            }
            let value = match by_file {
                Some(_) => read_file(&name, &value)?
                    .trim_end_matches(['\r', '\n'])
                    .to_owned(),
                None => value,
            };
            sorted.settings.insert(variable.to_owned(), value);
        }
        Ok(sorted)
    }

    fn set_default(
        &mut self,
        setting: &str,
        value: impl FnOnce() -> Result<String, SettingsError>,
    ) -> Result<&String, SettingsError> {
        match self.settings.entry(variable_of(setting)) {
            std::collections::btree_map::Entry::Occupied(set) => Ok(set.into_mut()),
            std::collections::btree_map::Entry::Vacant(free) => Ok(free.insert(value()?)),
        }
    }
}

fn wrong(setting: impl Into<String>, expected: impl Into<String>) -> SettingsError {
    SettingsError::Wrong {
        setting: setting.into(),
        expected: expected.into(),
    }
}

fn missing(setting: impl Into<String>, expected: impl Into<String>) -> SettingsError {
    SettingsError::Missing {
        setting: setting.into(),
        expected: expected.into(),
    }
}

fn setting_of(variable: &str) -> String {
    variable
        .strip_prefix(PREFIX)
        .unwrap_or(variable)
        .to_lowercase()
        .replace("__", ".")
}

fn variable_of(setting: &str) -> String {
    format!("{PREFIX}{}", setting.to_uppercase().replace('.', "__"))
}

fn named(setting: &str) -> String {
    let variable = variable_of(setting);
    // A name with a hyphen or an index can stand in a file only.
    match variable
        .split("__")
        .all(|part| is_name(&part.to_lowercase()))
        && !setting.contains('-')
    {
        true => format!("{setting} ({variable})"),
        false => setting.to_owned(),
    }
}

fn is_name(part: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    !part.is_empty() && part.chars().all(allowed)
}

fn is_secret(setting: &str) -> bool {
    matches!(
        setting.split('.').collect::<Vec<_>>()[..],
        ["keys", "master" | "master_old" | "lookup"]
            | ["database", "url"]
            | ["wire", "proxy"]
            | ["endpoints", _, "secrets", _]
    )
}

/// The text of the file that `variable` names. Its path stays out of the error: somebody will put
/// the secret itself there one day.
fn read_file(variable: &str, path: &str) -> Result<String, SettingsError> {
    fs::read_to_string(path).map_err(|error| SettingsError::Unreadable {
        variable: variable.to_owned(),
        why: error.kind().to_string(),
    })
}

/// The demo's two keys in hexadecimal, one after the other, kept beside its database.
fn demo_keys(data_dir: &Path, fresh: &[u8; 64]) -> Result<String, SettingsError> {
    let file = data_dir.join("demo.keys");
    let kept = fs::read_to_string(&file);
    let keys = match kept {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let keys = hex::encode(fresh);
            write_private(data_dir, &file, &keys).map(|()| keys)
        }
        kept => kept.map(|keys| keys.trim_end().to_owned()),
    };
    match keys {
        Ok(keys) if keys.len() == 128 && keys.is_ascii() => Ok(keys),
        Ok(_) => Err(("it does not hold two keys".to_owned(), file)),
        Err(error) => Err((error.kind().to_string(), file)),
    }
    .map_err(|(why, file)| SettingsError::DemoKeys {
        file: file.display().to_string(),
        why,
    })
}

fn write_private(data_dir: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(data_dir)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}
