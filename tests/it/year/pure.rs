//! The same years without a database: the rules, the talk and the last look of the sender on one person
//! at a time, with the same personas and the same checker. Cheap enough for hundreds of seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use chrono_tz::Europe::Amsterdam;
use tussendoor::assemble;
use tussendoor::domain::blend::Contacts;
use tussendoor::domain::command::Vocabulary;
use tussendoor::domain::contact::{DigitalSkill, Purpose, Track};
use tussendoor::domain::forecast::{Projection, Rules, Stand, What};
use tussendoor::domain::ids::{CandidateId, MeetingId, SlotId, TaskId};
use tussendoor::domain::nudge::Standing;
use tussendoor::domain::nudge::look::Seen;
use tussendoor::domain::plan::{MeetingState, Plan, Subject, Task, TaskState};
use tussendoor::domain::talk::event::{Button, Heard};
use tussendoor::domain::talk::state::{State, Talk, Why};
use tussendoor::domain::time::{Holidays, Timestamp, local_moment};
use ulid::Ulid;

use super::appointments::Diary;
use super::checker::{Nudge, Record, Reminder, check, reminders};
use super::number;
use super::people::{Deed, Dice, Persona, Shown, answers};

/// The house is down on these days, first and last.
const OUTAGE: (u64, u64) = (150, 152);

struct Life<'a> {
    who: usize,
    projection: Projection,
    rules: &'a Rules,
    vocabulary: &'a Vocabulary,
    persona: Persona,
    dice: Dice,
    /// What people will do, by moment and order; `None` is a coach's morning.
    coming: BTreeMap<(Timestamp, u32), Option<Deed>>,
    order: u32,
    seen: usize,
    /// Flags that no coach looked at yet.
    flags: Vec<Why>,
    doubts: Vec<i64>,
    signs: Vec<i64>,
    stopped: Option<i64>,
    diary: Diary,
    log: String,
}

fn first() -> NaiveDate {
    "2026-03-03".parse().unwrap()
}

fn on(day: u64) -> NaiveDate {
    first().checked_add_days(Days::new(day)).unwrap()
}

fn at(day: u64, hour: u32, minute: u32) -> Timestamp {
    local_moment(on(day), hour, minute, Amsterdam)
}

fn stand(dice: &mut Dice, start: Timestamp) -> Stand {
    let candidate = CandidateId(Ulid(1));
    let tasks = (0..16_u64).map(|k| Task {
        id: TaskId(Ulid(u128::from(k) + 1)),
        number: u32::try_from(k).unwrap() + 1,
        title: "stap".to_owned(),
        state: TaskState::Open,
        due_on: Some(on(5 + 22 * k + dice.below(9))),
        done_at: None,
        version: 0,
    });
    let plan = Plan {
        tasks: tasks.collect(),
        ..Plan::default()
    };
    Stand {
        seen: Seen {
            candidate,
            skill: match dice.below(3) {
                0 => DigitalSkill::Starter,
                1 => DigitalSkill::Basic,
                _ => DigitalSkill::Skilled,
            },
            track: match dice.below(3) {
                0 => Track::Participation,
                1 => Track::Reintegration,
                _ => Track::Outplacement,
            },
            standing: Standing::Active,
            consent: Purpose::ASKED.into(),
            since: start,
            began_in_room: true,
            last_sign: Some(start),
            last_sent: Some(start),
            open: false,
            waiting: false,
            climbed_at: None,
            drifted_at: None,
            last_done: None,
            last: BTreeMap::new(),
            contacts: Contacts::default(),
            agreed: None,
        },
        address_usable: true,
        automated_in_row: 0,
        in_doubt: false,
        accepted: Vec::new(),
        talk: Talk::new(candidate),
        plan,
        exercised: BTreeSet::new(),
        open_vacancies: BTreeSet::new(),
        free: moments(),
        coached: true,
        waiting: Vec::new(),
        known: BTreeSet::new(),
        unsent: Vec::new(),
        look_at: Some(start),
        looked_at: start,
    }
}

/// Every Tuesday and Thursday at ten o'clock and half past a coach has time.
fn moments() -> Vec<(SlotId, Timestamp)> {
    let days = (0..400).filter(|n| matches!(on(*n).weekday(), Weekday::Tue | Weekday::Thu));
    let moments = days.flat_map(|n| [(n, 10, 0), (n, 10, 30)]);
    let moments = moments.map(|(n, hour, minute)| at(n, hour, minute));
    (1..).map(|n| SlotId(Ulid(n))).zip(moments).collect()
}

