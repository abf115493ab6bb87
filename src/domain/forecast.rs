//! What will happen to one person if nobody does anything else: the rules, the talk and the last look of
//! the sender played forward on one person, with a coach who approves at once. Pure; nothing is sent.
//! The simulated years of the tests play the same code with people who answer.

mod meetings;
mod turns;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use chrono::NaiveDate;

use super::cadence::Cadence;
use super::contact::Purpose;
use super::flow::definition::Flow;
use super::ids::{FlowHash, SlotId, VacancyId};
use super::nudge::look::{Seen, look};
use super::nudge::{
    self, DueNudge, Ended, PersonFacts, Room, Rule, Since, Standing, TaskFact, Verdict, overtaken,
};
use super::plan::{Meeting, Plan, Subject};
use super::talk::effect::Approve;
use super::talk::event::{Event, Heard};
use super::talk::state::{State, Talk, Until, Why};
use super::time::{Holidays, Timestamp, Tz, next_occurrence};

/// Things that happen at one moment; more is a circle, and the forecast ends there.
const MOST_AT_ONCE: u32 = 200;

/// What the house plays with.
#[derive(Clone)]
pub struct Rules {
    pub flows: BTreeMap<FlowHash, Arc<Flow>>,
    pub newest: BTreeMap<String, FlowHash>,
    pub cadence: Arc<Cadence>,
    pub holidays: Holidays,
    pub zone: Tz,
}

/// A message that was written and has not left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    pub said: u32,
    /// `flow/node`.
    pub rule: String,
    pub subject: Subject,
    pub purpose: Purpose,
    pub direct: bool,
    pub approve: Approve,
    pub at: Timestamp,
    pub not_after: Timestamp,
}

/// How one person stands.
#[derive(Clone)]
pub struct Stand {
    pub seen: Seen,
    pub address_usable: bool,
    pub automated_in_row: u32,
    pub in_doubt: bool,
    /// When nudges were accepted, for the last eight days.
    pub accepted: Vec<Timestamp>,
    pub talk: Talk,
    pub plan: Plan,
    pub exercised: BTreeSet<String>,
    pub open_vacancies: BTreeSet<VacancyId>,
    /// Moments at the office with room, in the order in which they are offered, and when each begins.
    pub free: Vec<(SlotId, Timestamp)>,
    /// Somebody is there to meet.
    pub coached: bool,
    /// Open rows of the ledger that have not begun, with the moment at which each was written.
    pub waiting: Vec<(DueNudge, Timestamp)>,
    /// Due days of tasks for which the ledger has a row.
    pub known: BTreeSet<(Subject, NaiveDate)>,
    pub unsent: Vec<Unsent>,
    /// The next look; `None`: none.
    pub look_at: Option<Timestamp>,
    /// When the rules of tasks last looked.
    pub looked_at: Timestamp,
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happens {
    pub at: Timestamp,
    pub subject: Subject,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A message leaves; `rule` is `flow/node`, `because` the rule of the calendar that began it. A direct
    /// answer has none.
    Leaves {
        said: u32,
        rule: String,
        because: Option<Rule>,
        direct: bool,
    },
    /// A coach is told.
    Flag(Why),
    /// A nudge ended before a message was written.
    Ended(Rule, Ended),
}

/// One person, moving through time.
pub struct Projection {
    pub stand: Stand,
    rules: Rules,
    /// What happened, in order.
    pub happened: Vec<Happens>,
    /// When the rules of tasks look next.
    tasks_at: Option<Timestamp>,
    /// Which rule of the calendar began the run about a subject.
    begun: BTreeMap<(String, Subject), Rule>,
    events: VecDeque<Event>,
}

/// What will happen to this person until `end`, if nobody does anything.
pub fn forecast(stand: Stand, rules: Rules, now: Timestamp, end: Timestamp) -> Vec<Happens> {
    let mut projection = Projection::new(stand, rules);
    projection.pass(now, end);
    projection.happened
}

impl Projection {
    pub fn new(stand: Stand, rules: Rules) -> Self {
        let tasks_at = tasks_at(&rules, stand.looked_at);
        Self {
            stand,
            rules,
            happened: Vec::new(),
            tasks_at,
            begun: BTreeMap::new(),
            events: VecDeque::new(),
        }
    }

