//! `demo`: the whole service on a folder of its own, with made-up people, phones that are a page, and a
//! clock that is put forward by hand. Nothing leaves the machine.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::NaiveDate;
use secrecy::SecretString;
use url::Url;

use super::serve::{held, serve, web_config};
use super::{chance, log, say};
use crate::app::{forward, seed};
use crate::assemble;
use crate::domain::time::{Timestamp, local_moment};
use crate::ports::chance::{Chance, SystemChance};
use crate::ports::clock::{Clock, ShiftedClock, SystemClock};
use crate::settings::Settings;
use crate::web;

/// Clocks that jump weeks ahead must not sign a coach out.
const SESSION_DAYS: u64 = 3650;

pub async fn run(data_dir: &Path, listen: SocketAddr) -> anyhow::Result<()> {
    let mut fresh = [0; 64];
    SystemChance.fill(&mut fresh);
    let mut settings = Settings::demo_from_process(data_dir, &fresh)?;
    log::begin(&settings.log);
    let (listener, address) = bound(listen).await?;
    settings.listen = address;
    settings.public_url = Url::parse(&format!("http://{address}/"))?;
    settings.session.idle_minutes = SESSION_DAYS * 24 * 60;
    settings.session.absolute_hours = SESSION_DAYS * 24;
    for endpoint in settings.endpoints.values_mut() {
        let base_url = format!("http://{address}/simulator");
        endpoint.options.insert("base_url".to_owned(), base_url);
        for name in ["webhook_secret", "access_token"] {
            endpoint
                .secrets
                .insert(name.to_owned(), SecretString::from(chance().token()));
        }
    }
    let _held = held(&settings)?;
    let store = assemble::store(&settings, chance()).await?;
    store.migrate().await?;
    let machine = SystemClock.now();
    let clock =
        ShiftedClock::starting_at(forward::starts_at(&store, machine, first_morning()).await?);
    let app = assemble::app(&settings, store, Arc::new(clock.clone()), chance()).await?;
    let app = Arc::new(app);
    seed::seed(&app, app.now())
        .await
        .context("the demo's people cannot be made")?;
    forward::keep_shift(&app, SystemClock.now()).await?;
    let config = web_config(&settings);
    let site = web::router(&app, &config)?;
    let router = web::demo::router(site, &app, clock, &config)?;
    say("Open the page below in a browser and press \"next morning\". Ctrl+C ends the demo.")?;
    serve(app, &settings, Some((listener, router)), true).await
}

/// The address that was asked for; if it is taken, any free one beside it.
async fn bound(listen: SocketAddr) -> anyhow::Result<(tokio::net::TcpListener, SocketAddr)> {
    anyhow::ensure!(
        listen.ip().is_loopback(),
        "the demo shows everything to whoever asks: it listens on this machine only, as in 127.0.0.1:8080"
    );
    let listener = match tokio::net::TcpListener::bind(listen).await {
        Ok(listener) => listener,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            tokio::net::TcpListener::bind(SocketAddr::new(listen.ip(), 0)).await?
        }
        Err(error) => return Err(error).with_context(|| format!("cannot listen on {listen}")),
    };
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Tuesday 24 November 2026, 08:52 in Amsterdam: before anything of that day falls due.
fn first_morning() -> Timestamp {
    let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap_or_default();
    local_moment(day, 8, 52, chrono_tz::Europe::Amsterdam)
}
