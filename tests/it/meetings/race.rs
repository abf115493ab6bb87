//! Two people answer "1" to the same moment in the same second: one gets it, the other gets new moments at
//! once. Rounds of eight; `RACES=1000` plays a thousand.

use std::sync::Arc;

use tokio::task::JoinSet;
use tussendoor::app::slots as moments;
use tussendoor::app::{App, AppError, turn};
use tussendoor::domain::ids::{CandidateId, NodeId, SlotId, TaskId};
use tussendoor::domain::plan::Subject;
use tussendoor::domain::talk::event::{Button, Event, Heard};
use tussendoor::domain::talk::state::{Run, State, Talk};
use tussendoor::domain::time::Timestamp;
use tussendoor::store::talks;

use super::{free, plan, tuesdays};
use crate::support::database::{Database, on_both};
use crate::support::house::House;

on_both!(of_eight_who_want_one_moment_one_gets_it);

const PEOPLE: usize = 8;
/// The ladder of a task ends in an offer of moments.
const NODE: &str = "meet";

fn rounds() -> u32 {
    let told = std::env::var("RACES").ok();
    told.map_or(25, |text| text.parse().unwrap())
}

async fn of_eight_who_want_one_moment_one_gets_it(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    moments::open(app, scope, &tuesdays(&house, 2))
        .await
        .unwrap();
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        let number = format!("+3161234567{n}");
        let candidate = house.candidate("Samira", &number, true).await;
        let tasks = house.plan(candidate, &[("cv maken", "2026-03-20")]).await;
        people.push((candidate, tasks[0]));
    }
    let (mut second_offers, mut starts_over) = (0, 0);
    for round in 0..rounds() {
        let all = free(&house).await;
        let wanted = all[0];
        for (candidate, task) in &people {
            asked(&house, *candidate, *task, &all[..3]).await;
        }
        let mut racing = JoinSet::new();
        for (candidate, _) in &people {
            racing.spawn(takes(app.clone(), *candidate, wanted, app.now()));
        }
        for tries in racing.join_all().await {
            starts_over += tries - 1;
        }
        let place = format!("round {round}");
        let mut winners = Vec::new();
        for (candidate, _) in &people {
            let booked = plan(&house, *candidate).await.meetings;
            let got = booked.iter().any(|it| it.slot == Some(wanted));
            let talk = house.talk(*candidate).await;
            match (got, talk.front()) {
                (true, None) => winners.push(*candidate),
                (false, Some((run, node, said))) => {
                    assert_eq!(node.0, NODE, "{place}");
                    assert!(said > 1, "{place}: asked again");
                    assert_eq!(run.offered, all[1..4], "{place}: with what is free");
                    second_offers += 1;
                }
                other => panic!("{place}: {other:?}"),
            }
        }
        assert_eq!(winners.len(), 1, "{place}: one booking");
        assert_eq!(
            house
                .number("SELECT CAST(SUM(taken) AS BIGINT) FROM slots")
                .await,
            1,
            "{place}: one place is taken"
        );
        clear(&house).await;
    }
    let expected = u32::try_from(PEOPLE - 1).unwrap() * rounds();
    assert_eq!(second_offers, expected);
    println!(
        "{}: {} rounds of {PEOPLE}: one booking each, {second_offers} offered new moments, {starts_over} started over",
        house.database.kind(),
        rounds()
    );
}

/// A talk in which these moments were asked about.
async fn asked(house: &House, candidate: CandidateId, task: TaskId, offered: &[SlotId]) {
    let app = &house.app;
    let now = app.now();
    let mut tx = app.store.write().await.unwrap();
    let person = turn::person(&mut tx, candidate).await.unwrap();
    let sealer = tx.sealer(person.key).await.unwrap();
    let before = talks::load(&mut tx, candidate, &sealer).await.unwrap();
    let said = before.talk.said.max(1);
    let talk = Talk {
        said,
        state: State::Asking {
            run: Run {
                flow: app.book.newest("task_nudge").unwrap(),
                subject: Subject::Task(task),
                ends_at: now.plus_days(30),
                offered: offered.to_vec(),
                picked: None,
                unanswered: Vec::new(),
            },
            node: NodeId::from(NODE),
            said,
            since: now,
            silent_at: now.plus_days(5),
            tries: 1,
        },
        waiting: Vec::new(),
        overlapped: None,
        ..before.talk
    };
    let event = Event::GivenBack;
    talks::save(&mut tx, &talk, before.version, &event, &sealer, now);
    tx.commit().await.unwrap();
}

/// One answer, played as the inbox plays it: whoever was overtaken starts over. How often it was tried.
async fn takes(app: Arc<App>, candidate: CandidateId, slot: SlotId, now: Timestamp) -> u32 {
    for tries in 1..100 {
        match once(&app, candidate, slot, now).await {
            Ok(()) => return tries,
            Err(AppError::Store(error)) if error.was_overtaken() => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("nobody comes to an end");
}

async fn once(
    app: &App,
    candidate: CandidateId,
    slot: SlotId,
    now: Timestamp,
) -> Result<(), AppError> {
    let mut tx = app.store.write().await?;
    let person = turn::person(&mut tx, candidate).await?;
    let sealer = tx.sealer(person.key).await?;
    let talk = talks::peek(&mut tx, candidate, &sealer).await?;
    let to = talk.front().map_or(0, |(.., said)| said);
    let choice = format!("slot:{slot}");
    let heard = Heard::tap(Button { to, choice }, "di 10 mrt 09:00");
    turn::play(app, &mut tx, &person, Event::Heard(heard), now).await?;
    Ok(tx.commit().await?)
}

/// As before the round.
async fn clear(house: &House) {
    for sql in [
        "DELETE FROM meetings",
        "UPDATE slots SET taken = 0",
        "DELETE FROM forms",
        "DELETE FROM nudges",
        "DELETE FROM outgoing",
    ] {
        house.database.execute(sql).await;
    }
}
