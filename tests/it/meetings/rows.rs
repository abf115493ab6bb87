//! Slots and meetings that come by CSV: known again by the caller's own id, and told like any other change.

use tussendoor::app::import::{self, Asked, Place, Sheet, Source, sheet::Kind};
use tussendoor::domain::plan::MeetingState;
use tussendoor::store::contacts::{self, NewCandidate};

use super::{free, plan};
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    files_come_in_once_and_bring_what_changed,
    every_mistake_in_them_is_named,
);

const SLOTS: &str = "ref,coach_email,starts_at,minutes,mode,place,capacity,state\n\
    s-1,noor@waterstad.example,2026-03-10 10:00,30,office,Stadhuis,1,open\n\
    s-2,noor@waterstad.example,2026-03-10 10:30,30,office,Stadhuis,1,open\n";
const MEETINGS: &str = "ref,candidate_ref,coach_email,kind,mode,starts_at,minutes,place,state\n\
    m-1,k-1,noor@waterstad.example,progress,phone,2026-03-12 09:00,20,,booked\n\
    m-2,k-1,noor@waterstad.example,intake,office,2026-02-02 09:00,60,Stadhuis,held\n";

async fn bring_in(house: &House, slots: &str, meetings: &str) -> String {
    let sheet = |kind: Kind, text: &str| Sheet {
        kind,
        file: kind.file_name().to_owned(),
        from: Source::Memory(text.as_bytes().to_vec()),
    };
    let place = Place {
        organisation: house.scope.organisation,
        team: *house.scope.teams.first().unwrap(),
    };
    let sheets = vec![sheet(Kind::Slots, slots), sheet(Kind::Meetings, meetings)];
    let reports = import::import(&house.app, place, sheets, Asked::default(), &|_, _, _| {}).await;
    let told: Vec<String> = reports.unwrap().iter().map(ToString::to_string).collect();
    told.join("\n")
}

/// Samira, whom the caller knows as k-1.
async fn samira(house: &House) -> tussendoor::domain::ids::CandidateId {
    let now = house.app.now();
    let mut tx = house.app.store.write().await.unwrap();
    let id = house.app.id(now);
    let new = NewCandidate {
        id,
        organisation: house.scope.organisation,
        team: *house.scope.teams.first().unwrap(),
        coach: Some(house.scope.coach),
        first_name: "Samira",
        family_name: "Haddad",
        language: "nl",
        digital_skill: tussendoor::domain::contact::DigitalSkill::Basic,
        track: tussendoor::domain::contact::Track::Participation,
        state: tussendoor::domain::contact::CandidateState::Active,
        reference: Some("k-1"),
    };
    contacts::add(&mut tx, &new, now).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn files_come_in_once_and_bring_what_changed(database: Database) {
    let house = House::new(database).await;
    let samira = samira(&house).await;
    let report = bring_in(&house, SLOTS, MEETINGS).await;
    assert_eq!(
        report,
        "slots.csv: 2 created, 0 updated, 0 unchanged\nmeetings.csv: 2 created, 0 updated, 0 unchanged"
    );
    assert_eq!(free(&house).await.len(), 2);
    let report = bring_in(&house, SLOTS, MEETINGS).await;
    assert_eq!(
        report,
        "slots.csv: 0 created, 0 updated, 2 unchanged\nmeetings.csv: 0 created, 0 updated, 2 unchanged"
    );
    let slots = SLOTS.replace(
        "10:30,30,office,Stadhuis,1,open",
        "10:30,30,office,Stadhuis,1,withdrawn",
    );
    let meetings = MEETINGS.replace("2026-03-12 09:00,20,,booked", "2026-03-13 11:00,20,,booked");
    let report = bring_in(&house, &slots, &meetings).await;
    assert_eq!(
        report,
        "slots.csv: 0 created, 1 updated, 1 unchanged\nmeetings.csv: 0 created, 1 updated, 1 unchanged"
    );
    assert_eq!(free(&house).await.len(), 1);
    let booked = plan(&house, samira).await.meetings;
    let moved = booked
        .iter()
        .find(|it| it.state == MeetingState::Booked)
        .unwrap();
    assert_eq!(moved.starts_at, Some(moment("2026-03-13", 11, 0)));
    assert_eq!(moved.ends_at, Some(moment("2026-03-13", 11, 20)));
    let gone = MEETINGS.replace(
        "2026-03-12 09:00,20,,booked",
        "2026-03-13 11:00,20,,cancelled",
    );
    bring_in(&house, &slots, &gone).await;
    let left = plan(&house, samira).await.meetings;
    assert!(left.iter().all(|it| it.state == MeetingState::Held));
}

async fn every_mistake_in_them_is_named(database: Database) {
    let house = House::new(database).await;
    samira(&house).await;
    let slots = "ref,coach_email,starts_at,minutes,mode,place,capacity,state\n\
        s-1,nobody@waterstad.example,2026-03-10 10:00,30,office,Stadhuis,1,open\n\
        s-2,noor@waterstad.example,10-03-2026 10:00,0,room,,99,full\n";
    let meetings = "ref,candidate_ref,coach_email,kind,mode,starts_at,minutes,place,state\n\
        m-1,k-9,noor@waterstad.example,progress,phone,2026-03-12 09:00,20,,booked\n\
        m-2,k-1,noor@waterstad.example,intake,video,2026-03-12 09:00,20,https://x.example,booked\n\
        m-3,k-1,noor@waterstad.example,progress,office,2026-03-12 09:00,20,Stadhuis,held\n";
    let report = bring_in(&house, slots, meetings).await;
    for expected in [
        "slots.csv, line 2, column coach_email: expected the e-mail address of a coach of this organisation",
        "slots.csv, line 3, column starts_at: expected a day and a time such as 2026-03-10 14:30",
        "slots.csv, line 3, column minutes: expected minutes from 5 to 480",
        "slots.csv, line 3, column mode: expected office, phone, video or elsewhere",
        "slots.csv, line 3, column capacity: expected a number from 1 to 50",
        "slots.csv, line 3, column state: expected open or withdrawn",
        "meetings.csv, line 3, column mode: expected office, for this kind of meeting",
    ] {
        assert!(report.contains(expected), "{expected}\nin\n{report}");
    }
    let report = bring_in(&house, SLOTS, meetings).await;
    for expected in [
        "meetings.csv, line 2, column candidate_ref: expected the ref of a candidate who is known",
        "meetings.csv, line 4, column state: expected booked or cancelled, for a time to come",
    ] {
        assert!(report.contains(expected), "{expected}\nin\n{report}");
    }
}
