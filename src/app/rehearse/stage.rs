//! The tiny world of a rehearsal: one person with a plan, meetings, free moments, vacancies, exercises and
//! a coach. What a talk asks for is carried out on it as the house would; each line that it returns tells
//! what changed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use ulid::Ulid;

use super::ZONE;
use crate::domain::contact::{DigitalSkill, Purpose};
use crate::domain::flow::definition::About;
use crate::domain::ids::{FlowHash, MeetingId, SlotId, TaskId, VacancyId};
use crate::domain::plan::{
    Meeting, MeetingKind, MeetingMode, MeetingState, Plan, Subject, Task, TaskState,
};
use crate::domain::talk::effect::Act;
use crate::domain::talk::event::{Change, Event};
use crate::domain::time::Timestamp;
use crate::texts::context::{Colleagues, Context, MeetingTold, Step, VacancyTold};
use crate::texts::moments;

const PLACE: &str = "Stadhuis, kamer 2";
const LINK: &str = "https://video.waterstad.example/noor";

#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) tasks: Vec<Task>,
    pub(super) meetings: Vec<Meeting>,
    /// Free moments, by their order.
    pub(super) slots: BTreeMap<SlotId, Timestamp>,
    pub(super) vacancies: BTreeMap<VacancyId, String>,
    pub(super) open: BTreeSet<VacancyId>,
    pub(super) exercised: BTreeSet<String>,
    pub(super) skill: DigitalSkill,
    pub(super) consent: BTreeSet<Purpose>,
    pub(super) coach: String,
    pub(super) colleagues: Colleagues,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            tasks: Vec::new(),
            meetings: Vec::new(),
            slots: BTreeMap::new(),
            vacancies: BTreeMap::new(),
            open: BTreeSet::new(),
            exercised: BTreeSet::new(),
            skill: DigitalSkill::Basic,
            consent: Purpose::ASKED.into_iter().collect(),
            coach: "Noor".to_owned(),
            colleagues: Colleagues::default(),
        }
    }
}

/// What carrying something out led to: a line for the reader, and an event that follows.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) told: Vec<String>,
    pub(super) event: Option<Event>,
}

impl Done {
    fn told(line: impl Into<String>) -> Self {
        Self {
            told: vec![line.into()],
            event: None,
        }
    }

    fn then(self, event: Event) -> Self {
        Self {
            event: Some(event),
            ..self
        }
    }
}

fn clock(at: Timestamp) -> String {
    at.local(ZONE).format("%Y-%m-%d %H:%M").to_string()
}

impl Stage {
    pub(super) fn add_task(&mut self, number: u32, title: String, due_on: Option<NaiveDate>) {
        self.tasks.push(Task {
            id: TaskId(Ulid::from_parts(2, u128::from(number))),
            number,
            title,
            state: TaskState::Open,
            due_on,
            done_at: None,
            version: 0,
        });
    }

    pub(super) fn add_meeting(
        &mut self,
        mode: MeetingMode,
        booked: Option<(Timestamp, String)>,
    ) -> MeetingId {
        let id = MeetingId(Ulid::from_parts(3, self.meetings.len() as u128 + 1));
        let (starts_at, place) = booked.unzip();
        self.meetings.push(Meeting {
            id,
            kind: MeetingKind::Progress,
            mode,
            state: match starts_at {
                Some(_) => MeetingState::Booked,
                None => MeetingState::Proposed,
            },
            slot: None,
            starts_at,
            ends_at: starts_at.map(|at| at.plus_seconds(30 * 60)),
            place,
            version: 0,
        });
        id
    }

    pub(super) fn add_slot(&mut self, at: Timestamp) {
        let id = SlotId(Ulid::from_parts(4, self.slots.len() as u128 + 1));
        self.slots.insert(id, at);
    }

    /// The free moments that are still to come.
    pub(super) fn free(&self, now: Timestamp) -> Vec<SlotId> {
        let coming = self.slots.iter().filter(|(_, at)| **at > now);
        coming.map(|(id, _)| *id).collect()
    }

    pub(super) fn add_vacancy(&mut self, title: String) {
        let id = VacancyId(Ulid::from_parts(5, self.vacancies.len() as u128 + 1));
        self.vacancies.insert(id, title);
        self.open.insert(id);
    }

    /// The first thing that a flow can be about.
    pub(super) fn subject(&self, about: About) -> Option<Subject> {
        match about {
            About::Task => self.tasks.first().map(|task| Subject::Task(task.id)),
            About::Meeting => self.meetings.first().map(|it| Subject::Meeting(it.id)),
            About::Vacancy => self.vacancies.keys().next().copied().map(Subject::Vacancy),
            About::Nothing => Some(Subject::Nothing),
        }
    }

