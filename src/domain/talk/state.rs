//! Where one conversation stands.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::contact::Purpose;
use crate::domain::ids::{CandidateId, FlowHash, NodeId, SlotId};
use crate::domain::plan::Subject;
use crate::domain::talk::event::Change;
use crate::domain::time::Timestamp;

/// The one conversation with one candidate, over all channels: the unit of order and takeover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Talk {
    pub candidate: CandidateId,
    /// How many messages this talk has asked for; the number of the newest one.
    pub said: u32,
    pub state: State,
    /// Runs that wait for a time or for the front; at most sixteen.
    pub waiting: Vec<Waiting>,
    /// The last question that lost the front without an answer: a digit typed soon after may be
    /// meant for it.
    pub overlapped: Option<Overlapped>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlapped {
    pub said: u32,
    pub asked_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Idle,
    /// A question is written and no provider accepted it yet: nobody can be silent.
    Offered {
        run: Run,
        node: NodeId,
        said: u32,
        tries: u8,
    },
    Asking {
        run: Run,
        node: NodeId,
        said: u32,
        since: Timestamp,
        silent_at: Timestamp,
        tries: u8,
    },
    /// The bot is silent; what falls due is a flag.
    WithCoach {
        since: Timestamp,
        why: Why,
        #[serde(default)]
        warned: Option<Warned>,
    },
    Left {
        since: Timestamp,
        #[serde(default)]
        warned: Option<Warned>,
        /// What the person agreed to until then: START gives that back.
        #[serde(default)]
        had: BTreeSet<Purpose>,
    },
}

/// The last door that was given to somebody to whom the bot is silent: an alarm is answered once, and again
/// only after a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    pub why: Why,
    pub at: Timestamp,
}

/// One flow played about one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub flow: FlowHash,
    pub subject: Subject,
    pub ends_at: Timestamp,
    pub offered: Vec<SlotId>,
    pub picked: Option<SlotId>,
    /// Questions of this run that nobody answered yet, oldest first, without the open one: their
    /// buttons still count. An answer empties it.
    pub unanswered: Vec<Asked>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub said: u32,
    pub node: NodeId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub run: Run,
    pub node: NodeId,
    pub until: Until,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    Time(Timestamp),
    /// Until the open question of this talk is gone.
    Front,
    /// Until this happens to what the run is about.
    Change(Change),
}

/// Why a coach must look at a talk or a person. The database and the flows keep its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    SilentTooLong,
    /// Nobody chose a moment; what the silence itself leads to is another ladder's.
    InvitationUnanswered,
    NoSlots,
    /// What was to be said of a meeting could not leave in time: a reminder, or a change.
    MeetingUntold,
    NotReachable,
    SaidSomethingElse,
    AskedForHelp,
    /// None of the moments that were offered for a meeting fits.
    OtherMoment,
    AsksCall,
    WantsVacancy,
    Attendance,
    SmallerStep,
    /// A check-in was answered with "not well".
    NotWell,
    /// A question about a vacancy.
    AsksAboutVacancy,
    /// The person called a meeting off.
    CalledOff,
    /// The next rung of the silence ladder is a line in the coach's own words.
    PersonalLine,
    /// The next rung is a letter to print.
    Letter,
    /// More of the contact is online than was agreed: an office meeting is due.
    BlendDrifts,
    /// Somebody waits for a coach's answer for more than two working days.
    AnswerOverdue,
    /// The coach was told so a day before: now it is for the whole team.
    TeamAnswerOverdue,
    /// An exercise did not work out.
    NeedsPractice,
    /// All exercises are done: perhaps the person is skilled by now. A coach decides.
    SkillGrown,
    Crisis,
    Threat,
    FormalRequest,
    /// A coach took the talk.
    TakenOver,
    /// Something came in while the coach has the talk, or that no flow handles.
    Wrote,
    /// The engine could not go on: a bug or a flow that no longer exists.
    Stuck,
    /// A nudge fell due while it may not go: the coach has the talk.
    NudgeWhileTaken,
    InDoubt,
    SendFailed,
    HumanFloor,
    NumberChanged,
    IdentityChanged,
    UnknownSender,
    StoppedWhileSending,
    NoForm,
    Refused,
}

