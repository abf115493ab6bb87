//! A house under load, judged from outside. People write, a coach writes, nudges go by policy; each of
//! our messages carries a code that occurs nowhere else, so that a doubled or a lost one has a name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tussendoor::app::approve::{self, Doubt};
use tussendoor::app::turn;
use tussendoor::domain::ids::{CandidateId, MessageId, PlanId};
use tussendoor::domain::plan::{Task, TaskState};
use tussendoor::domain::time::Timestamp;
use tussendoor::store::{outbox, plans};

use crate::support::database::{Database, execute, texts};
use crate::support::graph::{Behaviour, Webhook};
use crate::support::house::{House, environment, moment, number};
use crate::support::pages::Coach;
use crate::support::running::Running;
use crate::support::wait::{between_looks, drained};

/// Sends in the air at once: also what one crash may leave in doubt.
pub const IN_FLIGHT: usize = 16;
/// Webhooks under way at once.
const HANDS: usize = 8;
/// Steps that people tell of in one round.
const BUDGET: u32 = 40;
const UNPLAYED: &str = "SELECT CAST((SELECT COUNT(*) FROM raw_bodies WHERE state = 'new') + (SELECT COUNT(*) FROM inbox WHERE state = 'new') AS BIGINT)";
/// What may not stay behind: webhooks, and messages that no doubt holds back.
const WORK: &str = "SELECT CAST((SELECT COUNT(*) FROM raw_bodies WHERE state = 'new') + (SELECT COUNT(*) FROM inbox WHERE state = 'new') + (SELECT COUNT(*) FROM outgoing o WHERE state IN ('sending', 'retry') OR (state = 'approved' AND NOT EXISTS (SELECT 1 FROM outgoing d WHERE d.candidate_id = o.candidate_id AND d.state = 'in_doubt' AND COALESCE(d.state_why, '') <> 'left_alone'))) AS BIGINT)";
const NUDGES: &str = "SELECT COUNT(*) FROM nudges WHERE closed_at IS NULL AND message_id IS NULL";
const WHICH: &str = "SELECT 'webhook ' || id FROM raw_bodies WHERE state = 'new' UNION ALL SELECT 'item ' || id FROM inbox WHERE state = 'new' UNION ALL SELECT 'message ' || id || ' ' || state || ' of ' || candidate_id FROM outgoing WHERE state IN ('approved', 'sending', 'retry', 'in_doubt') UNION ALL SELECT 'nudge ' || id || ' of ' || candidate_id FROM nudges WHERE closed_at IS NULL AND message_id IS NULL";
/// Steps that a person gets at once, each with one KLAAR.
const MORE: u32 = 20;

pub struct Load {
    pub house: House,
    pub environment: Vec<(String, String)>,
    /// The clock of the house; each start of the binary begins there.
    pub now: Timestamp,
    people: Vec<Person>,
    book: Mutex<Book>,
}

struct Person {
    candidate: CandidateId,
    number: String,
    plan: PlanId,
}

#[derive(Default)]
struct Book {
    /// Steps each person has, and the next that is told as done.
    steps: Vec<(u32, u32)>,
    turn: usize,
    /// How many may still be told in this round: what is waiting must not grow from round to round.
    budget: u32,
    /// What the provider still owes us: webhooks that got no 200.
    owed: VecDeque<(Webhook, Option<String>)>,
    /// Codes that must go out: of people whose webhook got its 200, of the coach, of nudges.
    due: BTreeMap<String, &'static str>,
    /// Codes of the coach's messages that got no answer: they may go out.
    may: Vec<String>,
    acknowledged: u64,
    coach: u32,
    /// Messages of the stand-in that have their report.
    reported: usize,
}

/// When a run ends.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    After(Duration),
    /// After the first message of this run has left.
    AfterTheFirst(Duration),
}

/// What a run came to.
pub struct Verdict {
    pub due: usize,
    pub sent: usize,
    pub doubt: usize,
    pub lost: Vec<String>,
    pub doubled: Vec<String>,
    pub acknowledged: u64,
    /// Attempts that were in doubt at any time, also if a report settled it.
    pub doubted: usize,
    kinds: String,
}

fn code(person: usize, step: u32) -> String {
    format!("zq{person:03}x{step:05}")
}

