//! How one draft is shown: the phone, the reasons, the last three messages, and what can be decided.

use super::moments;
use super::view::{Decide, Doubt, Draft, Edit, Mini, Phone, Reason};
use crate::app::desk::{self, Form, Said, Team, Words as Uttered};
use crate::domain::contact::Purpose;
use crate::domain::message::{FormBody, MessageState};
use crate::domain::plan::Subject;
use crate::domain::time::{Timestamp, Tz};
use crate::web::Desk;
use crate::web::coach::{Callout, Moment, said};
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::view::initials;
use crate::web::words::Words;

/// Where the draft stands in the list.
pub struct Place {
    pub place: String,
    pub previous: String,
    pub next: String,
    pub editing: bool,
    /// Colleagues who look at it now.
    pub beside: Vec<String>,
}

struct Telling<'a> {
    words: &'a Words,
    desk: &'a Desk,
    draft: &'a desk::Draft,
    now: Timestamp,
    zone: Tz,
    name: &'a str,
}

pub fn draft(
    desk: &Desk,
    visit: &Visit,
    draft: &desk::Draft,
    team: &Team,
    place: Place,
) -> Result<Draft, WebError> {
    let words = &*visit.words;
    let candidate = &draft.person.candidate;
    let message = &draft.message;
    let telling = Telling {
        words,
        desk,
        draft,
        now: desk.app.now(),
        zone: desk.app.house(draft.person.organisation)?.zone,
        name: &candidate.first_name,
    };
    let id = message.id.to_string();
    let person_href = said::href(candidate.id);
    let decidable = message.state == MessageState::Waiting;
    // Outside the window only the template's own words can leave: there is nothing to write then.
    let shut = draft
        .form
        .as_ref()
        .is_some_and(|form| matches!(form.body, FormBody::Template(_)));
    let asks_line = message.why.ends_with("/personal_line");
    let personal = asks_line && !shut;
    let open = decidable && (place.editing || personal);
    let wrote = draft.person.unanswered_since.is_some();
    let ready = words.moment(message.not_before, telling.now, telling.zone);
    Ok(Draft {
        person_href: person_href.clone(),
        name: format!("{} {}", candidate.first_name, candidate.family_name)
            .trim()
            .to_owned(),
        place: place.place,
        previous: place.previous,
        next: place.next,
        rule: said::rule(words, &message.why),
        facts: trials(words, &draft.trials)
            .chain([
                words.say(&format!("track.{}", candidate.track.as_str())),
                words.fill(
                    "person.skill",
                    &[(
                        "skill",
                        &words.say(&format!("skill.{}", candidate.digital_skill.as_str())),
                    )],
                ),
                words.fill("drafts.ready_since", &[("when", &ready)]),
            ])
            .collect(),
        beside: beside(words, &place.beside),
        callouts: telling.callouts(wrote, asks_line, shut),
        editing: open,
        phone: draft
            .form
            .iter()
            .map(|form| telling.phone(form, decidable, open))
            .collect(),
        why: telling.why(team),
        last: draft.last.iter().map(|said| telling.mini(said)).collect(),
        decide: if decidable {
            vec![telling.decide(wrote, personal)]
        } else {
            Vec::new()
        },
        doubt: if message.state == MessageState::InDoubt {
            vec![Doubt {
                id: id.clone(),
                version: message.version,
                warning: words.fill("drafts.again_warning", &[("name", telling.name)]),
            }]
        } else {
            Vec::new()
        },
        over: if decidable || message.state == MessageState::InDoubt {
            String::new()
        } else {
            "/concepten".into()
        },
        id,
    })
}

/// Of which experiments the words are part: a coach decides about the words that go.
fn trials(words: &Words, trials: &[(String, desk::Arm)]) -> impl Iterator<Item = String> {
    trials.iter().map(|(name, arm)| {
        let key = format!("drafts.trial_{}", arm.as_str());
        words.fill(&key, &[("name", name)])
    })
}

/// Who else is here, as one block or none.
fn beside(words: &Words, names: &[String]) -> Vec<Callout> {
    let strong = match names {
        [] => return Vec::new(),
        [one] => words.fill("drafts.beside_one", &[("name", one)]),
        many => words.fill("drafts.beside_many", &[("names", &many.join(", "))]),
    };
    vec![Callout::new(
        "brand",
        strong,
        words.say("drafts.beside_text"),
    )]
}

