//! What a person looks for: the part of their page that tells it, the page on which a coach writes it, and the
//! one click that takes back what an answer changed.

use std::collections::BTreeSet;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

use super::said::candidate_of;
use super::{Chip, said};
use crate::app::vacancies::pages::{self, Looking};
use crate::app::vacancies::search::{self, Written};
use crate::app::vacancies::{Hours, Learned, Lesson, Match, Need, Reason, State as Became};
use crate::app::{AppError, desk};
use crate::domain::ids::CandidateId;
use crate::domain::time::{Timestamp, Tz};
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::told::{Done, told};
use crate::web::view::Page;
use crate::web::words::Words;
use crate::web::{At, Desk};

/// Matches on the page of a person; the page of their search shows all.
const FEW: usize = 5;

/// The part of a person's page about work.
#[derive(Debug, Clone, Serialize)]
pub struct Work {
    pub id: String,
    /// What is looked for, in a line each; empty: nobody wrote it.
    pub lines: Vec<String>,
    pub lessons: Vec<LessonRow>,
    pub matches: Vec<MatchRow>,
}

/// What an answer changed.
#[derive(Debug, Clone, Serialize)]
pub struct LessonRow {
    /// Whose page takes it back.
    pub person: String,
    pub text: String,
    pub when: String,
    /// Names it to the form that takes it back; empty: it cannot be taken back.
    pub undo: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct MatchRow {
    pub href: String,
    pub title: String,
    pub about: String,
    pub chip: Vec<Chip>,
    pub when: String,
}

/// The part of a person's page, as it stands now.
pub(super) async fn part(desk: &Desk, visit: &Visit, id: CandidateId) -> Result<Work, WebError> {
    let scope = visit.scope()?;
    let looking = pages::looking(&desk.app, scope, id).await?;
    let zone = desk.app.house(scope.organisation)?.zone;
    let mut work = work(&visit.words, id, &looking, desk.app.now(), zone);
    work.matches.truncate(FEW);
    Ok(work)
}

fn work(words: &Words, id: CandidateId, looking: &Looking, now: Timestamp, zone: Tz) -> Work {
    let lessons = looking.search.learned.iter().rev();
    Work {
        id: id.to_string(),
        lines: lines(words, looking),
        lessons: lessons
            .map(|learned| lesson(words, id, looking, learned, now, zone))
            .collect(),
        matches: looking
            .matches
            .iter()
            .filter_map(|(found, vacancy)| {
                let vacancy = vacancy.as_ref()?;
                Some(MatchRow {
                    href: format!("/vacatures/{}", vacancy.id),
                    title: format!("{} · {}", vacancy.title, vacancy.employer),
                    about: reasons(words, &found.reasons),
                    chip: vec![became(words, found.state)],
                    when: when(words, found, now, zone),
                })
            })
            .collect(),
    }
}

/// When it was answered, else asked.
pub(super) fn when(words: &Words, found: &Match, now: Timestamp, zone: Tz) -> String {
    let at = found.answered_at.or(found.asked_at);
    at.map(|at| words.moment(at, now, zone)).unwrap_or_default()
}

fn lines(words: &Words, looking: &Looking) -> Vec<String> {
    let search = &looking.search;
    if looking.version.is_none() || search.words.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![search.words.join(", ")];
    lines.push(if search.pc4.is_empty() {
        words.say("work.anywhere")
    } else {
        let values = [
            ("km", search.radius_km.to_string()),
            ("place", search.pc4.clone()),
        ];
        let values: Vec<(&str, &str)> = values.iter().map(|(k, v)| (*k, v.as_str())).collect();
        words.fill("work.around", &values)
    });
    if search.hours.known() {
        lines.push(hours(words, search.hours));
    }
    lines
}

/// "24 tot 32 uur", or that nobody told.
pub(super) fn hours(words: &Words, hours: Hours) -> String {
    if !hours.known() {
        return words.say("work.no_hours");
    }
    let (least, most) = (hours.least.to_string(), hours.most.to_string());
    if hours.least == hours.most {
        return words.fill("work.hours_same", &[("most", &most)]);
    }
    words.fill("work.hours", &[("least", &least), ("most", &most)])
}

pub(super) fn need(words: &Words, need: Need) -> String {
    words.say(&format!("need.{}", need.as_str()))
}

/// The reasons of a match as a coach reads them.
pub(super) fn reasons(words: &Words, reasons: &[Reason]) -> String {
    let told: Vec<String> = reasons
        .iter()
        .map(|reason| match reason {
            Reason::Km(km) => words.fill("reason.km", &[("km", &km.to_string())]),
            Reason::Hours => words.say("reason.hours"),
            Reason::NotNeeded(lacks) => {
                words.fill("reason.not_needed", &[("what", &need(words, *lacks))])
            }
            Reason::Words(_) => words.say("reason.words"),
        })
        .collect();
    told.join(" · ")
}

/// What became of a match, as a chip.
pub(super) fn became(words: &Words, state: Became) -> Chip {
    let tone = match state {
        Became::Yes => "good",
        Became::Asked => "wait",
        Became::AskCoach => "brand",
        _ => "",
    };
    Chip::new(tone, words.say(&format!("match.{}", state.as_str())))
}

fn lesson(
    words: &Words,
    id: CandidateId,
    looking: &Looking,
    learned: &Learned,
    now: Timestamp,
    zone: Tz,
) -> LessonRow {
    let title = looking.titles.get(&learned.vacancy);
    let title = title.map_or("", String::as_str);
    let text = match &learned.lesson {
        Lesson::Nearer { from, to } => words.fill(
            "lesson.nearer",
            &[
                ("title", title),
                ("from", &from.to_string()),
                ("to", &to.to_string()),
            ],
        ),
        Lesson::Hours { to, .. } => words.fill(
            "lesson.hours",
            &[("title", title), ("to", &hours(words, *to))],
        ),
        Lesson::NotThen { times } => {
            let times: Vec<String> = times.iter().map(|time| need(words, *time)).collect();
            words.fill(
                "lesson.not_then",
                &[("title", title), ("times", &times.join(", "))],
            )
        }
        Lesson::NotThis { words: refused } => words.fill(
            "lesson.not_this",
            &[("title", title), ("words", &refused.0)],
        ),
        Lesson::Nothing => words.fill("lesson.nothing", &[("title", title)]),
    };
    let text = if learned.undone {
        words.fill("lesson.undone", &[("what", &text)])
    } else {
        text
    };
    let undo = looking.search.can_unlearn(learned);
    LessonRow {
        person: id.to_string(),
        text,
        when: words.moment(learned.at, now, zone),
        undo: if undo {
            learned.at.0.to_string()
        } else {
            String::new()
        },
    }
}

pub async fn page(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    let scope = visit.scope()?;
    let words = &visit.words;
    let person = desk::person(&desk.app, scope, id).await?;
    let looking = pages::looking(&desk.app, scope, id).await?;
    let zone = desk.app.house(scope.organisation)?.zone;
    let search = &looking.search;
    let open = |hours: u32| match hours {
        0 => String::new(),
        hours => hours.to_string(),
    };
    let name = &person.candidate.first_name;
    let page = WorkPage {
        wide: false,
        heading: words.fill("work.heading", &[("name", name)]),
        words: search.words.join(", "),
        not_words: search.not_words.join(", "),
        place: search.pc4.clone(),
        radius: search.radius_km,
        least: open(search.hours.least),
        most: open(search.hours.most),
        needs: Need::ALL
            .iter()
            .map(|it| Tick {
                name: format!("heeft_{}", it.as_str()),
                word: need(words, *it),
                on: search.has.contains(it),
            })
            .collect(),
        version: looking.version.map_or(-1, |version| version),
        work: work(words, id, &looking, desk.app.now(), zone),
    };
    let news = format!("/nieuws?kandidaat={id}");
    let title = page.heading.clone();
    let mut frame = desk.frame(&visit, At::Candidates, title, news).await?;
    frame.told = told(&desk, &visit, &done).await?;
    desk.page(&visit, &frame, &page)
}

const FIELDS: [&str; 7] = [
    "versie",
    "woorden",
    "niet",
    "plek",
    "straal",
    "minstens",
    "hoogstens",
];

pub async fn save(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    let fields = &visit.fields;
    let mut has = BTreeSet::new();
    let mut others = Vec::new();
    for (name, _) in fields.all() {
        match name.strip_prefix("heeft_").map(Need::parse) {
            Some(Some(need)) => drop(has.insert(need)),
            Some(None) => return Err(WebError::Bad),
            None => others.push(name),
        }
    }
    if others.iter().any(|name| !FIELDS.contains(name)) {
        return Err(WebError::Bad);
    }
    let number = |name: &str, why: &'static str| -> Result<u32, WebError> {
        match fields.maybe(name).trim() {
            "" => Ok(0),
            text => text.parse().map_err(|_| AppError::No { why }.into()),
        }
    };
    let version: i64 = fields.parsed("versie")?;
    let written = Written {
        words: fields.text("woorden")?.to_owned(),
        not_words: fields.maybe("niet").to_owned(),
        postcode: fields.maybe("plek").to_owned(),
        radius_km: number("straal", "search_radius")?,
        least: number("minstens", "search_hours")?,
        most: number("hoogstens", "search_hours")?,
        has,
        version: (version >= 0).then_some(version),
    };
    search::save(&desk.app, visit.scope()?, id, &written).await?;
    Ok(go(id, "search_saved"))
}

