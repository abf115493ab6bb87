//! Settings -> App. The only file that names every adapter.

mod feeds;
pub mod tried;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::ExposeSecret;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::app::calendar::busy::ENDPOINT as BUSY;
use crate::app::numbers::Numbers;
use crate::app::pulse::Pulse;
use crate::app::receive::Inlet;
use crate::app::send::Rates;
use crate::app::unpack::Unpacked;
use crate::app::{App, Door, House, Limits, Line, Retention};
use crate::channels;
use crate::domain::flow::definition::Problem;
use crate::domain::media::Largest;
use crate::domain::time::Holidays;
use crate::ports::chance::Chance;
use crate::ports::channel::Endpoint;
use crate::ports::clock::Clock;
use crate::ports::transport::Transport;
use crate::settings::{Provider, Settings};
use crate::store::flows::{self, Version};
use crate::store::lines::{self, NewLine};
use crate::store::{Secrets, Store};
use crate::texts::book::Book;
use crate::texts::config::{Configuration, Untried};
use crate::texts::version::FlowVersion;
use crate::wire::files::{Files, FilesConfig};
use crate::wire::http::{HttpConfig, HttpTransport};
use crate::wire::tls::Trust;

/// What the endpoints of each provider must have, for the settings' check.
pub fn providers() -> Vec<Provider> {
    channels::ALL
        .iter()
        .map(|channel| Provider {
            name: channel.name(),
            needs: channel
                .needs()
                .iter()
                .map(|need| (need.name, need.secret))
                .collect(),
        })
        .collect()
}

/// Opens the database without migrating it.
pub async fn store(settings: &Settings, chance: Arc<dyn Chance>) -> anyhow::Result<Store> {
    std::fs::create_dir_all(&settings.data_dir)
        .with_context(|| format!("the folder {} cannot be made", settings.data_dir.display()))?;
    let secrets = Secrets {
        master: Zeroizing::new(*settings.keys.master.expose_secret()),
        older: (settings.keys.master_old.iter())
            .map(|older| Zeroizing::new(*older.expose_secret()))
            .collect(),
        lookup: Zeroizing::new(*settings.keys.lookup.expose_secret()),
    };
    Ok(Store::open(settings.database_url.expose_secret(), secrets, chance).await?)
}

/// The flows, texts and rules of the folder in the settings, or those inside the program.
pub fn configuration(settings: &Settings) -> anyhow::Result<Configuration> {
    let folders = (
        settings.config_dir.as_deref(),
        settings.templates_dir.as_deref(),
    );
    Configuration::load(folders.0, folders.1).map_err(|problems| listed(&problems))
}

/// The same without trying the texts out, on a thread of its own, while the database opens.
pub fn configuration_meanwhile(settings: &Settings) -> JoinHandle<anyhow::Result<Untried>> {
    let folders = (settings.config_dir.clone(), settings.templates_dir.clone());
    tokio::task::spawn_blocking(move || {
        Configuration::read(folders.0.as_deref(), folders.1.as_deref())
            .map_err(|problems| listed(&problems))
    })
}

/// The flows, texts and rules inside the program.
pub fn builtin() -> anyhow::Result<Configuration> {
    Configuration::load(None, None).map_err(|problems| listed(&problems))
}

fn listed(problems: &[Problem]) -> anyhow::Error {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("{}", lines.join("\n"))
}

/// The transport to the providers of the settings.
fn transport(settings: &Settings, trust: &Trust) -> anyhow::Result<Arc<dyn Transport>> {
    Ok(Arc::new(HttpTransport::new(HttpConfig {
        trust: trust.clone(),
        allowed: settings.allowed_origins().into_iter().collect(),
        connect_timeout: Duration::from_secs(settings.wire.connect_seconds),
        read_timeout: Duration::from_secs(settings.wire.read_seconds),
        total_timeout: Duration::from_secs(settings.wire.total_seconds),
        proxy: settings
            .wire
            .proxy
            .as_ref()
            .map(|proxy| proxy.expose_secret().to_owned()),
    })?))
}