impl Telling<'_> {
    fn callouts(&self, wrote: bool, asks_line: bool, shut: bool) -> Vec<Callout> {
        let words = self.words;
        let message = &self.draft.message;
        let name = [("name", self.name)];
        match message.state {
            MessageState::InDoubt => {
                let (attempt, at) = self
                    .draft
                    .attempt
                    .unwrap_or((message.attempt, message.not_before));
                vec![Callout {
                    tone: "alarm",
                    strong: words.say("drafts.doubt_strong"),
                    text: match message.state_why.as_deref() {
                        Some("restored") => words.fill("doubt.restored", &name),
                        _ => evidence(words, attempt, at, self.name, self.now, self.zone),
                    },
                    more: words.fill("drafts.doubt_more", &name),
                }]
            }
            MessageState::Waiting if self.draft.before_restore => vec![Callout::new(
                "wait",
                words.say("drafts.restored_strong"),
                words.fill("drafts.restored_text", &name),
            )],
            MessageState::Waiting if wrote => vec![Callout::new(
                "brand",
                words.fill("drafts.wrote_strong", &name),
                words.say("drafts.wrote_text"),
            )],
            MessageState::Waiting => {
                let floor = message.state_why.as_deref() == Some("human_floor");
                let text = match (asks_line, floor, shut) {
                    (true, _, false) => "drafts.silent_text",
                    (true, _, true) => "drafts.silent_shut",
                    (false, true, false) => "drafts.line_text",
                    (false, true, true) => "drafts.line_shut",
                    (false, false, _) => return Vec::new(),
                };
                vec![Callout::new(
                    "brand",
                    words.say("drafts.line_strong"),
                    words.fill(text, &name),
                )]
            }
            _ => {
                let when = words.moment(message.not_before, self.now, self.zone);
                let why = said::code(
                    words,
                    message.state_why.as_deref().unwrap_or_default(),
                    self.name,
                );
                let key = format!("state.{}", message.state.as_str());
                let text = words.fill(&key, &[("when", &when), ("why", &why)]);
                vec![Callout::new(
                    "good",
                    words.say("drafts.gone_strong"),
                    format!("{}.", capital(&text)),
                )]
            }
        }
    }

    fn phone(&self, form: &Form, decidable: bool, open: bool) -> Phone {
        let words = self.words;
        let message = &self.draft.message;
        let medium = said::medium(form.to_kind);
        let organisation = self
            .desk
            .app
            .houses
            .get(&self.draft.person.organisation)
            .map(|house| house.name.clone())
            .unwrap_or_default();
        let taps = said::answers(&form.body);
        let list = match &form.body {
            FormBody::Buttons {
                list_label,
                choices,
                ..
            } if choices.len() > 3 => list_label.as_str(),
            _ => "",
        };
        let template = matches!(form.body, FormBody::Template(_));
        let text = form.body.shown().to_owned();
        let edit = Edit {
            id: message.id.to_string(),
            open,
            medium,
            part_price: i64::from(self.desk.app.cadence.prices.sms(1).0.div_ceil(10)),
            version: message.version,
            hash: message.content_hash.clone(),
            label: words.fill("phone.edit_label", &[("name", self.name)]),
            text: text.clone(),
            note: if template {
                words.fill("phone.edit_template", &[("name", self.name)])
            } else {
                String::new()
            },
        };
        Phone {
            medium,
            gone: matches!(
                message.state,
                MessageState::Cancelled | MessageState::Expired
            ),
            caption: words.fill(&format!("phone.sees.{medium}"), &[("name", self.name)]),
            size: if medium == "sms" {
                words.fill("phone.size", &[("n", &text.chars().count().to_string())])
            } else {
                String::new()
            },
            initials: initials(&organisation),
            sender: organisation,
            sender_small: if medium == "whatsapp" {
                words.say("phone.business")
            } else {
                self.draft
                    .line
                    .as_ref()
                    .map(|line| line.display.clone())
                    .unwrap_or_default()
            },
            subject: String::new(),
            text,
            listed: if list.is_empty() {
                String::new()
            } else {
                words.fill("phone.listed", &[("name", self.name), ("label", list)])
            },
            taps,
            editing: open,
            edit: if decidable { vec![edit] } else { Vec::new() },
        }
    }

    fn why(&self, team: &Team) -> Vec<Reason> {
        let words = self.words;
        let message = &self.draft.message;
        let name = [("name", self.name)];
        let task = match message.subject {
            Subject::Task(id) => self.draft.plan.task(id),
            _ => None,
        };
        let answers = message.purpose == Purpose::Reply || message.why.starts_with("_common/");
        let this = match (task, message.author) {
            (Some(task), _) => words.fill(
                "why.task",
                &[("n", &task.number.to_string()), ("title", &task.title)],
            ),
            (None, Some(author)) => words.fill("why.by_coach", &[("name", team.name(author))]),
            (None, None) if answers => words.fill("why.reply", &name),
            (None, None) if !self.draft.plan.goal.is_empty() => {
                words.fill("why.goal", &[("goal", &self.draft.plan.goal)])
            }
            (None, None) => {
                let purpose = words.say(&format!("purpose.{}", message.purpose.as_str()));
                words.fill("why.purpose", &[("name", self.name), ("purpose", &purpose)])
            }
        };
        let plain = words.fill(&said::rule_key(words, "now", &message.why), &name);
        let due = task.and_then(|task| task.due_on);
        let now = match due {
            Some(due) => {
                let key = if due < self.now.local_day(self.zone) {
                    "now.late"
                } else {
                    "now.due"
                };
                words.fill(key, &[("why", &plain), ("day", &words.day(due))])
            }
            None => plain,
        };
        let mut reasons = vec![
            Reason {
                term: words.say("why.this"),
                text: this,
            },
            Reason {
                term: words.say("why.now"),
                text: now,
            },
        ];
        match &self.draft.form {
            None => reasons.push(Reason {
                term: words.say("why.channel.none"),
                text: words.fill("why.no_form", &name),
            }),
            Some(form) => {
                let medium = said::medium(form.to_kind);
                reasons.push(Reason {
                    term: words.say(&format!("why.channel.{medium}")),
                    text: match (medium, &form.body) {
                        ("whatsapp", FormBody::Template(_)) => words.say("why.window_shut"),
                        ("whatsapp", _) => words.fill("why.window_open", &name),
                        ("sms", _) => words.fill("why.by_sms", &name),
                        _ => words.say("why.by_email"),
                    },
                });
                reasons.push(Reason {
                    term: words.say("why.cost"),
                    text: self.cost(form, medium),
                });
            }
        }
        reasons.push(Reason {
            term: words.say("why.silence"),
            text: self.silence(),
        });
        reasons
    }

    fn cost(&self, form: &Form, medium: &str) -> String {
        let words = self.words;
        let cost = words.money(said::price(
            &form.body,
            medium,
            form.units,
            &self.desk.app.cadence.prices,
        ));
        match (medium, &form.body) {
            ("whatsapp", FormBody::Template(template)) => {
                let key = format!("why.category.{}", template.category);
                words.fill(
                    "why.template_cost",
                    &[("cost", &cost), ("category", &words.say(&key))],
                )
            }
            ("whatsapp", _) => words.say("why.free"),
            ("sms", _) => {
                let parts = words.count("phone.parts", usize::try_from(form.units).unwrap_or(1));
                words.fill("why.sms_cost", &[("parts", &parts), ("cost", &cost)])
            }
            _ => cost,
        }
    }

    fn silence(&self) -> String {
        let words = self.words;
        let Some((at, node)) = &self.draft.silent else {
            return words.say("why.silent_none");
        };
        let next = format!("why.silent_next.{node}");
        let next = if words.has(&next) {
            words.say(&next)
        } else {
            words.say("why.silent_next.other")
        };
        let when = words.near_day(at.local_day(self.zone), self.now, self.zone);
        format!("{} {next}", words.fill("why.silent_by", &[("when", &when)]))
    }

    fn mini(&self, said: &Said) -> Mini {
        let words = self.words;
        let (kind, text) = match &said.what {
            Uttered::Ours(form) => (form.to_kind, form.body.shown().to_owned()),
            Uttered::Theirs(row) => {
                let hidden = said::masked(words, &row.marks);
                let (text, _) = said::content(words, &row.content);
                (row.kind, if hidden.is_empty() { text } else { hidden })
            }
        };
        Mini {
            ours: said.ours,
            who: if said.ours {
                words.say("drafts.we")
            } else {
                self.name.to_owned()
            },
            when: words.moment(said.at, self.now, self.zone),
            medium_word: words.say(&format!("medium.{}", said::medium(kind))),
            text,
        }
    }

    fn decide(&self, wrote: bool, personal: bool) -> Decide {
        let words = self.words;
        let message = &self.draft.message;
        let offered = moments(self.now, self.zone);
        let in_days = |days: i64| self.now.plus_days(days).local_day(self.zone);
        Decide {
            id: message.id.to_string(),
            person_href: said::href(message.candidate),
            version: message.version,
            hash: message.content_hash.clone(),
            answer_first: wrote,
            may_approve: !personal && self.draft.form.is_some(),
            moments: offered
                .iter()
                .map(|(key, at)| Moment {
                    value: at.format("%Y-%m-%dT%H:%M").to_string(),
                    word: words.say(key),
                    small: format!("{} {}", words.short_day(at.date()), at.format("%H:%M")),
                })
                .collect(),
            moment: format!("{}T09:00", in_days(2)),
            hold_until: in_days(3).to_string(),
        }
    }
}

/// What is known about an attempt whose answer never came.
pub fn evidence(
    words: &Words,
    attempt: u32,
    at: Timestamp,
    name: &str,
    now: Timestamp,
    zone: Tz,
) -> String {
    let day = words.near_day(at.local_day(zone), now, zone);
    let when = format!("{day} {}", at.local(zone).format("%H:%M:%S"));
    words.fill(
        "doubt.evidence",
        &[("when", &when), ("n", &attempt.to_string()), ("name", name)],
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
