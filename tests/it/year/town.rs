//! The town of one seed: it is built as people would build it (a code in the room, a plan), then its
//! days pass. Everything goes over the wire of the stand-in and through the verbs of the service.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use chrono_tz::Europe::Amsterdam;
use serde_json::json;
use tussendoor::app::invite;
use tussendoor::domain::access::{Role, Scope};
use tussendoor::domain::ids::{CandidateId, CoachId};
use tussendoor::domain::time::{Timestamp, local_moment};
use tussendoor::store::coaches::{self, NewCoach};
use tussendoor::store::contacts;

use super::agenda::{self, Eyes};
use super::appointments::Diary;
use super::checker::is_holiday;
use super::coaches as staff;
use super::market;
use super::people::{self, Deed, Dice, Persona};
use crate::support::database::Database;
use crate::support::graph::{Accepted, Behaviour, Kept, Webhook, error, posted_together, user_id};
use crate::support::house::{House, moment};

/// The moments of a day at which the house works, local time; the coaches are there at the second.
const MOMENTS: [(u32, u32); 7] = [
    (6, 5),
    (8, 35),
    (9, 31),
    (11, 0),
    (14, 30),
    (19, 40),
    (21, 30),
];
/// At these the house has something to do by itself; at the others only when somebody did something.
const ALWAYS: [usize; 5] = [0, 1, 2, 3, 5];

/// So many things that happen at one moment the provider tells in one post.
const TOGETHER: usize = 50;

/// What is played: from when and how long.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    pub seed: u64,
    pub people: u32,
    /// `yyyy-mm-dd`.
    pub first: &'static str,
    pub days: u64,
}

impl Stretch {
    /// A day of the stretch, by where it would lie in a year.
    const fn at(self, day: u64) -> u64 {
        self.days * day / 365
    }

    /// The house is down, first and last day.
    const fn outage(self) -> (u64, u64) {
        (self.at(150), self.at(150) + 2)
    }

    /// A coach is on holiday.
    fn holiday(self, n: u64) -> bool {
        (self.at(120)..self.at(145)).contains(&n)
    }
}

pub struct Inhabitant {
    pub id: CandidateId,
    pub persona: Persona,
    pub number: String,
    /// The messages on their phone, the newest last.
    pub phone: Vec<Accepted>,
    pub stopped_at: Option<Timestamp>,
}

/// A message that the provider took.
pub struct Sent {
    pub at: Timestamp,
    pub who: usize,
    pub token: String,
    pub text: String,
}

pub struct Year {
    pub house: House,
    pub people: Vec<Inhabitant>,
    pub sent: Vec<Sent>,
    pub log: String,
    pub first: NaiveDate,
    pub days: u64,
    /// The days on which nothing ran.
    pub outage: Option<(NaiveDate, NaiveDate)>,
    pub diary: Diary,
    /// Who may have had a message whose answer was lost.
    doubt: BTreeSet<usize>,
}

impl Year {
    pub fn who(&self, id: &str) -> usize {
        let mut people = self.people.iter();
        people.position(|one| one.id.to_string() == id).unwrap()
    }

    /// Did the provider ever leave an answer to this person open?
    pub fn doubtful(&self, who: usize) -> bool {
        self.doubt.contains(&who)
    }

    pub fn told(&self) {
        let kind = self.house.database.kind();
        println!(
            "{kind}: {} people, {} days, {} messages, {} lines of the log",
            self.people.len(),
            self.days,
            self.sent.len(),
            self.log.lines().count()
        );
    }
}

pub struct Town {
    year: Year,
    eyes: Eyes,
    stretch: Stretch,
    coaches: Vec<Scope>,
    dice: Dice,
    taken: usize,
    /// What people will do, by moment and order.
    coming: BTreeMap<(Timestamp, u32), (usize, Deed)>,
    order: u32,
    voice: Kept,
    photo: Kept,
    /// The provider has a bad moment now.
    bad: bool,
}

