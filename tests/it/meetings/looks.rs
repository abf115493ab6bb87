//! What a look at a person leads to: an invitation to the office, made once; and what a meeting or a sign
//! of life does to what is open.

use tussendoor::app::meetings as verb;
use tussendoor::app::note;
use tussendoor::app::slots as moments;
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::plan::{MeetingKind, MeetingMode, MeetingState};

use super::{agreed, plan, tuesdays};
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    a_reassessment_that_is_due_is_an_invitation_once,
    a_change_of_a_meeting_makes_a_look_at_once,
    a_sign_of_life_leaves_an_invitation_open,
);

const NUMBER: &str = "+31612345678";

async fn met(house: &House, candidate: CandidateId, kind: MeetingKind) {
    let intake = verb::Agreed {
        kind,
        ..agreed(moment("2026-03-02", 10, 0))
    };
    verb::happened(&house.app, &house.scope, candidate, &intake)
        .await
        .unwrap();
}

async fn a_reassessment_that_is_due_is_an_invitation_once(database: Database) {
    let house = House::new(database).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    met(&house, samira, MeetingKind::Intake).await;
    let due = "SELECT COUNT(*) FROM nudges WHERE rule = 'invitation'";
    // Far enough ahead that a reassessment is due on any track; each day is looked at.
    let mut on = None;
    for day in 0..200 {
        house.turn_to(moment("2026-03-03", 9, 31).plus_days(day));
        house.idle().await;
        if on.is_none() && house.number(due).await > 0 {
            on = Some(day);
        }
        if on.is_some_and(|on| day > on + 20) {
            break;
        }
    }
    assert!(on.is_some(), "somebody was invited");
    assert_eq!(house.number(due).await, 1, "and once");
    let proposed: Vec<_> = plan(&house, samira)
        .await
        .meetings
        .into_iter()
        .filter(|it| it.state == MeetingState::Proposed)
        .collect();
    assert_eq!(proposed.len(), 1);
    assert_eq!(proposed[0].mode, MeetingMode::Office);
    let asked = "SELECT COUNT(*) FROM outgoing WHERE why = 'meeting_invite/choose'";
    let told = "SELECT COUNT(*) FROM flags WHERE why = 'no_slots'";
    assert_eq!(
        house.number(asked).await + house.number(told).await,
        1,
        "it was put to them, or to the coach where no moment is free"
    );
}

async fn a_change_of_a_meeting_makes_a_look_at_once(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    let samira = house.candidate("Samira", NUMBER, true).await;
    house.turn_to(moment("2026-03-03", 12, 0));
    house.idle().await;
    let now = house.app.now().0;
    let next = "SELECT look_at FROM watch";
    assert!(house.number(next).await > now);
    let at = moment("2026-03-10", 10, 0);
    verb::book(app, scope, samira, &agreed(at)).await.unwrap();
    assert_eq!(house.number(next).await, now, "the calendar did not know");
    house.idle().await;
    assert!(house.number(next).await > now);
}

async fn a_sign_of_life_leaves_an_invitation_open(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    moments::open(app, scope, &tuesdays(&house, 1))
        .await
        .unwrap();
    let samira = house.candidate("Samira", NUMBER, true).await;
    let (kind, mode) = (MeetingKind::Progress, MeetingMode::Office);
    verb::invite_by(app, scope, samira, kind, mode)
        .await
        .unwrap();
    house.turn_to(moment("2026-03-03", 9, 31));
    house.idle().await;
    house.approve(samira).await;
    house.idle().await;
    // Two working days later they are on the phone about something else.
    house.turn_to(moment("2026-03-05", 10, 0));
    note::sign_of_life(app, scope, samira).await.unwrap();
    assert!(
        house.talk(samira).await.front().is_some(),
        "the moments can still be chosen"
    );
    // It waits as long again: four days from the call, not from the question.
    house.turn_to(moment("2026-03-08", 12, 0));
    house.idle().await;
    assert!(house.talk(samira).await.front().is_some());
    house.says(NUMBER, "1").await;
    assert_eq!(
        plan(&house, samira).await.meetings[0].state,
        MeetingState::Booked
    );
}
