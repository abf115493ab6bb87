//! Coaches come and go: who stands in sees what lies there until they are back, and a person who gets
//! another coach hears from whom and to whom.

use tussendoor::app::meetings::{self, Agreed};
use tussendoor::domain::ids::CandidateId;
use tussendoor::domain::plan::{MeetingKind, MeetingMode};

use super::{NUMBER, joris, with_draft};
use crate::support::browser::Browser;
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    who_stands_in_gets_drafts_and_what_is_urgent_until_the_coach_is_back,
    an_absence_needs_a_colleague_and_a_day_to_come,
    whoever_gets_another_coach_is_told_by_name_and_the_old_draft_is_taken_back,
    a_coach_of_another_team_cannot_have_somebody,
);

/// A meeting with Noor tomorrow.
async fn meets_tomorrow(house: &House, candidate: CandidateId) {
    let agreed = Agreed {
        kind: MeetingKind::Progress,
        mode: MeetingMode::Office,
        starts_at: house.app.now().plus_days(1),
        minutes: 30,
        place: "Stadhuis, kamer 2",
        task: "",
        participants: 2,
    };
    meetings::book(&house.app, &house.scope, candidate, &agreed)
        .await
        .unwrap();
}

async fn who_stands_in_gets_drafts_and_what_is_urgent_until_the_coach_is_back(database: Database) {
    let house = House::new(database).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    house.candidate("Yusuf", "+31612345679", true).await;
    let stand_in = joris(&house).await;
    meets_tomorrow(&house, samira).await;
    house.turn_to(moment("2026-03-03", 9, 31));
    house.idle().await;
    house.says("+31612345679", "ik wil niet meer leven").await;

    let mut noor = Browser::signed_in(&house.app, house.scope.coach).await;
    let mut other = Browser::signed_in(&house.app, stand_in).await;
    // Urgent flags are there for the whole team; whose they are is said.
    let of_noor = "kandidaat van Noor Bakker";
    let text = other.get("/vandaag").await.text();
    assert!(text.contains("Yusuf") && text.contains(of_noor), "{text}");
    assert!(noor.get("/agenda").await.html.contains("href=\"/weg\""));
    let page = noor.get("/weg").await;
    assert!(page.text().contains("Joris de Vries"), "{}", page.text());
    let stand_in = stand_in.to_string();
    let fields = [("vervanger", stand_in.as_str()), ("tot", "2026-03-09")];
    let done = noor.post("/weg", &fields).await;
    let text = noor.follow(&done).await.text();
    assert!(
        text.contains("Je bent weg tot en met maandag 9 maart. Joris de Vries neemt waar."),
        "{text}"
    );
    // Whom it matters to is told, after the one who stands in looked at it.
    house.idle().await;
    let draft = house.waiting(samira).await;
    assert_eq!(draft.why, "coach_away/away");
    let list = other.get("/concepten").await;
    assert!(
        list.html.contains("Joris helpt je nu") && list.html.contains("dinsdag 10 maart"),
        "{}",
        list.text()
    );
    let text = other.get("/vandaag").await.text();
    assert!(text.contains("Yusuf") && !text.contains(of_noor), "{text}");
    let text = other.get("/weg").await.text();
    assert!(
        text.contains("Jij neemt waar voor Noor Bakker, tot en met maandag 9 maart."),
        "{text}"
    );

    // Back before the day: what was not done lies with Noor again.
    noor.get("/weg").await;
    let done = noor.post("/weg/terug", &[]).await;
    let text = noor.follow(&done).await.text();
    assert!(!text.contains("Je bent weg"), "{text}");
    assert!(!other.get("/weg").await.text().contains("neemt waar voor"));
    assert!(other.get("/vandaag").await.text().contains(of_noor));
    let list = other.get("/concepten").await.text();
    assert!(!list.contains("Joris helpt je nu"), "{list}");
    assert!(
        noor.get("/concepten")
            .await
            .html
            .contains("Joris helpt je nu")
    );
}

async fn an_absence_needs_a_colleague_and_a_day_to_come(database: Database) {
    let house = House::new(database).await;
    let mut noor = Browser::signed_in(&house.app, house.scope.coach).await;
    let text = noor.get("/weg").await.text();
    assert!(text.contains("nog geen collega"), "{text}");
    let other = joris(&house).await.to_string();
    let me = house.scope.coach.to_string();
    noor.get("/weg").await;
    for (who, until, status) in [
        (other.as_str(), "2026-03-02", 422),
        (me.as_str(), "2026-03-09", 404),
        (other.as_str(), "ooit", 400),
    ] {
        let fields = [("vervanger", who), ("tot", until)];
        let answer = noor.post("/weg", &fields).await;
        assert_eq!(answer.status, status, "{until}: {}", answer.text());
    }
    let away = "SELECT COUNT(*) FROM coaches WHERE stand_in_id IS NOT NULL";
    assert_eq!(house.number(away).await, 0);
}

async fn whoever_gets_another_coach_is_told_by_name_and_the_old_draft_is_taken_back(
    database: Database,
) {
    let (house, samira, mut noor) = with_draft(database).await;
    let old = house.waiting(samira).await;
    let to = joris(&house).await.to_string();
    let path = format!("/kandidaten/{samira}");
    let page = noor.get(&path).await;
    assert!(
        page.html
            .contains(&format!("<option value=\"{to}\">Joris de Vries</option>")),
        "{}",
        page.text()
    );
    let done = noor
        .post(&format!("{path}/coach"), &[("coach", to.as_str())])
        .await;
    let text = noor.follow(&done).await.text();
    assert!(text.contains("coach Joris de Vries"), "{text}");
    assert!(text.contains("er is een andere coach"), "{text}");
    let before = house.message(old.id).await;
    assert_eq!(before.state.as_str(), "cancelled");
    assert_eq!(before.state_why.as_deref(), Some("coach_changed"));
    // Twice is once.
    noor.post(&format!("{path}/coach"), &[("coach", to.as_str())])
        .await;
    let draft = house.waiting(samira).await;
    assert_eq!(draft.why, "new_coach/hello");
    let mut other = Browser::signed_in(&house.app, to.parse().unwrap()).await;
    let list = other.get("/concepten").await.html;
    assert!(
        list.contains("Joris is je nieuwe coach en neemt het over van Noor"),
        "{list}"
    );
}

async fn a_coach_of_another_team_cannot_have_somebody(database: Database) {
    let house = House::new(database).await;
    let samira = house.candidate("Samira", NUMBER, true).await;
    let other = joris(&house).await;
    house
        .database
        .execute("DELETE FROM coach_teams WHERE coach_id IN (SELECT id FROM coaches WHERE name = 'Joris de Vries')")
        .await;
    let mut noor = Browser::signed_in(&house.app, house.scope.coach).await;
    let path = format!("/kandidaten/{samira}");
    assert!(!noor.get(&path).await.html.contains("/coach\""));
    let to = other.to_string();
    let answer = noor
        .post(&format!("{path}/coach"), &[("coach", to.as_str())])
        .await;
    assert_eq!(answer.status, 404);
    let moved = "SELECT COUNT(*) FROM transfers";
    assert_eq!(house.number(moved).await, 0);
}
