//! The drafts: what they show, and what each decision does.

use tussendoor::domain::message::MessageState;

use super::{NUMBER, decide, with_draft};
use crate::support::browser::Browser;
use crate::support::database::{Database, on_both};
use crate::support::graph::Behaviour;
use crate::support::house::moment;

on_both!(
    a_draft_shows_what_a_coach_needs_to_decide,
    an_approval_can_be_undone_and_a_second_click_sends_nothing,
    a_stale_page_decides_nothing,
    edit_later_hold_and_drop_do_what_they_say,
    a_doubt_comes_first_and_a_coach_settles_it,
);

async fn a_draft_shows_what_a_coach_needs_to_decide(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    let draft = house.waiting(candidate).await;
    let today = browser.get("/vandaag").await.text();
    assert!(today.contains("concept wacht op je"), "{today}");
    let page = browser.get("/concepten").await;
    let text = page.text();
    for piece in [
        "1 concept",
        "Samira Haddad",
        "Zo ziet Samira het in WhatsApp",
        "Hoi Samira",
        "Ja, gelukt",
        "Waarom dit Stap 1: cv maken",
        "Waarom nu",
        "donderdag 5 maart",
        "Waarom WhatsApp Het 24-uursvenster is dicht",
        "Kosten",
        "goedgekeurd sjabloon (dienst)",
        "Als het stil blijft",
        "Laatste drie berichten Nog geen berichten.",
        "Goedkeuren",
        "Bewerken",
        "Vasthouden tot en met",
        "Waarom niet?",
    ] {
        assert!(text.contains(piece), "no {piece:?} in: {text}");
    }
    // The key that approves stands on the button that approves.
    assert!(page.html.contains("data-key=\"g\""));
    // After the person wrote, reading comes first: no key decides, plain text may go.
    house.says(NUMBER, "Ik heb een vraag over mijn brief").await;
    let page = browser.get(&format!("/concepten/{}", draft.id)).await;
    let text = page.text();
    assert!(text.contains("Samira schreef intussen."), "{text}");
    assert!(text.contains("Lees en antwoord"));
    assert!(!page.html.contains("data-key=\"g\"") && page.html.contains("data-key=\"a\""));
    assert!(
        text.contains("Samira schreef korter dan 24 uur geleden"),
        "{text}"
    );
    assert!(
        text.contains("Ik heb een vraag over mijn brief"),
        "in the last three"
    );
}

async fn an_approval_can_be_undone_and_a_second_click_sends_nothing(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    let id = house.waiting(candidate).await.id;
    let page = browser.get("/concepten").await;
    let done = decide(&mut browser, &page, id, "goedkeuren", &[]).await;
    let told = browser.follow(&done).await;
    assert!(
        told.text()
            .contains("Goedgekeurd voor Samira. Weg over 10 seconden."),
        "{}",
        told.text()
    );
    assert!(told.text().contains("Alles is gelezen."));
    let undo = format!("/concepten/{id}/terug");
    assert!(told.html.contains(&format!("action=\"{undo}\"")));
    // The same click once more, from the page that is still open in another tab.
    let twice = decide(&mut browser, &page, id, "goedkeuren", &[]).await;
    assert_eq!(twice.status, 409);
    assert!(
        twice.text().contains("Er gaat één bericht uit."),
        "{}",
        twice.text()
    );
    let undone = browser.post(&undo, &[]).await;
    let back = browser.follow(&undone).await.text();
    assert!(
        back.contains("Teruggedraaid") && back.contains("1 concept"),
        "{back}"
    );
    assert_eq!(house.message(id).await.state, MessageState::Waiting);
    house.wait(11);
    house.idle().await;
    assert_eq!(
        house.graph.accepted().len(),
        0,
        "what was undone does not leave"
    );
    // Approved again and left alone: it leaves once, and then it cannot be undone.
    let page = browser.get(&format!("/concepten/{id}")).await;
    decide(&mut browser, &page, id, "goedkeuren", &[]).await;
    house.wait(11);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 1);
    let late = browser.post(&undo, &[]).await;
    assert_eq!(late.status, 409);
    assert!(
        late.text().contains("Te laat om terug te draaien"),
        "{}",
        late.text()
    );
    let gone = browser
        .get(&format!("/concepten?gedaan=approved&bericht={id}"))
        .await;
    assert!(!gone.html.contains("/terug\""), "no way back is offered");
    assert_eq!(
        house
            .number("SELECT CAST(COUNT(*) AS BIGINT) FROM approvals WHERE verb = 'approve'")
            .await,
        2
    );
}

async fn a_stale_page_decides_nothing(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    house.says(NUMBER, "Hoi").await;
    let id = house.waiting(candidate).await.id;
    let old = browser.get(&format!("/concepten/{id}")).await;
    let fresh = browser.get(&format!("/concepten/{id}")).await;
    let edited = decide(
        &mut browser,
        &fresh,
        id,
        "tekst",
        &[("tekst", "Hoi Samira, hoe gaat het?")],
    )
    .await;
    assert_eq!(edited.status, 303, "{}", edited.text());
    browser.post(&format!("/concepten/{id}/terug"), &[]).await;
    assert_eq!(house.message(id).await.state, MessageState::Waiting);
    for (act, more) in [
        ("goedkeuren", &[][..]),
        ("tekst", &[("tekst", "Iets anders")]),
        ("later", &[("op", "2026-03-04T14:00")]),
        ("vasthouden", &[("tot", "2026-03-04")]),
        ("niet", &[("reden", "wrong")]),
    ] {
        let page = decide(&mut browser, &old, id, act, more).await;
        assert_eq!(page.status, 409, "{act}");
        assert!(
            page.text()
                .contains("veranderde nadat jij de pagina opende"),
            "{}",
            page.text()
        );
    }
    assert_eq!(house.message(id).await.state, MessageState::Waiting);
    let text = browser.get(&format!("/concepten/{id}")).await.text();
    assert!(text.contains("Hoi Samira, hoe gaat het?"), "{text}");
}