    /// Lets the time pass from `now` to `end`.
    pub fn pass(&mut self, now: Timestamp, end: Timestamp) {
        let mut at = now;
        let mut here = 0;
        loop {
            self.moment(at);
            let Some(next) = self.next_at().map(|next| next.max(at)) else {
                return;
            };
            here = if next == at { here + 1 } else { 0 };
            if next > end || here > MOST_AT_ONCE {
                return;
            }
            at = next;
        }
    }

    /// The person says something.
    pub fn hears(&mut self, heard: Heard, now: Timestamp) {
        self.stand.seen.last_sign = Some(now);
        self.stand.seen.contacts.wrote.push(now);
        let before = self.stand.talk.state.clone();
        self.play(Event::Heard(heard), now);
        // What silence alone had asked for has lost its reason, as `app/signs.rs` has it.
        if let (
            State::Offered { said, .. },
            State::Offered {
                run, said: still, ..
            },
        ) = (&before, &self.stand.talk.state)
            && said == still
        {
            let flow = self.rules.flows.get(&run.flow).map(|flow| &flow.name);
            let by_silence = [Rule::Silence, Rule::CheckIn]
                .iter()
                .any(|rule| flow.is_some_and(|name| name == rule.flow()));
            if by_silence || !run.unanswered.is_empty() {
                let said = *said;
                self.stand.unsent.retain(|unsent| unsent.said != said);
                self.play(Event::Dropped { said }, now);
            }
        }
    }

    /// A coach heard or saw the person: a sign of life, and a word of their own.
    pub fn met(&mut self, now: Timestamp) {
        self.stand.seen.last_sign = Some(now);
        self.stand.automated_in_row = 0;
        if self.stand.talk.front().is_some() {
            let why = Why::TakenOver;
            self.play(Event::TakenOver { why }, now);
        }
        self.gives_back(now);
    }

    /// The coach has no more to say: the talk goes on by itself.
    pub fn gives_back(&mut self, now: Timestamp) {
        self.play(Event::GivenBack, now);
        self.refresh_standing();
    }

    /// When something happens by itself next.
    pub fn next_at(&self) -> Option<Timestamp> {
        let stand = &self.stand;
        self.tasks_at
            .into_iter()
            .chain(stand.look_at)
            .chain(stand.waiting.iter().map(|(nudge, _)| nudge.due_at))
            .chain(stand.unsent.iter().map(|unsent| unsent.at))
            .chain(stand.talk.wake_at())
            .min()
    }

    /// Everything that is due at this moment, in the order of a tick.
    pub fn moment(&mut self, now: Timestamp) {
        let (unsent, over) = std::mem::take(&mut self.stand.unsent)
            .into_iter()
            .partition(|unsent: &Unsent| unsent.not_after >= now);
        self.stand.unsent = unsent;
        for unsent in over {
            self.will_not_go(&unsent, Meeting::waits_for_word, now);
        }
        if self.stand.talk.wake_at().is_some_and(|at| at <= now) {
            self.play(Event::Woke, now);
        }
        self.look_at_tasks(now);
        self.look_at_person(now);
        self.start(now);
        self.send(now);
    }

    fn look_at_tasks(&mut self, now: Timestamp) {
        let zone = self.rules.zone;
        if self.tasks_at.is_none_or(|at| at > now) {
            return;
        }
        self.stand.looked_at = now;
        self.tasks_at = tasks_at(&self.rules, now);
        let today = now.local_day(zone);
        let candidate = self.stand.seen.candidate;
        let known = &self.stand.known;
        let facts: Vec<TaskFact> = self
            .stand
            .plan
            .open()
            .filter_map(|task| {
                let due_on = task.due_on?;
                let fresh = !known.contains(&(Subject::Task(task.id), due_on));
                fresh.then_some(TaskFact {
                    task: task.id,
                    candidate,
                    due_on,
                })
            })
            .collect();
        let due = nudge::due(
            &facts,
            today,
            zone,
            &self.rules.cadence,
            &self.rules.holidays,
        );
        self.enter(due, now);
    }

