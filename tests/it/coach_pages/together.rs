//! Several drafts of one rule in one act: what the page shows, what goes, what stays behind, the way back.

use tussendoor::app::approve::{self, Seen};
use tussendoor::app::together;
use tussendoor::domain::ids::{CandidateId, MessageId};
use tussendoor::domain::message::MessageState;

use crate::support::browser::{Browser, Page};
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    the_page_shows_every_text_and_who_must_be_read_alone,
    one_act_lets_all_go_and_one_press_takes_all_back,
    what_changed_meanwhile_stays_behind_and_is_named,
    what_no_page_of_ours_asks_is_not_approved,
    two_coaches_at_one_group_send_nothing_twice,
    what_left_already_is_not_taken_back,
    the_way_back_holds_over_a_restart_and_in_two_tabs,
);

const RULE: &str = "task_nudge/done_yet";
const PAGE: &str = "/concepten/samen?regel=task_nudge/done_yet";
const PEOPLE: [(&str, &str); 4] = [
    ("Samira", "+31612345678"),
    ("Mehmet", "+31612345679"),
    ("Fatma", "+31612345670"),
    ("Joke", "+31612345671"),
];

/// Four people whose step is due tomorrow: four drafts of one rule.
async fn four(database: Database) -> (House, Vec<(CandidateId, MessageId)>, Browser) {
    let house = House::new(database).await;
    let mut all = Vec::new();
    for (name, number) in PEOPLE {
        let candidate = house.candidate(name, number, true).await;
        house.plan(candidate, &[("cv maken", "2026-03-05")]).await;
        all.push(candidate);
    }
    house.turn_to(moment("2026-03-04", 9, 31));
    house.idle().await;
    let mut drafts = Vec::new();
    for candidate in all {
        drafts.push((candidate, house.waiting(candidate).await.id));
    }
    let browser = Browser::signed_in(&house.app, house.scope.coach).await;
    (house, drafts, browser)
}

/// What the page would post with every box ticked.
fn ticked(page: &Page) -> Vec<(String, String)> {
    let form = page
        .html
        .split_once("action=\"/concepten/samen\"")
        .expect("a form")
        .1;
    let form = form.split("</form>").next().unwrap();
    let mut fields = Vec::new();
    for input in form.split("<input").skip(1) {
        let input = input.split('>').next().unwrap();
        let attribute = |name: &str| {
            let (_, rest) = input.split_once(&format!(" {name}=\""))?;
            Some(rest.split('"').next()?.to_owned())
        };
        let name = attribute("name").unwrap();
        if name != "bewijs" {
            fields.push((name, attribute("value").unwrap()));
        }
    }
    fields
}

async fn post(browser: &mut Browser, fields: &[(String, String)]) -> Page {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser.post("/concepten/samen", &fields).await
}

async fn states(house: &House, drafts: &[(CandidateId, MessageId)]) -> Vec<MessageState> {
    let mut states = Vec::new();
    for (_, id) in drafts {
        states.push(house.message(*id).await.state);
    }
    states
}

async fn approvals(house: &House) -> i64 {
    house
        .number("SELECT CAST(COUNT(*) AS BIGINT) FROM approvals WHERE verb = 'approve'")
        .await
}

async fn the_page_shows_every_text_and_who_must_be_read_alone(database: Database) {
    let (house, drafts, mut browser) = four(database).await;
    let list = browser.get("/concepten").await;
    assert!(
        list.text().contains("Samen lezen: Taak nadert 4"),
        "{}",
        list.text()
    );
    let text = browser.get(PAGE).await.text();
    assert!(text.contains("4 concepten om samen te lezen"), "{text}");
    for (name, _) in PEOPLE {
        assert!(text.contains(&format!("Hoi {name}")), "{name} in: {text}");
    }
    assert_eq!(text.matches("Ja, gelukt · Nog niet").count(), 4, "{text}");
    assert!(!text.contains("Kan niet mee"));
    // One writes, one draft is held and comes back: both must be read alone now.
    house
        .says(PEOPLE[0].1, "Ik heb een vraag over mijn brief")
        .await;
    let held = house.message(drafts[1].1).await;
    let seen = Seen {
        version: held.version,
        content_hash: held.content_hash,
    };
    let until = house.app.now().plus_seconds(60);
    approve::hold(&house.app, &house.scope, held.id, &seen, until)
        .await
        .unwrap();
    house.wait(61);
    house.idle().await;
    let page = browser.get(PAGE).await;
    let text = page.text();
    assert!(text.contains("2 concepten om samen te lezen"), "{text}");
    for apart in [
        "Samira schreef en wacht op antwoord.",
        "Over deze tekst is al iets beslist.",
    ] {
        assert!(text.contains(apart), "no {apart:?} in: {text}");
    }
    assert_eq!(ticked(&page).len(), 2 + 2, "two boxes, the rule, the list");
    // One draft is no group, and a rule that nobody has is an empty page.
    let none = browser.get("/concepten/samen?regel=no/rule").await;
    assert_eq!(none.status, 200);
    assert!(none.text().contains("Hier is niets om samen te lezen."));
}