impl Town {
    pub async fn passes(database: Database, stretch: Stretch) -> Year {
        let settings = &[("TUSSENDOOR_SEND__PER_SECOND", "1000")];
        let house = House::set(database, settings).await;
        house.turn_to(moment(stretch.first, 8, 0));
        let first: NaiveDate = stretch.first.parse().unwrap();
        let voice = house
            .graph
            .keeps("audio/ogg; codecs=opus", b"OggS\0\x02 hoi");
        let photo = house
            .graph
            .keeps("image/jpeg", b"\xff\xd8\xff\xe0 not much of a picture");
        let eyes = Eyes::on(&house.database).await;
        let mut town = Self {
            coaches: vec![house.scope.clone()],
            year: Year {
                house,
                people: Vec::new(),
                sent: Vec::new(),
                log: String::new(),
                first,
                days: stretch.days,
                outage: None,
                diary: Diary::default(),
                doubt: BTreeSet::new(),
            },
            eyes,
            stretch,
            dice: Dice::new(stretch.seed),
            taken: 0,
            coming: BTreeMap::new(),
            order: 0,
            voice,
            photo,
            bad: false,
        };
        for (name, email) in [("Karim Daoudi", "karim"), ("Els de Wit", "els")] {
            let scope = town.coach(name, email).await;
            town.coaches.push(scope);
        }
        for n in 0..stretch.people {
            town.moves_in(n).await;
        }
        for day in 0..stretch.days {
            town.day(day).await;
        }
        let on = |day| first.checked_add_days(Days::new(day)).unwrap();
        let (down, up) = stretch.outage();
        town.year.outage = Some((on(down), on(up)));
        town.year
    }

    async fn coach(&self, name: &str, email: &str) -> Scope {
        let app = &self.year.house.app;
        let scope = &self.year.house.scope;
        let now = app.now();
        let teams: Vec<_> = scope.teams.iter().copied().collect();
        let id: CoachId = app.id(now);
        let email = format!("{email}@waterstad.example");
        let new = NewCoach {
            id,
            organisation: scope.organisation,
            email: &email,
            name,
            role: Role::Coach,
            password_hash: "no password opens this",
            language: "nl",
            teams: &teams,
        };
        let mut tx = app.store.write().await.unwrap();
        coaches::add(&mut tx, &new, now).await.unwrap();
        tx.commit().await.unwrap();
        Scope {
            coach: id,
            ..scope.clone()
        }
    }

    /// A candidate with a coach, a plan for the year, and the code that they send from the office.
    async fn moves_in(&mut self, n: u32) {
        let house = &self.year.house;
        let number = format!("+316{:08}", 10_000_000 + n);
        let id = house.candidate(&format!("Mens{n}"), &number, false).await;
        let scope = &self.coaches[usize::try_from(n).unwrap() % self.coaches.len()];
        let mut tx = house.app.store.write().await.unwrap();
        let mut person = contacts::person(&mut tx, id).await.unwrap().unwrap();
        person.candidate.coach = Some(scope.coach);
        person.candidate.digital_skill = match self.dice.below(3) {
            0 => tussendoor::domain::contact::DigitalSkill::Starter,
            1 => tussendoor::domain::contact::DigitalSkill::Basic,
            _ => tussendoor::domain::contact::DigitalSkill::Skilled,
        };
        contacts::update(&mut tx, &person).await.unwrap();
        tx.commit().await.unwrap();
        let due = |days: u64| {
            let day = self.year.first.checked_add_days(Days::new(days)).unwrap();
            day.to_string()
        };
        let days: Vec<(String, String)> = (0..16)
            .map(|k| (format!("stap {k}"), due(5 + 22 * k + self.dice.below(9))))
            .collect();
        let tasks: Vec<(&str, &str)> = days
            .iter()
            .map(|(title, due)| (title.as_str(), due.as_str()))
            .collect();
        house.plan(id, &tasks).await;
        let who = self.year.people.len();
        if !who.is_multiple_of(3) {
            market::looks_for(house, scope, id, who).await;
        }
        let code = invite::invite(&house.app, scope, id).await.unwrap();
        self.year.people.push(Inhabitant {
            id,
            persona: Persona::ALL[who % Persona::ALL.len()],
            number,
            phone: Vec::new(),
            stopped_at: None,
        });
        let at = house.app.now().plus_seconds(i64::from(n));
        self.will(at, who, Deed::Says(format!("Mijn code is {code}")));
    }

