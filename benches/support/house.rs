//! A house as `assemble` builds it, on a morning in March, with people who are about to get a message.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};
use tussendoor::app::{App, turn};
use tussendoor::assemble;
use tussendoor::domain::contact::{
    AddressKind, AddressState, CandidateState, DigitalSkill, Purpose, Track,
};
use tussendoor::domain::ids::{CandidateId, CoachId};
use tussendoor::domain::message::{FormBody, MessageState};
use tussendoor::domain::plan::{Subject, Task, TaskState};
use tussendoor::domain::talk::effect::Approve;
use tussendoor::domain::talk::event::Event;
use tussendoor::domain::time::{Timestamp, local_moment};
use tussendoor::ports::chance::{Chance, SystemChance};
use tussendoor::ports::clock::{Clock, ShiftedClock, SystemClock};
use tussendoor::settings::Settings;
use tussendoor::store::contacts::{self, How, NewCandidate};
use tussendoor::store::outbox::{self, Form, New};
use tussendoor::store::{Tx, addresses, coaches, plans};

use super::database::Database;

pub const APP_SECRET: &str = "graph-app-secret";
/// The provider's name of the one line.
pub const LINE: &str = "106540352242922";

/// What a role must know to open the house of a database.
pub fn order(database: &Database, base_url: &str) -> Value {
    json!({
        "url": database.url,
        "folder": database.folder.path(),
        "base_url": base_url,
    })
}

/// The settings of the house, as an environment.
pub fn environment(order: &Value) -> anyhow::Result<BTreeMap<String, String>> {
    let text = |name: &str| order[name].as_str().context("an order is whole");
    let pairs = [
        ("TUSSENDOOR_DATA_DIR", text("folder")?.to_owned()),
        ("DATABASE_URL", text("url")?.to_owned()),
        ("TUSSENDOOR_KEYS__MASTER", "11".repeat(32)),
        ("TUSSENDOOR_KEYS__LOOKUP", "22".repeat(32)),
        ("TUSSENDOOR_ORGANISATIONS__W__NAME", "Waterstad".into()),
        ("TUSSENDOOR_ORGANISATIONS__W__TEAMS", "Noord".into()),
        (
            "TUSSENDOOR_ENDPOINTS__META__PROVIDER",
            "whatsapp_meta".into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__OPTIONS__BASE_URL",
            text("base_url")?.to_owned(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__OPTIONS__API_VERSION",
            "v23.0".into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__SECRETS__APP_SECRET",
            APP_SECRET.into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__SECRETS__VERIFY_TOKEN",
            "v".into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__SECRETS__ACCESS_TOKEN",
            "a".into(),
        ),
        ("TUSSENDOOR_LINES__WHATSAPP__ORGANISATION", "w".into()),
        ("TUSSENDOOR_LINES__WHATSAPP__ENDPOINT", "meta".into()),
        ("TUSSENDOOR_LINES__WHATSAPP__ADDRESS", LINE.into()),
        (
            "TUSSENDOOR_LINES__WHATSAPP__DISPLAY",
            "+31 20 123 4567".into(),
        ),
    ];
    Ok(pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect())
}

/// Tuesday 3 March 2026, 10:00 in Amsterdam: a moment at which everything may leave.
pub fn morning() -> anyhow::Result<Timestamp> {
    Ok(local_moment(
        "2026-03-03".parse()?,
        10,
        0,
        chrono_tz::Europe::Amsterdam,
    ))
}

/// Opens the house of an order; the schema is brought up to date. Its day is in March, unless the order
/// says that it is now.
pub async fn open(order: &Value) -> anyhow::Result<App> {
    let settings = Settings::load(environment(order)?)?;
    let chance: Arc<dyn Chance> = Arc::new(SystemChance);
    let clock: Arc<dyn Clock> = match order["clock"].as_str() {
        Some("now") => Arc::new(SystemClock),
        _ => Arc::new(ShiftedClock::starting_at(morning()?)),
    };
    let store = assemble::store(&settings, chance.clone()).await?;
    store.migrate().await?;
    assemble::app(&settings, store, clock, chance).await
}

/// What a person is about to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A coach's own words: of all checks only a few.
    Words,
    /// The same, an hour from now.
    Later,
    /// The first question of a flow, sent by policy: every check, and a talk that hears of it.
    Nudge,
    /// Nothing yet: a task is due today.
    Due,
}

impl Kind {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "words" => Some(Kind::Words),
            "later" => Some(Kind::Later),
            "nudge" => Some(Kind::Nudge),
            _ => None,
        }
    }
}

/// People in one transaction.
const AT_ONCE: usize = 200;

