//! Who is due what, who is left alone, and until when. Every nudge closes with a reason.
//! Pure: the facts are selected by the store, the numbers are the `Cadence`.

pub mod look;
mod room;

use chrono::{Days, NaiveDate, Timelike};

use super::cadence::Cadence;
use super::contact::Purpose;
use super::ids::{CandidateId, TaskId};
use super::plan::{Meeting, MeetingState, Subject, Task, TaskState};
use super::time::{Holidays, Timestamp, Tz, add_working_days, local_moment, next_allowed};

pub use room::Room;

/// Why a nudge became due. Its name is the `rule` of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    TaskDue,
    TaskLate,
    CheckIn,
    Vacancy,
    /// A kind of meeting is due, the blend drifts, or a coach asks for it.
    Invitation,
    /// Before the first video meeting of a `starter`.
    Practice,
    Perspective,
    Silence,
    Exercises,
}

impl Rule {
    pub const ALL: [Rule; 9] = [
        Rule::TaskDue,
        Rule::TaskLate,
        Rule::CheckIn,
        Rule::Vacancy,
        Rule::Invitation,
        Rule::Practice,
        Rule::Perspective,
        Rule::Silence,
        Rule::Exercises,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Rule::TaskDue => "task_due",
            Rule::TaskLate => "task_late",
            Rule::CheckIn => "check_in",
            Rule::Vacancy => "vacancy",
            Rule::Invitation => "invitation",
            Rule::Practice => "practice",
            Rule::Perspective => "perspective",
            Rule::Silence => "silence",
            Rule::Exercises => "exercises",
        }
    }

    /// The flow that a due nudge of this rule starts.
    pub const fn flow(self) -> &'static str {
        match self {
            Rule::TaskDue | Rule::TaskLate => "task_nudge",
            Rule::CheckIn => "check_in",
            Rule::Vacancy => "vacancy",
            Rule::Invitation => "meeting_invite",
            Rule::Practice => "practice_session",
            Rule::Perspective => "perspective",
            Rule::Silence => "silence",
            Rule::Exercises => "digital_comfort",
        }
    }

    /// What the person must have agreed to.
    pub const fn purpose(self) -> Purpose {
        match self {
            Rule::TaskDue | Rule::TaskLate | Rule::Perspective => Purpose::Tasks,
            Rule::CheckIn | Rule::Silence | Rule::Exercises => Purpose::CheckIns,
            Rule::Vacancy => Purpose::Vacancies,
            Rule::Invitation | Rule::Practice => Purpose::Meetings,
        }
    }

    /// The rules that look for work by the calendar in `app/tick.rs`.
    pub const BY_CALENDAR: [Rule; 2] = [Rule::TaskDue, Rule::TaskLate];

    /// Of several that are due for one person on one day: what somebody waits for or could miss goes
    /// first, what keeps goes last. The smaller number goes.
    pub const fn rank(self) -> u8 {
        match self {
            Rule::Practice => 0,
            Rule::Invitation => 1,
            Rule::TaskDue => 2,
            Rule::TaskLate => 3,
            Rule::Silence => 4,
            Rule::Vacancy => 5,
            Rule::CheckIn => 6,
            Rule::Exercises => 7,
            Rule::Perspective => 8,
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text)
    }
}

/// The flow to which a row of the ledger belongs: by its rule, or by the node that spoke
/// (`flow/node`).
pub fn flow_of(rule: &str) -> &str {
    match Rule::parse(rule) {
        Some(rule) => rule.flow(),
        None => rule.split('/').next().unwrap_or(rule),
    }
}

/// What happened to a person since a nudge was written into the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Since {
    /// The last sign of life.
    pub sign: Option<Timestamp>,
    /// The last message to this person that was accepted.
    pub sent: Option<Timestamp>,
    /// A question is open.
    pub open: bool,
}

/// Did the reason of a nudge go away since it was written? One that another message took the place of
/// is `Merged`, one that the person made needless `Withdrawn`.
pub fn overtaken(rule: Rule, written_at: Timestamp, since: &Since) -> Option<Ended> {
    let after = |at: Option<Timestamp>| at.is_some_and(|at| at > written_at);
    match rule {
        Rule::CheckIn if after(since.sign) => Some(Ended::Withdrawn),
        Rule::CheckIn if after(since.sent) || since.open => Some(Ended::Merged),
        Rule::Silence if after(since.sign) => Some(Ended::Withdrawn),
        // An open question has a ladder of its own.
        Rule::Silence | Rule::Exercises if since.open => Some(Ended::Merged),
        _ => None,
    }
}

/// Is there still a reason to speak of this task? A nudge about a due day asks of that day alone: whoever got
/// more time is asked about the new one.
pub fn may_ask_of(rule: Rule, task: &Task, due_on: NaiveDate) -> bool {
    let of_its_day = matches!(rule, Rule::TaskDue | Rule::TaskLate);
    task.state == TaskState::Open && (!of_its_day || task.due_on == Some(due_on))
}