    fn will(&mut self, at: Timestamp, who: usize, deed: Deed) {
        self.order += 1;
        self.coming.insert((at, self.order), (who, deed));
    }

    async fn day(&mut self, n: u64) {
        let (down, up) = self.stretch.outage();
        if (down..=up).contains(&n) {
            return;
        }
        let day = self.year.first.checked_add_days(Days::new(n)).unwrap();
        let free = matches!(day.weekday(), Weekday::Sat | Weekday::Sun) || is_holiday(day);
        self.life(day, n);
        for (at, (hour, minute)) in MOMENTS.into_iter().enumerate() {
            let moment = local_moment(day, hour, minute, Amsterdam);
            let waits = self.coming.first_key_value();
            let waits = waits.is_some_and(|((at, _), _)| *at <= moment);
            let passes_by = !ALWAYS.contains(&at) && !waits;
            if passes_by || moment <= self.year.house.app.now() {
                continue;
            }
            self.year.house.turn_to(moment);
            if at == 0 && n % 7 == 2 {
                market::week(&self.year.house, day, n / 7).await;
            }
            if at == 1 && !free {
                self.coaches_work(n, day).await;
            }
            // On some days the provider has a bad moment.
            self.bad = at == 2 && self.dice.of_hundred(8);
            if self.bad {
                let bad = match self.dice.below(5) {
                    0 => Behaviour::AcceptThenReset,
                    1 => Behaviour::AcceptAnd500,
                    2 => Behaviour::AnswerGarbage2xx,
                    3 => Behaviour::Status(503, error(2, "Service temporarily unavailable")),
                    _ => Behaviour::Status(429, error(130_429, "Rate limit hit")),
                };
                self.year.house.graph.script(bad, 1);
            }
            self.deliver(moment).await;
            market::works(&self.year.house).await;
            self.year.house.idle().await;
            let booked = self.eyes.booked(&self.year).await;
            self.year.diary.sees(&booked, moment.0);
            self.arrives(moment).await;
        }
    }

    /// What people do of themselves.
    fn life(&mut self, day: NaiveDate, n: u64) {
        let at = |hour| local_moment(day, hour, 0, Amsterdam);
        for who in 0..self.year.people.len() {
            let extra = self.dice.below(60);
            match self.year.people[who].persona {
                Persona::Chatty if n > 3 && extra == 0 => {
                    let words = "Hoi, gaat de afspraak nog door?".to_owned();
                    self.will(at(14), who, Deed::Says(words));
                }
                Persona::Chatty if n > 3 && extra < 3 => {
                    let words = if extra == 1 { "Verzet" } else { "Afzeggen" };
                    self.will(at(14), who, Deed::Says(words.to_owned()));
                }
                Persona::Moves if n == self.stretch.at(170) => self.will(at(10), who, Deed::Moves),
                Persona::Stops if n == self.stretch.at(200) => {
                    let words = "We moeten stoppen met roken thuis".to_owned();
                    self.will(at(10), who, Deed::Says(words));
                }
                Persona::Stops if n == self.stretch.at(220) + who as u64 % 20 => {
                    self.will(at(10), who, Deed::Says("Stop aub".to_owned()));
                }
                _ => {}
            }
        }
    }

    async fn coaches_work(&mut self, n: u64, day: NaiveDate) {
        for (at, scope) in self.coaches.iter().enumerate() {
            if at == 1 && self.stretch.holiday(n) {
                continue;
            }
            let people = &self.year.people;
            let reached = |id: CandidateId| {
                let person = people.iter().find(|person| person.id == id);
                person.is_some_and(|person| person.persona != Persona::Silent)
            };
            let house = &self.year.house;
            if n % 28 == 1 {
                agenda::opens(house, scope, day, at == 1).await;
            }
            let own = people.iter().skip(at).step_by(self.coaches.len());
            let own: Vec<CandidateId> = own.map(|person| person.id).collect();
            agenda::morning(house, scope, day, &own, &mut self.dice, &reached).await;
            staff::morning(house, scope, &mut self.dice, &reached).await;
        }
    }