impl Life<'_> {
    /// From moment to moment, what comes first: what the house does, or what people do.
    fn live(&mut self, days: u64) {
        let end = at(days, 0, 0);
        let down = (at(OUTAGE.0, 0, 0), at(OUTAGE.1 + 1, 0, 0));
        let (mut now, mut here) = (at(0, 12, 0), 0);
        self.mornings(days);
        loop {
            let theirs = self.coming.first_key_value().map(|((at, _), _)| *at);
            let ours = self.projection.next_at();
            let next = theirs.into_iter().chain(ours).min();
            let Some(next) = next.map(|next| next.max(now)) else {
                return;
            };
            // While the house is down nothing happens; what people sent comes in afterwards.
            let next = match (down.0..down.1).contains(&next) {
                true => down.1,
                false => next,
            };
            here = if next == now { here + 1 } else { 0 };
            assert!(here < 500, "no rest at {next:?}:\n{}", self.log);
            if next >= end {
                return;
            }
            now = next;
            while let Some(entry) = self.coming.first_entry() {
                if entry.key().0 > now {
                    break;
                }
                match entry.remove() {
                    Some(deed) => self.does(&deed, now),
                    None => self.coach_works(now),
                }
            }
            self.projection.moment(now);
            self.diary.sees(&self.booked(), now.0);
            self.arrives();
        }
    }

    fn booked(&self) -> BTreeMap<(usize, String), i64> {
        let meetings = self.projection.stand.plan.meetings.iter();
        let booked = meetings.filter(|it| it.state == MeetingState::Booked);
        booked
            .filter_map(|it| Some(((self.who, it.id.to_string()), it.starts_at?.0)))
            .collect()
    }

    fn will(&mut self, at: Timestamp, deed: Option<Deed>) {
        self.order += 1;
        self.coming.insert((at, self.order), deed);
    }

    /// What people and coaches do of themselves.
    fn mornings(&mut self, days: u64) {
        for n in 1..days {
            let working = !matches!(on(n).weekday(), Weekday::Sat | Weekday::Sun);
            if working {
                self.will(at(n, 8, 35), None);
            }
            let says = |words: &str| Some(Deed::Says(words.to_owned()));
            match self.persona {
                Persona::Chatty if self.dice.below(60) == 0 => {
                    self.will(at(n, 14, 0), says("Hoi, gaat de afspraak nog door?"));
                }
                Persona::Stops if n == 80 => {
                    self.will(at(n, 10, 0), says("We moeten stoppen met roken thuis"));
                }
                Persona::Stops if n == 100 => self.will(at(n, 10, 0), says("Stop aub")),
                _ => {}
            }
        }
    }

    fn does(&mut self, deed: &Deed, now: Timestamp) {
        writeln!(self.log, "{} > {deed:?}", now.local(Amsterdam)).unwrap();
        let talk = &self.projection.stand.talk;
        let front = talk.front().map(|(run, node, said)| {
            let flow = self.rules.flows.get(&run.flow);
            let ask = flow.and_then(|flow| flow.ask(node));
            let choices: Option<Vec<String>> =
                ask.map(|ask| ask.choices.iter().map(|one| one.id.clone()).collect());
            (said, choices.unwrap_or_default())
        });
        let words = |words: &str| Heard::words(words, self.vocabulary);
        let heard = match (deed, front) {
            (Deed::Says(text), _) => {
                if text == "Stop aub" {
                    self.stopped = Some(now.0);
                }
                words(text)
            }
            (Deed::Taps(choice), Some((said, choices))) if *choice < choices.len() => {
                let choice = choices[*choice].clone();
                Heard::tap(Button { to: said, choice }, "label")
            }
            (Deed::TapsOlder(choice), Some((said, choices))) if *choice < choices.len() => {
                let choice = choices[*choice].clone();
                let to = said.saturating_sub(1);
                Heard::tap(Button { to, choice }, "label")
            }
            (Deed::Taps(_) | Deed::TapsOlder(_), _) => words("1"),
            (Deed::Voice | Deed::Photo | Deed::Moves, _) => Heard::media("", self.vocabulary),
        };
        self.signs.push(now.0);
        self.projection.hears(heard, now);
    }

    /// A coach calls who is silent, and gives talks back.
    fn coach_works(&mut self, now: Timestamp) {
        let reached = self.persona != Persona::Silent && self.dice.of_hundred(60);
        let calls = self.flags.iter().any(|why| {
            matches!(
                why,
                Why::SilentTooLong
                    | Why::InvitationUnanswered
                    | Why::HumanFloor
                    | Why::PersonalLine
                    | Why::Letter
            )
        });
        if calls && reached {
            writeln!(self.log, "{} * a call", now.local(Amsterdam)).unwrap();
            self.signs.push(now.0);
            self.projection.met(now);
            self.flags.clear();
        }
        let over: Vec<MeetingId> = self
            .projection
            .stand
            .plan
            .meetings
            .iter()
            .filter(|it| it.state == MeetingState::Booked && it.starts_at < Some(now))
            .map(|it| it.id)
            .collect();
        for id in over {
            // Now and then a coach forgets to say who was there.
            let there = match (self.persona, self.dice.below(4)) {
                (_, 0) => continue,
                (Persona::Silent, _) => false,
                (_, one) => one > 1,
            };
            writeln!(self.log, "{} * there: {there}", now.local(Amsterdam)).unwrap();
            if there {
                self.signs.push(now.0);
            }
            self.projection.took_place(id, there, now);
        }
        let taken = matches!(self.projection.stand.talk.state, State::WithCoach { .. });
        if taken && self.dice.of_hundred(50) {
            self.projection.gives_back(now);
        }
        let doubt = self.dice.of_hundred(2);
        self.projection.stand.in_doubt = doubt;
        if doubt {
            // As in the house, where a coach sees each doubt at once.
            self.doubts.push(now.0);
        }
    }

    fn arrives(&mut self) {
        let fresh = self.projection.happened[self.seen..].to_vec();
        self.seen += fresh.len();
        for happens in fresh {
            let when = happens.at.local(Amsterdam);
            writeln!(self.log, "{when} < {:?}", happens.what).unwrap();
            match happens.what {
                What::Leaves { said, .. } if self.stopped.is_none() => {
                    let front = self.projection.stand.talk.front();
                    let front = front.filter(|(.., number)| *number == said);
                    let asks =
                        front.and_then(|(run, node, _)| self.rules.flows.get(&run.flow)?.ask(node));
                    let shown = Shown {
                        text: if asks.is_some() {
                            "?".to_owned()
                        } else {
                            String::new()
                        },
                        // A moment is chosen with its digit.
                        taps: asks
                            .filter(|ask| ask.offer.is_none())
                            .map_or(0, |ask| ask.choices.len()),
                    };
                    for (minutes, deed) in answers(self.persona, &mut self.dice, &shown, false) {
                        let seconds = i64::try_from(minutes * 60).unwrap();
                        self.will(happens.at.plus_seconds(seconds), Some(deed));
                    }
                }
                What::Flag(why) => self.flags.push(why),
                What::Leaves { .. } | What::Ended(..) => {}
            }
        }
    }
}