    /// Rows of the ledger.
    fn enter(&mut self, due: Vec<DueNudge>, now: Timestamp) {
        let Rules {
            cadence, holidays, ..
        } = &self.rules;
        for due in nudge::one_after_the_other(due, self.rules.zone, cadence, holidays) {
            self.stand.known.insert((due.subject, due.due_on));
            let last = self.stand.seen.last.entry(due.rule).or_insert(due.due_on);
            *last = (*last).max(due.due_on);
            self.stand.waiting.push((due, now));
        }
    }

    fn look_at_person(&mut self, now: Timestamp) {
        if self.stand.look_at.is_none_or(|at| at > now) {
            return;
        }
        self.refresh_standing();
        let found = {
            let Rules {
                cadence,
                holidays,
                zone,
                ..
            } = &self.rules;
            look(&self.stand.seen, now, *zone, cadence, holidays)
        };
        self.stand.look_at = found.again_at;
        if let Some(kind) = found.invite {
            self.invite(kind, now);
        }
        for why in found.flags {
            self.flag(why, Subject::Nothing, now);
        }
        self.enter(found.nudges, now);
    }

    /// What the look reads of the talk and the ledger.
    fn refresh_standing(&mut self) {
        let talk = &self.stand.talk;
        let seen = &mut self.stand.seen;
        let mut waiting = talk.waiting.iter();
        seen.open = talk.front().is_some() || waiting.any(|one| one.until == Until::Front);
        seen.waiting = !self.stand.waiting.is_empty();
        seen.standing = match (&talk.state, seen.standing) {
            (State::Left { .. }, _) => Standing::Left,
            (State::WithCoach { .. }, _) => Standing::WithCoach,
            (_, Standing::Left | Standing::WithCoach) => Standing::Active,
            (_, other) => other,
        };
    }

    fn facts(
        &self,
        (purpose, why, about): (Purpose, &str, Subject),
        automated_in_row: u32,
        now: Timestamp,
    ) -> PersonFacts {
        let (meetings, rules) = (&self.stand.plan.meetings, &self.rules);
        PersonFacts {
            standing: self.stand.seen.standing,
            consent: self.stand.seen.consent.contains(&purpose),
            address_usable: self.stand.address_usable,
            automated_in_row,
            in_doubt: self.stand.in_doubt,
            accepted: self.stand.accepted.clone(),
            room: Room::of((why, about), meetings, now, rules.zone, &rules.holidays),
        }
    }

    fn may_go(&self, facts: &PersonFacts, now: Timestamp) -> Verdict {
        let Rules {
            cadence,
            holidays,
            zone,
            ..
        } = &self.rules;
        nudge::may_go(facts, now, *zone, cadence, holidays)
    }

