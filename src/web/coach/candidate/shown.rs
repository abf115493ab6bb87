//! How the page of one person is filled: head, composer, plan, forecast, consents and addresses. The
//! thread is in `thread`.

use chrono::Days;

use super::view::{AddressRow, CandidatePage, FlagRow, Soon, TaskRow, Write};
use crate::app::desk::{self, Case, NoteKind};
use crate::domain::contact::{AddressState, CandidateState, Purpose};
use crate::domain::ids::IncomingId;
use crate::domain::message::MessageState;
use crate::domain::plan::{Task, TaskState};
use crate::domain::talk::state::State;
use crate::domain::time::{Holidays, Timestamp, Tz, working_days_between};
use crate::domain::window;
use crate::web::Desk;
use crate::web::coach::agenda::view::Choice;
use crate::web::coach::{Callout, Chip, Moment, meetings, said};
use crate::web::error::WebError;
use crate::web::session::Visit;
use crate::web::view::initials;
use crate::web::words::Words;

/// After so many days without a sign of life the chip says "silent".
const SILENT_DAYS: i64 = 7;

pub(super) struct Telling<'a> {
    pub words: &'a Words,
    pub desk: &'a Desk,
    pub visit: &'a Visit,
    pub case: &'a Case,
    pub now: Timestamp,
    pub zone: Tz,
    pub holidays: &'a Holidays,
    pub name: &'a str,
}

pub fn page(
    desk: &Desk,
    visit: &Visit,
    case: &Case,
    open: Option<IncomingId>,
) -> Result<CandidatePage, WebError> {
    let words = &*visit.words;
    let candidate = &case.person.candidate;
    let house = desk.app.house(case.person.organisation)?;
    let telling = Telling {
        words,
        desk,
        visit,
        case,
        now: desk.app.now(),
        zone: house.zone,
        holidays: &house.holidays,
        name: &candidate.first_name,
    };
    let full = format!("{} {}", candidate.first_name, candidate.family_name)
        .trim()
        .to_owned();
    let name = [("name", telling.name)];
    let today = telling.now.local_day(telling.zone);
    let paused = case.person.paused_until.is_some_and(|until| until >= today);
    let (silence, silence_tone) = telling.silence();
    let thread = telling.thread(open);
    let done = case.plan.done().count();
    let all = case
        .plan
        .tasks
        .iter()
        .filter(|task| task.state != TaskState::Dropped)
        .count();
    Ok(CandidatePage {
        wide: false,
        id: candidate.id.to_string(),
        initials: initials(&full),
        name: if full.is_empty() {
            words.say("person.unknown_strong")
        } else {
            full
        },
        facts: telling.facts(),
        phone: desk::number(&case.addresses)
            .map(|n| format!("tel:{n}"))
            .unwrap_or_default(),
        version: case.person.version,
        paused,
        pause_about: words.fill("person.pause_about", &name),
        pauses: [("person.pause_week", 7), ("person.pause_month", 30)]
            .into_iter()
            .filter_map(|(key, days)| {
                let day = today.checked_add_days(Days::new(days))?;
                Some(Moment {
                    value: day.to_string(),
                    word: words.say(key),
                    small: words.fill("person.until", &[("when", &words.short_day(day))]),
                })
            })
            .collect(),
        pause_day: today
            .checked_add_days(Days::new(14))
            .unwrap_or(today)
            .to_string(),
        callouts: telling.callouts(paused),
        silence,
        silence_tone,
        older_label: thread.older_label,
        older: thread.older,
        recent: thread.recent,
        write: vec![telling.write()],
        plan_done: if all == 0 {
            String::new()
        } else {
            words.fill(
                "plan.done",
                &[("done", &done.to_string()), ("all", &all.to_string())],
            )
        },
        goal: if case.plan.goal.is_empty() {
            String::new()
        } else {
            words.fill("plan.goal", &[("goal", &case.plan.goal)])
        },
        tasks: case
            .plan
            .tasks
            .iter()
            .map(|task| telling.task(task))
            .collect(),
        plan_about: words.fill("plan.about", &name),
        meetings: meetings::lines(words, &case.plan.meetings, telling.now, telling.zone),
        soon: telling.soon(paused),
        work: Vec::new(),
        mix: telling.mix(),
        consents: telling.consents(),
        consent_about: words.fill("data.about", &name),
        addresses: telling.addresses(),
        flags: case
            .flags
            .iter()
            .map(|flag| FlagRow {
                id: flag.id.to_string(),
                urgent: flag.why.urgent(),
                text: words.say(&format!("flag.{}", flag.why.as_str())),
                when: words.moment(flag.opened_at, telling.now, telling.zone),
            })
            .collect(),
        coaches: telling.other_coaches(),
        transfer_about: words.fill("person.transfer_about", &name),
    })
}

