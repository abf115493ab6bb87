//! Plays a flow without a database: for `tussendoor talk`, and for the `.talk` files that test flows. A
//! rehearsal keeps a tiny world (one person, `stage.rs`) and carries the effects of each step out on it.
//! Between all steps the talk is written and read back, as the store would. What stands on the lines of a
//! file is `lines.rs`.

mod lines;
mod stage;

use std::collections::VecDeque;

use chrono::NaiveDate;
use ulid::Ulid;

use self::lines::Line;
use self::stage::{Done, Stage};
use crate::domain::contact::Purpose;
use crate::domain::ids::CandidateId;
use crate::domain::message::FormBody;
use crate::domain::plan::{MeetingState, Subject};
use crate::domain::talk::effect::{Effect, Say, Saying};
use crate::domain::talk::event::{Button, Change, Event, Heard};
use crate::domain::talk::state::{Talk, Why};
use crate::domain::talk::step::step;
use crate::domain::talk::world::World;
use crate::domain::time::{Holidays, Timestamp, Tz, local_moment};
use crate::texts::config::Configuration;
use crate::texts::context::Colleagues;

const ZONE: Tz = Tz::Europe__Amsterdam;
/// A plan change among the effects is played as an event; this deep and no deeper.
const DEEP: usize = 8;

/// One conversation being played.
#[derive(Clone)]
pub struct Rehearsal<'a> {
    configuration: &'a Configuration,
    flow: String,
    locale: String,
    talk: Talk,
    stage: Stage,
    now: Timestamp,
    out: Vec<String>,
}

impl<'a> Rehearsal<'a> {
    pub fn new(configuration: &'a Configuration, flow: &str, locale: &str) -> Self {
        let day = NaiveDate::from_ymd_opt(2026, 3, 4).unwrap_or_default();
        Self {
            configuration,
            flow: flow.to_owned(),
            locale: locale.to_owned(),
            talk: Talk::new(CandidateId(Ulid::from_parts(1, 1))),
            stage: Stage::default(),
            now: local_moment(day, 9, 30, ZONE),
            out: Vec::new(),
        }
    }

    /// Where the conversation stands.
    pub const fn talk(&self) -> &Talk {
        &self.talk
    }

    /// Plays one line; what the house says to it. An unknown line is an error that says what was expected.
    pub fn line(&mut self, line: &str) -> Result<Vec<String>, String> {
        if let Some(line) = Line::parse(line.trim_end())? {
            self.act(line)?;
        }
        Ok(std::mem::take(&mut self.out))
    }

