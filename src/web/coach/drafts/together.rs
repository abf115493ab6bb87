//! Several drafts of one rule on one page, every text in full, and one button under them.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::chosen;
use super::view::Link;
use crate::app::AppError;
use crate::app::approve::Seen;
use crate::app::desk::{self, Alone, Listed};
use crate::app::together::{self, MOST};
use crate::domain::ids::{ActId, MessageId};
use crate::domain::message::MessageState;
use crate::web::coach::said;
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::view::Page;
use crate::web::words::Words;
use crate::web::{At, Desk};

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// The rule, `flow/node`.
    #[serde(default)]
    regel: String,
    /// `team`: everybody's drafts.
    #[serde(default)]
    wie: String,
}

/// The rules of which the list holds two drafts or more that may be decided together.
pub fn links(words: &Words, list: &[Listed], whole: bool) -> Vec<Link> {
    let mut links: Vec<(&str, Link)> = Vec::new();
    for item in list.iter().filter(|item| joins(item)) {
        let rule = item.row.rule.as_str();
        if let Some((_, link)) = links.iter_mut().find(|(known, _)| *known == rule) {
            link.n += 1;
            continue;
        }
        let team = if whole { "&wie=team" } else { "" };
        let link = Link {
            href: format!("/concepten/samen?regel={rule}{team}"),
            word: words.fill("together.link", &[("rule", &said::rule(words, rule))]),
            n: 1,
        };
        links.push((rule, link));
    }
    links.retain(|(_, link)| link.n > 1);
    links.into_iter().map(|(_, link)| link).collect()
}

fn joins(item: &Listed) -> bool {
    item.row.state == MessageState::Waiting && item.alone.is_none()
}

