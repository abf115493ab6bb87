//! Who may come in by which route. The matrix names every route of the table; one that is missing here
//! fails the test, and so does one that answers another team's or another organisation's ids.

mod matrix;
mod rows;

use std::collections::BTreeSet;

use tussendoor::domain::access::{Deed, Role};
use tussendoor::domain::ids::{CoachId, TeamId};
use tussendoor::domain::message::MessageState;
use tussendoor::store::coaches;
use tussendoor::web::{ROUTES, Who};

use self::matrix::{Cell, MATRIX};
use self::rows::{Rows, elsewhere, rows, touched};
use crate::support::browser::{Browser, ORIGIN};
use crate::support::database::{Database, execute, on_both};
use crate::support::house::House;

#[test]
fn the_matrix_names_every_route() {
    let there: BTreeSet<_> = ROUTES
        .iter()
        .map(|route| (route.verb, route.path))
        .collect();
    let named: BTreeSet<_> = MATRIX.iter().map(|cell| (cell.verb, cell.path)).collect();
    assert_eq!(named, there);
    assert_eq!(there.len(), ROUTES.len(), "a route stands twice");
}

on_both!(
    another_teams_and_another_organisations_ids_are_not_found,
    lists_show_ones_own_teams_and_no_other,
    who_is_signed_out_gets_nowhere,
    a_change_without_token_or_from_elsewhere_is_refused,
    a_page_for_leaders_is_not_for_coaches,
    reading_changes_nothing,
);

fn filled(path: &str, rows: &Rows) -> String {
    path.replace("{candidate}", &rows.candidate.to_string())
        .replace("{message}", &rows.message.to_string())
        .replace("{act}", &rows.act.to_string())
        .replace("{flag}", &rows.flag.to_string())
        .replace("{incoming}", &rows.incoming.to_string())
        .replace("{file}", &rows.file.to_string())
        .replace("{vacancy}", &rows.vacancy.to_string())
        .replace("{meeting}", &rows.meeting.to_string())
        .replace("{slot}", &rows.slot.to_string())
        .replace("{task}", &rows.task.to_string())
}

async fn fields(house: &House, cell: &Cell, rows: &Rows) -> Vec<(String, String)> {
    let message = house.message(rows.message).await;
    cell.fields
        .iter()
        .map(|(name, value)| {
            let value = value
                .replace("{version}", &message.version.to_string())
                .replace("{search}", "0")
                .replace("{hash}", &message.content_hash)
                .replace("{coach}", &house.scope.coach.to_string())
                .replace("{team}", &house.scope.teams.first().unwrap().to_string());
            (filled(name, rows), value)
        })
        .collect()
}

async fn ask(browser: &mut Browser, house: &House, cell: &Cell, rows: &Rows) -> (u16, String) {
    let path = filled(cell.path, rows);
    let page = if cell.verb == "GET" {
        browser.get(&path).await
    } else {
        let fields = fields(house, cell, rows).await;
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        browser.post(&path, &fields).await
    };
    (page.status, page.html)
}

async fn another_teams_and_another_organisations_ids_are_not_found(database: Database) {
    let house = House::new(database).await;
    let mine = *house.scope.teams.first().unwrap();
    let teams = &house.app.houses.values().next().unwrap().teams;
    let (other, _) = teams.iter().find(|(team, _)| *team != mine).unwrap();
    let (organisation, team) = elsewhere(&house).await;
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let home = house.scope.organisation;
    let named = MATRIX.iter().filter(|cell| cell.path.contains('{'));
    let mut asked = 0;
    for cell in named {
        let place = format!("{} {}", cell.verb, cell.path);
        for (organisation, team) in [(home, *other), (organisation, team)] {
            // A vacancy is the organisation's; whom it fits is the team's.
            if cell.path.contains("{vacancy}") && organisation == home {
                continue;
            }
            // Nobody's candidate and one's own: even a coach who is named elsewhere has no way in.
            for coach in [None, Some(house.scope.coach)] {
                let theirs = rows(&house, organisation, team, coach, cell.state).await;
                let before = touched(&house).await;
                let (status, html) = ask(&mut browser, &house, cell, &theirs).await;
                assert_eq!(status, 404, "{place}");
                assert!(
                    !html.contains("Verborgen") && !html.contains("geheim"),
                    "{place}"
                );
                assert_eq!(touched(&house).await, before, "{place} changed something");
                asked += 1;
            }
        }
        // The same request about one's own is answered: it was the id that was refused.
        let ours = rows(&house, home, mine, Some(house.scope.coach), cell.state).await;
        let (status, _) = ask(&mut browser, &house, cell, &ours).await;
        assert!(
            matches!(status, 200 | 303),
            "{place} about one's own: {status}"
        );
    }
    assert!(asked > 60);
    // Lists show none of them either.
    for path in [
        "/vandaag",
        "/concepten?wie=team",
        "/kandidaten?naam=verborgen",
    ] {
        let before = browser.get(path).await.html.matches("Verborgen").count();
        rows(&house, home, *other, None, MessageState::Waiting).await;
        let after = browser.get(path).await.html.matches("Verborgen").count();
        assert_eq!(before, after, "{path}");
    }
    // A mixed pair: one's own candidate with another's message in the path.
    let ours = rows(
        &house,
        home,
        mine,
        Some(house.scope.coach),
        MessageState::Waiting,
    )
    .await;
    let theirs = rows(&house, home, *other, None, MessageState::Waiting).await;
    let path = format!("/kandidaten/{}/lees/{}", ours.candidate, theirs.incoming);
    assert_eq!(browser.post(&path, &[]).await.status, 404);
    let path = format!("/kandidaten/{}/bestanden/{}", ours.candidate, theirs.file);
    assert_eq!(browser.get(&path).await.status, 404);
}