/// Every code in a text.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("zq")
        .filter_map(|(at, _)| text.get(at..at + 11))
        .filter(|code| {
            let (person, step) = (&code.as_bytes()[2..5], &code.as_bytes()[6..]);
            let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
            digits(person) && code.as_bytes()[5] == b'x' && digits(step)
        })
}

/// Our own token stands before the text in what is sent, and is made of the same letters.
#[test]
fn a_token_is_no_code() {
    let body = r#"{"biz_opaque_callback_data":"abzqmnkxdefghij2","text":{"body":"zq001x00002"}}"#;
    assert_eq!(codes(body).collect::<Vec<_>>(), [code(1, 2)]);
}

impl Load {
    pub async fn new(database: Database, people: usize) -> Self {
        if !cfg!(feature = "failpoints") {
            panic!("the clock of tests is not in this build: --features failpoints");
        }
        let house = House::new(database).await;
        let now = moment("2026-03-04", 9, 31);
        house.turn_to(now);
        execute(
            &house.database,
            "INSERT INTO policies (team_id, rule, approve) SELECT id, 'task_nudge', 'auto' FROM teams",
        )
        .await;
        let mut environment = environment(&house.database, &house.graph.base_url);
        for (name, value) in [
            ("APPROVE__UNDO_SECONDS", "0"),
            ("SEND__PAIR_SECONDS", "0"),
            ("SEND__PER_SECOND", "1000"),
            ("SEND__IN_FLIGHT", "16"),
        ] {
            environment.push((format!("TUSSENDOOR_{name}"), value.into()));
        }
        Coach::add(&environment).await;
        let mut load = Self {
            house,
            environment,
            now,
            people: Vec::new(),
            book: Mutex::default(),
        };
        for index in 0..people {
            load.person(index).await;
        }
        load
    }

    /// With a step that is due tomorrow, whose nudge goes by policy.
    async fn person(&mut self, index: usize) {
        let house = &self.house;
        let number = format!("+3161{index:07}");
        let candidate = house.candidate("Samira", &number, true).await;
        let plan: PlanId = house.app.id(self.now);
        let mut tx = house.app.store.write().await.unwrap();
        let person = turn::person(&mut tx, candidate).await.unwrap();
        let sealer = tx.sealer(person.key).await.unwrap();
        let today = "2026-03-02".parse().unwrap();
        plans::add(&mut tx, &sealer, plan, candidate, "Werk", today, None)
            .await
            .unwrap();
        let task = self.task(index, 1, "2026-03-05");
        plans::add_task(&mut tx, &sealer, plan, candidate, &task)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        self.people.push(Person {
            candidate,
            number,
            plan,
        });
        let mut book = self.book();
        book.steps.push((1, 2));
        book.due.insert(code(index, 1), "nudge");
    }