    pub(super) fn plan(&self) -> Plan {
        let meetings = self.meetings.iter();
        let meetings = meetings.filter(|meeting| meeting.state != MeetingState::Cancelled);
        Plan {
            id: None,
            goal: String::new(),
            tasks: self.tasks.clone(),
            meetings: meetings.cloned().collect(),
        }
    }

    /// What texts may say about this thing.
    pub(super) fn context(&self, subject: Subject, locale: &str, now: Timestamp) -> Context {
        let step = |task: &Task| Step {
            number: task.number,
            title: task.title.clone(),
        };
        let plan = self.plan();
        let task = match subject {
            Subject::Task(id) => plan.task(id).map(step),
            _ => None,
        };
        let booked = plan.meetings.iter().filter(|meeting| {
            meeting.state == MeetingState::Booked && meeting.starts_at > Some(now)
        });
        let meeting = match subject {
            Subject::Meeting(id) => self.meetings.iter().find(|meeting| meeting.id == id),
            _ => booked.min_by_key(|meeting| meeting.starts_at),
        };
        let meeting = meeting.map(|meeting| MeetingTold {
            starts_at: meeting.starts_at.map(|at| at.local(ZONE).naive_local()),
            place: meeting.place.clone(),
            task: String::new(),
            mode: Some(meeting.mode),
        });
        let vacancy = match subject {
            Subject::Vacancy(id) => self.vacancies.get(&id),
            _ => None,
        };
        let learned = match locale {
            "en" => "We search on with that in mind.",
            _ => "Daar letten we bij het zoeken op.",
        };
        let vacancy = vacancy.map(|title| VacancyTold {
            title: title.clone(),
            employer: "De Kok".to_owned(),
            town: "Waterstad".to_owned(),
            hours: "24 tot 32 uur per week".to_owned(),
            why: "20 min fietsen, geen VOG nodig".to_owned(),
            learned: learned.to_owned(),
        });
        Context::new("Samira", &self.coach, "Gemeente Waterstad")
            .about(task)
            .steps(
                plan.open().map(step).collect(),
                plan.done().map(step).collect(),
            )
            .meeting(meeting.unwrap_or_default())
            .vacancy(vacancy)
            .colleagues(self.colleagues.clone())
    }

    /// The moments of an offer as they are shown.
    pub(super) fn labels(&self, slots: &[SlotId], locale: &str) -> Vec<(SlotId, String)> {
        let label = |id: &SlotId| {
            let at = self.slots.get(id)?.local(ZONE).naive_local();
            Some((*id, moments::brief(at, locale)))
        };
        slots.iter().filter_map(label).collect()
    }

    pub(super) fn task_done(&mut self, number: u32, by: Option<FlowHash>, now: Timestamp) -> Done {
        let mut tasks = self.tasks.iter_mut();
        let task = tasks.find(|task| task.number == number && task.state == TaskState::Open);
        let Some(task) = task else {
            return Done::default();
        };
        task.state = TaskState::Done;
        task.done_at = Some(now);
        Done::told(format!("now   task {number} done")).then(Event::Changed {
            what: Change::TaskDone,
            subject: Subject::Task(task.id),
            by,
        })
    }

    pub(super) fn task_dropped(&mut self, number: u32) -> Done {
        let Some(task) = self.tasks.iter_mut().find(|task| task.number == number) else {
            return Done::default();
        };
        task.state = TaskState::Dropped;
        Done::default().then(Event::Changed {
            what: Change::TaskDropped,
            subject: Subject::Task(task.id),
            by: None,
        })
    }

    pub(super) fn task_later(&mut self, number: u32, days: u32, now: Timestamp) -> Done {
        let Some(task) = self.tasks.iter_mut().find(|task| task.number == number) else {
            return Done::default();
        };
        let today = now.local_day(ZONE);
        let from = task.due_on.map_or(today, |due| due.max(today));
        task.due_on = from.checked_add_days(chrono::Days::new(u64::from(days)));
        let due = task.due_on.map(|day| day.to_string()).unwrap_or_default();
        Done::told(format!("now   task {number} due {due}"))
    }

    /// The coach does something with the first meeting.
    pub(super) fn meeting(
        &mut self,
        state: MeetingState,
        at: Option<Timestamp>,
        what: Option<Change>,
    ) -> Result<Done, String> {
        let meeting = self.meetings.first_mut().ok_or("there is no meeting")?;
        meeting.state = state;
        if let Some(at) = at {
            settle(meeting, at);
        }
        let subject = Subject::Meeting(meeting.id);
        let what = what.map(|what| (what, subject));
        // Somebody who was met is not silent.
        let (what, subject) = what.unwrap_or((Change::SignOfLife, Subject::Nothing));
        Ok(Done::default().then(Event::Changed {
            what,
            subject,
            by: None,
        }))
    }

