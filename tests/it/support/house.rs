//! The whole house in one process: the real store, the real wire, the Graph stand-in for Meta, and a
//! clock that is turned by hand.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tussendoor::app::approve::{self, Seen};
use tussendoor::app::{App, inbox, media, receive, send, tick, turn, unpack};
use tussendoor::assemble;
use tussendoor::domain::access::{Role, Scope};
use tussendoor::domain::contact::{
    AddressKind, AddressState, CandidateState, DigitalSkill, Purpose, Track,
};
use tussendoor::domain::ids::{CandidateId, CoachId, MessageId, TaskId};
use tussendoor::domain::message::MessageState;
use tussendoor::domain::plan::{Task, TaskState};
use tussendoor::domain::talk::state::Talk;
use tussendoor::domain::time::{Timestamp, local_moment};
use tussendoor::ports::chance::{Chance, SeededChance};
use tussendoor::ports::channel::HttpRequest;
use tussendoor::ports::clock::HandClock;
use tussendoor::settings::Settings;
use tussendoor::store::contacts::{self, How, NewCandidate};
use tussendoor::store::outbox::{self, Outgoing};
use tussendoor::store::{addresses, coaches, plans, talks};

use super::database::Database;
use super::graph::{self, GraphStandIn, Webhook};

pub struct House {
    pub app: Arc<App>,
    pub clock: HandClock,
    pub graph: GraphStandIn,
    pub scope: Scope,
    pub database: Database,
    stop: CancellationToken,
    settings: &'static [(&'static str, &'static str)],
}