    fn task(&self, person: usize, number: u32, due_on: &str) -> Task {
        Task {
            id: self.house.app.id(self.now),
            number,
            title: code(person, number),
            state: TaskState::Open,
            due_on: Some(due_on.parse().unwrap()),
            done_at: None,
            version: 0,
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// Everybody has steps to tell of. Between two starts of the binary.
    async fn more_steps(&self) {
        let app = &self.house.app;
        for (index, person) in self.people.iter().enumerate() {
            let (have, next) = self.book().steps[index];
            if have >= next + MORE / 2 {
                continue;
            }
            let mut tx = app.store.write().await.unwrap();
            let found = turn::person(&mut tx, person.candidate).await.unwrap();
            let sealer = tx.sealer(found.key).await.unwrap();
            for step in have + 1..=have + MORE {
                let task = self.task(index, step, "2026-12-01");
                plans::add_task(&mut tx, &sealer, person.plan, person.candidate, &task)
                    .await
                    .unwrap();
            }
            tx.commit().await.unwrap();
            self.book().steps[index].0 = have + MORE;
        }
    }

    /// The binary a minute later than it ended: whatever was *sending* has run out of its lease.
    pub async fn start(&mut self) -> Running {
        self.later(61);
        self.more_steps().await;
        self.decide().await;
        self.report();
        // A machine that is killed before it has done its work must not get more and more of it.
        let waiting = number(&self.house.database, UNPLAYED).await;
        self.book().budget = if waiting > 100 { 0 } else { BUDGET };
        Running::serve(&self.environment, None)
    }

    pub fn later(&mut self, seconds: i64) {
        self.now = self.now.plus_seconds(seconds);
        self.house.turn_to(self.now);
        self.environment
            .retain(|(name, _)| name != "TUSSENDOOR_CLOCK");
        let clock = ("TUSSENDOOR_CLOCK".into(), self.now.0.to_string());
        self.environment.push(clock);
    }

    /// A person decides about what was in doubt: it is left alone, and holds nothing back any more.
    pub async fn decide(&self) {
        let app = &self.house.app;
        let doubts = texts(
            &self.house.database,
            "SELECT id FROM outgoing WHERE state = 'in_doubt' AND COALESCE(state_why, '') <> 'left_alone'",
        )
        .await;
        for id in doubts {
            let id: MessageId = id.parse().unwrap();
            let mut tx = app.store.read().await.unwrap();
            let version = outbox::message(&mut tx, id).await.unwrap().unwrap().version;
            drop(tx);
            let alone = Doubt::LeaveAlone;
            approve::resolve_doubt(app, &self.house.scope, id, version, alone)
                .await
                .unwrap();
        }
    }

    /// The attempts between the promise and their outcome.
    pub async fn in_the_air(&self) -> BTreeSet<String> {
        let sending = "SELECT id || '/' || attempt FROM outgoing WHERE state = 'sending'";
        texts(&self.house.database, sending)
            .await
            .into_iter()
            .collect()
    }

    /// The provider owes a report of whatever it took.
    fn report(&self) {
        let taken = self.house.graph.accepted();
        let mut book = self.book();
        for sent in &taken[book.reported..] {
            let report = self.house.graph.webhook_status(sent, "delivered");
            book.owed.push_back((report, None));
        }
        book.reported = taken.len();
    }

    /// The provider's answers take a while, so that there is something in the air.
    pub fn slow(&self, times: usize, longest: Duration) {
        for part in 1..=4 {
            let behaviour = Behaviour::Hang(longest * part / 4);
            self.house.graph.script(behaviour, times / 4);
        }
    }

    /// People write to these instances, whoever answers, and a coach writes too, until the moment has
    /// come; then `end` happens while requests are under way.
    pub async fn run(&self, instances: &[&Running], moment: Moment, end: impl FnOnce()) {
        let over = &AtomicBool::new(false);
        let hands = join_all((0..HANDS * instances.len()).map(|hand| {
            let running = instances[hand % instances.len()];
            async move {
                while !over.load(Ordering::SeqCst)
                    && let Some((webhook, code)) = self.next_webhook()
                    && self.deliver(running, webhook, code).await
                {}
            }
        }));
        let until_then = async {
            // A request of the coach that breaks off would be a surprise to the pages of the test, so it
            // is let go before the end.
            tokio::select! {
                () = self.coach(instances[0]) => {}
                () = self.came(moment) => {}
            }
            over.store(true, Ordering::SeqCst);
            end();
        };
        tokio::join!(hands, until_then);
    }

    /// The moment has come.
    async fn came(&self, moment: Moment) {
        let after = match moment {
            Moment::After(time) => time,
            Moment::AfterTheFirst(time) => {
                let before = self.house.graph.taken();
                let until = Instant::now() + Duration::from_secs(5);
                while self.house.graph.taken() == before && Instant::now() < until {
                    between_looks().await;
                }
                time
            }
        };
        drop(tokio::time::timeout(after, std::future::pending::<()>()).await);
    }

    /// What the provider still owes comes first; then somebody tells that a step is done.
    fn next_webhook(&self) -> Option<(Webhook, Option<String>)> {
        let mut book = self.book();
        if let Some(owed) = book.owed.pop_front() {
            return Some(owed);
        }
        book.budget = book.budget.checked_sub(1)?;
        for _ in 0..self.people.len() {
            book.turn += 1;
            let index = book.turn % self.people.len();
            let (have, next) = book.steps[index];
            if next <= have {
                book.steps[index].1 = next + 1;
                let text = format!("KLAAR {next}");
                let number = &self.people[index].number;
                let webhook = self.house.graph.webhook_text(number, "Samira", &text);
                return Some((webhook, Some(code(index, next))));
            }
        }
        None
    }

    /// False if the instance is gone.
    async fn deliver(&self, running: &Running, webhook: Webhook, code: Option<String>) -> bool {
        let status = running.deliver(&webhook).await;
        let mut book = self.book();
        if status == Some(200) {
            book.acknowledged += 1;
            if let Some(code) = code {
                book.due.insert(code, "answer");
            }
            return true;
        }
        book.owed.push_back((webhook, code));
        status.is_some()
    }

    /// A coach writes to one person after the other, in words of their own.
    async fn coach(&self, running: &Running) {
        let coach = Coach::sign_in(running).await;
        for person in self.people.iter().cycle() {
            let html = coach
                .get(&format!("/kandidaten/{}", person.candidate))
                .await;
            let code = {
                let mut book = self.book();
                book.coach += 1;
                let code = code(999, book.coach);
                book.may.push(code.clone());
                code
            };
            let fields = [("tekst", code.as_str()), ("wanneer", "nu")];
            // No form: this person has not written yet, so the window is shut.
            let Some((status, _)) = coach.post(&html, "/berichten", &fields).await else {
                tokio::task::yield_now().await;
                continue;
            };
            if status == 303 {
                let mut book = self.book();
                book.may.pop();
                book.due.insert(code, "coach");
            }
        }
    }

    /// Lets everything come to its end, and counts.
    pub async fn judge(mut self) -> Verdict {
        // Twice: a report can settle what the first time was in doubt, a decision frees what waited, and a
        // nudge looks again an hour after it found its person in doubt.
        for nudges_too in [false, true] {
            self.later(5400);
            let running = Running::serve(&self.environment, None);
            self.report();
            loop {
                let owed = self.book().owed.pop_front();
                let Some((webhook, code)) = owed else {
                    break;
                };
                assert!(self.deliver(&running, webhook, code).await);
            }
            self.settled(WORK).await;
            self.decide().await;
            if nudges_too {
                self.settled(NUDGES).await;
            }
            self.settled(WORK).await;
            running.stop();
        }
        let database = &self.house.database;
        let doubt = number(
            database,
            "SELECT COUNT(*) FROM outgoing WHERE state = 'in_doubt'",
        )
        .await;
        let doubted = number(
            database,
            "SELECT COUNT(*) FROM attempts WHERE outcome = 'in_doubt'",
        )
        .await;
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        for sent in self.house.graph.accepted() {
            // What a message is about comes first in it; the step that comes next may follow.
            if let Some(code) = codes(&sent.body.to_string()).next() {
                *taken.entry(code.to_owned()).or_default() += 1;
            }
        }
        let book = self.book();
        let count = |code: &String| taken.get(code).copied().unwrap_or(0);
        let all = book.due.keys().chain(&book.may);
        Verdict {
            due: book.due.len(),
            sent: book.due.keys().filter(|code| count(code) == 1).count(),
            doubt: usize::try_from(doubt).unwrap(),
            lost: book
                .due
                .keys()
                .filter(|code| count(code) == 0)
                .cloned()
                .collect(),
            doubled: all.filter(|code| count(code) > 1).cloned().collect(),
            acknowledged: book.acknowledged,
            doubted: usize::try_from(doubted).unwrap(),
            kinds: kinds(&book.due),
        }
    }

    /// Waits until the running house has nothing left of this that it could do by itself.
    async fn settled(&self, waiting: &'static str) {
        if let Err(open) = drained(&self.house.database, waiting, 10).await {
            let which = texts(&self.house.database, WHICH).await;
            panic!("{open} rows are still waiting: {which:#?}");
        }
    }
}

fn kinds(due: &BTreeMap<String, &'static str>) -> String {
    let count = |what: &str| due.values().filter(|kind| **kind == what).count();
    format!(
        "{} answers, {} of the coach, {} nudges",
        count("answer"),
        count("coach"),
        count("nudge")
    )
}

impl Verdict {
    /// Nothing twice; and whatever did not arrive is before a coach's eyes.
    pub fn holds(&self) {
        assert!(self.doubled.is_empty(), "sent twice: {:?}", self.doubled);
        assert!(
            self.lost.len() <= self.doubt,
            "{} in doubt, and never sent: {:?}",
            self.doubt,
            self.lost
        );
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "{} webhooks acknowledged; {} messages due ({}): {} sent once, {} in doubt before a coach, {} lost, {} doubled",
            self.acknowledged,
            self.due,
            self.kinds,
            self.sent,
            self.doubt,
            self.lost.len().saturating_sub(self.doubt),
            self.doubled.len(),
        )
    }
}