    /// What an answer does to the plan.
    pub(super) fn deed(
        &mut self,
        act: &Act,
        subject: Subject,
        slot: Option<SlotId>,
        by: FlowHash,
        now: Timestamp,
    ) -> Done {
        let number = self
            .tasks
            .iter()
            .find(|task| Subject::Task(task.id) == subject);
        let number = number.map(|task| task.number);
        match (act, subject) {
            (Act::TaskDone, _) => number.map_or_else(Done::default, |number| {
                self.task_done(number, Some(by), now)
            }),
            (Act::TaskLater { days }, _) => {
                number.map_or_else(Done::default, |number| self.task_later(number, *days, now))
            }
            (Act::MeetingBook, _) => self.book(subject, slot, by),
            (Act::MeetingDecline, Subject::Meeting(id)) => {
                let gone = self.release(id, MeetingState::Proposed);
                Done::told(format!("now   meeting free again{gone}"))
            }
            (Act::MeetingCancel, Subject::Meeting(id)) => {
                let gone = self.release(id, MeetingState::Cancelled);
                Done::told(format!("now   meeting cancelled{gone}")).then(Event::Changed {
                    what: Change::MeetingCancelled,
                    subject,
                    by: Some(by),
                })
            }
            (Act::MeetingAgain, Subject::Meeting(id)) => {
                let old = self.meetings.iter().find(|meeting| meeting.id == id);
                let mode = old.map_or(MeetingMode::Office, |meeting| meeting.mode);
                let id = self.add_meeting(mode, None);
                Done::told("now   another meeting proposed").then(Event::Start {
                    flow: by,
                    subject: Subject::Meeting(id),
                })
            }
            (Act::Exercise(name), _) => self.exercise(name),
            (Act::Prefers(what), _) => Done::told(format!("now   prefers {what}")),
            (act, _) => {
                let name = serde_json::to_value(act).unwrap_or_default();
                Done::told(format!("now   {}", name.as_str().unwrap_or_default()))
            }
        }
    }

    /// The meeting that this is about takes the moment; else a new one does.
    fn book(&mut self, subject: Subject, slot: Option<SlotId>, by: FlowHash) -> Done {
        let Some((slot, at)) = slot.and_then(|slot| self.slots.remove_entry(&slot)) else {
            return Done::default();
        };
        let id = match subject {
            Subject::Meeting(id) => id,
            _ => self.add_meeting(MeetingMode::Office, None),
        };
        if let Some(meeting) = self.meetings.iter_mut().find(|meeting| meeting.id == id) {
            meeting.state = MeetingState::Booked;
            meeting.slot = Some(slot);
            settle(meeting, at);
        }
        Done::told(format!("now   meeting booked {}", clock(at))).then(Event::Changed {
            what: Change::MeetingBooked,
            subject: Subject::Meeting(id),
            by: Some(by),
        })
    }

    /// The moment is free again; when it was, for the reader.
    fn release(&mut self, id: MeetingId, state: MeetingState) -> String {
        let Some(meeting) = self.meetings.iter_mut().find(|meeting| meeting.id == id) else {
            return String::new();
        };
        meeting.state = state;
        let at = meeting.starts_at;
        if let (Some(slot), Some(at)) = (meeting.slot.take(), at) {
            self.slots.insert(slot, at);
        }
        if state == MeetingState::Proposed {
            meeting.starts_at = None;
        }
        at.map(|at| format!(", {}", clock(at))).unwrap_or_default()
    }

    fn exercise(&mut self, name: &str) -> Done {
        self.exercised.insert(name.to_owned());
        let mut done = Done::told(format!("now   exercise {name} done"));
        if self.exercised.len() >= 3 && self.skill == DigitalSkill::Starter {
            self.skill = DigitalSkill::Basic;
            done.told.push("now   skill basic".to_owned());
        }
        if self.exercised.len() == 5 {
            done.told.push("coach skill_grown".to_owned());
        }
        done
    }
}

fn settle(meeting: &mut Meeting, at: Timestamp) {
    meeting.starts_at = Some(at);
    meeting.ends_at = Some(at.plus_seconds(30 * 60));
    let place = match meeting.mode {
        MeetingMode::Video => Some(LINK),
        MeetingMode::Phone => None,
        MeetingMode::Office | MeetingMode::Elsewhere => Some(PLACE),
    };
    meeting.place = place.map(str::to_owned);
}
