//! Small exercises with the phone, over the wire: what is done counts once and raises the digital skill.

use tussendoor::app::turn;
use tussendoor::domain::contact::DigitalSkill;
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::plan::Subject;
use tussendoor::domain::talk::event::Event;
use tussendoor::store::contacts;

use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(three_exercises_by_photo_word_and_digit_raise_the_skill);

const NUMBER: &str = "+31612345678";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF and then some picture";

/// The next exercise is asked, read by a coach, and leaves.
async fn asked(house: &House, candidate: CandidateId, day: u32) {
    house.turn_to(moment(&format!("2026-03-{day:02}"), 9, 31));
    let app = &house.app;
    let mut tx = app.store.write().await.unwrap();
    let person = turn::person(&mut tx, candidate).await.unwrap();
    let event = Event::Start {
        flow: app.book.newest("digital_comfort").unwrap(),
        subject: Subject::Nothing,
    };
    turn::play(app, &mut tx, &person, event, app.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let before = house.graph.accepted().len();
    house.approve(candidate).await;
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), before + 1, "it was asked");
}

/// What we say to an answer leaves as fast as the provider allows.
async fn rests(house: &House) {
    house.idle().await;
    house.wait(10);
    house.idle().await;
}

async fn done(house: &House) -> Vec<String> {
    let sql = "SELECT exercise FROM exercises ORDER BY exercise";
    house.database.texts(sql).await
}

async fn skill(house: &House) -> Vec<String> {
    house
        .database
        .texts("SELECT digital_skill FROM candidates")
        .await
}

async fn three_exercises_by_photo_word_and_digit_raise_the_skill(database: Database) {
    let house = House::new(database).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    let mut tx = house.app.store.write().await.unwrap();
    contacts::set_skill(&mut tx, samira, DigitalSkill::Starter)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    asked(&house, samira, 3).await;
    let photo = house.graph.keeps("image/jpeg", JPEG);
    let webhook = house.graph.webhook_file(NUMBER, "image", &photo, "");
    assert_eq!(house.deliver(&webhook).await, 200);
    rests(&house).await;
    assert_eq!(done(&house).await, ["photo"]);
    // Delivered twice it is one photo.
    assert_eq!(house.deliver(&webhook).await, 200);
    rests(&house).await;
    assert_eq!(done(&house).await, ["photo"]);
    assert!(house.talk(samira).await.front().is_none());

    asked(&house, samira, 5).await;
    house.says(NUMBER, "PLAN").await;
    rests(&house).await;
    assert_eq!(done(&house).await, ["command", "photo"]);
    assert_eq!(skill(&house).await, ["starter"], "two are not enough");

    asked(&house, samira, 9).await;
    house.says(NUMBER, "1").await;
    rests(&house).await;
    assert_eq!(done(&house).await, ["command", "link", "photo"]);
    assert_eq!(skill(&house).await, ["basic"]);
}