async fn one_act_lets_all_go_and_one_press_takes_all_back(database: Database) {
    let (house, drafts, mut browser) = four(database).await;
    let page = browser.get(PAGE).await;
    let mut fields = ticked(&page);
    // Joke's box is not ticked.
    fields.retain(|(name, _)| *name != drafts[3].1.to_string());
    let done = post(&mut browser, &fields).await;
    let told = browser.follow(&done).await;
    let text = told.text();
    assert!(
        text.contains("3 berichten goedgekeurd. Weg over 10 seconden."),
        "{text}"
    );
    assert!(text.contains("1 concept"), "Joke's waits: {text}");
    assert_eq!(approvals(&house).await, 3);
    assert_eq!(
        house
            .number("SELECT CAST(COUNT(*) AS BIGINT) FROM approvals a JOIN outgoing o ON o.id = a.message_id WHERE a.content_hash = o.content_hash AND a.act_id IS NOT NULL")
            .await,
        3,
        "each is bound to its own hash"
    );
    // The same click once more, from a tab that is still open.
    let twice = post(&mut browser, &fields).await;
    let text = browser.follow(&twice).await.text();
    assert!(
        text.contains("Er is niets goedgekeurd.") && text.contains("Samira (al besloten)"),
        "{text}"
    );
    let (_, undo) = told.html.split_once("action=\"/concepten/samen/").unwrap();
    let undo = format!("/concepten/samen/{}", undo.split('"').next().unwrap());
    house.wait(9);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 0, "it can still be undone");
    let back = browser.post(&undo, &[]).await;
    let text = browser.follow(&back).await.text();
    assert!(text.contains("3 berichten teruggedraaid."), "{text}");
    assert!(text.contains("4 concepten"), "{text}");
    assert_eq!(states(&house, &drafts).await, [MessageState::Waiting; 4]);
    house.wait(60);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 0, "what was undone stays");
    let again = browser.post(&undo, &[]).await;
    assert_eq!(again.status, 409);
    assert!(
        again.text().contains("Dit was al teruggedraaid."),
        "{}",
        again.text()
    );
    // Approved once more and left alone: each leaves once.
    let page = browser.get(PAGE).await;
    let fields = ticked(&page);
    post(&mut browser, &fields).await;
    house.wait(11);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 4);
    let late = browser.post(&undo, &[]).await;
    assert_eq!(late.status, 409);
}

async fn what_changed_meanwhile_stays_behind_and_is_named(database: Database) {
    let (house, drafts, mut browser) = four(database).await;
    let page = browser.get(PAGE).await;
    // Samira writes, Mehmet's draft gets other words and comes back, Fatma's step is done.
    house
        .says(PEOPLE[0].1, "Ik heb een vraag over mijn brief")
        .await;
    house.says(PEOPLE[1].1, "Hoi").await;
    let message = house.message(drafts[1].1).await;
    let seen = Seen {
        version: message.version,
        content_hash: message.content_hash,
    };
    approve::edit(
        &house.app,
        &house.scope,
        message.id,
        &seen,
        "Hoi Mehmet, hoe gaat het?",
        false,
    )
    .await
    .unwrap();
    house.says(PEOPLE[2].1, "KLAAR 1").await;
    let done = post(&mut browser, &ticked(&page)).await;
    let text = browser.follow(&done).await.text();
    assert!(text.contains("1 bericht goedgekeurd."), "{text}");
    for left in [
        "Samira (schreef intussen)",
        "Fatma (al besloten)",
        "Mehmet (",
    ] {
        assert!(text.contains(left), "no {left:?} in: {text}");
    }
    assert_eq!(
        states(&house, &drafts).await,
        [
            MessageState::Waiting,
            MessageState::Waiting,
            MessageState::Cancelled,
            MessageState::Approved
        ]
    );
    assert_eq!(approvals(&house).await, 1);
}

