//! The page on which a coach writes the goal and the steps.

use tussendoor::app::plan::{self as verb, Written};
use tussendoor::app::{AppError, turn};
use tussendoor::domain::message::MessageState;
use tussendoor::domain::plan::{DoneBy, TaskState};
use tussendoor::store::plans;

use super::{NUMBER, with_draft};
use crate::support::browser::{Browser, Page};
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};
use crate::support::wait::between_looks;

on_both!(
    a_plan_is_begun_at_the_table_and_the_candidate_knows_its_steps,
    a_step_that_lapses_is_not_asked_about_and_its_number_stays,
    with_another_day_nothing_is_asked_about_the_old_one,
    what_a_coach_did_not_see_is_not_overwritten,
    a_candidate_who_was_faster_is_not_overruled,
);

/// Where the form of the step with this title goes, without the number of the row: `…/stappen/ID`.
fn form(page: &Page, title: &str) -> String {
    let (before, _) = page.html.split_once(&format!("value=\"{title}\"")).unwrap();
    let (_, action) = before.rsplit_once("action=\"").unwrap();
    action.split('"').next().unwrap().to_owned()
}

async fn done(browser: &mut Browser, path: &str, fields: &[(&str, &str)], says: &str) -> Page {
    let posted = browser.post(path, fields).await;
    let page = browser.follow(&posted).await;
    assert!(page.text().contains(says), "{}", page.text());
    page
}

async fn a_plan_is_begun_at_the_table_and_the_candidate_knows_its_steps(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", NUMBER, true).await;
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let person = format!("/kandidaten/{candidate}");
    let page = browser.get(&format!("{person}/plan")).await;
    assert!(page.text().contains("Begin het plan"), "{}", page.text());
    let steps = format!("{person}/stappen");
    let early = browser.post(&steps, &[("stap", "cv maken")]).await;
    assert_eq!(early.status, 422);
    assert!(early.text().contains("Schrijf eerst het doel op."));

    let goal = [("doel", " Werk als\tkapper ")];
    let page = done(
        &mut browser,
        &format!("{person}/plan"),
        &goal,
        "Het doel van Samira",
    )
    .await;
    assert!(page.html.contains("value=\"Werk als kapper\""));
    let step = [("stap", "bel de kapper & vraag"), ("dag", "2026-03-20")];
    done(&mut browser, &steps, &step, "Vertel het nummer erbij").await;
    done(
        &mut browser,
        &steps,
        &[("stap", "cv maken"), ("dag", "")],
        "staat erin",
    )
    .await;
    for (wrong, says) in [
        ([("stap", "  "), ("dag", "")], "Er staat geen tekst in."),
        (
            [("stap", "te laat"), ("dag", "2026-03-01")],
            "Die dag is al voorbij.",
        ),
        (
            [("stap", "ooit"), ("dag", "morgen")],
            "Die dag begrijpen we niet.",
        ),
    ] {
        let refused = browser.post(&steps, &wrong).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains(says), "{}", refused.text());
    }
    let long = "a".repeat(201);
    assert_eq!(browser.post(&steps, &[("stap", &long)]).await.status, 422);

    house.says(NUMBER, "PLAN").await;
    let heard = house.graph.accepted().pop().unwrap().body["text"]["body"].to_string();
    assert!(heard.contains("1. bel de kapper & vraag"), "{heard}");
    assert!(heard.contains("2. cv maken"), "{heard}");
    house.says(NUMBER, "KLAAR 1").await;
    let page = browser.get(&format!("{person}/plan")).await;
    let ticked = !page.html.contains("value=\"bel de kapper &amp; vraag\"");
    assert!(ticked && page.text().contains("klaar"), "{}", page.text());
    assert!(browser.get(&person).await.text().contains("1 van 2 klaar"));
    let audit =
        "SELECT CAST(COUNT(*) AS BIGINT) FROM audit WHERE verb IN ('plan_goal', 'step_add')";
    assert_eq!(house.number(audit).await, 3);
}

