//! The plan: its tasks, the meetings, what is next for this person.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::ids::{MeetingId, PlanId, SlotId, TaskId, VacancyId};
use super::time::Timestamp;

/// What a run, a message or a nudge is about. Its text form (`task:01J…`) is what the database keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Task(TaskId),
    Meeting(MeetingId),
    Vacancy(VacancyId),
    Nothing,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Task(id) => write!(f, "task:{id}"),
            Subject::Meeting(id) => write!(f, "meeting:{id}"),
            Subject::Vacancy(id) => write!(f, "vacancy:{id}"),
            Subject::Nothing => f.write_str("nothing"),
        }
    }
}

impl Subject {
    pub fn parse(text: &str) -> Option<Self> {
        if text == "nothing" {
            return Some(Subject::Nothing);
        }
        let (kind, id) = text.split_once(':')?;
        match kind {
            "task" => id.parse().ok().map(Subject::Task),
            "meeting" => id.parse().ok().map(Subject::Meeting),
            "vacancy" => id.parse().ok().map(Subject::Vacancy),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    Open,
    Done,
    Dropped,
}

impl TaskState {
    pub const fn as_str(self) -> &'static str {
        match self {
            TaskState::Open => "open",
            TaskState::Done => "done",
            TaskState::Dropped => "dropped",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "open" => TaskState::Open,
            "done" => TaskState::Done,
            "dropped" => TaskState::Dropped,
            _ => return None,
        })
    }
}

/// Who ticked a task. A coach never does: the candidate is in charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DoneBy {
    Candidate,
    /// Another system said so.
    Import,
}

impl DoneBy {
    pub const fn as_str(self) -> &'static str {
        match self {
            DoneBy::Candidate => "candidate",
            DoneBy::Import => "import",
        }
    }
}

/// One small step, with the number by which the candidate knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Task {
    pub id: TaskId,
    pub number: u32,
    pub title: String,
    pub state: TaskState,
    pub due_on: Option<NaiveDate>,
    pub done_at: Option<Timestamp>,
    /// Row version, for saving it back.
    pub version: i64,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Task({}, {}, {:?}, {:?})",
            self.id, self.number, self.state, self.due_on
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeetingState {
    Proposed,
    Booked,
    Held,
    Missed,
    Cancelled,
}

impl MeetingState {
    pub const fn as_str(self) -> &'static str {
        match self {
            MeetingState::Proposed => "proposed",
            MeetingState::Booked => "booked",
            MeetingState::Held => "held",
            MeetingState::Missed => "missed",
            MeetingState::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "proposed" => MeetingState::Proposed,
            "booked" => MeetingState::Booked,
            "held" => MeetingState::Held,
            "missed" => MeetingState::Missed,
            "cancelled" => MeetingState::Cancelled,
            _ => return None,
        })
    }
}

/// What a meeting is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeetingKind {
    Intake,
    Progress,
    Diagnosis,
    Reassessment,
    Practice,
    Workshop,
}

impl MeetingKind {
    pub const ALL: [MeetingKind; 6] = [
        MeetingKind::Intake,
        MeetingKind::Progress,
        MeetingKind::Diagnosis,
        MeetingKind::Reassessment,
        MeetingKind::Practice,
        MeetingKind::Workshop,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            MeetingKind::Intake => "intake",
            MeetingKind::Progress => "progress",
            MeetingKind::Diagnosis => "diagnosis",
            MeetingKind::Reassessment => "reassessment",
            MeetingKind::Practice => "practice",
            MeetingKind::Workshop => "workshop",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Intake, diagnosis and reassessment go badly online (Jobport, "Blended coaching, de voor- en nadelen",
    /// 18 May 2021): these are at the office, by rule.
    pub const fn offline_only(self) -> bool {
        matches!(
            self,
            MeetingKind::Intake | MeetingKind::Diagnosis | MeetingKind::Reassessment
        )
    }
}

/// Where people meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeetingMode {
    Office,
    Phone,
    Video,
    Elsewhere,
}

impl MeetingMode {
    pub const ALL: [MeetingMode; 4] = [
        MeetingMode::Office,
        MeetingMode::Phone,
        MeetingMode::Video,
        MeetingMode::Elsewhere,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            MeetingMode::Office => "office",
            MeetingMode::Phone => "phone",
            MeetingMode::Video => "video",
            MeetingMode::Elsewhere => "elsewhere",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }

    /// In one room: what a blend counts as offline.
    pub const fn offline(self) -> bool {
        matches!(self, MeetingMode::Office | MeetingMode::Elsewhere)
    }
}

/// One appointment, as far as a talk needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meeting {
    pub id: MeetingId,
    pub kind: MeetingKind,
    pub mode: MeetingMode,
    pub state: MeetingState,
    /// The coach's slot that it takes, if it came from one.
    pub slot: Option<SlotId>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// The address, or for video the link.
    pub place: Option<String>,
    /// Row version, for saving it back.
    pub version: i64,
}

impl Meeting {
    /// Booked, and not begun.
    pub fn is_coming(&self, now: Timestamp) -> bool {
        self.state == MeetingState::Booked && self.starts_at > Some(now)
    }

    /// What was to be said of it and came too late is missed: it is coming, or nobody was asked for a moment.
    pub fn waits_for_word(&self, now: Timestamp) -> bool {
        self.is_coming(now) || self.state == MeetingState::Proposed
    }
}

/// The plan as a talk sees it: open and done tasks in order of their number, coming meetings.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Plan {
    pub id: Option<PlanId>,
    pub goal: String,
    pub tasks: Vec<Task>,
    pub meetings: Vec<Meeting>,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plan({:?}, {:?})", self.id, self.tasks)
    }
}

impl Plan {
    pub fn task(&self, id: TaskId) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == id)
    }

    pub fn task_numbered(&self, number: u32) -> Option<&Task> {
        self.tasks.iter().find(|task| task.number == number)
    }

    pub fn open(&self) -> impl Iterator<Item = &Task> {
        self.tasks
            .iter()
            .filter(|task| task.state == TaskState::Open)
    }

    pub fn done(&self) -> impl Iterator<Item = &Task> {
        self.tasks
            .iter()
            .filter(|task| task.state == TaskState::Done)
    }

    pub fn meeting(&self, id: MeetingId) -> Option<&Meeting> {
        self.meetings.iter().find(|meeting| meeting.id == id)
    }
}