/// The way to the files that people send; each endpoint asks its own provider only.
fn files(settings: &Settings, trust: &Trust) -> anyhow::Result<Files> {
    let mut allowed = BTreeMap::new();
    for (slug, endpoint) in &settings.endpoints {
        let hosts =
            channels::by_name(&endpoint.provider).map_or(&[][..], |channel| channel.file_hosts());
        let hosts = hosts.iter().map(|host| format!("https://{host}"));
        let own = endpoint.options.get("base_url").cloned();
        allowed.insert(slug.clone(), hosts.chain(own).collect());
    }
    allowed.insert(BUSY.to_owned(), settings.calendar_hosts.clone());
    Ok(Files::new(FilesConfig {
        trust: trust.clone(),
        allowed,
        connect_timeout: Duration::from_secs(settings.wire.connect_seconds),
        read_timeout: Duration::from_secs(settings.wire.read_seconds),
        total_timeout: Duration::from_secs(settings.media.seconds),
        proxy: settings
            .wire
            .proxy
            .as_ref()
            .map(|proxy| proxy.expose_secret().to_owned()),
        loopback: settings.media.loopback,
    })?)
}

/// Builds the App on an open, migrated database.
pub async fn app(
    settings: &Settings,
    store: Store,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
) -> anyhow::Result<App> {
    app_of(settings, configuration(settings)?, store, clock, chance).await
}

/// The same with flows and texts that are read already: organisations, teams and lines of the settings are
/// brought up to date, flows get their versions.
pub async fn app_of(
    settings: &Settings,
    configuration: Configuration,
    store: Store,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
) -> anyhow::Result<App> {
    settings.check(&providers())?;
    let Configuration {
        mut book,
        vocabulary,
        cadence,
        experiments,
    } = configuration;
    let now = clock.now();
    let mut tx = store.write().await?;
    tx.check_masters().await?;
    keep_versions(&mut tx, &mut book, now).await?;
    let mut houses = BTreeMap::new();
    let mut by_slug = BTreeMap::new();
    for (slug, organisation) in &settings.organisations {
        let zone = organisation.zone;
        let new = chance.id(now);
        let id =
            lines::put_organisation(&mut tx, new, slug, &organisation.name, zone.name()).await?;
        let mut teams = Vec::new();
        for name in &organisation.teams {
            teams.push((
                lines::put_team(&mut tx, chance.id(now), id, name).await?,
                name.clone(),
            ));
        }
        by_slug.insert(slug.as_str(), id);
        houses.insert(
            id,
            House {
                id,
                slug: slug.clone(),
                name: organisation.name.clone(),
                zone,
                holidays: Holidays {
                    own: organisation.holidays.clone(),
                },
                teams,
            },
        );
    }
    let mut known = BTreeMap::new();
    for (slug, line) in &settings.lines {
        let organisation = *by_slug
            .get(line.organisation.as_str())
            .with_context(|| format!("lines.{slug}.organisation names no organisation"))?;
        let endpoint = settings
            .endpoints
            .get(&line.endpoint)
            .with_context(|| format!("lines.{slug}.endpoint names no endpoint"))?;
        let new = NewLine {
            id: chance.id(now),
            organisation,
            endpoint: &line.endpoint,
            channel: &endpoint.provider,
            address: &line.address,
            display: &line.display,
        };
        let id = lines::put_line(&mut tx, &new).await?;
        known.insert(
            id,
            Line {
                id,
                organisation,
                endpoint: line.endpoint.clone(),
                address: line.address.clone(),
                display: line.display.clone(),
            },
        );
    }
    tx.commit().await?;
    let mut doors = BTreeMap::new();
    for (slug, endpoint) in &settings.endpoints {
        let channel = channels::by_name(&endpoint.provider)
            .with_context(|| format!("endpoints.{slug}.provider is unknown"))?;
        let endpoint = Endpoint {
            slug: slug.clone(),
            provider: endpoint.provider.clone(),
            options: endpoint.options.clone(),
            secrets: endpoint.secrets.clone(),
        };
        doors.insert(slug.clone(), Door { endpoint, channel });
    }
    let trust = Trust::read()?;
    let seconds = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Ok(App {
        store,
        clock,
        chance,
        transport: transport(settings, &trust)?,
        files: files(settings, &trust)?,
        vacancies: feeds::setup(settings, &houses, trust)?,
        book: Arc::new(book),
        vocabulary: Arc::new(vocabulary),
        cadence: Arc::new(cadence),
        experiments: Arc::new(experiments),
        houses,
        lines: known,
        doors,
        limits: Limits {
            undo_seconds: seconds(settings.approve.undo_seconds),
            in_flight: settings.send.in_flight,
            per_line_second: u32::try_from(settings.send.per_second).unwrap_or(u32::MAX),
            pair_seconds: seconds(settings.send.pair_seconds),
            // Longer than any answer may take, so that a lease never runs out under a live attempt.
            lease_seconds: seconds(settings.wire.total_seconds)
                .saturating_mul(2)
                .max(30),
            largest: Largest {
                image: settings.media.image_bytes,
                audio: settings.media.audio_bytes,
                video: settings.media.video_bytes,
                document: settings.media.document_bytes,
                sticker: settings.media.sticker_bytes,
            },
            // Two questions and the keeping, and then some.
            fetch_lease_seconds: seconds(settings.media.seconds)
                .saturating_mul(2)
                .saturating_add(60),
            public_url: settings
                .public_url
                .as_str()
                .trim_end_matches('/')
                .to_owned(),
        },
        retention: retention(settings),
        inlet: Inlet::new(settings.receive.queue),
        rates: Rates::default(),
        data_dir: settings.data_dir.clone(),
        numbers: Arc::new(Numbers::new(now)),
        unpacked: Unpacked::default(),
        pulse: Pulse::default(),
    })
}

