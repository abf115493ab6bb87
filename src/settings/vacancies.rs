//! The settings of vacancies and of the feeds they come from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::{SettingsError, missing, wrong};

/// Limits, and how often somebody is asked.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vacancies {
    pub feed_bytes: usize,
    /// One feed, from the look-up of its name to the last byte.
    pub seconds: u64,
    pub fresh_days: u64,
    pub a_day: u64,
    pub in_seven_days: u64,
    /// This machine counts as a host of feeds too, without https.
    pub loopback: bool,
}

/// One feed: where it is, what it is, when it is looked at.
#[derive(Debug, Clone)]
pub struct Feed {
    pub organisation: String,
    pub place: FeedPlace,
    /// `json`, `csv` or `rss`.
    pub format: String,
    /// Six fields: second minute hour day month weekday.
    pub looks: String,
    pub whole: bool,
    pub items: String,
    pub fields: BTreeMap<String, String>,
    pub always: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub enum FeedPlace {
    Url(Url),
    File(PathBuf),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenFeed {
    organisation: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    file: String,
    format: String,
    #[serde(default = "mornings")]
    looks: String,
    /// RSS tells its newest only; the others tell everything.
    whole: Option<bool>,
    #[serde(default)]
    items: String,
    #[serde(default)]
    fields: BTreeMap<String, String>,
    #[serde(default)]
    always: BTreeMap<String, String>,
}

fn mornings() -> String {
    "0 0 6 * * *".to_owned()
}

/// Our names of the fields of a vacancy.
pub const FIELDS: [&str; 10] = [
    "reference",
    "title",
    "employer",
    "text",
    "url",
    "postcode",
    "town",
    "hours",
    "needs",
    "closes",
];

/// A feed is read into memory as one piece.
const MOST_BYTES: usize = 64 * 1024 * 1024;

impl Vacancies {
    pub(super) fn within_limits(&self) -> Result<(), SettingsError> {
        if !(1_000..=MOST_BYTES).contains(&self.feed_bytes) {
            let expected = format!("a number from 1000 to {MOST_BYTES}");
            return Err(wrong("vacancies.feed_bytes", expected));
        }
        for (setting, value, most) in [
            ("vacancies.seconds", self.seconds, 300),
            ("vacancies.fresh_days", self.fresh_days, 365),
            ("vacancies.a_day", self.a_day, 10),
            ("vacancies.in_seven_days", self.in_seven_days, 70),
        ] {
            if !(1..=most).contains(&value) {
                return Err(wrong(setting, format!("a number from 1 to {most}")));
            }
        }
        Ok(())
    }
}

impl WrittenFeed {
    /// `loopback`: http to this machine is fine.
    pub(super) fn checked(self, at: &str, loopback: bool) -> Result<Feed, SettingsError> {
        let place = match (self.url.as_str(), self.file.as_str()) {
            ("", "") => {
                return Err(missing(
                    format!("{at}.url"),
                    "an https:// address, or a file",
                ));
            }
            ("", file) => FeedPlace::File(PathBuf::from(file)),
            (url, "") => {
                let expected = "an https:// address without a name or password in it";
                let setting = format!("{at}.url");
                let url: Url = url.parse().map_err(|_| wrong(setting.clone(), expected))?;
                let local = loopback && url.scheme() == "http";
                let bare = url.username().is_empty() && url.password().is_none();
                if !(url.scheme() == "https" || local) || !bare || !url.has_host() {
                    return Err(wrong(setting, expected));
                }
                FeedPlace::Url(url)
            }
            _ => return Err(wrong(format!("{at}.file"), "either a url or a file")),
        };
        let format = self.format.as_str();
        if !["json", "csv", "rss"].contains(&format) {
            return Err(wrong(
                format!("{at}.format"),
                "json, csv or rss (also for Atom)",
            ));
        }
        for (table, names) in [("fields", &self.fields), ("always", &self.always)] {
            if let Some(name) = names.keys().find(|name| !FIELDS.contains(&name.as_str())) {
                return Err(SettingsError::Unknown {
                    setting: format!("{at}.{table}.{name}"),
                });
            }
        }
        Ok(Feed {
            whole: self.whole.unwrap_or(format != "rss"),
            organisation: self.organisation,
            place,
            format: self.format,
            looks: self.looks,
            items: self.items,
            fields: self.fields,
            always: self.always,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> WrittenFeed {
        WrittenFeed {
            organisation: "waterstad".into(),
            url: "https://werk.example/feed".into(),
            file: String::new(),
            format: "json".into(),
            looks: mornings(),
            whole: None,
            items: String::new(),
            fields: BTreeMap::new(),
            always: BTreeMap::new(),
        }
    }

    #[test]
    fn a_feed_is_an_https_address_or_a_file() {
        assert!(written().checked("feeds.x", false).is_ok());
        for url in [
            "",
            "werk.example",
            "http://werk.example/feed",
            "http://127.0.0.1/feed",
            "https://ik:geheim@werk.example/",
            "file:///etc/passwd",
        ] {
            let wrong = WrittenFeed {
                url: url.into(),
                ..written()
            };
            let said = wrong.checked("feeds.x", false).unwrap_err().to_string();
            assert!(said.contains("feeds.x.url"), "{url}: {said}");
        }
        let local = WrittenFeed {
            url: "http://127.0.0.1/feed".into(),
            ..written()
        };
        assert!(local.checked("feeds.x", true).is_ok());
    }

    #[test]
    fn a_field_that_nobody_knows_is_named() {
        let mut wrong = written();
        wrong.fields.insert("salary".into(), "loon".into());
        let said = wrong.checked("feeds.x", false).unwrap_err().to_string();
        assert!(said.contains("feeds.x.fields.salary"), "{said}");
    }

    #[test]
    fn a_feed_of_the_newest_does_not_close_what_it_no_longer_tells() {
        let rss = WrittenFeed {
            format: "rss".into(),
            ..written()
        };
        assert!(!rss.checked("feeds.x", false).unwrap().whole);
        assert!(written().checked("feeds.x", false).unwrap().whole);
    }
}