    fn act(&mut self, line: Line) -> Result<(), String> {
        let vocabulary = &self.configuration.vocabulary;
        let (newest, now) = (self.talk.said, self.now);
        let stage = &mut self.stage;
        let done = match line {
            Line::On(at) => {
                self.now = at;
                Done::default()
            }
            Line::Task(number, title, due_on) => {
                stage.add_task(number, title, due_on);
                Done::default()
            }
            Line::Meeting(mode, booked) => {
                stage.add_meeting(mode, booked);
                Done::default()
            }
            Line::Slot(at) => {
                stage.add_slot(at);
                Done::default()
            }
            Line::SlotGone => {
                stage.slots.pop_first();
                Done::default()
            }
            Line::Vacancy(title) => {
                stage.add_vacancy(title);
                Done::default()
            }
            Line::Skill(skill) => {
                stage.skill = skill;
                Done::default()
            }
            Line::Exercised(name) => {
                stage.exercised.insert(name);
                Done::default()
            }
            Line::Start => self.start()?,
            Line::In(words) => heard(Heard::words(&words, vocabulary)),
            Line::Tap(choice, said) => {
                let to = said.unwrap_or(newest);
                heard(Heard::tap(Button { to, choice }, "tap"))
            }
            Line::Thumb => {
                let mut thumb = Heard::reaction("👍");
                thumb.button = Some(Button {
                    to: newest,
                    choice: "yes".into(),
                });
                thumb.assent = None;
                heard(thumb)
            }
            Line::Photo => heard(Heard::photo("", vocabulary)),
            Line::Voice => heard(Heard::media("", vocabulary)),
            Line::Wait(span) => {
                self.wait(span.after(now, ZONE, &Holidays::default()));
                Done::default()
            }
            Line::Next => {
                if let Some(at) = self.talk.wake_at() {
                    self.wait(at.max(now));
                }
                Done::default()
            }
            Line::Undelivered => then(Event::Undelivered { said: newest }),
            Line::Dropped => then(Event::Dropped { said: newest }),
            Line::Taken => then(Event::TakenOver {
                why: Why::TakenOver,
            }),
            Line::Given => then(Event::GivenBack),
            Line::Ticked(number) => Done {
                told: Vec::new(),
                ..stage.task_done(number, None, now)
            },
            Line::Skipped(number) => stage.task_dropped(number),
            Line::Booked(at) => {
                let what = Some(Change::MeetingBooked);
                stage.meeting(MeetingState::Booked, Some(at), what)?
            }
            Line::Moved(at) => {
                let what = Some(Change::MeetingMoved);
                stage.meeting(MeetingState::Booked, Some(at), what)?
            }
            Line::Cancelled => {
                let first = stage.meetings.first();
                let agreed = first.is_none_or(|it| it.state == MeetingState::Booked);
                let what = Some(match agreed {
                    true => Change::MeetingCancelled,
                    false => Change::InvitationWithdrawn,
                });
                stage.meeting(MeetingState::Cancelled, None, what)?
            }
            Line::Missed => {
                let what = Some(Change::MeetingMissed);
                stage.meeting(MeetingState::Missed, None, what)?
            }
            Line::Held => stage.meeting(MeetingState::Held, None, None)?,
            Line::Closed => {
                let id = stage.open.pop_first().ok_or("there is no open vacancy")?;
                changed(Change::VacancyClosed, Subject::Vacancy(id))
            }
            Line::Life => changed(Change::SignOfLife, Subject::Nothing),
            Line::Transfer(coach) => {
                stage.colleagues.old_coach = std::mem::replace(&mut stage.coach, coach);
                changed(Change::CoachChanged, Subject::Nothing)
            }
            Line::Away(stand_in, back_on) => {
                stage.colleagues = Colleagues {
                    stand_in,
                    back_on: Some(back_on),
                    ..Colleagues::default()
                };
                changed(Change::CoachAway, Subject::Nothing)
            }
            Line::Back => changed(Change::CoachBack, Subject::Nothing),
        };
        self.out.extend(done.told);
        if let Some(event) = done.event {
            self.play(event);
        }
        Ok(())
    }

    fn start(&self) -> Result<Done, String> {
        let book = &self.configuration.book;
        let flow = book
            .newest(&self.flow)
            .ok_or_else(|| format!("there is no flow {}", self.flow))?;
        let about = book.flow(&flow).map(|flow| flow.about);
        let subject = about
            .and_then(|about| self.stage.subject(about))
            .ok_or("this flow is about something: give one")?;
        Ok(then(Event::Start { flow, subject }))
    }