/// Adds people with one approved message each, ready to go; the numbers begin at `first`.
pub async fn people(app: &App, kind: Kind, first: usize, count: usize) -> anyhow::Result<()> {
    let coach = coach(app).await?;
    let mut number = first;
    while number < first + count {
        let until = (number + AT_ONCE).min(first + count);
        let mut tx = app.store.write().await?;
        for number in number..until {
            person(app, &mut tx, kind, coach, number).await?;
        }
        tx.commit().await?;
        number = until;
    }
    Ok(())
}

async fn coach(app: &App) -> anyhow::Result<CoachId> {
    let now = app.now();
    let house = app.houses.values().next().context("one organisation")?;
    let mut tx = app.store.write().await?;
    let email = "noor@waterstad.example";
    if let Some(found) = coaches::by_email(&mut tx, email).await? {
        tx.rollback().await?;
        return Ok(found.id);
    }
    let new = coaches::NewCoach {
        id: app.id(now),
        organisation: house.id,
        email,
        name: "Noor Bakker",
        role: tussendoor::domain::access::Role::Coach,
        password_hash: "no password opens this",
        language: "nl",
        teams: &[house.teams[0].0],
    };
    coaches::add(&mut tx, &new, now).await?;
    tx.commit().await?;
    Ok(new.id)
}

async fn person(
    app: &App,
    tx: &mut Tx,
    kind: Kind,
    coach: CoachId,
    number: usize,
) -> anyhow::Result<()> {
    let now = app.now();
    let house = app.houses.values().next().context("one organisation")?;
    let id: CandidateId = app.id(now);
    let new = NewCandidate {
        id,
        organisation: house.id,
        team: house.teams[0].0,
        coach: Some(coach),
        first_name: "Samira",
        family_name: "Haddad",
        language: "nl",
        digital_skill: DigitalSkill::Basic,
        track: Track::Participation,
        state: CandidateState::Active,
        reference: None,
    };
    let key = contacts::add(tx, &new, now).await?;
    let sealer = tx.sealer(key).await?;
    let to = phone(number);
    let address = app.id(now);
    let owned = (
        address,
        AddressKind::Whatsapp,
        to.as_str(),
        AddressState::Proven,
    );
    addresses::add(tx, &sealer, id, owned, Some(now)).await?;
    for purpose in Purpose::ASKED {
        let what = (purpose, true, How::Form);
        contacts::record_consent(tx, app.row_id(now), id, what, "whatsapp", now).await?;
    }
    let line = *app.lines.keys().next().context("one line")?;
    match kind {
        Kind::Words | Kind::Later => {
            addresses::heard(tx, line, address, now);
            let form = Form {
                line,
                address,
                to_kind: AddressKind::Whatsapp,
                to,
                to_state: AddressState::Proven,
                body: FormBody::Text {
                    text: format!("Hoi Samira, morgen bel ik je om tien uur. ({number})"),
                },
                units: 1,
            };
            let new = New {
                id: app.id(now),
                candidate: id,
                said: None,
                author: Some(coach),
                purpose: Purpose::Reply,
                subject: Subject::Nothing,
                why: "coach".into(),
                state: MessageState::Approved,
                state_why: None,
                approve: Approve::Auto,
                last_word: false,
                not_before: match kind {
                    Kind::Later => now.plus_seconds(3600),
                    _ => now,
                },
                not_after: now.plus_days(2),
                forms: vec![form],
            };
            outbox::add(tx, &sealer, &new, now);
        }
        Kind::Nudge | Kind::Due => {
            let plan = app.id(now);
            let today = now.local_day(house.zone);
            plans::add(tx, &sealer, plan, id, "Werk voor de zomer", today, None).await?;
            let task = Task {
                id: app.id(now),
                number: 1,
                title: "cv maken".into(),
                state: TaskState::Open,
                due_on: Some(today),
                done_at: None,
                version: 0,
            };
            plans::add_task(tx, &sealer, plan, id, &task).await?;
            if kind == Kind::Due {
                return Ok(());
            }
            let who = turn::person(tx, id).await?;
            let flow = app.book.newest("task_nudge").context("a flow")?;
            let subject = Subject::Task(task.id);
            turn::play(app, tx, &who, Event::Start { flow, subject }, now).await?;
            for message in outbox::unsent(tx, id).await? {
                if message.state == MessageState::Waiting {
                    outbox::change(tx, &message, MessageState::Approved, None, now).await?;
                }
            }
        }
    }
    Ok(())
}

/// The number of the nth person.
pub fn phone(number: usize) -> String {
    format!("+316{:08}", 10_000_000 + number)
}