/// The year of one seed: nine people, one of each kind. Also the log, for a replay.
fn year(seed: u64, rules: &Rules, vocabulary: &Vocabulary, days: u64) -> (Record, String) {
    let mut record = Record {
        people: Persona::ALL.len(),
        first: first(),
        days,
        outage: Some((on(OUTAGE.0), on(OUTAGE.1))),
        nudges: Vec::new(),
        sent: Vec::new(),
        signs: Vec::new(),
        flags: Vec::new(),
        unconfirmed: BTreeSet::new(),
        stopped: Vec::new(),
        open: Vec::new(),
        appointments: Vec::new(),
        reminders: Vec::new(),
    };
    let mut logs = String::new();
    for (who, persona) in Persona::ALL.into_iter().enumerate() {
        let mut dice = Dice::new(seed * 16 + who as u64);
        let start = at(0, 12, 0);
        let mut life = Life {
            who,
            projection: Projection::new(stand(&mut dice, start), rules.clone()),
            rules,
            vocabulary,
            persona,
            dice,
            coming: BTreeMap::new(),
            order: 0,
            seen: 0,
            flags: Vec::new(),
            doubts: Vec::new(),
            signs: vec![start.0],
            stopped: None,
            diary: Diary::default(),
            log: String::new(),
        };
        life.live(days);
        for happens in &life.projection.happened {
            match &happens.what {
                What::Leaves { rule, direct, .. } => {
                    record.sent.push((who, happens.at.0));
                    if let (Subject::Meeting(id), false) = (happens.subject, direct)
                        && rule.starts_with("meeting_invite/coming")
                    {
                        record.reminders.push(Reminder {
                            who,
                            meeting: id.to_string(),
                            at: happens.at.0,
                        });
                    }
                    if !direct {
                        record.nudges.push(Nudge {
                            who,
                            rule: rule.clone(),
                            at: happens.at.0,
                        });
                    }
                }
                What::Flag(_) => record.flags.push((who, happens.at.0, happens.at.0 + 1)),
                What::Ended(..) => {}
            }
        }
        record
            .flags
            .extend(life.doubts.iter().map(|at| (who, *at, *at + 1)));
        record.signs.extend(life.signs.iter().map(|at| (who, *at)));
        record.stopped.push(life.stopped);
        let open = life.projection.stand.waiting.iter();
        record.open.extend(open.map(|(nudge, written_at)| {
            (
                nudge.rule.as_str().to_owned(),
                written_at.local_day(Amsterdam),
            )
        }));
        record
            .appointments
            .extend(life.diary.closed(at(days, 0, 0).0));
        logs.push_str(&life.log);
    }
    (record, logs)
}