/// In a house where nothing else fills the lists: others' people stand on none, one's own on each.
async fn lists_show_ones_own_teams_and_no_other(database: Database) {
    let house = House::new(database).await;
    let mine = *house.scope.teams.first().unwrap();
    let teams = &house.app.houses.values().next().unwrap().teams;
    let (other, _) = teams.iter().find(|(team, _)| *team != mine).unwrap();
    let (organisation, team) = elsewhere(&house).await;
    let (home, me) = (house.scope.organisation, house.scope.coach);
    let mut browser = Browser::signed_in(&house.app, me).await;
    let lists = [
        "/vandaag",
        "/concepten?wie=team",
        "/kandidaten?naam=verborgen",
    ];
    for (organisation, team) in [(home, *other), (organisation, team)] {
        for coach in [None, Some(me)] {
            rows(&house, organisation, team, coach, MessageState::Waiting).await;
        }
    }
    for path in lists {
        let html = browser.get(path).await.html;
        assert!(
            !html.contains("Verborgen"),
            "{path} shows another team's person"
        );
    }
    rows(&house, home, mine, Some(me), MessageState::Waiting).await;
    for path in lists {
        let html = browser.get(path).await.html;
        assert!(html.contains("Verborgen"), "{path} does not show one's own");
    }
}

async fn who_is_signed_out_gets_nowhere(database: Database) {
    let house = House::new(database).await;
    let mine = *house.scope.teams.first().unwrap();
    let coach = Some(house.scope.coach);
    let ours = rows(
        &house,
        house.scope.organisation,
        mine,
        coach,
        MessageState::Waiting,
    )
    .await;
    let before = touched(&house).await;
    let first = Browser::new(&house.app);
    for cell in MATRIX {
        let route = ROUTES
            .iter()
            .find(|r| r.verb == cell.verb && r.path == cell.path)
            .unwrap();
        let place = format!("{} {}", cell.verb, cell.path);
        for cookie in [None, Some("no-such-session"), Some("")] {
            let mut browser = first.beside();
            browser.get("/inloggen").await;
            if let Some(cookie) = cookie {
                browser.cookies.insert("tussendoor".into(), cookie.into());
            }
            let path = filled(cell.path, &ours);
            if cell.verb == "GET" {
                let page = browser.get(&path).await;
                match route.who {
                    Who::Anyone => assert!(matches!(page.status, 200 | 303), "{place}"),
                    Who::Coach(_) => {
                        assert_eq!(page.status, 303, "{place}");
                        assert!(page.to.starts_with("/inloggen"), "{place}");
                    }
                }
            } else if route.who != Who::Anyone {
                let (status, html) = ask(&mut browser, &house, cell, &ours).await;
                assert_eq!(status, 401, "{place}");
                assert!(!html.contains("Verborgen"), "{place}");
            }
        }
    }
    assert_eq!(touched(&house).await, before);
    // A blocked coach's session is none.
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    assert_eq!(browser.get("/vandaag").await.status, 200);
    execute(&house.database, "UPDATE coaches SET state = 'blocked'").await;
    assert_eq!(browser.get("/vandaag").await.status, 303);
}