/// Is there still a reason to speak of this meeting?
pub fn may_speak_of(rule: Rule, meeting: &Meeting, now: Timestamp) -> bool {
    match meeting.state {
        MeetingState::Proposed => rule != Rule::Practice,
        MeetingState::Booked => meeting.starts_at.is_none_or(|at| at > now),
        MeetingState::Held | MeetingState::Missed | MeetingState::Cancelled => false,
    }
}

/// How a due nudge ended: the `because` of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ended {
    Sent,
    Held,
    Withdrawn,
    Expired,
    Merged,
    Undelivered,
}

impl Ended {
    pub const fn as_str(self) -> &'static str {
        match self {
            Ended::Sent => "sent",
            Ended::Held => "held",
            Ended::Withdrawn => "withdrawn",
            Ended::Expired => "expired",
            Ended::Merged => "merged",
            Ended::Undelivered => "undelivered",
        }
    }
}

/// An open task of `due_range`, for which the ledger has no row of `task_due` or `task_late` with
/// this due day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskFact {
    pub task: TaskId,
    pub candidate: CandidateId,
    pub due_on: NaiveDate,
}

/// One occurrence. Rule, subject and `due_on` (the task's due day) make it one and the same,
/// whenever it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueNudge {
    pub candidate: CandidateId,
    pub rule: Rule,
    pub subject: Subject,
    pub due_on: NaiveDate,
    pub due_at: Timestamp,
}

/// The due days of the tasks that may need a nudge today, first and last. Select the open tasks in
/// between by the index on (state, due_on), without those that the ledger holds for that day. The
/// range reaches back, so that a task that was imported long after its day is found once.
pub fn due_range(
    today: NaiveDate,
    cadence: &Cadence,
    holidays: &Holidays,
) -> (NaiveDate, NaiveDate) {
    let back = Days::new(u64::from(cadence.task_late.at_most_days.get()));
    let first = today.checked_sub_days(back).unwrap_or(NaiveDate::MIN);
    // The last day whose own "working days before" is not after today.
    let ahead = i32::from(cadence.task_due.working_days_before);
    (first, add_working_days(today, ahead, holidays))
}

/// What is due today. Days that were missed leave one nudge a task: `task_due` until the task is
/// late, `task_late` from then on. Ordered as they should go: who waits longest comes first.
pub fn due(
    tasks: &[TaskFact],
    today: NaiveDate,
    zone: Tz,
    cadence: &Cadence,
    holidays: &Holidays,
) -> Vec<DueNudge> {
    let (first, last) = due_range(today, cadence, holidays);
    let due_at = due_at(today, zone, cadence, holidays);
    let mut nudges: Vec<DueNudge> = tasks
        .iter()
        .filter(|fact| (first..=last).contains(&fact.due_on))
        .map(|fact| DueNudge {
            candidate: fact.candidate,
            rule: rule_for(fact.due_on, today, cadence, holidays),
            subject: Subject::Task(fact.task),
            due_on: fact.due_on,
            due_at,
        })
        .collect();
    nudges.sort_by_key(order);
    nudges.dedup_by_key(|nudge| (nudge.subject, nudge.due_on));
    nudges
}

fn rule_for(due_on: NaiveDate, today: NaiveDate, cadence: &Cadence, holidays: &Holidays) -> Rule {
    let after = i32::from(cadence.task_late.working_days_after);
    match add_working_days(due_on, after, holidays) {
        // Without a working day in between, the due day itself is not late.
        late if late <= today && today > due_on => Rule::TaskLate,
        _ => Rule::TaskDue,
    }
}

/// What is due on a day is due at one time; on a day without nudges, on the next morning with them.
fn due_at(day: NaiveDate, zone: Tz, cadence: &Cadence, holidays: &Holidays) -> Timestamp {
    let time = cadence.due_at;
    let at = local_moment(day, time.hour(), time.minute(), zone);
    next_allowed(at, zone, &cadence.quiet, holidays)
}

/// The older need first; of equal age always the same one, wherever it is computed.
fn order(nudge: &DueNudge) -> (NaiveDate, Rule, Subject, CandidateId) {
    (nudge.due_on, nudge.rule, nudge.subject, nudge.candidate)
}