impl Telling<'_> {
    fn facts(&self) -> String {
        let words = self.words;
        let candidate = &self.case.person.candidate;
        let skill = words.say(&format!("skill.{}", candidate.digital_skill.as_str()));
        let language = format!("person.language.{}", candidate.language);
        let mut facts = vec![
            words.say(&format!("track.{}", candidate.track.as_str())),
            words.fill("person.skill", &[("skill", &skill)]),
            if words.has(&language) {
                words.say(&language)
            } else {
                words.say("person.language.other")
            },
            match candidate.coach {
                Some(coach) => words.fill("person.coach", &[("name", self.case.team.name(coach))]),
                None => words.say("person.no_coach"),
            },
        ];
        if candidate.by_hand {
            facts.push(words.say("person.by_hand"));
        }
        facts.join(" · ")
    }

    /// Whoever else can have this person; the one they have is no choice.
    fn other_coaches(&self) -> Vec<Choice> {
        let has = self.case.person.candidate.coach;
        let others = self.case.coaches.iter().filter(|(id, _)| Some(*id) != has);
        others
            .map(|(id, name)| Choice {
                value: id.to_string(),
                word: name.clone(),
                chosen: false,
            })
            .collect()
    }

    fn callouts(&self, paused: bool) -> Vec<Callout> {
        let words = self.words;
        let name = [("name", self.name)];
        let mut list = Vec::new();
        match self.case.person.candidate.state {
            CandidateState::Unknown => list.push(Callout::new(
                "",
                words.say("person.unknown_strong"),
                words.say("person.unknown_text"),
            )),
            CandidateState::Left => list.push(Callout::new(
                "",
                words.fill("person.left_strong", &name),
                words.fill("person.left_text", &name),
            )),
            _ => {}
        }
        if let Some(until) = self.case.person.paused_until.filter(|_| paused) {
            list.push(Callout::new(
                "brand",
                words.fill("person.paused_strong", &[("when", &words.short_day(until))]),
                words.say("person.paused_text"),
            ));
        }
        list
    }

    /// When this person was last heard, in whatever way.
    fn last_sign(&self) -> Option<Timestamp> {
        let heard = self.case.incoming.iter().map(|row| row.at).max();
        let seen = self
            .case
            .notes
            .iter()
            .filter(|note| note.kind == NoteKind::Sign)
            .map(|n| n.at)
            .max();
        heard.max(seen)
    }

    fn silence(&self) -> (String, &'static str) {
        let words = self.words;
        let Some(at) = self.last_sign() else {
            return (words.say("thread.never"), "");
        };
        let days = (self.now.local_day(self.zone) - at.local_day(self.zone)).num_days();
        let when = words.near_day(at.local_day(self.zone), self.now, self.zone);
        if days >= SILENT_DAYS {
            (
                words.fill("thread.silent_since", &[("when", &when)]),
                "wait",
            )
        } else {
            (words.fill("thread.heard", &[("when", &when)]), "")
        }
    }

    fn write(&self) -> Write {
        let words = self.words;
        let case = self.case;
        let name = [("name", self.name)];
        let mine = match &case.talk.state {
            State::WithCoach { since, .. } => {
                let when = words.moment(*since, self.now, self.zone);
                words.fill("write.mine", &[("when", &when)])
            }
            _ => String::new(),
        };
        let usable = case
            .addresses
            .iter()
            .filter(|address| address.state.usable());
        let best = usable.min_by_key(|a| (a.state, std::cmp::Reverse(a.heard_at), a.kind));
        let medium = best.map_or("none", |address| said::medium(address.kind));
        let heard = case.windows.iter().map(|(.., at)| *at).max();
        let open = window::is_open(heard, self.now);
        let left = case.person.candidate.state == CandidateState::Left;
        let closed = match best {
            _ if left && case.person.unanswered_since.is_none() => words.fill("write.left", &name),
            None => words.fill("write.no_way", &name),
            Some(_) if medium == "whatsapp" && !open => words.fill("write.window_shut", &name),
            Some(_) => String::new(),
        };
        let hint = match heard {
            Some(_) if left => words.fill("write.left_and_wrote", &name),
            Some(heard) if medium == "whatsapp" && open => {
                let until = words.moment(window::closes_at(heard), self.now, self.zone);
                words.fill(
                    "write.window_open",
                    &[("when", &until), ("name", self.name)],
                )
            }
            _ => String::new(),
        };
        Write {
            id: case.person.candidate.id.to_string(),
            version: case.person.version,
            mine,
            closed,
            label: words.fill("write.to", &name),
            draft: String::new(),
            medium,
            medium_word: words.say(&format!("medium.{medium}")),
            part_price: i64::from(self.desk.app.cadence.prices.sms(1).0.div_ceil(10)),
            moment: format!("{}T09:00", self.now.plus_days(1).local_day(self.zone)),
            send: if medium == "none" {
                String::new()
            } else {
                words.say(&format!("write.send.{medium}"))
            },
            hint,
        }
    }

    fn task(&self, task: &Task) -> TaskRow {
        let words = self.words;
        let today = self.now.local_day(self.zone);
        let (tone, state) = match (task.state, task.due_on) {
            (TaskState::Done, _) => ("good", words.say("plan.task_done")),
            (TaskState::Dropped, _) => ("", words.say("plan.task_dropped")),
            (TaskState::Open, Some(due)) if due < today => {
                let late = working_days_between(due, today, self.holidays);
                (
                    "wait",
                    words.count("plan.late", usize::try_from(late).unwrap_or(0).max(1)),
                )
            }
            (TaskState::Open, Some(due)) => ("", words.near_day(due, self.now, self.zone)),
            (TaskState::Open, None) => ("", words.say("plan.no_day")),
        };
        let done_on = task
            .done_at
            .map(|at| words.short_day(at.local_day(self.zone)));
        TaskRow {
            number: task.number,
            title: task.title.clone(),
            done: task.state == TaskState::Done,
            dropped: task.state == TaskState::Dropped,
            tone,
            state,
            small: done_on
                .map(|when| words.fill("plan.done_on", &[("when", &when)]))
                .unwrap_or_default(),
        }
    }

    /// What will go out, and what waits for what.
    fn soon(&self, paused: bool) -> Vec<Soon> {
        let words = self.words;
        let case = self.case;
        let doubt = case
            .outgoing
            .iter()
            .any(|row| row.state == MessageState::InDoubt);
        let taken = matches!(case.talk.state, State::WithCoach { .. });
        let held = if taken {
            words.say("soon.taken")
        } else if doubt {
            words.say("soon.doubt")
        } else if paused {
            words.say("soon.paused")
        } else {
            String::new()
        };
        let waits = !held.is_empty();
        let entry = |at: Timestamp, what: String, chip: &str, tone, small: String| {
            let day = at.local_day(self.zone);
            (
                at,
                Soon {
                    iso: day.to_string(),
                    when: words.near_day(day, self.now, self.zone),
                    what,
                    chip: words.say(chip),
                    tone,
                    small,
                },
            )
        };
        let mut list = Vec::new();
        for row in &case.outgoing {
            let rule = said::rule(words, &row.rule);
            match row.state {
                MessageState::Waiting | MessageState::Held => {
                    let needs = words.say("soon.needs_you");
                    list.push(entry(row.not_before, rule, "soon.draft", "wait", needs));
                }
                MessageState::Approved | MessageState::Retry => {
                    list.push(entry(
                        row.not_before,
                        rule,
                        "soon.ready",
                        "good",
                        String::new(),
                    ));
                }
                _ => {}
            }
        }
        let chip = if waits { "soon.waits" } else { "soon.ready" };
        for (rule, _, at) in &case.nudges {
            let what = words.fill("soon.nudge", &[("rule", &said::rule(words, rule))]);
            list.push(entry(*at, what, chip, "", held.clone()));
        }
        list.extend(self.coming(&held));
        let last = self.now.plus_days(i64::from(desk::AHEAD_DAYS));
        list.retain(|(at, _)| *at <= last);
        list.sort_by_key(|(at, _)| *at);
        list.into_iter().map(|(_, soon)| soon).collect()
    }

    fn consents(&self) -> Vec<Chip> {
        let words = self.words;
        Purpose::ASKED
            .into_iter()
            .map(|purpose| {
                let newest = self
                    .case
                    .consents
                    .iter()
                    .rev()
                    .find(|(asked, ..)| *asked == purpose);
                let purpose = words.say(&format!("purpose.{}", purpose.as_str()));
                match newest {
                    Some((_, true, _)) => {
                        Chip::new("good", words.fill("data.yes", &[("purpose", &purpose)]))
                    }
                    Some((_, false, at)) => {
                        let when = words.short_day(at.local_day(self.zone));
                        let values = [("purpose", purpose.as_str()), ("when", &when)];
                        Chip::new("alarm", words.fill("data.no", &values))
                    }
                    None => Chip::new("", words.fill("data.none", &[("purpose", &purpose)])),
                }
            })
            .collect()
    }

    fn addresses(&self) -> Vec<AddressRow> {
        let words = self.words;
        self.case
            .addresses
            .iter()
            .map(|address| AddressRow {
                kind: words.say(&format!("data.kind.{}", address.kind.as_str())),
                masked: said::hidden(&address.value),
                tone: match address.state {
                    AddressState::Proven => "good",
                    AddressState::Believed => "",
                    AddressState::Doubted => "wait",
                    AddressState::Dead => "alarm",
                },
                state: words.say(&format!("data.state.{}", address.state.as_str())),
            })
            .collect()
    }
}
