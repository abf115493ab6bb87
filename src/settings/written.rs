//! The settings as they are written, and the checks that make them `Settings`.
//! What `config` says before that is put into words in `said.rs`.

mod limits;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use chrono::NaiveDate;
use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Deserializer, de};
use url::{Host, Url};
use zeroize::Zeroize as _;

use super::vacancies::WrittenFeed;
use super::{
    Approve, Endpoint, Http, Key, Keys, Line, Media, Organisation, Receive, Retention, Send,
    Session, Settings, SettingsError, Vacancies, Wire, is_name, missing, wrong,
};

const KEY: &str = "32 bytes, as 64 hexadecimal digits or in base64";

/// One field for every setting of config/default.toml: what is not here is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    data_dir: String,
    listen: String,
    public_url: String,
    log: String,
    config_dir: String,
    templates_dir: String,
    database: Database,
    metrics: WrittenMetrics,
    keys: WrittenKeys,
    http: Http,
    receive: Receive,
    wire: WrittenWire,
    send: Send,
    approve: Approve,
    session: Session,
    retention: Retention,
    media: Media,
    vacancies: Vacancies,
    feeds: BTreeMap<String, WrittenFeed>,
    calendars: WrittenCalendars,
    organisations: BTreeMap<String, WrittenOrganisation>,
    endpoints: BTreeMap<String, WrittenEndpoint>,
    lines: BTreeMap<String, Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Database {
    url: Secret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMetrics {
    listen: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKeys {
    master: Secret,
    master_old: Secret,
    lookup: Secret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWire {
    connect_seconds: u64,
    read_seconds: u64,
    total_seconds: u64,
    proxy: Secret,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOrganisation {
    name: String,
    #[serde(default = "dutch_time")]
    zone: String,
    #[serde(default)]
    holidays: List,
    #[serde(default)]
    teams: List,
}

fn dutch_time() -> String {
    "Europe/Amsterdam".to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEndpoint {
    provider: String,
    #[serde(default)]
    options: BTreeMap<String, String>,
    #[serde(default)]
    secrets: BTreeMap<String, Secret>,
}

/// Text only. A number would lose its leading zeros or its spelling before anybody saw it.
struct Secret(SecretString);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in quotes")
            }
            fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret(SecretString::from(text)))
            }
            fn visit_string<E>(self, text: String) -> Result<Secret, E> {
                Ok(Secret(SecretString::from(text)))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCalendars {
    hosts: List,
}

/// A list, or one text with commas: the only way an environment variable can hold a list.
#[derive(Default)]
struct List(Vec<String>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = List;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list, or text with commas")
            }
            fn visit_str<E>(self, text: &str) -> Result<List, E> {
                Ok(List(
                    text.split(',').map(|item| item.trim().to_owned()).collect(),
                ))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<List, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(List(list))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Written {
    pub(super) fn checked(self) -> Result<Settings, SettingsError> {
        self.within_limits()?;
        self.media.within_limits()?;
        self.vacancies.within_limits()?;
        let keys = keys(&self.keys)?;
        let data_dir = folder("data_dir", &self.data_dir)?
            .ok_or_else(|| missing("data_dir", "a folder for the database"))?;
        let database_url = database_url(self.database.url, &data_dir)?;
        let listen: SocketAddr =
            parsed("listen", &self.listen, "an address such as 127.0.0.1:8080")?;
        let metrics = match self.metrics.listen.as_str() {
            "" => None,
            address => Some(parsed(
                "metrics.listen",
                address,
                "an address such as 127.0.0.1:9464",
            )?),
        };
        if metrics == Some(listen) && listen.port() != 0 {
            return Err(wrong("metrics.listen", "another address than listen"));
        }
        let public_url = public_url(&self.public_url, listen)?;
        if tracing_subscriber::EnvFilter::try_new(&self.log).is_err() {
            return Err(wrong("log", "levels such as info or tussendoor=debug,info"));
        }
        let organisations = each(self.organisations, "organisations", organisation)?;
        let endpoints = each(self.endpoints, "endpoints", endpoint)?;
        let lines = each(self.lines, "lines", |at, line| {
            checked_line(at, line, &organisations, &endpoints)
        })?;
        let feeds = each(self.feeds, "feeds", |at, feed| {
            feed.checked(at, self.vacancies.loopback)
        })?;
        if let Some((slug, _)) =
            (feeds.iter()).find(|(_, feed)| !organisations.contains_key(&feed.organisation))
        {
            let setting = format!("feeds.{slug}.organisation");
            return Err(wrong(setting, "the slug of one of the organisations"));
        }
        let mut addresses = BTreeSet::new();
        for (slug, line) in &lines {
            if !addresses.insert((&line.endpoint, &line.address)) {
                let setting = format!("lines.{slug}.address");
                return Err(wrong(
                    setting,
                    "an address that no other line of this endpoint has",
                ));
            }
        }
        Ok(Settings {
            config_dir: existing("config_dir", &self.config_dir)?,
            templates_dir: existing("templates_dir", &self.templates_dir)?,
            wire: Wire {
                connect_seconds: self.wire.connect_seconds,
                read_seconds: self.wire.read_seconds,
                total_seconds: self.wire.total_seconds,
                proxy: proxy(self.wire.proxy)?,
            },
            data_dir,
            database_url,
            listen,
            metrics,
            public_url,
            log: self.log,
            keys,
            http: self.http,
            receive: self.receive,
            send: self.send,
            approve: self.approve,
            session: self.session,
            retention: self.retention,
            media: self.media,
            vacancies: self.vacancies,
            feeds,
            calendar_hosts: calendar_hosts(self.calendars)?,
            organisations,
            endpoints,
            lines,
        })
    }
}

fn calendar_hosts(written: WrittenCalendars) -> Result<Vec<String>, SettingsError> {
    let hosts = written.hosts.0.into_iter().filter(|host| !host.is_empty());
    let checked = hosts.map(|host| {
        let url = secure(
            "calendars.hosts",
            &host,
            "addresses such as https://outlook.office365.com",
        )?;
        Ok(url.to_string())
    });
    checked.collect()
}

/// Every entry of a table of things by slug.
fn each<T, U>(
    table: BTreeMap<String, T>,
    name: &str,
    check: impl Fn(&str, T) -> Result<U, SettingsError>,
) -> Result<BTreeMap<String, U>, SettingsError> {
    let mut checked = BTreeMap::new();
    for (slug, item) in table {
        let at = format!("{name}.{slug}");
        if !is_name(&slug) || slug.contains("__") || slug.len() > 40 {
            let expected = "a name of at most 40 of a-z, 0-9, single _ and -";
            return Err(wrong(at, expected));
        }
        checked.insert(slug, check(&at, item)?);
    }
    Ok(checked)
}

fn organisation(at: &str, written: WrittenOrganisation) -> Result<Organisation, SettingsError> {
    let zone = parsed::<Tz>(
        &format!("{at}.zone"),
        &written.zone,
        "a time zone such as Europe/Amsterdam",
    )?;
    let days = written.holidays.0.iter();
    let holidays = days
        .map(|day| parsed::<NaiveDate>(&format!("{at}.holidays"), day, "days such as 2026-05-15"))
        .collect::<Result<_, _>>()?;
    if written.teams.0.iter().any(|team| team.trim().is_empty()) {
        return Err(wrong(format!("{at}.teams"), "names of teams"));
    }
    let name = filled(&format!("{at}.name"), written.name)?;
    Ok(Organisation {
        name,
        zone,
        holidays,
        teams: written.teams.0,
    })
}

fn endpoint(at: &str, written: WrittenEndpoint) -> Result<Endpoint, SettingsError> {
    let mut secrets = BTreeMap::new();
    for (name, Secret(secret)) in written.secrets {
        // An HMAC accepts an empty key, and then anybody can sign.
        if secret.expose_secret().trim().is_empty() {
            return Err(missing(format!("{at}.secrets.{name}"), "a secret"));
        }
        secrets.insert(name, secret);
    }
    for (name, option) in &written.options {
        let setting = format!("{at}.options.{name}");
        let option = filled(&setting, option.clone())?;
        if name == "base_url" {
            secure(
                &setting,
                &option,
                "an https:// address (http:// on this machine only)",
            )?;
        }
    }
    let provider = filled(&format!("{at}.provider"), written.provider)?;
    Ok(Endpoint {
        provider,
        options: written.options,
        secrets,
    })
}

fn checked_line(
    at: &str,
    line: Line,
    organisations: &BTreeMap<String, Organisation>,
    endpoints: &BTreeMap<String, Endpoint>,
) -> Result<Line, SettingsError> {
    if !organisations.contains_key(&line.organisation) {
        return Err(wrong(
            format!("{at}.organisation"),
            "the name of one of [organisations]",
        ));
    }
    if !endpoints.contains_key(&line.endpoint) {
        return Err(wrong(
            format!("{at}.endpoint"),
            "the name of one of [endpoints]",
        ));
    }
    filled(&format!("{at}.address"), line.address.clone())?;
    filled(&format!("{at}.display"), line.display.clone())?;
    Ok(line)
}

fn keys(written: &WrittenKeys) -> Result<Keys, SettingsError> {
    let master = key("keys.master", written.master.0.expose_secret())?;
    let lookup = key("keys.lookup", written.lookup.0.expose_secret())?;
    let older = written.master_old.0.expose_secret().split(',');
    let master_old = older
        .filter(|text| !text.trim().is_empty())
        .map(|text| key("keys.master_old", text))
        .collect::<Result<_, _>>()?;
    if master.expose_secret() == lookup.expose_secret() {
        return Err(wrong("keys.lookup", "another key than keys.master"));
    }
    Ok(Keys {
        master,
        master_old,
        lookup,
    })
}

fn key(setting: &str, text: &str) -> Result<Key, SettingsError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(missing(setting, KEY));
    }
    // 64 hexadecimal digits are base64 too, but of 48 bytes.
    let mut bytes = match text.len() {
        64 => hex::decode(text).ok(),
        43 => base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(text)
            .ok(),
        _ => base64::engine::general_purpose::STANDARD.decode(text).ok(),
    }
    .unwrap_or_default();
    let key = <[u8; 32]>::try_from(bytes.as_slice());
    bytes.zeroize();
    match key {
        Ok(key) => Ok(SecretBox::new(Box::new(key))),
        Err(_) => Err(wrong(setting, KEY)),
    }
}

fn database_url(Secret(url): Secret, data_dir: &Path) -> Result<SecretString, SettingsError> {
    let text = url.expose_secret();
    if text.is_empty() {
        // sqlx reads the path of a URL, so what means something in a URL is written as its code.
        let path = data_dir
            .join("tussendoor.db")
            .to_string_lossy()
            .into_owned();
        let path = path
            .replace('%', "%25")
            .replace('?', "%3F")
            .replace('#', "%23");
        return Ok(format!("sqlite://{path}").into());
    }
    let known = ["sqlite:", "postgres://", "postgresql://"];
    match known.iter().any(|scheme| text.starts_with(scheme)) {
        true => Ok(url),
        false => Err(wrong(
            "database.url",
            "an address that starts with sqlite:// or postgres://",
        )),
    }
}

fn public_url(written: &str, listen: SocketAddr) -> Result<Url, SettingsError> {
    let expected = "the https:// address of this service (http:// on this machine only)";
    if written.is_empty() {
        if !listen.ip().is_loopback() {
            return Err(missing("public_url", expected));
        }
        return secure("public_url", &format!("http://{listen}/"), expected);
    }
    let mut url = secure("public_url", written, expected)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("public_url", expected));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// An https address, or http to this machine; without a name or password in it.
fn secure(setting: &str, text: &str, expected: &str) -> Result<Url, SettingsError> {
    let url: Url = parsed(setting, text, expected)?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let safe = url.scheme() == "https" || (url.scheme() == "http" && local);
    match safe && url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => Err(wrong(setting, expected)),
    }
}

fn proxy(Secret(written): Secret) -> Result<Option<SecretString>, SettingsError> {
    if written.expose_secret().is_empty() {
        return Ok(None);
    }
    let expected = "an address such as http://proxy.example:3128";
    let url: Url = parsed("wire.proxy", written.expose_secret(), expected)?;
    match url.scheme() {
        "http" | "https" => Ok(Some(written)),
        _ => Err(wrong("wire.proxy", expected)),
    }
}

fn folder(setting: &str, written: &str) -> Result<Option<PathBuf>, SettingsError> {
    match written {
        "" => Ok(None),
        path if path.contains('\0') => Err(wrong(setting, "a folder")),
        path => Ok(Some(PathBuf::from(path))),
    }
}

fn existing(setting: &str, written: &str) -> Result<Option<PathBuf>, SettingsError> {
    match folder(setting, written)? {
        Some(path) if !path.is_dir() => Err(wrong(setting, "a folder that exists")),
        path => Ok(path),
    }
}

fn filled(setting: &str, text: String) -> Result<String, SettingsError> {
    match text.trim().is_empty() || text.chars().any(char::is_control) {
        true => Err(wrong(setting, "text on one line")),
        false => Ok(text),
    }
}

fn parsed<T: FromStr>(setting: &str, text: &str, expected: &str) -> Result<T, SettingsError> {
    text.trim().parse().map_err(|_| wrong(setting, expected))
}