    /// Time passes; every timer on the way goes off at its own moment.
    fn wait(&mut self, until: Timestamp) {
        while let Some(at) = self.talk.wake_at().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            let before = self.talk.clone();
            self.play(Event::Woke);
            if self.talk == before {
                break;
            }
        }
        self.now = until;
    }

    fn play(&mut self, event: Event) {
        let answered = matches!(event, Event::Heard(_));
        let mut events = VecDeque::from([event]);
        for played in 0..DEEP {
            let Some(event) = events.pop_front() else {
                return;
            };
            let mut world = self.world();
            world.answering = answered && played > 0;
            let (next, effects) = step(self.talk.clone(), &event, &world, self.now);
            self.talk = stored(&next);
            for effect in effects {
                events.extend(self.carry_out(effect));
            }
        }
    }

    fn world(&self) -> World {
        let stage = &self.stage;
        World {
            plan: stage.plan(),
            free_slots: stage.free(self.now),
            older_slots: Vec::new(),
            flows: self.configuration.book.flows(),
            newest: self.configuration.book.newest_all(),
            consent: stage.consent.clone(),
            left_up_to: self.talk.said,
            digital_skill: stage.skill,
            exercised: stage.exercised.clone(),
            open_vacancies: stage.open.clone(),
            answering: false,
            zone: ZONE,
            holidays: Holidays::default(),
        }
    }

    fn carry_out(&mut self, effect: Effect) -> Option<Event> {
        let now = self.now;
        let done = match effect {
            Effect::Say(say) => {
                self.bot(&say);
                then(Event::Accepted { said: say.said })
            }
            Effect::Withdraw { said: Some(said) } => told(format!("gone  message {said}")),
            Effect::Withdraw { said: None } | Effect::Show { .. } => Done::default(),
            Effect::Do {
                act,
                subject,
                slot,
                by,
            } => self.stage.deed(&act, subject, slot, by, now),
            Effect::TaskDone { number } => self.stage.task_done(number, None, now),
            Effect::TaskLater { number, days } => self.stage.task_later(number, days, now),
            Effect::Consent { purpose, given } => {
                let mut done = Done::default();
                for purpose in purpose.map_or_else(|| Purpose::ASKED.to_vec(), |one| vec![one]) {
                    let word = if given { "yes" } else { "no" };
                    let line = format!("now   consent {} {word}", purpose.as_str());
                    done.told.push(line);
                    if given {
                        self.stage.consent.insert(purpose);
                    } else {
                        self.stage.consent.remove(&purpose);
                    }
                }
                done
            }
            Effect::Language { code } => {
                self.locale.clone_from(&code);
                told(format!("now   language {code}"))
            }
            Effect::AskCoach { why, .. } => told(format!("coach {}", why.as_str())),
            Effect::Close { because, .. } => {
                let because = serde_json::to_value(because).unwrap_or_default();
                told(format!("end   {}", because.as_str().unwrap_or_default()))
            }
        };
        self.out.extend(done.told);
        done.event
    }

    fn bot(&mut self, say: &Say) {
        let context = self.stage.context(say.subject, &self.locale, self.now);
        let (options, slots) = match &say.saying {
            Saying::Ask { options, slots } => (options.as_slice(), slots.as_slice()),
            Saying::Tell | Saying::LastWord => (&[][..], &[][..]),
        };
        let slots = self.stage.labels(slots, &self.locale);
        let book = &self.configuration.book;
        match book.render(
            &say.texts,
            say.said,
            options,
            &slots,
            &self.locale,
            &context,
        ) {
            Err(error) => self.out.push(format!("bot   ({error})")),
            Ok(rendered) => {
                let mut lines = rendered.whatsapp.shown().lines();
                let by = if say.direct { "" } else { " (draft)" };
                let mut text = format!("bot   {}", lines.next().unwrap_or_default());
                for line in lines {
                    text.push_str("\n      ");
                    text.push_str(line);
                }
                if let FormBody::Buttons { choices, .. } = &rendered.whatsapp {
                    let labels: Vec<String> = choices
                        .iter()
                        .enumerate()
                        .map(|(at, choice)| format!("{} {}", at + 1, choice.label))
                        .collect();
                    text.push_str("\n      ");
                    text.push_str(&labels.join("  "));
                }
                self.out.push(format!("{text}{by}"));
            }
        }
    }
}

fn then(event: Event) -> Done {
    Done {
        told: Vec::new(),
        event: Some(event),
    }
}

fn told(line: String) -> Done {
    Done {
        told: vec![line],
        event: None,
    }
}

fn heard(heard: Heard) -> Done {
    then(Event::Heard(heard))
}

fn changed(what: Change, subject: Subject) -> Done {
    then(Event::Changed {
        what,
        subject,
        by: None,
    })
}

/// As the store would give it back.
fn stored(talk: &Talk) -> Talk {
    serde_json::to_vec(talk)
        .and_then(|bytes| serde_json::from_slice(&bytes))
        .unwrap_or_else(|_| unreachable!("a talk serialises and reads back"))
}

/// Plays a whole `.talk` file and writes it as it should read.
pub fn transcript(configuration: &Configuration, flow: &str, text: &str) -> Result<String, String> {
    let locale = text
        .lines()
        .find_map(|line| line.strip_prefix("# language "))
        .map_or("nl", str::trim);
    let mut rehearsal = Rehearsal::new(configuration, flow, locale);
    let mut out = String::new();
    for (at, line) in text.lines().enumerate() {
        let is_ours = line.starts_with("      ")
            || ["bot ", "coach ", "now ", "end ", "gone "]
                .iter()
                .any(|word| line.starts_with(word));
        if is_ours {
            continue;
        }
        out.push_str(line);
        out.push('\n');
        for said in rehearsal
            .line(line)
            .map_err(|error| format!("line {}: {error}", at + 1))?
        {
            out.push_str(&said);
            out.push('\n');
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_nobody_knows_is_refused() {
        let configuration =
            Configuration::load(None, None).map_err(|problems| format!("{problems:#?}"));
        let configuration = configuration.unwrap_or_else(|problems| panic!("{problems}"));
        let mut rehearsal = Rehearsal::new(&configuration, "task_nudge", "nl");
        assert!(rehearsal.line("shout hello").is_err());
        assert!(rehearsal.line("wait long").is_err());
        assert!(rehearsal.line("start").is_err());
    }
}