impl Why {
    pub const ALL: [Why; 38] = [
        Why::SilentTooLong,
        Why::InvitationUnanswered,
        Why::NoSlots,
        Why::MeetingUntold,
        Why::NotReachable,
        Why::SaidSomethingElse,
        Why::AskedForHelp,
        Why::OtherMoment,
        Why::AsksCall,
        Why::WantsVacancy,
        Why::Attendance,
        Why::SmallerStep,
        Why::NotWell,
        Why::AsksAboutVacancy,
        Why::CalledOff,
        Why::PersonalLine,
        Why::Letter,
        Why::BlendDrifts,
        Why::AnswerOverdue,
        Why::TeamAnswerOverdue,
        Why::NeedsPractice,
        Why::SkillGrown,
        Why::Crisis,
        Why::Threat,
        Why::FormalRequest,
        Why::TakenOver,
        Why::Wrote,
        Why::Stuck,
        Why::NudgeWhileTaken,
        Why::InDoubt,
        Why::SendFailed,
        Why::HumanFloor,
        Why::NumberChanged,
        Why::IdentityChanged,
        Why::UnknownSender,
        Why::StoppedWhileSending,
        Why::NoForm,
        Why::Refused,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Why::SilentTooLong => "silent_too_long",
            Why::InvitationUnanswered => "invitation_unanswered",
            Why::NoSlots => "no_slots",
            Why::MeetingUntold => "meeting_untold",
            Why::NotReachable => "not_reachable",
            Why::SaidSomethingElse => "said_something_else",
            Why::AskedForHelp => "asked_for_help",
            Why::OtherMoment => "other_moment",
            Why::AsksCall => "asks_call",
            Why::WantsVacancy => "wants_vacancy",
            Why::Attendance => "attendance",
            Why::SmallerStep => "smaller_step",
            Why::NotWell => "not_well",
            Why::AsksAboutVacancy => "asks_about_vacancy",
            Why::CalledOff => "called_off",
            Why::PersonalLine => "personal_line",
            Why::Letter => "letter",
            Why::BlendDrifts => "blend_drifts",
            Why::AnswerOverdue => "answer_overdue",
            Why::TeamAnswerOverdue => "team_answer_overdue",
            Why::NeedsPractice => "needs_practice",
            Why::SkillGrown => "skill_grown",
            Why::Crisis => "crisis",
            Why::Threat => "threat",
            Why::FormalRequest => "formal_request",
            Why::TakenOver => "taken_over",
            Why::Wrote => "wrote",
            Why::Stuck => "stuck",
            Why::NudgeWhileTaken => "nudge_while_taken",
            Why::InDoubt => "in_doubt",
            Why::SendFailed => "send_failed",
            Why::HumanFloor => "human_floor",
            Why::NumberChanged => "number_changed",
            Why::IdentityChanged => "identity_changed",
            Why::UnknownSender => "unknown_sender",
            Why::StoppedWhileSending => "stopped_while_sending",
            Why::NoForm => "no_form",
            Why::Refused => "refused",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == text)
    }

    /// For everybody in the team, whoever the coach is.
    pub const fn for_team(self) -> bool {
        matches!(self, Why::TeamAnswerOverdue)
    }

    /// Shown first and in red: a person may be in danger or a legal term runs.
    pub const fn urgent(self) -> bool {
        matches!(self, Why::Crisis | Why::Threat | Why::FormalRequest)
    }
}

impl Talk {
    pub fn new(candidate: CandidateId) -> Self {
        Self {
            candidate,
            said: 0,
            state: State::Idle,
            waiting: Vec::new(),
            overlapped: None,
        }
    }

    /// The open question: its run, its node and the number of its message.
    pub fn front(&self) -> Option<(&Run, &NodeId, u32)> {
        match &self.state {
            State::Offered {
                run, node, said, ..
            }
            | State::Asking {
                run, node, said, ..
            } => Some((run, node, *said)),
            State::Idle | State::WithCoach { .. } | State::Left { .. } => None,
        }
    }

    /// The last door that was given while the bot is silent.
    pub const fn warned(&self) -> Option<Warned> {
        match self.state {
            State::WithCoach { warned, .. } | State::Left { warned, .. } => warned,
            State::Idle | State::Offered { .. } | State::Asking { .. } => None,
        }
    }

    /// Every run of this talk.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        let front = self.front().map(|(run, ..)| run);
        front
            .into_iter()
            .chain(self.waiting.iter().map(|waiting| &waiting.run))
    }

    /// The one timer of a talk: the earliest moment at which something must happen by itself.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let front = match &self.state {
            State::Asking { silent_at, run, .. } => Some((*silent_at).min(run.ends_at)),
            State::Offered { run, .. } => Some(run.ends_at),
            State::Idle | State::WithCoach { .. } | State::Left { .. } => None,
        };
        let waiting = self.waiting.iter().map(|waiting| match waiting.until {
            Until::Time(at) => at.min(waiting.run.ends_at),
            Until::Front | Until::Change(_) => waiting.run.ends_at,
        });
        front.into_iter().chain(waiting).min()
    }

    /// The name of the state, as the database keeps it for queries.
    pub const fn state_name(&self) -> &'static str {
        match self.state {
            State::Idle => "idle",
            State::Offered { .. } => "offered",
            State::Asking { .. } => "asking",
            State::WithCoach { .. } => "with_coach",
            State::Left { .. } => "left",
        }
    }
}