async fn a_step_that_lapses_is_not_asked_about_and_its_number_stays(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    let draft = house.waiting(candidate).await;
    let plan = format!("/kandidaten/{candidate}/plan");
    let page = browser.get(&plan).await;
    let lapse = format!("{}/vervalt", form(&page, "cv maken"));
    let says = "Er wordt niet meer naar gevraagd";
    done(&mut browser, &lapse, &[("versie", "0")], says).await;
    assert_eq!(house.message(draft.id).await.state, MessageState::Cancelled);
    let again = browser.post(&lapse, &[("versie", "0")]).await;
    assert!(
        again.text().contains("Deze stap veranderde"),
        "{}",
        again.text()
    );
    let steps = format!("/kandidaten/{candidate}/stappen");
    done(&mut browser, &steps, &[("stap", "proefles")], "staat erin").await;
    house.says(NUMBER, "PLAN").await;
    let heard = house.graph.accepted().pop().unwrap().body["text"]["body"].to_string();
    assert!(
        heard.contains("2. bellen") && heard.contains("3. proefles"),
        "{heard}"
    );
    assert!(!heard.contains("cv maken"), "{heard}");
}

async fn with_another_day_nothing_is_asked_about_the_old_one(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    let draft = house.waiting(candidate).await;
    let page = browser.get(&format!("/kandidaten/{candidate}/plan")).await;
    let fields = [
        ("versie", "0"),
        ("stap", "cv afmaken"),
        ("dag", "2026-03-12"),
    ];
    done(
        &mut browser,
        &form(&page, "cv maken"),
        &fields,
        "is veranderd",
    )
    .await;
    assert_eq!(house.message(draft.id).await.state, MessageState::Cancelled);
    house.turn_to(moment("2026-03-11", 9, 31));
    house.idle().await;
    let anew = house.waiting(candidate).await;
    assert_ne!(anew.id, draft.id);
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let page = browser.get(&format!("/concepten/{}", anew.id)).await;
    assert!(page.text().contains("cv afmaken"), "{}", page.text());
}

async fn what_a_coach_did_not_see_is_not_overwritten(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    let page = browser.get(&format!("/kandidaten/{candidate}/plan")).await;
    let path = form(&page, "cv maken");
    let mut colleague = Browser::signed_in(&house.app, house.scope.coach).await;
    let theirs = [
        ("versie", "0"),
        ("stap", "cv van Joris"),
        ("dag", "2026-03-05"),
    ];
    colleague.get("/vandaag").await;
    done(&mut colleague, &path, &theirs, "is veranderd").await;
    let mine = [
        ("versie", "0"),
        ("stap", "cv van Noor"),
        ("dag", "2026-03-05"),
    ];
    let refused = browser.post(&path, &mine).await;
    assert!(
        refused.text().contains("Deze stap veranderde"),
        "{}",
        refused.text()
    );
    let page = browser.get(&format!("/kandidaten/{candidate}/plan")).await;
    assert!(page.html.contains("value=\"cv van Joris\""));
    // What was done is not changed either.
    house.says(NUMBER, "KLAAR 1").await;
    let mine = [("versie", "2"), ("stap", "cv van Noor"), ("dag", "")];
    let refused = browser.post(&path, &mine).await;
    assert!(
        refused.text().contains("Deze stap veranderde"),
        "{}",
        refused.text()
    );
}

/// KLAAR comes between the reading and the writing of a coach who changes the step, or lets it lapse.
async fn a_candidate_who_was_faster_is_not_overruled(database: Database) {
    let (house, candidate, _) = with_draft(database).await;
    let (app, scope) = (&house.app, &house.scope);
    for number in [1, 2] {
        let mut tx = app.store.write().await.unwrap();
        let person = turn::person(&mut tx, candidate).await.unwrap();
        let sealer = tx.sealer(person.key).await.unwrap();
        let plan = plans::plan(&mut tx, &sealer, candidate).await.unwrap();
        let task = plan.task_numbered(number).unwrap().clone();
        let done = Some((app.now(), DoneBy::Candidate));
        plans::set_task_state(&mut tx, &task, TaskState::Done, done);
        // What was put off is written before anything is read.
        plans::meetings(&mut tx, candidate).await.unwrap();
        let seen = (task.id, task.version);
        let coach = async {
            if number == 2 {
                return verb::drop_step(app, scope, candidate, seen).await;
            }
            let step = Written {
                title: "iets anders",
                due_on: None,
            };
            verb::change_step(app, scope, candidate, seen, &step).await
        };
        let klaar = async {
            let waits = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            while app.store.is_postgres() && house.number(waits).await == 0 {
                between_looks().await;
            }
            tx.commit().await.unwrap();
        };
        let (coach, ()) = tokio::join!(coach, klaar);
        let told = matches!(coach, Err(AppError::Overtaken { what: "step" }));
        assert!(told, "{coach:?}");
    }
}
