//! People with everything that an address can name, and what a route could have done to them.

use tussendoor::app::App;
use tussendoor::app::vacancies::{Learned, Lesson, Search};
use tussendoor::domain::contact::{
    AddressKind, AddressState, CandidateState, DigitalSkill, Purpose, Track,
};
use tussendoor::domain::ids::{
    ActId, AddressId, CandidateId, CoachId, FlagId, IncomingId, LineId, MeetingId, MessageId,
    OrganisationId, SlotId, TaskId, TeamId, VacancyId,
};
use tussendoor::domain::media::Type;
use tussendoor::domain::message::{FormBody, MessageState};
use tussendoor::domain::plan::{
    Meeting, MeetingKind, MeetingMode, MeetingState, Subject, Task, TaskState,
};
use tussendoor::domain::slots::Slot;
use tussendoor::domain::talk::effect::Approve;
use tussendoor::domain::talk::state::Why;
use tussendoor::domain::time::Timestamp;
use tussendoor::domain::vacancy::{Posting, Raw};
use tussendoor::ports::channel::{Content, Media};
use tussendoor::store::contacts::{self, NewCandidate};
use tussendoor::store::inbox::{self, NewIncoming};
use tussendoor::store::meetings::{self, NewMeeting};
use tussendoor::store::outbox::{self, Form, New};
use tussendoor::store::slots::{self, NewSlot};
use tussendoor::store::vacancies::{Put, Source};
use tussendoor::store::{Tx, addresses, flags, lines, media, plans, searches, vacancies};

use crate::support::house::House;

/// One person with everything that an address can name.
#[derive(Clone, Copy)]
pub struct Rows {
    pub candidate: CandidateId,
    pub message: MessageId,
    pub act: ActId,
    pub flag: FlagId,
    pub incoming: IncomingId,
    pub file: IncomingId,
    pub vacancy: VacancyId,
    pub meeting: MeetingId,
    pub slot: SlotId,
    pub task: TaskId,
}

pub async fn rows(
    house: &House,
    organisation: OrganisationId,
    team: TeamId,
    coach: Option<CoachId>,
    state: MessageState,
) -> Rows {
    let app = &house.app;
    let now = app.now();
    let mut tx = app.store.write().await.unwrap();
    let candidate: CandidateId = app.id(now);
    let key = contacts::add(
        &mut tx,
        &NewCandidate {
            id: candidate,
            organisation,
            team,
            coach,
            first_name: "Verborgen",
            family_name: "Geheim",
            language: "nl",
            digital_skill: DigitalSkill::Basic,
            track: Track::Participation,
            state: CandidateState::Active,
            reference: None,
        },
        now,
    )
    .await
    .unwrap();
    let sealer = tx.sealer(key).await.unwrap();
    let line: LineId = *app.lines.keys().next().unwrap();
    let new: (AddressId, _, _, _) = (
        app.id(now),
        AddressKind::Whatsapp,
        "+31612345678",
        AddressState::Proven,
    );
    let address = addresses::add(&mut tx, &sealer, candidate, new, Some(now))
        .await
        .unwrap();
    addresses::heard(&mut tx, line, address, now);
    let incoming: IncomingId = app.id(now);
    inbox::keep(
        &mut tx,
        &sealer,
        &NewIncoming {
            id: incoming,
            candidate,
            line,
            address,
            content: &Content::Text {
                body: "Een geheim bericht".into(),
            },
            marks: "health".into(),
            answers: None,
            provider_id: &format!("wamid.{incoming}"),
            at: now,
        },
    )
    .await
    .unwrap();
    let file: IncomingId = app.id(now);
    let photo = Media {
        kind: "image".into(),
        id: "1".into(),
        mime: "image/png".into(),
        sha256: None,
        caption: None,
        filename: None,
        url: None,
    };
    inbox::keep(
        &mut tx,
        &sealer,
        &NewIncoming {
            id: file,
            candidate,
            line,
            address,
            content: &Content::Media(photo.clone()),
            marks: String::new(),
            answers: None,
            provider_id: &format!("wamid.{file}"),
            at: now,
        },
    )
    .await
    .unwrap();
    media::want(&mut tx, &sealer, candidate, file, &photo, now);
    let claims = media::claim(&mut tx, 9, now, now.plus_seconds(60)).await;
    for claim in claims.unwrap().taken {
        let sealed = media::sealed(&sealer, &claim, b"Een geheim bestand");
        media::keep(&mut tx, &claim, Type::Png, 18, sealed)
            .await
            .unwrap();
    }
    let (message, act): (MessageId, ActId) = (app.id(now), app.id(now));
    let hash = outbox::add(
        &mut tx,
        &sealer,
        &New {
            id: message,
            candidate,
            said: None,
            author: None,
            purpose: Purpose::Tasks,
            subject: Subject::Nothing,
            why: "task_nudge/done_yet".into(),
            state,
            state_why: None,
            approve: Approve::Coach,
            last_word: false,
            not_before: now.plus_seconds(60),
            not_after: now.plus_days(9),
            forms: vec![Form {
                line,
                address,
                to_kind: AddressKind::Whatsapp,
                to: "+31612345678".into(),
                to_state: AddressState::Proven,
                body: FormBody::Text {
                    text: "Een geheim concept".into(),
                },
                units: 1,
            }],
        },
        now,
    );
    let approval = outbox::Approval {
        id: app.row_id(now),
        message,
        coach: house.scope.coach,
        verb: "approve",
        content_hash: &hash,
        act: Some(act),
    };
    outbox::add_approval(&mut tx, &approval, now).await.unwrap();
    let keeper = coach.unwrap_or(house.scope.coach);
    let slot = Slot {
        id: app.id(now),
        coach: keeper,
        mode: MeetingMode::Office,
        starts_at: now.plus_days(7),
        ends_at: now.plus_days(7).plus_seconds(1800),
        place: "Een geheime plek".into(),
        capacity: 1,
        taken: 0,
        open: true,
        version: 0,
    };
    let new = NewSlot {
        slot: slot.clone(),
        organisation,
        team,
        series: None,
        reference: None,
    };
    slots::add(&mut tx, vec![new]).await.unwrap();
    // It began, so that whoever may can say whether somebody was there.
    let meeting = Meeting {
        id: app.id(now),
        kind: MeetingKind::Progress,
        mode: MeetingMode::Office,
        state: MeetingState::Booked,
        slot: None,
        starts_at: Some(now.plus_seconds(-3600)),
        ends_at: Some(now.plus_seconds(-1800)),
        place: Some("Een geheime plek".into()),
        version: 0,
    };
    let new = NewMeeting {
        meeting: &meeting,
        candidate,
        coach: keeper,
        task: "Een geheime taak",
        participants: 2,
        reference: None,
    };
    meetings::add(&mut tx, &sealer, &new, now).await.unwrap();
    let flag: FlagId = app.id(now);
    flags::open(
        &mut tx,
        flag,
        candidate,
        coach,
        Why::Wrote,
        Subject::Nothing,
        now,
    );
    let search = Search {
        words: vec!["geheim".into()],
        radius_km: 4,
        learned: vec![Learned {
            at: Timestamp(5),
            vacancy: app.id(now),
            lesson: Lesson::Nearer { from: 9, to: 4 },
            undone: false,
        }],
        ..Search::default()
    };
    searches::save(&mut tx, &sealer, candidate, &search, None)
        .await
        .unwrap();
    let vacancy = vacancy(app, &mut tx, organisation, now).await;
    let plan = app.id(now);
    let today = now.local_day(chrono_tz::Europe::Amsterdam);
    plans::add(
        &mut tx,
        &sealer,
        plan,
        candidate,
        "Een geheim doel",
        today,
        None,
    )
    .await
    .unwrap();
    let task = Task {
        id: app.id(now),
        number: 1,
        title: "Een geheime stap".into(),
        state: TaskState::Open,
        due_on: None,
        done_at: None,
        version: 0,
    };
    plans::add_task(&mut tx, &sealer, plan, candidate, &task)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    Rows {
        candidate,
        message,
        act,
        flag,
        incoming,
        file,
        vacancy,
        meeting: meeting.id,
        slot: slot.id,
        task: task.id,
    }
}