    /// Due nudges that may go start their flow: the weightiest of a day, as in `app/tick/start.rs`.
    fn start(&mut self, now: Timestamp) {
        let (mut due, waiting) = std::mem::take(&mut self.stand.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|(nudge, _)| nudge.due_at <= now);
        self.stand.waiting = waiting;
        due.sort_by_key(|(nudge, _)| nudge.rule.rank());
        let mut spoken = false;
        for (mut nudge, written_at) in due {
            if spoken {
                nudge.due_at = now.plus_days(1);
                self.stand.waiting.push((nudge, written_at));
                continue;
            }
            self.refresh_standing();
            let since = Since {
                sign: self.stand.seen.last_sign,
                sent: self.stand.seen.last_sent,
                open: self.stand.seen.open,
            };
            let open = match nudge.subject {
                Subject::Task(id) => {
                    let task = self.stand.plan.task(id);
                    task.is_some_and(|task| nudge::may_ask_of(nudge.rule, task, nudge.due_on))
                }
                Subject::Meeting(id) => {
                    let meeting = self.stand.plan.meeting(id);
                    meeting.is_some_and(|it| nudge::may_speak_of(nudge.rule, it, now))
                }
                Subject::Vacancy(_) | Subject::Nothing => true,
            };
            let expired = nudge::expires_at(written_at, &self.rules.cadence) < now;
            let ended = match overtaken(nudge.rule, written_at, &since) {
                _ if !open => Some(Ended::Withdrawn),
                Some(ended) => Some(ended),
                None => expired.then_some(Ended::Expired),
            };
            if let Some(ended) = ended {
                self.ended(&nudge, ended, now);
                continue;
            }
            let facts = self.facts(
                (nudge.rule.purpose(), nudge.rule.as_str(), nudge.subject),
                self.stand.automated_in_row,
                now,
            );
            match self.may_go(&facts, now) {
                Verdict::Go => match self.rules.newest.get(nudge.rule.flow()).cloned() {
                    Some(flow) => {
                        spoken = true;
                        let name = nudge.rule.flow().to_owned();
                        self.begun.insert((name, nudge.subject), nudge.rule);
                        let subject = nudge.subject;
                        self.play(Event::Start { flow, subject }, now);
                    }
                    None => self.ended(&nudge, Ended::Held, now),
                },
                Verdict::NotBefore(at, _) => {
                    nudge.due_at = at;
                    self.stand.waiting.push((nudge, written_at));
                }
                Verdict::Never(reason) => {
                    if reason == nudge::Reason::WithCoach {
                        self.flag(Why::NudgeWhileTaken, nudge.subject, now);
                    }
                    self.ended(&nudge, reason.ended(), now);
                }
                Verdict::AskCoachHumanFloor => {
                    self.flag(Why::HumanFloor, Subject::Nothing, now);
                    self.ended(&nudge, Ended::Held, now);
                }
            }
        }
    }

    fn ended(&mut self, nudge: &DueNudge, ended: Ended, now: Timestamp) {
        let (subject, what) = (nudge.subject, What::Ended(nudge.rule, ended));
        self.happened.push(Happens {
            at: now,
            subject,
            what,
        });
    }

    /// What has been approved leaves, after the last look; one at a time.
    fn send(&mut self, now: Timestamp) {
        self.stand
            .unsent
            .sort_by_key(|unsent| (unsent.at, unsent.said));
        let due = |unsent: &Unsent| unsent.at <= now;
        while let Some(place) = self.stand.unsent.iter().position(due) {
            let mut unsent = self.stand.unsent.remove(place);
            if !unsent.direct {
                let automated = match unsent.approve {
                    Approve::Coach => 0,
                    Approve::FirstTime | Approve::Auto => self.stand.automated_in_row,
                };
                // That a coach has the talk is the talk's to know.
                let about = (unsent.purpose, unsent.rule.as_str(), unsent.subject);
                let mut facts = self.facts(about, automated, now);
                if facts.standing == Standing::WithCoach {
                    facts.standing = Standing::Active;
                }
                match self.may_go(&facts, now) {
                    Verdict::Go => {}
                    Verdict::NotBefore(at, _) => {
                        unsent.at = at;
                        self.stand.unsent.push(unsent);
                        continue;
                    }
                    Verdict::Never(_) | Verdict::AskCoachHumanFloor => {
                        self.will_not_go(&unsent, Meeting::is_coming, now);
                        continue;
                    }
                }
                self.stand.accepted.push(now);
                self.stand.automated_in_row += 1;
            }
            self.stand.seen.last_sent = Some(now);
            self.stand.seen.contacts.sent.push(now);
            let flow = nudge::flow_of(&unsent.rule).to_owned();
            let because = self.begun.get(&(flow, unsent.subject)).copied();
            self.happened.push(Happens {
                at: now,
                subject: unsent.subject,
                what: What::Leaves {
                    said: unsent.said,
                    rule: unsent.rule,
                    because: because.filter(|_| !unsent.direct),
                    direct: unsent.direct,
                },
            });
            self.play(Event::Accepted { said: unsent.said }, now);
        }
    }
}

/// When the rules of tasks look next, if they last looked at `last`.
fn tasks_at(rules: &Rules, last: Timestamp) -> Option<Timestamp> {
    let rows = [Rule::TaskDue, Rule::TaskLate].into_iter();
    rows.filter_map(|rule| rules.cadence.looks(rule))
        .filter_map(|cron| next_occurrence(cron, last, rules.zone))
        .min()
}