async fn edit_later_hold_and_drop_do_what_they_say(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    let id = house.waiting(candidate).await.id;
    let path = format!("/concepten/{id}");
    // A template cannot be rewritten; outside the window that is said, and nothing changes.
    let page = browser.get(&format!("{path}/bewerken")).await;
    assert!(page.html.contains("draft sheet editing"));
    let refused = decide(&mut browser, &page, id, "tekst", &[("tekst", "Hoi")]).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused
            .text()
            .contains("24-uursvenster van WhatsApp is dicht"),
        "{}",
        refused.text()
    );
    // Later: approved, but not before that moment.
    let page = browser.get(&path).await;
    let later = decide(
        &mut browser,
        &page,
        id,
        "later",
        &[("op", ""), ("moment", "2026-03-04T15:00")],
    )
    .await;
    let told = browser.follow(&later).await.text();
    assert!(told.contains("Gaat weg vandaag 15:00."), "{told}");
    house.wait(1800);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 0);
    browser.post(&format!("{path}/terug"), &[]).await;
    // Hold: out of the list until the day after.
    let page = browser.get(&path).await;
    let bad = decide(
        &mut browser,
        &page,
        id,
        "vasthouden",
        &[("tot", "2026-03-01")],
    )
    .await;
    assert_eq!(bad.status, 422);
    let held = decide(
        &mut browser,
        &page,
        id,
        "vasthouden",
        &[("tot", "2026-03-04")],
    )
    .await;
    assert!(
        browser
            .follow(&held)
            .await
            .text()
            .contains("Alles is gelezen.")
    );
    assert_eq!(house.message(id).await.state, MessageState::Held);
    let shown = browser.get(&path).await;
    assert!(shown.text().contains("Vastgehouden"), "{}", shown.text());
    assert!(!shown.html.contains("/goedkeuren\""));
    house.turn_to(moment("2026-03-05", 8, 1));
    house.idle().await;
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    assert_eq!(house.message(id).await.state, MessageState::Waiting);
    // Drop, with a reason that stays.
    let page = browser.get(&path).await;
    let nonsense = decide(&mut browser, &page, id, "niet", &[("reden", "<script>")]).await;
    assert_eq!(nonsense.status, 400);
    let dropped = decide(&mut browser, &page, id, "niet", &[("reden", "discussed")]).await;
    assert!(
        browser
            .follow(&dropped)
            .await
            .text()
            .contains("Niet gestuurd aan Samira.")
    );
    assert_eq!(house.message(id).await.state, MessageState::Cancelled);
    let thread = browser
        .get(&format!("/kandidaten/{candidate}"))
        .await
        .text();
    assert!(thread.contains("ingetrokken: al besproken"), "{thread}");
    assert_eq!(house.graph.accepted().len(), 0);
}

async fn a_doubt_comes_first_and_a_coach_settles_it(database: Database) {
    let (house, candidate, _) = with_draft(database).await;
    house.graph.script(Behaviour::AcceptThenReset, 1);
    let id = house.approve(candidate).await;
    house.idle().await;
    assert_eq!(house.message(id).await.state, MessageState::InDoubt);
    // Another draft, older or newer, stands below it.
    let other = house.candidate("Mehmet", "+31687654321", true).await;
    house.plan(other, &[("bellen", "2026-03-06")]).await;
    house.turn_to(moment("2026-03-05", 9, 31));
    house.idle().await;
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let page = browser.get("/concepten").await;
    let text = page.text();
    assert!(text.contains("Eerst beslissen Samira Haddad"), "{text}");
    assert!(text.contains("Mogelijk verstuurd. Dit moet jij beslissen."));
    assert!(
        text.contains("De verbinding viel weg om gisteren 09:31:"),
        "{text}"
    );
    assert!(text.contains("Kwam het eerste bericht toch aan, dan krijgt Samira het twee keer."));
    let doubt = format!("/concepten/{id}/twijfel");
    assert!(
        !page.html.contains("data-key=\"g\""),
        "no key approves here"
    );
    let version = page.field(&doubt, "versie");
    let thread = browser.get(&format!("/kandidaten/{candidate}")).await;
    assert!(thread.text().contains("mogelijk verstuurd"));
    assert!(
        thread
            .text()
            .contains("We weten niet of dit is aangekomen.")
    );
    let done = browser
        .post(&doubt, &[("versie", &version), ("uitkomst", "aangekomen")])
        .await;
    let told = browser.follow(&done).await.text();
    assert!(
        told.contains("Vastgelegd: het bericht aan Samira is aangekomen."),
        "{told}"
    );
    assert_eq!(house.message(id).await.state, MessageState::Accepted);
    let twice = browser
        .post(&doubt, &[("versie", &version), ("uitkomst", "opnieuw")])
        .await;
    assert_eq!(twice.status, 409);
    assert!(
        twice.text().contains("Hierover is al beslist"),
        "{}",
        twice.text()
    );
    house.wait(60);
    house.idle().await;
    let to_samira = house
        .graph
        .accepted()
        .iter()
        .filter(|a| a.recipient.ends_with("612345678"))
        .count();
    assert_eq!(to_samira, 1, "nothing was sent twice");
}