pub async fn page(
    State(desk): State<Desk>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, WebError> {
    let scope = visit.scope()?;
    let words = &visit.words;
    let whole = asked.wie == "team";
    let (team, listed) = desk::drafts(&desk.app, scope).await?;
    let (list, _) = chosen(&team, listed, None, whole);
    let of_rule =
        |item: &&Listed| item.row.rule == asked.regel && item.row.state == MessageState::Waiting;
    let list: Vec<&Listed> = list.iter().filter(of_rule).collect();
    let joining: Vec<&&Listed> = list.iter().filter(|item| joins(item)).collect();
    let shown = &joining[..joining.len().min(MOST)];
    let prices = &desk.app.cadence.prices;
    let cost: i64 = shown
        .iter()
        .filter_map(|item| item.form.as_ref())
        .map(|form| said::price(&form.body, said::medium(form.to_kind), form.units, prices))
        .sum();
    let rest = joining.len() - shown.len();
    let page = TogetherPage {
        wide: false,
        heading: words.count("together.heading", shown.len()),
        rule: said::rule(words, &asked.regel),
        key: asked.regel.clone(),
        whole: if whole { "team" } else { "" },
        items: shown.iter().map(|item| Item::of(words, item)).collect(),
        apart: list
            .iter()
            .filter_map(|item| Apart::of(words, item))
            .collect(),
        foot: words.fill("together.foot", &[("cost", &words.money(cost))]),
        rest: match rest {
            0 => String::new(),
            n => words.count("together.rest", n),
        },
        back: list_of(whole),
    };
    let title = words.say("together.title");
    let frame = desk
        .frame(&visit, At::Drafts, title, "/nieuws".into())
        .await?;
    desk.page(&visit, &frame, &page)
}

fn list_of(whole: bool) -> String {
    if whole {
        "/concepten?wie=team".to_owned()
    } else {
        "/concepten".to_owned()
    }
}

/// What was ticked: a field for each message, named by its id, with the version and the hash that the
/// page showed.
pub async fn approve(State(desk): State<Desk>, visit: Visit) -> Result<Response, WebError> {
    let rule = visit.fields.text("regel")?;
    let whole = visit.fields.text("wie")? == "team";
    let mut seen: Vec<(MessageId, Seen)> = Vec::new();
    for (name, value) in visit.fields.all() {
        if ["regel", "wie"].contains(&name) {
            continue;
        }
        let id = name.parse().map_err(|_| WebError::Bad)?;
        let (version, hash) = value.split_once('.').ok_or(WebError::Bad)?;
        let version = version.parse().map_err(|_| WebError::Bad)?;
        let content_hash = hash.to_owned();
        seen.push((
            id,
            Seen {
                version,
                content_hash,
            },
        ));
    }
    if seen.is_empty() {
        return Err(AppError::No { why: "none_chosen" }.into());
    }
    if seen.len() > MOST {
        return Err(WebError::Bad);
    }
    let done = together::approve(&desk.app, visit.scope()?, rule, &seen).await?;
    let left: Vec<String> = done.left_out.iter().map(ToString::to_string).collect();
    let what = if done.approved.is_empty() {
        "gedaan=together_none".to_owned()
    } else {
        format!("gedaan=together&samen={}", done.act)
    };
    let left = match left.as_slice() {
        [] => String::new(),
        ids => format!("&niet={}", ids.join(".")),
    };
    Ok(Redirect::to(&format!("{}{what}{left}", with(whole))).into_response())
}

fn with(whole: bool) -> String {
    let list = list_of(whole);
    let sign = if whole { '&' } else { '?' };
    format!("{list}{sign}")
}

pub async fn undo(
    State(desk): State<Desk>,
    visit: Visit,
    Path(act): Path<String>,
) -> Result<Response, WebError> {
    visit.fields.only(&[])?;
    let act: ActId = act.parse().map_err(|_| WebError::NotFound)?;
    together::undo(&desk.app, visit.scope()?, act).await?;
    let to = format!("/concepten?gedaan=together_undone&samen={act}");
    Ok(Redirect::to(&to).into_response())
}

#[derive(Debug, Clone, Serialize)]
pub struct TogetherPage {
    pub wide: bool,
    pub heading: String,
    pub rule: String,
    /// The rule as the form says it.
    pub key: String,
    pub whole: &'static str,
    pub items: Vec<Item>,
    /// Drafts of the same rule that must be read on their own.
    pub apart: Vec<Apart>,
    pub foot: String,
    pub rest: String,
    pub back: String,
}

/// One message, whole.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    pub id: String,
    /// Version and hash.
    pub seen: String,
    pub href: String,
    pub name: String,
    pub medium: &'static str,
    pub medium_word: String,
    pub text: String,
    pub taps: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Apart {
    pub href: String,
    pub name: String,
    pub why: String,
}

impl Item {
    fn of(words: &Words, item: &Listed) -> Self {
        let medium = item
            .form
            .as_ref()
            .map_or("none", |form| said::medium(form.to_kind));
        let body = item.form.as_ref().map(|form| &form.body);
        Self {
            id: item.row.id.to_string(),
            seen: format!("{}.{}", item.row.version, item.row.content_hash),
            href: format!("/concepten/{}", item.row.id),
            name: item.row.name.full(),
            medium,
            medium_word: words.say(&format!("medium.{medium}")),
            text: body.map(|body| body.shown().to_owned()).unwrap_or_default(),
            taps: body.map(said::answers).unwrap_or_default(),
        }
    }
}

impl Apart {
    fn of(words: &Words, item: &Listed) -> Option<Self> {
        let key = match item.alone? {
            Alone::Unread => "together.why.unread",
            Alone::Flagged => "together.why.flagged",
            Alone::Touched => "together.why.touched",
            Alone::OwnWords => "together.why.own_words",
            Alone::NoWay => "together.why.no_way",
        };
        Some(Self {
            href: format!("/concepten/{}", item.row.id),
            name: item.row.name.full(),
            why: words.fill(key, &[("name", &item.row.name.first)]),
        })
    }
}

impl Page for TogetherPage {
    const TEMPLATE: &'static str = "together";

    fn samples(words: &Words) -> Vec<(&'static str, Self)> {
        let item = |n: u32, name: &str, first: &str, step: &str| Item {
            id: format!("01J0000000000000000000000{n}"),
            seen: "3.b7e1".into(),
            href: format!("/concepten/01J0000000000000000000000{n}"),
            name: name.into(),
            medium: if n == 2 { "sms" } else { "whatsapp" },
            medium_word: words.say(if n == 2 {
                "medium.sms"
            } else {
                "medium.whatsapp"
            }),
            text: format!("Hoi {first}, is dit gelukt: {step}?\n\nGroet, Noor"),
            taps: vec!["Ja, gelukt".into(), "Nog niet".into(), "Ik wil hulp".into()],
        };
        let full = Self {
            wide: false,
            heading: words.count("together.heading", 3),
            rule: words.say("rule.task_nudge_done_yet"),
            key: "task_nudge/done_yet".into(),
            whole: "",
            items: vec![
                item(1, "Mehmet Aydın", "Mehmet", "je cv mailen naar Post & Zn"),
                item(2, "Hanneke Vos", "Hanneke", "bellen met de buurtkamer"),
                item(
                    3,
                    "Naamsoverlangdat Van den Oever-Rozenburgh",
                    "Naamsoverlangdat",
                    "kiezen tussen de twee cursussen <script>alert(1)</script>",
                ),
            ],
            apart: vec![Apart {
                href: "/concepten/01J00000000000000000000009".into(),
                name: "Fatma Yıldız".into(),
                why: words.fill("together.why.unread", &[("name", "Fatma")]),
            }],
            foot: words.fill("together.foot", &[("cost", &words.money(120))]),
            rest: words.count("together.rest", 7),
            back: "/concepten".into(),
        };
        let none = Self {
            heading: words.count("together.heading", 0),
            items: Vec::new(),
            apart: Vec::new(),
            rest: String::new(),
            ..full.clone()
        };
        vec![("full", full), ("none", none)]
    }
}