/// Of several nudges for one person only as many as a day allows keep their moment, the older need
/// first; each of the others waits for a next allowed day of its own.
pub fn one_after_the_other(
    mut nudges: Vec<DueNudge>,
    zone: Tz,
    cadence: &Cadence,
    holidays: &Holidays,
) -> Vec<DueNudge> {
    nudges.sort_by_key(|nudge| (nudge.candidate, order(nudge)));
    let a_day = cadence.caps.a_day.get();
    let mut person: Option<(CandidateId, Timestamp, u32)> = None;
    for nudge in &mut nudges {
        let (at, count) = match person {
            Some((candidate, at, count)) if candidate == nudge.candidate => match count < a_day {
                true => (at, count + 1),
                false => {
                    let tomorrow = next_day(at, zone);
                    (due_at(tomorrow, zone, cadence, holidays), 1)
                }
            },
            _ => (nudge.due_at, 1),
        };
        nudge.due_at = nudge.due_at.max(at);
        person = Some((nudge.candidate, nudge.due_at, count));
    }
    nudges
}

fn next_day(moment: Timestamp, zone: Tz) -> NaiveDate {
    let day = moment.local_day(zone);
    day.succ_opt().unwrap_or(day)
}

/// After this moment the nudge is given up: `Ended::Expired`.
pub fn expires_at(due_at: Timestamp, cadence: &Cadence) -> Timestamp {
    due_at.plus_days(i64::from(cadence.expires_after_days.get()))
}

/// Where a person stands, as far as a nudge must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Active,
    /// Wrote to us; nobody knows yet who this is.
    Unknown,
    /// Until and with this day.
    Paused {
        until: NaiveDate,
    },
    WithCoach,
    /// Left, or erased.
    Left,
}

/// What must be known of one person before a nudge goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonFacts {
    pub standing: Standing,
    /// For the purpose of this nudge.
    pub consent: bool,
    /// At least one address is proven or believed.
    pub address_usable: bool,
    /// Nudges since the last personal line of the coach.
    pub automated_in_row: u32,
    /// A message to this person may or may not have gone.
    pub in_doubt: bool,
    /// When nudges to this person were accepted, for the last seven local days at least.
    pub accepted: Vec<Timestamp>,
    pub room: Room,
}

/// May a nudge go?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Go,
    /// Ask again then: a moment at which nudges may leave, and later than now.
    NotBefore(Timestamp, Wait),
    Never(Reason),
    /// The machine has said enough. The coach is asked for a line of their own.
    AskCoachHumanFloor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    Quiet,
    DayFull,
    SevenDaysFull,
    /// A receipt or a coach must first say what happened to an earlier message.
    Doubt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Left,
    Paused,
    WithCoach,
    NotKnown,
    NoConsent,
    NoAddress,
}

impl Reason {
    /// A reason that went away withdraws the nudge; what somebody can still put right holds it.
    pub const fn ended(self) -> Ended {
        match self {
            Reason::Left | Reason::Paused => Ended::Withdrawn,
            Reason::WithCoach | Reason::NotKnown | Reason::NoConsent | Reason::NoAddress => {
                Ended::Held
            }
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::Left => "left",
            Reason::Paused => "paused",
            Reason::WithCoach => "with_coach",
            Reason::NotKnown => "not_known",
            Reason::NoConsent => "no_consent",
            Reason::NoAddress => "no_address",
        }
    }
}

/// How long a nudge waits before it asks again whether the doubt is gone.
const DOUBT_SECONDS: i64 = 3600;

/// For nudges only: a direct answer to somebody who just wrote always may.
/// Asked when the nudge falls due and once more when its message would leave.
pub fn may_go(
    person: &PersonFacts,
    now: Timestamp,
    zone: Tz,
    cadence: &Cadence,
    holidays: &Holidays,
) -> Verdict {
    let today = now.local_day(zone);
    if let Some(reason) = never(person, today) {
        return Verdict::Never(reason);
    }
    if person.room != Room::Agreed && person.automated_in_row >= cadence.human_floor.get() {
        return Verdict::AskCoachHumanFloor;
    }
    let allowed = |moment| next_allowed(moment, zone, &cadence.quiet, holidays);
    if person.in_doubt {
        return Verdict::NotBefore(allowed(now.plus_seconds(DOUBT_SECONDS)), Wait::Doubt);
    }
    if allowed(now) > now {
        return Verdict::NotBefore(allowed(now), Wait::Quiet);
    }
    match room::full_until(person, today, zone, cadence) {
        Some((day, wait)) => Verdict::NotBefore(due_at(day, zone, cadence, holidays), wait),
        None => Verdict::Go,
    }
}

fn never(person: &PersonFacts, today: NaiveDate) -> Option<Reason> {
    match person.standing {
        Standing::Left => return Some(Reason::Left),
        Standing::Unknown => return Some(Reason::NotKnown),
        Standing::WithCoach => return Some(Reason::WithCoach),
        Standing::Paused { until } if until >= today => return Some(Reason::Paused),
        Standing::Paused { .. } | Standing::Active => {}
    }
    if !person.consent {
        return Some(Reason::NoConsent);
    }
    (!person.address_usable).then_some(Reason::NoAddress)
}

#[cfg(test)]
mod tests;
