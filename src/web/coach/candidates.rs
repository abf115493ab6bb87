//! The list of candidates, and the search by name.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{Chip, said, today};
use crate::app::desk::{self, PersonRow};
use crate::domain::contact::CandidateState;
use crate::domain::time::{Timestamp, Tz};
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::view::Page;
use crate::web::words::Words;
use crate::web::{At, Desk};

/// Part of a name.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    naam: String,
}

pub async fn page(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let scope = visit.scope()?;
    let words = &visit.words;
    let now = desk.app.now();
    let zone = desk.app.house(scope.organisation)?.zone;
    let (_, mut people) = desk::people(&desk.app, scope).await?;
    // Names are sealed in the database, so they are compared here.
    let wanted = plain(&asked.naam);
    people.retain(|person| plain(&person.name.full()).contains(&wanted));
    people.sort_by_cached_key(|person| plain(&person.name.full()));
    let page = CandidatesPage {
        wide: false,
        asked: asked.naam.trim().to_owned(),
        count: words.count("candidates.count", people.len()),
        rows: people
            .iter()
            .map(|person| row(words, person, now, zone))
            .collect(),
    };
    let title = words.say("candidates.title");
    let frame = desk
        .frame(&visit, At::Candidates, title, "/nieuws".into())
        .await?;
    desk.page(&visit, &frame, &page)
}

/// Without capitals and accents: who looks for "yildiz" means Yıldız.
fn plain(name: &str) -> String {
    name.nfd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .map(|letter| if letter == 'ı' { 'i' } else { letter })
        .collect::<String>()
        .trim()
        .to_owned()
}

fn row(words: &Words, person: &PersonRow, now: Timestamp, zone: Tz) -> Row {
    let skill = words.say(&format!("skill.{}", person.skill.as_str()));
    let mut chips = Vec::new();
    if person.unanswered_since.is_some() {
        chips.push(Chip::new("wait", words.say("today.waiting")));
    }
    if person.with_coach {
        chips.push(Chip::new("brand", words.say("candidates.with_coach")));
    }
    if let Some(until) = person
        .paused_until
        .filter(|until| *until >= now.local_day(zone))
    {
        let when = words.near_day(until, now, zone);
        chips.push(Chip::new(
            "",
            words.fill("candidates.paused", &[("when", &when)]),
        ));
    }
    match person.state {
        CandidateState::Unknown => chips.push(Chip::new("wait", words.say("candidates.unknown"))),
        CandidateState::Left => chips.push(Chip::new("alarm", words.say("candidates.left"))),
        CandidateState::Active | CandidateState::Paused | CandidateState::Erased => {}
    }
    if let Some(days) = today::silent_days(person, now, zone) {
        chips.push(Chip::new("wait", words.count("today.days", days)));
    }
    Row {
        href: said::href(person.id),
        name: person.name.full(),
        facts: format!(
            "{} · {}",
            words.say(&format!("track.{}", person.track.as_str())),
            words.fill("person.skill", &[("skill", &skill)])
        ),
        chips,
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct CandidatesPage {
    pub wide: bool,
    pub asked: String,
    pub count: String,
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub href: String,
    pub name: String,
    pub facts: String,
    pub chips: Vec<Chip>,
}

impl Page for CandidatesPage {
    const TEMPLATE: &'static str = "candidates";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let row = |name: &str, chips: Vec<Chip>| Row {
            href: "/kandidaten/01J00000000000000000000001".into(),
            name: name.to_owned(),
            facts: format!(
                "{} · {}",
                words.say("track.participation"),
                words.fill("person.skill", &[("skill", &words.say("skill.starter"))])
            ),
            chips,
        };
        vec![
            (
                "some",
                Self {
                    wide: false,
                    asked: String::new(),
                    count: words.count("candidates.count", 3),
                    rows: vec![
                        row(
                            "Fatma Yıldız",
                            vec![Chip::new("wait", words.say("today.waiting"))],
                        ),
                        row(
                            "Yusuf Kaya",
                            vec![Chip::new("wait", words.count("today.days", 13))],
                        ),
                        row("<b>Robert</b> \"Bob\" O'Neill", Vec::new()),
                    ],
                },
            ),
            (
                "none",
                Self {
                    wide: false,
                    asked: "xyz".into(),
                    count: words.count("candidates.count", 0),
                    rows: Vec::new(),
                },
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_without_accents_and_capitals() {
        assert!(plain("Fatma Yıldız").contains(&plain("yildiz")));
        assert!(plain("Goran Petrović").contains(&plain(" PETROVIC ")));
        assert!(!plain("Goran Petrović").contains(&plain("Peters")));
        assert!(plain("Goran Petrović").contains(&plain("")));
    }
}