/// An operator who starts the service has looked: lines that stood still go on.
pub async fn resume_lines(app: &App) -> anyhow::Result<()> {
    let mut tx = app.store.write().await?;
    for line in app.lines.keys() {
        lines::resume_line(&mut tx, *line).await?;
    }
    Ok(tx.commit().await?)
}

/// How long what is kept.
pub fn retention(settings: &Settings) -> Retention {
    let days = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Retention {
        raw_days: days(settings.retention.raw_days),
        seen_days: days(settings.retention.seen_days),
        aside_days: days(settings.retention.aside_days),
        receipt_days: days(settings.retention.receipt_days),
        backup_days: days(settings.retention.backup_days),
        idle_seconds: days(settings.session.idle_minutes).saturating_mul(60),
    }
}

/// Newest versions into the database, older ones from it into the book: a run finishes on the version it
/// began with.
async fn keep_versions(
    tx: &mut crate::store::Tx,
    book: &mut Book,
    now: crate::domain::time::Timestamp,
) -> anyhow::Result<()> {
    for version in book.versions() {
        let stored = Version {
            hash: version.hash().clone(),
            name: version.name().to_owned(),
            definition: version.definition_source().to_owned(),
            texts: version.texts_source(),
        };
        flows::put(tx, &stored, now).await?;
    }
    for stored in flows::all(tx).await? {
        if book.flow(&stored.hash).is_none() {
            let version = FlowVersion::from_stored(&stored.name, &stored.definition, &stored.texts)
                .map_err(|problems| {
                    let first = problems
                        .first()
                        .map(ToString::to_string)
                        .unwrap_or_default();
                    anyhow::anyhow!("the stored flow {} cannot be read: {first}", stored.name)
                })?;
            book.add_old(version);
        }
    }
    Ok(())
}