/// A vacancy that only this organisation has.
async fn vacancy(
    app: &App,
    tx: &mut Tx,
    organisation: OrganisationId,
    now: Timestamp,
) -> VacancyId {
    let id: VacancyId = app.id(now);
    let raw = Raw {
        reference: id.to_string(),
        title: "Een geheim baantje".into(),
        employer: "Verborgen".into(),
        ..Raw::default()
    };
    let posting = Posting::of(&raw, &app.vacancies.places).unwrap();
    let source = Source {
        organisation,
        name: "test",
    };
    let put = Put {
        id,
        key: posting.same_as(),
        content: String::new(),
        posting: &posting,
    };
    vacancies::add(tx, source, &[put], now).await.unwrap();
    vacancies::seen(tx, source, &[(&raw.reference, id)], now)
        .await
        .unwrap();
    id
}

/// An organisation with a team, of which the settings of this house know nothing.
pub async fn elsewhere(house: &House) -> (OrganisationId, TeamId) {
    let app = &house.app;
    let now = app.now();
    let mut tx = app.store.write().await.unwrap();
    let zone = "Europe/Amsterdam";
    let id = app.id(now);
    let organisation = lines::put_organisation(&mut tx, id, "elders", "Elders", zone)
        .await
        .unwrap();
    let team = lines::put_team(&mut tx, app.id(now), organisation, "Team")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    (organisation, team)
}

/// Everything that a route could have done to these people.
pub async fn touched(house: &House) -> Vec<i64> {
    let mut numbers = Vec::new();
    for sql in [
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM outgoing",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM outgoing",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM flags WHERE closed_at IS NOT NULL",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM notes",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM invites",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM turns",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM approvals",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM audit",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM media",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM searches",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM matches",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM candidates",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM coaches",
        "SELECT CAST(COALESCE(SUM(version), 0) + COUNT(*) AS BIGINT) FROM slots",
        "SELECT CAST(COALESCE(SUM(version), 0) + COUNT(*) AS BIGINT) FROM meetings",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM plans",
        "SELECT CAST(COALESCE(SUM(version), 0) + COUNT(*) AS BIGINT) FROM tasks",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM calendars",
        "SELECT CAST(COUNT(*) AS BIGINT) FROM busy_feeds",
    ] {
        numbers.push(house.number(sql).await);
    }
    numbers
}