async fn a_change_without_token_or_from_elsewhere_is_refused(database: Database) {
    let house = House::new(database).await;
    let mine = *house.scope.teams.first().unwrap();
    let coach = Some(house.scope.coach);
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let token = browser.token.clone();
    let other = Browser::signed_in(&house.app, house.scope.coach)
        .await
        .token;
    assert_ne!(token, other);
    let mut refused = 0;
    for cell in MATRIX.iter().filter(|cell| cell.verb == "POST") {
        let ours = rows(&house, house.scope.organisation, mine, coach, cell.state).await;
        let before = touched(&house).await;
        let place = format!("{} {}", cell.verb, cell.path);
        let path = filled(cell.path, &ours);
        let fields = fields(&house, cell, &ours).await;
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        let with = |token: &'static str| {
            fields
                .iter()
                .copied()
                .chain([("bewijs", token)])
                .collect::<Vec<_>>()
        };
        let own: Vec<_> = fields
            .iter()
            .copied()
            .chain([("bewijs", token.as_str())])
            .collect();
        let others: Vec<_> = fields
            .iter()
            .copied()
            .chain([("bewijs", other.as_str())])
            .collect();
        for (origin, fields) in [
            (Some(ORIGIN), fields.clone()),
            (Some(ORIGIN), with("")),
            (Some(ORIGIN), with("abc")),
            (Some(ORIGIN), others),
            (Some("https://evil.example"), own.clone()),
            (Some("null"), own.clone()),
            (None, own.clone()),
        ] {
            let page = browser.post_from(origin, &path, &fields).await;
            assert_eq!(page.status, 403, "{place} from {origin:?}");
            refused += 1;
        }
        // A field that no page of ours has.
        let more: Vec<_> = own.iter().copied().chain([("approver", "me")]).collect();
        let page = browser.post_from(Some(ORIGIN), &path, &more).await;
        assert_eq!(page.status, 400, "{place} with a field too many");
        assert_eq!(touched(&house).await, before, "{place} changed something");
    }
    assert!(refused > 100);
}

async fn a_page_for_leaders_is_not_for_coaches(database: Database) {
    let house = House::new(database).await;
    let app = &house.app;
    let now = app.now();
    let mut browsers = Vec::new();
    for role in Role::ALL {
        let mut tx = app.store.write().await.unwrap();
        let id: CoachId = app.id(now);
        let teams: Vec<TeamId> = house.scope.teams.iter().copied().collect();
        coaches::add(
            &mut tx,
            &coaches::NewCoach {
                id,
                organisation: house.scope.organisation,
                email: &format!("{}@waterstad.example", role.as_str()),
                name: "Iemand Anders",
                role,
                password_hash: "no password opens this",
                language: "nl",
                teams: &teams,
            },
            now,
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        browsers.push((role, Browser::signed_in(app, id).await));
    }
    let mut closed = 0;
    for route in ROUTES
        .iter()
        .filter(|route| !route.path.contains('{') && route.verb == "GET")
    {
        let Who::Coach(deed) = route.who else {
            continue;
        };
        for (role, browser) in &mut browsers {
            let page = browser.get(route.path).await;
            if *role >= deed.least() {
                assert_eq!(page.status, 200, "{} for {role:?}", route.path);
            } else {
                assert_eq!(page.status, 403, "{} for {role:?}", route.path);
                closed += 1;
            }
        }
    }
    assert_eq!(closed, 1, "one page is closed to one role");
    assert_eq!(Deed::Operate.least(), Role::Lead);
    for (role, browser) in &mut browsers {
        let shown = browser
            .get("/vandaag")
            .await
            .html
            .contains("href=\"/beheer\"");
        assert_eq!(shown, *role >= Role::Lead, "{role:?}");
    }
}

async fn reading_changes_nothing(database: Database) {
    let house = House::new(database).await;
    let mine = *house.scope.teams.first().unwrap();
    let coach = Some(house.scope.coach);
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let ours = rows(
        &house,
        house.scope.organisation,
        mine,
        coach,
        MessageState::Waiting,
    )
    .await;
    let before = touched(&house).await;
    for cell in MATRIX {
        let path = filled(cell.path, &ours);
        let page = browser.get(&path).await;
        if cell.verb == "POST"
            && !MATRIX
                .iter()
                .any(|c| c.verb == "GET" && c.path == cell.path)
        {
            assert_eq!(page.status, 405, "{path}");
            assert!(page.html.contains("<h1"), "{path}: a page that says so");
        } else {
            assert!(
                matches!(page.status, 200 | 303 | 403),
                "{path}: {}",
                page.status
            );
        }
    }
    assert_eq!(touched(&house).await, before);
}
