//! Why a draft lies there: what it says about itself, and what it asks of the coach.

use tussendoor::app::invite;

use super::{NUMBER, with_draft};
use crate::support::browser::Browser;
use crate::support::database::{Database, execute, on_both};
use crate::support::house::{House, moment};

on_both!(
    a_draft_for_somebody_without_a_goal_is_not_called_an_answer,
    the_human_floor_and_the_silence_ask_for_a_line_each_in_its_own_words,
);

/// The calendar is looked at early, and what is due is written by the middle of the morning.
async fn morning(house: &House, day: &str) {
    for (hour, minute) in [(6, 5), (9, 45)] {
        house.turn_to(moment(day, hour, minute));
        house.idle().await;
    }
}

async fn a_draft_for_somebody_without_a_goal_is_not_called_an_answer(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let code = invite::invite(&house.app, &house.scope, candidate)
        .await
        .unwrap();
    house
        .says(NUMBER, &format!("Hoi, mijn code is {code}"))
        .await;
    house.says(NUMBER, "1").await;
    for day in 4..=31 {
        morning(&house, &format!("2026-03-{day:02}")).await;
        if !house.drafts(candidate).await.is_empty() {
            break;
        }
    }
    assert_eq!(house.waiting(candidate).await.why, "silence/easier");
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let text = browser.get("/concepten").await.text();
    for piece in [
        "Waarom dit Samira wil berichten over check-ins",
        "Waarom nu Samira liet een tijd niets horen",
        "Dan volgt een vraag met één cijfer als antwoord",
    ] {
        assert!(text.contains(piece), "no {piece:?} in: {text}");
    }
    assert!(!text.contains("Antwoord op wat"), "{text}");
}

async fn the_human_floor_and_the_silence_ask_for_a_line_each_in_its_own_words(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    let text = browser.get("/concepten").await.text();
    assert!(!text.contains("Hier hoort een regel van jou."), "{text}");
    let next = "Dan vragen we hoe het gaat met de stap";
    assert!(text.contains(next), "{text}");
    house.approve(candidate).await;
    house.idle().await;
    // The machine has said enough by now.
    let floor = "UPDATE candidates SET automated_in_row = 9";
    assert_eq!(execute(&house.database, floor).await, 1);
    for day in ["2026-03-05", "2026-03-06", "2026-03-09", "2026-03-10"] {
        morning(&house, day).await;
    }
    let draft = house.waiting(candidate).await;
    assert_eq!(draft.why, "task_nudge/smaller");
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let text = browser.get("/concepten").await.text();
    for piece in [
        "Hier hoort een regel van jou. Na vijf automatische berichten",
        "Jouw eigen woorden kunnen pas weg als Samira weer schrijft.",
    ] {
        assert!(text.contains(piece), "no {piece:?} in: {text}");
    }
    // Plain words may go once the person writes; here the template's are all that can.
    house.approve(candidate).await;
    house.idle().await;
    for day in ["2026-03-11", "2026-03-12", "2026-03-13", "2026-03-16"] {
        morning(&house, day).await;
    }
    let draft = house.waiting(candidate).await;
    assert_eq!(draft.why, "task_nudge/personal_line");
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let page = browser.get("/concepten").await;
    let text = page.text();
    let silent = "Hier hoort een regel van jou. Het blijft stil.";
    assert!(text.contains(silent), "{text}");
    assert!(text.contains("Keur deze zin goed, of bel."), "{text}");
    assert!(!text.contains("Na vijf automatische berichten"), "{text}");
    // No editor that would only be refused: the draft can be approved as it stands.
    assert!(!page.html.contains("draft sheet editing"));
    assert!(page.html.contains("data-key=\"g\""));
}