/// Settings of a house whose provider is the stand-in, as an environment.
pub fn environment(database: &Database, base_url: &str) -> Vec<(String, String)> {
    let pairs = [
        (
            "TUSSENDOOR_DATA_DIR",
            database.folder.path().display().to_string(),
        ),
        ("DATABASE_URL", database.url.clone()),
        ("TUSSENDOOR_KEYS__MASTER", "11".repeat(32)),
        ("TUSSENDOOR_KEYS__LOOKUP", "22".repeat(32)),
        (
            "TUSSENDOOR_ORGANISATIONS__WATERSTAD__NAME",
            "Gemeente Waterstad".into(),
        ),
        (
            "TUSSENDOOR_ORGANISATIONS__WATERSTAD__TEAMS",
            "Team Werk,Team Zuid".into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__PROVIDER",
            "whatsapp_meta".into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__OPTIONS__BASE_URL",
            base_url.to_owned(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__OPTIONS__API_VERSION",
            "v23.0".into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__SECRETS__APP_SECRET",
            graph::APP_SECRET.into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__SECRETS__VERIFY_TOKEN",
            graph::VERIFY_TOKEN.into(),
        ),
        (
            "TUSSENDOOR_ENDPOINTS__META__SECRETS__ACCESS_TOKEN",
            graph::ACCESS_TOKEN.into(),
        ),
        (
            "TUSSENDOOR_LINES__WHATSAPP__ORGANISATION",
            "waterstad".into(),
        ),
        ("TUSSENDOOR_LINES__WHATSAPP__ENDPOINT", "meta".into()),
        ("TUSSENDOOR_MEDIA__LOOPBACK", "true".into()),
        ("TUSSENDOOR_LINES__WHATSAPP__ADDRESS", graph::LINE.into()),
        (
            "TUSSENDOOR_LINES__WHATSAPP__DISPLAY",
            "+31 20 123 4567".into(),
        ),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Tuesday 3 March 2026, 08:00 in Amsterdam.
pub fn start() -> Timestamp {
    moment("2026-03-03", 8, 0)
}

pub fn moment(day: &str, hour: u32, minute: u32) -> Timestamp {
    local_moment(
        day.parse().unwrap(),
        hour,
        minute,
        chrono_tz::Europe::Amsterdam,
    )
}

impl House {
    pub async fn new(database: Database) -> Self {
        Self::set(database, &[]).await
    }

    /// With settings of its own besides.
    pub async fn set(
        database: Database,
        settings: &'static [(&'static str, &'static str)],
    ) -> Self {
        let graph = GraphStandIn::start();
        graph.set_time(start().0 / 1_000_000);
        Self::with(database, graph, start(), settings).await
    }

    /// The same house after its process ended: a new one on the same database.
    pub async fn restart(self) -> Self {
        let Self {
            app,
            clock,
            graph,
            database,
            stop,
            settings,
            ..
        } = self;
        stop.cancel();
        app.store.close().await;
        drop(app);
        let now = tussendoor::ports::clock::Clock::now(&clock);
        Self::with(database, graph, now, settings).await
    }

    async fn with(
        database: Database,
        graph: GraphStandIn,
        now: Timestamp,
        own: &'static [(&'static str, &'static str)],
    ) -> Self {
        let mut environment = environment(&database, &graph.base_url);
        environment.retain(|(name, _)| !own.iter().any(|(known, _)| known == name));
        let own_pairs = own
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        environment.extend(own_pairs);
        let settings = Settings::load(environment).unwrap();
        let chance: Arc<dyn Chance> = Arc::new(SeededChance::new(u64::try_from(now.0).unwrap()));
        let clock = HandClock::at(now);
        let store = assemble::store(&settings, chance.clone()).await.unwrap();
        store.migrate().await.unwrap();
        let app = assemble::app(&settings, store, Arc::new(clock.clone()), chance)
            .await
            .unwrap();
        assemble::resume_lines(&app).await.unwrap();
        let app = Arc::new(app);
        let stop = CancellationToken::new();
        tokio::spawn(receive::write_batches(app.clone(), stop.clone()));
        let scope = coach(&app, "noor@waterstad.example", "Noor Bakker", now).await;
        Self {
            app,
            clock,
            graph,
            scope,
            database,
            stop,
            settings: own,
        }
    }

    /// Another process of this house, on the same database.
    pub async fn process(&self) -> App {
        let mut environment = environment(&self.database, &self.graph.base_url);
        environment.retain(|(name, _)| !self.settings.iter().any(|(known, _)| known == name));
        let own = self.settings.iter();
        environment.extend(own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let settings = Settings::load(environment).unwrap();
        let chance = self.app.chance.clone();
        let store = assemble::store(&settings, chance.clone()).await.unwrap();
        assemble::app(&settings, store, Arc::new(self.clock.clone()), chance)
            .await
            .unwrap()
    }

    pub fn turn_to(&self, now: Timestamp) {
        self.clock.turn_to(now);
        self.graph.set_time(now.0 / 1_000_000);
    }

    pub fn wait(&self, seconds: i64) {
        self.turn_to(self.app.now().plus_seconds(seconds));
    }

    /// A candidate of Noor's with this number, consent for everything, a proven address if `wrote`.
    pub async fn candidate(&self, first_name: &str, number: &str, consent: bool) -> CandidateId {
        let now = self.app.now();
        let mut tx = self.app.store.write().await.unwrap();
        let id: CandidateId = self.app.id(now);
        let team = *self.scope.teams.first().unwrap();
        let new = NewCandidate {
            id,
            organisation: self.scope.organisation,
            team,
            coach: Some(self.scope.coach),
            first_name,
            family_name: "Haddad",
            language: "nl",
            digital_skill: DigitalSkill::Basic,
            track: Track::Participation,
            state: CandidateState::Active,
            reference: None,
        };
        let key = contacts::add(&mut tx, &new, now).await.unwrap();
        let sealer = tx.sealer(key).await.unwrap();
        let address = (
            self.app.id(now),
            AddressKind::Whatsapp,
            number,
            AddressState::Believed,
        );
        addresses::add(&mut tx, &sealer, id, address, None)
            .await
            .unwrap();
        if consent {
            for purpose in Purpose::ASKED {
                let row = self.app.row_id(now);
                let what = (purpose, true, How::Form);
                contacts::record_consent(&mut tx, row, id, what, "whatsapp", now)
                    .await
                    .unwrap();
            }
        }
        tx.commit().await.unwrap();
        id
    }

    /// Another coach of the same team.
    pub async fn colleague(&self, name: &str) -> Scope {
        let email = format!("{}@waterstad.example", name.replace(' ', "."));
        coach(&self.app, &email, name, self.app.now()).await
    }

    /// A plan with one open task a title, numbered from 1, due on the given day.
    pub async fn plan(&self, candidate: CandidateId, tasks: &[(&str, &str)]) -> Vec<TaskId> {
        let now = self.app.now();
        let mut tx = self.app.store.write().await.unwrap();
        let person = turn::person(&mut tx, candidate).await.unwrap();
        let sealer = tx.sealer(person.key).await.unwrap();
        let plan = self.app.id(now);
        let today = now.local_day(chrono_tz::Europe::Amsterdam);
        plans::add(
            &mut tx,
            &sealer,
            plan,
            candidate,
            "Werk voor de zomer",
            today,
            None,
        )
        .await
        .unwrap();
        let mut ids = Vec::new();
        for (number, (title, due_on)) in (1..).zip(tasks) {
            let task = Task {
                id: self.app.id(now),
                number,
                title: (*title).to_owned(),
                state: TaskState::Open,
                due_on: Some(due_on.parse().unwrap()),
                done_at: None,
                version: 0,
            };
            plans::add_task(&mut tx, &sealer, plan, candidate, &task)
                .await
                .unwrap();
            ids.push(task.id);
        }
        tx.commit().await.unwrap();
        ids
    }

    /// One webhook, as the provider would deliver it; the status it got.
    pub async fn deliver(&self, webhook: &Webhook) -> u16 {
        let headers = vec![(
            "x-hub-signature-256".to_owned(),
            webhook.1.clone().into_bytes(),
        )];
        let request = HttpRequest {
            query: "",
            headers: &headers,
            body: &webhook.0,
        };
        match receive::receive(&self.app, "meta", &request).await {
            Ok(reply) => reply.status,
            Err(receive::Refused::Unverified) => 401,
            Err(receive::Refused::NoSuchEndpoint) => 404,
            Err(receive::Refused::Full | receive::Refused::Unavailable) => 503,
        }
    }

    /// A person writes, and the house does all that follows.
    pub async fn says(&self, number: &str, text: &str) {
        let webhook = self.graph.webhook_text(number, "Samira", text);
        assert_eq!(self.deliver(&webhook).await, 200);
        self.idle().await;
    }

    /// Works until nothing is due at this moment of the clock.
    pub async fn idle(&self) {
        for _ in 0..200 {
            let mut did = unpack::unpack(&self.app).await.unwrap();
            did += inbox::turns(&self.app).await.unwrap();
            did += tick::tick(&self.app).await.unwrap();
            did += self.send().await;
            did += self.fetch().await;
            if did == 0 {
                return;
            }
        }
        panic!("the house does not come to rest");
    }

    /// One round of sends, and its outcomes; how many were carried.
    pub async fn send(&self) -> usize {
        let mut back = Vec::new();
        let mut carried = 0;
        loop {
            let jobs = send::round(&self.app, &mut back, 64).await.unwrap();
            if jobs.is_empty() {
                return carried;
            }
            for job in jobs {
                back.push(send::carry(self.app.clone(), job).await);
                carried += 1;
            }
        }
    }

    /// Fetches the files that are due, each once; how many that were.
    pub async fn fetch(&self) -> usize {
        let claims = media::claim(&self.app, 64).await.unwrap();
        let count = claims.len();
        for claim in claims {
            let fetched = media::fetch(&self.app, &claim).await;
            media::keep(&self.app, &claim, fetched).await.unwrap();
        }
        count
    }

    /// What has not left, or may have left, for this person.
    pub async fn drafts(&self, candidate: CandidateId) -> Vec<Outgoing> {
        let mut tx = self.app.store.read().await.unwrap();
        outbox::unsent(&mut tx, candidate).await.unwrap()
    }

    pub async fn message(&self, id: MessageId) -> Outgoing {
        let mut tx = self.app.store.read().await.unwrap();
        outbox::message(&mut tx, id).await.unwrap().unwrap()
    }

    /// The one draft that waits for a coach.
    pub async fn waiting(&self, candidate: CandidateId) -> Outgoing {
        let mut waiting: Vec<_> = self
            .drafts(candidate)
            .await
            .into_iter()
            .filter(|message| message.state == MessageState::Waiting)
            .collect();
        assert_eq!(waiting.len(), 1, "one draft waits");
        waiting.remove(0)
    }

    /// The coach approves the waiting draft and the seconds of undo pass.
    pub async fn approve(&self, candidate: CandidateId) -> MessageId {
        let draft = self.waiting(candidate).await;
        let seen = Seen {
            version: draft.version,
            content_hash: draft.content_hash,
        };
        approve::approve(&self.app, &self.scope, draft.id, &seen)
            .await
            .unwrap();
        self.wait(11);
        draft.id
    }

    pub async fn talk(&self, candidate: CandidateId) -> Talk {
        let mut tx = self.app.store.read().await.unwrap();
        let person = turn::person(&mut tx, candidate).await.unwrap();
        let sealer = tx.sealer(person.key).await.unwrap();
        talks::peek(&mut tx, candidate, &sealer).await.unwrap()
    }

    /// One number out of the database, for what no function of the house tells.
    pub async fn number(&self, sql: &'static str) -> i64 {
        number(&self.database, sql).await
    }
}

/// One number out of a database that may be in use.
pub async fn number(database: &Database, sql: &'static str) -> i64 {
    use futures_util::FutureExt as _;
    use sqlx::Connection as _;
    if database.url.starts_with("sqlite") {
        let mut connection = sqlx::SqliteConnection::connect(&database.url)
            .await
            .unwrap();
        sqlx::query_scalar(sql)
            .fetch_one(&mut connection)
            .await
            .unwrap()
    } else {
        database
            .ask(|connection| sqlx::query_scalar(sql).fetch_one(connection).boxed())
            .await
    }
}

/// A coach of the first team who may do everything a coach may; found again after a restart.
async fn coach(app: &App, email: &str, name: &str, now: Timestamp) -> Scope {
    let house = app.houses.values().next().unwrap();
    let team = house.teams[0].0;
    let mut tx = app.store.write().await.unwrap();
    let coach: CoachId = match coaches::by_email(&mut tx, email).await.unwrap() {
        Some(found) => found.id,
        None => {
            let id = app.id(now);
            let new = coaches::NewCoach {
                id,
                organisation: house.id,
                email,
                name,
                role: Role::Coach,
                password_hash: "no password opens this",
                language: "nl",
                teams: &[team],
            };
            coaches::add(&mut tx, &new, now).await.unwrap();
            id
        }
    };
    tx.commit().await.unwrap();
    Scope {
        organisation: house.id,
        coach,
        teams: BTreeSet::from([team]),
        role: Role::Coach,
    }
}
