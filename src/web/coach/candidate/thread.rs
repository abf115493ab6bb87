//! The thread: messages in both directions over all channels, notes, and what happened to the talk, by
//! day, oldest first.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::shown::Telling;
use super::view::{Day, Item, Memo, Message, ThreadDoubt};
use crate::app::desk::{AttemptRow, IncomingRow, NoteKind, OutgoingRow};
use crate::domain::ids::IncomingId;
use crate::domain::message::{FormBody, MessageState};
use crate::domain::talk::effect::Approve;
use crate::domain::talk::event::Event;
use crate::domain::time::Timestamp;
use crate::web::coach::drafts::evidence;
use crate::web::coach::{Chip, said};

/// Days that stand open; what is older is folded.
const OPEN_DAYS: usize = 4;

/// The thread, as the page shows it.
pub struct Thread {
    pub older_label: String,
    pub older: Vec<Day>,
    pub recent: Vec<Day>,
}

impl Telling<'_> {
    pub fn thread(&self, open: Option<IncomingId>) -> Thread {
        let mut entries: Vec<(Timestamp, Item)> = Vec::new();
        for row in &self.case.incoming {
            let message = vec![self.received(row, open)];
            entries.push((
                row.at,
                Item {
                    message,
                    ..Item::default()
                },
            ));
        }
        for row in &self.case.outgoing {
            entries.extend(self.sent(row));
        }
        for note in &self.case.notes {
            let at = self.words.moment(note.at, self.now, self.zone);
            let coach = self.case.team.name(note.coach);
            let item = match note.kind {
                NoteKind::Note => {
                    let mine = self
                        .visit
                        .signed
                        .as_ref()
                        .is_some_and(|s| s.scope.coach == note.coach);
                    let key = if mine {
                        "thread.note_you"
                    } else {
                        "thread.note_by"
                    };
                    let values = [("when", at.as_str()), ("coach", coach), ("name", self.name)];
                    let about = self.words.fill(key, &values);
                    Item {
                        memo: vec![Memo {
                            about,
                            text: note.text.clone(),
                        }],
                        ..Item::default()
                    }
                }
                NoteKind::Sign => self.event("thread.sign", &at, coach),
            };
            entries.push((note.at, item));
        }
        for (event, at) in &self.case.events {
            let key = match event {
                Event::TakenOver { .. } => "thread.taken",
                Event::GivenBack => "thread.given_back",
                _ => continue,
            };
            let when = self.words.clock(*at, self.zone);
            entries.push((
                *at,
                self.event(key, &when, &self.words.say("thread.a_coach")),
            ));
        }
        entries.sort_by_key(|(at, _)| *at);
        self.by_day(entries)
    }

    fn event(&self, key: &str, when: &str, coach: &str) -> Item {
        let text = self.words.fill(key, &[("when", when), ("coach", coach)]);
        Item {
            event: vec![text],
            ..Item::default()
        }
    }

    fn by_day(&self, entries: Vec<(Timestamp, Item)>) -> Thread {
        let mut days: BTreeMap<NaiveDate, Vec<Item>> = BTreeMap::new();
        for (at, item) in entries {
            days.entry(at.local_day(self.zone)).or_default().push(item);
        }
        let today = self.now.local_day(self.zone);
        let dates: Vec<NaiveDate> = days.keys().copied().collect();
        let mut all: Vec<Day> = days
            .into_iter()
            .map(|(day, items)| {
                let long = self.words.day(day);
                let near = self.words.near_day(day, self.now, self.zone);
                let close = (today - day).num_days().abs() <= 1;
                Day {
                    heading: if close {
                        format!("{near}, {long}")
                    } else {
                        long
                    },
                    items,
                }
            })
            .collect();
        let folded = all.len().saturating_sub(OPEN_DAYS);
        let recent = all.split_off(folded);
        let older_label = match (dates.first(), dates.get(folded.wrapping_sub(1))) {
            (Some(from), Some(to)) => self.words.fill(
                "thread.older",
                &[
                    ("from", &self.words.short_day(*from)),
                    ("to", &self.words.short_day(*to)),
                ],
            ),
            _ => String::new(),
        };
        Thread {
            older_label,
            older: all,
            recent,
        }
    }

    fn received(&self, row: &IncomingRow, open: Option<IncomingId>) -> Message {
        let (text, kind) = said::content(self.words, &row.content);
        let marked = said::masked(self.words, &row.marks);
        let opened = open == Some(row.id) && !marked.is_empty();
        let hidden = if opened { String::new() } else { marked };
        Message {
            // Hidden words hide what came with them.
            files: if hidden.is_empty() {
                self.file(row, opened)
            } else {
                Vec::new()
            },
            text: if hidden.is_empty() {
                text
            } else {
                String::new()
            },
            masked: hidden,
            by: kind,
            ..self.blank(row.id.to_string(), said::medium(row.kind), row.at)
        }
    }

    /// A message of ours: once for each form that was tried, so that a fallback shows both.
    fn sent(&self, row: &OutgoingRow) -> Vec<(Timestamp, Item)> {
        let none = Vec::new();
        let attempts = self.case.attempts.get(&row.id).unwrap_or(&none);
        let mut items = Vec::new();
        let mut failed: Option<&AttemptRow> = None;
        for attempt in attempts {
            if attempt.position < row.form && failed.is_none_or(|f| f.position != attempt.position)
            {
                failed = Some(attempt);
                let mut message = self.ours(row, attempt.position, attempt.started_at);
                let code = attempt.code.as_deref().unwrap_or("unreachable");
                let why = said::code(self.words, code, self.name);
                message.id = format!("{}-{}", message.id, attempt.position);
                message.gone = true;
                message.states = vec![Chip::new(
                    "alarm",
                    self.words.fill("state.failed", &[("why", &why)]),
                )];
                items.push((
                    attempt.started_at,
                    Item {
                        message: vec![message],
                        ..Item::default()
                    },
                ));
            }
        }
        let started = attempts
            .iter()
            .filter(|a| a.position == row.form)
            .map(|a| a.started_at)
            .next_back();
        let at = match row.state {
            MessageState::Accepted => row.accepted_at.or(started).unwrap_or(row.created_at),
            MessageState::InDoubt | MessageState::Sending | MessageState::Rejected => {
                started.unwrap_or(row.created_at)
            }
            _ => row.created_at,
        };
        if failed.is_some() {
            items.push((
                at,
                Item {
                    event: vec![self.words.say("thread.second_form")],
                    ..Item::default()
                },
            ));
        }
        let mut message = self.ours(row, row.form, at);
        message.states = said::states(self.words, row, attempts, self.name, self.now, self.zone);
        message.gone = matches!(
            row.state,
            MessageState::Cancelled | MessageState::Expired | MessageState::Rejected
        );
        if row.state == MessageState::Waiting {
            message.draft_href = format!("/concepten/{}", row.id);
        }
        if row.state == MessageState::InDoubt {
            message.unsure = true;
            if row.state_why.as_deref() != Some("left_alone") {
                let tried = u32::try_from(attempts.len()).unwrap_or(0);
                let evidence = match row.state_why.as_deref() {
                    Some("restored") => self.words.fill("doubt.restored", &[("name", self.name)]),
                    _ => evidence(self.words, tried, at, self.name, self.now, self.zone),
                };
                message.doubt = vec![ThreadDoubt {
                    id: row.id.to_string(),
                    version: row.version,
                    evidence,
                }];
            }
        }
        items.push((
            at,
            Item {
                message: vec![message],
                ..Item::default()
            },
        ));
        items
    }

    fn ours(&self, row: &OutgoingRow, position: u32, at: Timestamp) -> Message {
        let forms = self.case.forms.get(&row.id);
        let form = forms.and_then(|forms| forms.iter().find(|form| form.position == position));
        let medium = form.map_or("none", |form| said::medium(form.kind));
        let by = match row.author {
            Some(author)
                if self
                    .visit
                    .signed
                    .as_ref()
                    .is_some_and(|s| s.scope.coach == author) =>
            {
                self.words.say("thread.by_you")
            }
            Some(author) => self
                .words
                .fill("thread.by_coach", &[("name", self.case.team.name(author))]),
            None if row.approve == Approve::Coach => self.words.say("thread.approved"),
            None => self.words.say("thread.automatic"),
        };
        let body: Option<&FormBody> = form.map(|form| &form.body);
        Message {
            ours: true,
            text: body.map(|body| body.shown().to_owned()).unwrap_or_default(),
            taps: body.map(said::answers).unwrap_or_default(),
            by,
            ..self.blank(row.id.to_string(), medium, at)
        }
    }

    fn blank(&self, id: String, medium: &'static str, at: Timestamp) -> Message {
        Message {
            id,
            person: self.case.person.candidate.id.to_string(),
            ours: false,
            masked: String::new(),
            subject: String::new(),
            text: String::new(),
            gone: false,
            unsure: false,
            taps: Vec::new(),
            files: Vec::new(),
            medium,
            medium_word: self.words.say(&format!("medium.{medium}")),
            by: String::new(),
            at: self.words.clock(at, self.zone),
            iso: self.words.iso(at, self.zone),
            states: Vec::new(),
            draft_href: String::new(),
            doubt: Vec::new(),
        }
    }
}