/// Takes back what the answer of one moment changed.
pub async fn undo(
    State(desk): State<Desk>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, WebError> {
    let id = candidate_of(&id)?;
    visit.fields.only(&["les"])?;
    let at = Timestamp(visit.fields.parsed("les")?);
    search::unlearn(&desk.app, visit.scope()?, id, at).await?;
    Ok(go(id, "unlearned"))
}

fn go(id: CandidateId, key: &str) -> Response {
    let to = format!("{}/werk?gedaan={key}&kandidaat={id}", said::href(id));
    Redirect::to(&to).into_response()
}

/// The page on which a search is written.
#[derive(Debug, Clone, Serialize)]
pub struct WorkPage {
    pub wide: bool,
    pub heading: String,
    pub words: String,
    pub not_words: String,
    pub place: String,
    pub radius: u32,
    pub least: String,
    pub most: String,
    pub needs: Vec<Tick>,
    /// Of the search; -1: there is none yet.
    pub version: i64,
    pub work: Work,
}

#[derive(Debug, Clone, Serialize)]
pub struct Tick {
    pub name: String,
    pub word: String,
    pub on: bool,
}

impl Work {
    /// As a page shows it, in the words of one language.
    pub(super) fn sample(words: &Words) -> Self {
        let person = "01J00000000000000000000001";
        let row = |title: &str, state: Became, when: &str| MatchRow {
            href: "/vacatures/01J00000000000000000000002".into(),
            title: title.to_owned(),
            about: reasons(words, &[Reason::Km(6), Reason::NotNeeded(Need::DrivingB)]),
            chip: vec![became(words, state)],
            when: when.to_owned(),
        };
        Self {
            id: person.into(),
            lines: vec![
                "magazijn, orderpicker".into(),
                words.fill("work.around", &[("km", "12"), ("place", "1102")]),
                hours(
                    words,
                    Hours {
                        least: 16,
                        most: 32,
                    },
                ),
            ],
            lessons: vec![
                LessonRow {
                    person: person.into(),
                    text: words.fill(
                        "lesson.nearer",
                        &[("title", "Kok"), ("from", "15"), ("to", "12")],
                    ),
                    when: "08:31".into(),
                    undo: "1790000000000000".into(),
                },
                LessonRow {
                    person: person.into(),
                    text: words.fill("lesson.nothing", &[("title", "Bakker")]),
                    when: "di 24 nov".into(),
                    undo: String::new(),
                },
            ],
            matches: vec![
                row("Magazijnmedewerker · De Kok", Became::Yes, "08:31"),
                row("<b>Orderpicker</b> · O'Neill & Zn.", Became::Found, ""),
            ],
        }
    }
}

impl Page for WorkPage {
    const TEMPLATE: &'static str = "work";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let full = Self {
            wide: false,
            heading: words.fill("work.heading", &[("name", "Layla")]),
            words: "magazijn, orderpicker".into(),
            not_words: String::new(),
            place: "1102".into(),
            radius: 12,
            least: "16".into(),
            most: "32".into(),
            needs: Need::ALL
                .iter()
                .map(|it| Tick {
                    name: format!("heeft_{}", it.as_str()),
                    word: need(words, *it),
                    on: *it == Need::Vog,
                })
                .collect(),
            version: 3,
            work: Work::sample(words),
        };
        let mut empty = full.clone();
        empty.words = String::new();
        empty.version = -1;
        empty.work.lines = Vec::new();
        empty.work.lessons = Vec::new();
        empty.work.matches = Vec::new();
        vec![("full", full), ("empty", empty)]
    }
}