fn played_with() -> (Rules, Vocabulary) {
    let configuration = assemble::builtin().unwrap();
    let rules = Rules {
        flows: configuration.book.flows(),
        newest: configuration.book.newest_all(),
        cadence: Arc::new(configuration.cadence),
        holidays: Holidays::default(),
        zone: Amsterdam,
    };
    (rules, configuration.vocabulary)
}

/// `SEEDS` sets how many.
#[test]
fn three_hundred_years_of_the_core_keep_every_promise() {
    let (rules, vocabulary) = played_with();
    let seeds = u64::from(number("SEEDS", 300));
    let threads = 2;
    let all = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let (rules, vocabulary) = (&rules, &vocabulary);
                scope.spawn(move || {
                    let (mut nudges, mut broken) = (0, Vec::new());
                    let (mut stood, mut reminded) = (0, 0);
                    for seed in (worker..seeds).step_by(threads as usize) {
                        let (record, _) = year(seed, rules, vocabulary, 365);
                        nudges += record.nudges.len();
                        let (all, of_them) = reminders(&record);
                        (stood, reminded) = (stood + all, reminded + of_them);
                        let found = check(&record);
                        broken.extend(found.into_iter().map(|text| format!("{seed}: {text}")));
                    }
                    (nudges, (stood, reminded), broken)
                })
            })
            .collect();
        let done = workers.into_iter().map(|worker| worker.join().unwrap());
        done.collect::<Vec<_>>()
    });
    let nudges: usize = all.iter().map(|(nudges, ..)| nudges).sum();
    let stood: usize = all.iter().map(|(_, (stood, _), _)| stood).sum();
    let reminded: usize = all.iter().map(|(_, (_, reminded), _)| reminded).sum();
    let broken: Vec<String> = all.into_iter().flat_map(|(.., broken)| broken).collect();
    println!(
        "{seeds} years of nine people: {nudges} nudges, {reminded} of {stood} meetings reminded of"
    );
    // The others left, or the house was down, or an earlier message was in doubt: a coach heard of it.
    assert!(stood > 0 && reminded * 100 >= stood * 95);
    let shown = broken
        .iter()
        .take(40)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        broken.is_empty(),
        "{} broken promises\n{shown}",
        broken.len()
    );
    let enough = usize::try_from(seeds).unwrap() * 9 * 10;
    assert!(nudges > enough, "only {nudges} nudges: this proves nothing");
}

#[test]
fn a_seed_of_the_core_replays_byte_for_byte() {
    let (rules, vocabulary) = played_with();
    let (_, once) = year(3, &rules, &vocabulary, 200);
    let (_, again) = year(3, &rules, &vocabulary, 200);
    assert!(once.lines().count() > 200);
    assert_eq!(once, again);
    let (_, other) = year(4, &rules, &vocabulary, 200);
    assert_ne!(once, other);
}
