//! The pages about meetings, as a coach goes through them.

use crate::support::browser::Browser;
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    a_coach_opens_moments_books_moves_and_fills_in,
    a_letter_has_a_code_that_works_for_weeks_on_paper_and_as_a_file,
);

async fn a_coach_opens_moments_books_moves_and_fills_in(database: Database) {
    let house = House::new(database).await;
    let samira = house.candidate("Samira", "+31612345678", true).await;
    let mut coach = Browser::signed_in(&house.app, house.scope.coach).await;
    let team = house.scope.teams.first().unwrap().to_string();
    let fields = [
        ("team", team.as_str()),
        ("dag", "2026-03-10"),
        ("van", "09:00"),
        ("tot", "10:00"),
        ("minuten", "30"),
        ("weken", "2"),
        ("hoe", "office"),
        ("plaats", "Stadhuis, kamer 2"),
        ("plekken", "1"),
    ];
    let opened = coach.post("/agenda/momenten", &fields).await;
    assert_eq!(opened.status, 303);
    let agenda = coach.get("/agenda?week=2026-03-10").await;
    assert_eq!(agenda.text().matches("Stadhuis, kamer 2").count(), 2);
    assert!(agenda.text().contains("09:00–09:30"));
    // Booked in the first free moment that the person's page offers.
    let list = format!("/kandidaten/{samira}/afspraken");
    let page = coach.get(&list).await;
    let (_, options) = page.html.split_once("id=\"v-vrij\"").unwrap();
    let (_, first) = options.split_once("<option value=\"").unwrap();
    let slot = first.split('"').next().unwrap().to_owned();
    let fields = [
        ("soort", "progress"),
        ("vrij", slot.as_str()),
        ("taak", "Samen je cv nalopen"),
    ];
    let booked = coach.post(&list, &fields).await;
    assert_eq!(booked.status, 303);
    let meeting = coach.get(&booked.to).await;
    assert!(
        meeting.text().contains("di 10 mrt 09:00"),
        "{}",
        meeting.text()
    );
    assert!(meeting.text().contains("Samen je cv nalopen"));
    let path = booked.to.split('?').next().unwrap().to_owned();
    let file = coach.get(&format!("{path}/agenda.ics")).await;
    assert_eq!(file.status, 200);
    assert!(file.html.contains("SUMMARY:Afspraak met Noor Bakker"));
    let version = meeting.field(&format!("{path}/verzetten"), "versie");
    let moved = [
        ("versie", version.as_str()),
        ("moment", "2026-03-12T14:00"),
        ("minuten", "45"),
        ("plaats", "Bibliotheek"),
    ];
    let answer = coach.post(&format!("{path}/verzetten"), &moved).await;
    assert_eq!(answer.status, 303);
    // The same page once more: it is old by now.
    let again = coach.post(&format!("{path}/verzetten"), &moved).await;
    assert_eq!(again.status, 409);
    house.turn_to(moment("2026-03-12", 15, 0));
    let mut coach = Browser::signed_in(&house.app, house.scope.coach).await;
    let meeting = coach.get(&path).await;
    let version = meeting.field(&format!("{path}/geweest"), "versie");
    let was = [("versie", version.as_str()), ("was", "er")];
    assert_eq!(
        coach.post(&format!("{path}/geweest"), &was).await.status,
        303
    );
    let list = coach.get(&list).await;
    assert!(list.text().contains("geweest"), "{}", list.text());
    let person = coach.get(&format!("/kandidaten/{samira}")).await;
    assert!(
        person
            .html
            .contains(&format!("/kandidaten/{samira}/afspraken"))
    );
}

async fn a_letter_has_a_code_that_works_for_weeks_on_paper_and_as_a_file(database: Database) {
    let house = House::new(database).await;
    let samira = house.candidate("Samira", "+31612345678", false).await;
    let mut coach = Browser::signed_in(&house.app, house.scope.coach).await;
    let path = format!("/kandidaten/{samira}/brief");
    assert!(!coach.get(&path).await.html.contains("class=\"qr\""));
    // Without a code there is no file.
    assert_eq!(coach.get(&format!("{path}.pdf")).await.status, 303);
    let made = coach.post(&path, &[]).await;
    assert_eq!(made.status, 303);
    let page = coach.get(&made.to).await;
    assert!(page.html.contains("class=\"qr\""));
    assert!(page.text().contains("Beste Samira,"));
    let code = made.to.split("code=").nth(1).unwrap().to_owned();
    let file = coach.get(&format!("{path}.pdf?code={code}")).await;
    assert_eq!(file.status, 200);
    assert!(file.body.starts_with(b"%PDF-"));
    // Three weeks later somebody opens it after all.
    house.turn_to(moment("2026-03-24", 10, 0));
    let words = format!("Hoi, mijn code is {code}");
    house.says("+31612345678", &words).await;
    let used = "SELECT COUNT(*) FROM invites WHERE used_at IS NOT NULL";
    assert_eq!(house.number(used).await, 1);
}