async fn what_no_page_of_ours_asks_is_not_approved(database: Database) {
    let (house, drafts, mut browser) = four(database).await;
    let page = browser.get(PAGE).await;
    let fields = ticked(&page);
    // Another rule's name, another hash, another version: nothing goes.
    let changed = |change: fn(&mut (String, String))| {
        let mut fields = fields.clone();
        fields.iter_mut().for_each(change);
        fields
    };
    for wrong in [
        changed(|(name, value)| {
            if name == "regel" {
                *value = "task_nudge/smaller".into();
            }
        }),
        changed(|(name, value)| {
            if name.len() == 26 {
                value.push('0');
            }
        }),
        changed(|(name, value)| {
            if name.len() == 26 {
                value.insert(0, '9');
            }
        }),
    ] {
        let answer = post(&mut browser, &wrong).await;
        let text = browser.follow(&answer).await.text();
        assert!(text.contains("Er is niets goedgekeurd."), "{text}");
    }
    // No tick, no number, no id.
    let none: Vec<_> = fields
        .iter()
        .filter(|(n, _)| n.len() != 26)
        .cloned()
        .collect();
    let empty = post(&mut browser, &none).await;
    assert_eq!(empty.status, 422);
    assert!(empty.text().contains("Er was niets aangevinkt."));
    for (name, value) in [(drafts[0].1.to_string(), "1"), ("x".to_owned(), "1.abc")] {
        let mut fields = none.clone();
        fields.push((name, value.to_owned()));
        assert_eq!(post(&mut browser, &fields).await.status, 400);
    }
    // One message of somebody else's makes it none of our pages.
    let mut fields = fields.clone();
    fields.push(("01J00000000000000000000000".into(), "1.abc".into()));
    assert_eq!(post(&mut browser, &fields).await.status, 404);
    assert_eq!(states(&house, &drafts).await, [MessageState::Waiting; 4]);
    assert_eq!(approvals(&house).await, 0);
}

async fn two_coaches_at_one_group_send_nothing_twice(database: Database) {
    let (house, drafts, _) = four(database).await;
    let mut chosen = Vec::new();
    for (_, id) in &drafts {
        let message = house.message(*id).await;
        let seen = Seen {
            version: message.version,
            content_hash: message.content_hash,
        };
        chosen.push((*id, seen));
    }
    let mut turned = chosen.clone();
    turned.reverse();
    let (one, two) = tokio::join!(
        together::approve(&house.app, &house.scope, RULE, &chosen),
        together::approve(&house.app, &house.scope, RULE, &turned),
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.approved.len() + two.approved.len(), 4);
    assert_eq!(one.left_out.len() + two.left_out.len(), 4);
    assert_eq!(approvals(&house).await, 4);
    house.wait(11);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 4, "each once");
}

async fn what_left_already_is_not_taken_back(database: Database) {
    let (house, drafts, mut browser) = four(database).await;
    let page = browser.get(PAGE).await;
    let done = post(&mut browser, &ticked(&page)).await;
    let told = browser.follow(&done).await;
    let (_, undo) = told.html.split_once("action=\"/concepten/samen/").unwrap();
    let undo = format!("/concepten/samen/{}", undo.split('"').next().unwrap());
    // One is taken back by itself and planned for the afternoon; the others leave.
    let id = drafts[2].1;
    approve::undo(&house.app, &house.scope, id).await.unwrap();
    house.wait(11);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 3);
    let late = browser.post(&undo, &[]).await;
    assert_eq!(late.status, 409);
    assert!(
        late.text().contains("Te laat om terug te draaien"),
        "{}",
        late.text()
    );
    assert_eq!(house.message(id).await.state, MessageState::Waiting);
}

async fn the_way_back_holds_over_a_restart_and_in_two_tabs(database: Database) {
    let (house, drafts, mut browser) = four(database).await;
    let page = browser.get(PAGE).await;
    let mut fields = ticked(&page);
    let single = drafts[3].1;
    fields.retain(|(name, _)| *name != single.to_string());
    let done = post(&mut browser, &fields).await;
    let act = done.to.split_once("samen=").unwrap().1.to_owned();
    let seen = house.message(single).await;
    let seen = Seen {
        version: seen.version,
        content_hash: seen.content_hash,
    };
    approve::approve(&house.app, &house.scope, single, &seen)
        .await
        .unwrap();
    house.wait(5);
    let house = house.restart().await;
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 0, "five seconds are left");
    // Two tabs of the new process: the first takes back, the second hears that it was.
    let mut one = Browser::signed_in(&house.app, house.scope.coach).await;
    let mut two = Browser::signed_in(&house.app, house.scope.coach).await;
    for undo in [
        format!("/concepten/{single}/terug"),
        format!("/concepten/samen/{act}/terug"),
    ] {
        assert_eq!(one.post(&undo, &[]).await.status, 303, "{undo}");
        let second = two.post(&undo, &[]).await;
        assert_eq!(second.status, 409, "{undo}");
        assert!(
            second.text().contains("Dit was al teruggedraaid."),
            "{}",
            second.text()
        );
    }
    house.wait(60);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 0);
    assert_eq!(states(&house, &drafts).await, [MessageState::Waiting; 4]);
    // And what is not taken back leaves after a restart, once.
    let message = house.message(single).await;
    let seen = Seen {
        version: message.version,
        content_hash: message.content_hash,
    };
    approve::approve(&house.app, &house.scope, single, &seen)
        .await
        .unwrap();
    let house = house.restart().await;
    house.wait(11);
    house.idle().await;
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), 1);
}
