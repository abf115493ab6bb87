//! A file that a person sent, as a download: never shown inside a page of ours, under a name of our own,
//! and shut up so that nothing in it can act in our name. What stands about it in the thread is here too.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::shown::Telling;
use super::view::FileShown;
use super::{Opened, candidate_of, seal, sealed};
use crate::app::desk::{FileRow, IncomingRow};
use crate::app::media;
use crate::domain::ids::IncomingId;
use crate::domain::media::{State as Kept, Type};
use crate::domain::time::{Timestamp, Tz};
use crate::web::Desk;
use crate::web::coach::said;
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::words::Words;

/// Takes the page's own policy away from whatever the browser makes of it.
const SHUT: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

pub async fn get(
    State(desk): State<Desk>,
    visit: Visit,
    Path((id, file)): Path<(String, String)>,
    Query(opened): Query<Opened>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    let incoming: IncomingId = file.parse().map_err(|_| WebError::NotFound)?;
    let scope = visit.scope()?;
    let file = media::open(&desk.app, scope, id, incoming).await?;
    let hidden = !said::masked(&visit.words, &file.marks).is_empty();
    if hidden && !sealed(&visit, incoming, &opened.zegel) {
        return Err(WebError::NotFound);
    }
    let zone = desk.app.house(scope.organisation)?.zone;
    let name = name(&visit.words, &file.kind, file.found, file.at, zone);
    let told = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .map_err(|_| WebError::NotFound)?;
    let fixed = HeaderValue::from_static;
    let headers = [
        (header::CONTENT_TYPE, fixed(file.found.mime())),
        (header::CONTENT_DISPOSITION, told),
        (header::CONTENT_SECURITY_POLICY, fixed(SHUT)),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            fixed("same-origin"),
        ),
    ];
    Ok((headers, file.bytes).into_response())
}

/// `foto-20260303-0931.jpg`: what it is and when it came, in letters that every system takes.
fn name(words: &Words, kind: &str, found: Type, at: Timestamp, zone: Tz) -> String {
    let word: String = words
        .say(&format!("kind.{}", said::file_kind(kind)))
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let at = at.local(zone).format("%Y%m%d-%H%M");
    format!("{word}-{at}.{}", found.ending())
}

impl Telling<'_> {
    /// What stands under a message that came with a file; `opened` if its hidden text was.
    pub(super) fn file(&self, row: &IncomingRow, opened: bool) -> Vec<FileShown> {
        let Some(file) = self.case.files.get(&row.id) else {
            return Vec::new();
        };
        let mut shown = FileShown::default();
        match (file.state, Type::parse(&file.mime)) {
            (Kept::Stored, Some(found)) => {
                let person = said::href(self.case.person.candidate.id);
                shown.href = format!("{person}/bestanden/{}", file.id);
                if opened {
                    shown.href = format!("{}?zegel={}", shown.href, seal(self.visit, row.id));
                }
                shown.word = self.word(file, found);
            }
            _ => shown.why = self.why(file),
        }
        vec![shown]
    }

    fn word(&self, file: &FileRow, found: Type) -> String {
        let kind = self
            .words
            .say(&format!("kind.{}", said::file_kind(&file.kind)));
        let size = self.words.size(file.bytes);
        let values = [("kind", &*kind), ("type", found.ending()), ("size", &size)];
        self.words.fill("file.get", &values)
    }

    fn why(&self, file: &FileRow) -> String {
        let name = [("name", self.name)];
        match (file.state, file.why) {
            (Kept::Wanted, None) => self.words.say("file.wanted"),
            (Kept::Wanted, Some(_)) => self.words.say("file.again"),
            (_, Some(why)) => self
                .words
                .fill(&format!("file.why.{}", why.as_str()), &name),
            (_, None) => self.words.fill("file.why.no_answer", &name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::media::{Kind, Why};
    use crate::web::view::Pages;
    use crate::web::words::Locale;

    #[test]
    fn every_reason_has_its_sentence() {
        let pages = Pages::load().unwrap();
        for locale in Locale::ALL {
            let words = pages.words(locale);
            for why in Why::ALL {
                let key = format!("file.why.{}", why.as_str());
                assert!(words.has(&key), "no text {key}");
            }
        }
    }

    #[test]
    fn every_name_is_plain_letters() {
        let pages = Pages::load().unwrap();
        let at = Timestamp::from_seconds(1_772_526_660);
        for locale in Locale::ALL {
            let words = pages.words(locale);
            for (kind, found) in Kind::ALL.into_iter().zip(Type::ALL) {
                let name = name(
                    &words,
                    kind.as_str(),
                    found,
                    at,
                    chrono_tz::Europe::Amsterdam,
                );
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
                assert!(name.chars().all(plain), "{name}");
                assert!(
                    name.ends_with(&format!("-20260303-0931.{}", found.ending())),
                    "{name}"
                );
            }
        }
    }
}