    /// What people did up to now comes in.
    async fn deliver(&mut self, now: Timestamp) {
        let mut webhooks = Vec::new();
        while let Some(entry) = self.coming.first_entry() {
            let (at, _) = *entry.key();
            if at > now {
                break;
            }
            let (who, deed) = entry.remove();
            webhooks.push(self.does(who, deed, now));
        }
        self.post(&webhooks).await;
    }

    async fn post(&self, webhooks: &[Webhook]) {
        for some in webhooks.chunks(TOGETHER) {
            let webhook = posted_together(some);
            assert_eq!(self.year.house.deliver(&webhook).await, 200);
        }
    }

    fn does(&mut self, who: usize, deed: Deed, now: Timestamp) -> Webhook {
        let Year {
            house, people, log, ..
        } = &mut self.year;
        let person = &mut people[who];
        let number = person.number.clone();
        writeln!(log, "{} {who} > {deed:?}", now.local(Amsterdam)).unwrap();
        let older = person.phone.len().checked_sub(2);
        match &deed {
            Deed::Says(words) => {
                if words == "Stop aub" {
                    person.stopped_at = Some(now);
                }
                house.graph.webhook_text(&number, "Mens", words)
            }
            Deed::Taps(choice) => match person.phone.last() {
                Some(message) if people::shown(&message.body).taps > *choice => {
                    house.graph.webhook_tap(&number, message, *choice)
                }
                _ => house.graph.webhook_text(&number, "Mens", "1"),
            },
            Deed::TapsOlder(choice) => match older.and_then(|at| person.phone.get(at)) {
                Some(message) if people::shown(&message.body).taps > *choice => {
                    house.graph.webhook_tap(&number, message, *choice)
                }
                _ => house.graph.webhook_text(&number, "Mens", "2"),
            },
            Deed::Voice => house.graph.webhook_file(&number, "audio", &self.voice, ""),
            Deed::Photo => house.graph.webhook_file(&number, "image", &self.photo, ""),
            Deed::Moves => {
                let new = format!("+317{:08}", 10_000_000 + who);
                let digits = new.trim_start_matches('+');
                let moved = json!({"type": "system", "system": {
                    "type": "user_changed_number", "body": "changed", "wa_id": digits,
                    "user_id": user_id(digits),
                }});
                person.number.clone_from(&new);
                house.graph.webhook_message(&number, "Mens", moved)
            }
        }
    }

    /// What the provider took since the last look lies on somebody's phone.
    async fn arrives(&mut self, now: Timestamp) {
        let accepted = self.year.house.graph.accepted_after(self.taken);
        let home = |message: &Accepted| {
            let mut people = self.year.people.iter();
            let who = people.position(|person| person.number == message.recipient);
            who.unwrap_or_else(|| panic!("{} lives nowhere", message.recipient))
        };
        self.taken += accepted.len();
        let fresh = accepted.into_iter();
        let mut fresh: Vec<(usize, Accepted)> =
            fresh.map(|message| (home(&message), message)).collect();
        // In which order different people got theirs at one moment is nothing that anybody promised.
        fresh.sort_by_key(|(who, _)| *who);
        let mut reports = Vec::new();
        for (who, message) in fresh {
            let shown = people::shown(&message.body);
            if self.bad {
                self.year.doubt.insert(who);
            }
            writeln!(
                self.year.log,
                "{} {who} < {} [{}]",
                now.local(Amsterdam),
                shown.text,
                shown.taps
            )
            .unwrap();
            self.year.sent.push(Sent {
                at: now,
                who,
                token: message.token.clone(),
                text: shown.text.clone(),
            });
            // Its report proves what an answer that got lost could not.
            reports.push(self.year.house.graph.webhook_status(&message, "delivered"));
            let person = &mut self.year.people[who];
            let first = person.phone.is_empty();
            person.phone.push(message);
            let persona = person.persona;
            if person.stopped_at.is_some() {
                continue;
            }
            for (minutes, deed) in people::answers(persona, &mut self.dice, &shown, first) {
                let at = now.plus_seconds(i64::try_from(minutes * 60).unwrap());
                self.will(at, who, deed);
            }
        }
        self.post(&reports).await;
    }
}
