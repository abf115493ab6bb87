//! The feeds of the settings, and the way to them.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use secrecy::ExposeSecret;

use crate::app::House;
use crate::app::vacancies::{Feed, Limits, Place, Setup};
use crate::domain::ids::OrganisationId;
use crate::domain::places::Places;
use crate::domain::time::Cron;
use crate::settings::{FeedPlace, Settings};
use crate::wire::feeds::{Format, Mapping};
use crate::wire::files::{Files, FilesConfig};
use crate::wire::tls::Trust;

/// Everything about vacancies that the settings say. A feed may be asked at its own address only.
pub(super) fn setup(
    settings: &Settings,
    houses: &BTreeMap<OrganisationId, House>,
    trust: Trust,
) -> anyhow::Result<Setup> {
    let mut feeds = Vec::new();
    let mut allowed = BTreeMap::new();
    for (name, written) in &settings.feeds {
        let at = || format!("feeds.{name}");
        let organisation = houses
            .values()
            .find(|house| house.slug == written.organisation)
            .with_context(|| format!("{}.organisation names no organisation", at()))?;
        let looks = Cron::parse(&written.looks)
            .with_context(|| format!("the setting {}.looks is wrong", at()))?;
        let format = Format::parse(&written.format)
            .with_context(|| format!("the setting {}.format is wrong", at()))?;
        let place = match &written.place {
            FeedPlace::Url(url) => {
                allowed.insert(name.clone(), vec![url.origin().ascii_serialization()]);
                Place::Url(url.to_string())
            }
            FeedPlace::File(path) => Place::File(path.clone()),
        };
        feeds.push(Feed {
            name: name.clone(),
            organisation: organisation.id,
            place,
            format,
            looks,
            whole: written.whole,
            mapping: Mapping {
                items: written.items.clone(),
                fields: written.fields.clone(),
                always: written.always.clone(),
            },
        });
    }
    let own = &settings.vacancies;
    let days = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Ok(Setup {
        feeds,
        wire: Files::new(FilesConfig {
            trust,
            allowed,
            connect_timeout: Duration::from_secs(settings.wire.connect_seconds),
            read_timeout: Duration::from_secs(settings.wire.read_seconds),
            total_timeout: Duration::from_secs(own.seconds),
            proxy: settings
                .wire
                .proxy
                .as_ref()
                .map(|proxy| proxy.expose_secret().to_owned()),
            loopback: own.loopback,
        })?,
        places: Places::builtin()?,
        limits: Limits {
            body_bytes: own.feed_bytes,
            fresh_days: days(own.fresh_days),
            a_day: count(own.a_day),
            in_seven_days: count(own.in_seven_days),
        },
    })
}
