//! What calendars read of us and what we read of them.

use icalendar::{Calendar, CalendarComponent, Component as _};
use tussendoor::app::calendar::{self, busy};
use tussendoor::app::meetings::{self as verb, To};
use tussendoor::app::{AppError, slots as moments};
use tussendoor::domain::access::{Role, Scope};
use tussendoor::domain::time::Timestamp;
use tussendoor::store::coaches;

use super::{agreed, free, plan, tuesdays};
use crate::support::browser::Browser;
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    a_feed_shows_first_names_to_whoever_has_the_address_and_to_nobody_else,
    a_file_keeps_its_uid_and_raises_its_sequence,
    a_time_that_is_taken_elsewhere_is_not_offered,
    a_calendar_that_cannot_be_asked_for_holds_up_no_other,
);

async fn a_feed_shows_first_names_to_whoever_has_the_address_and_to_nobody_else(
    database: Database,
) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    let samira = house.candidate("Samira", "+31612345678", true).await;
    let at = moment("2026-03-10", 10, 0);
    verb::book(app, scope, samira, &agreed(at)).await.unwrap();
    let token = calendar::renew(app, scope).await.unwrap();
    let mut browser = Browser::new(app);
    let path = format!("/calendar/{token}.ics");
    let page = browser.get(&path).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/calendar; charset=utf-8");
    assert!(page.html.contains("SUMMARY:Afspraak met Samira\r\n"));
    assert!(
        page.html
            .contains("DTSTART;TZID=Europe/Amsterdam:20260310T100000")
    );
    assert!(!page.html.contains("Haddad"), "no family name");
    assert_eq!(browser.get(&path).await.html, page.html, "the same twice");
    let read: Calendar = page.html.parse().unwrap();
    assert_eq!(read.components.len(), 2, "the zone and the meeting");
    // A new address ends the old one; so does a blocked coach.
    let next = calendar::renew(app, scope).await.unwrap();
    for path in [
        path.as_str(),
        "/calendar/x.ics",
        "/calendar/.ics",
        "/calendar/x",
    ] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    let path = format!("/calendar/{next}.ics");
    assert_eq!(browser.get(&path).await.status, 200);
    house
        .database
        .execute("UPDATE coaches SET state = 'blocked'")
        .await;
    assert_eq!(browser.get(&path).await.status, 404);
    let kept = "SELECT COUNT(*) FROM calendars WHERE length(token_hash) = 64";
    assert_eq!(house.number(kept).await, 1, "the address is kept as a hash");
}

async fn a_file_keeps_its_uid_and_raises_its_sequence(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    let samira = house.candidate("Samira", "+31612345678", true).await;
    let at = moment("2026-03-10", 10, 0);
    let meeting = verb::book(app, scope, samira, &agreed(at)).await.unwrap();
    let told = |text: &str, name: &str| {
        let read: Calendar = text.parse().unwrap();
        let mut events = read
            .components
            .iter()
            .filter_map(CalendarComponent::as_event);
        let event = events.next().unwrap();
        event.property_value(name).map(str::to_owned)
    };
    let first = calendar::file(app, scope, meeting).await.unwrap();
    house.wait(60);
    assert_eq!(calendar::file(app, scope, meeting).await.unwrap(), first);
    let to = To::Time {
        starts_at: moment("2026-03-11", 14, 0),
        minutes: 45,
        place: "Stadhuis",
    };
    verb::move_to(app, scope, meeting, 0, to).await.unwrap();
    let second = calendar::file(app, scope, meeting).await.unwrap();
    assert_eq!(told(&second, "UID"), told(&first, "UID"));
    assert_eq!(told(&first, "SEQUENCE").as_deref(), Some("0"));
    assert_eq!(told(&second, "SEQUENCE").as_deref(), Some("1"));
    assert_eq!(told(&second, "DTSTART").as_deref(), Some("20260311T140000"));
    let version = plan(&house, samira).await.meetings[0].version;
    verb::cancel(app, scope, meeting, version).await.unwrap();
    let third = calendar::file(app, scope, meeting).await.unwrap();
    assert_eq!(told(&third, "SEQUENCE").as_deref(), Some("2"));
    assert_eq!(told(&third, "STATUS").as_deref(), Some("CANCELLED"));
}

const BUSY: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID=Europe/Amsterdam:20260303T090000\r\nDTEND;TZID=Europe/Amsterdam:20260303T093000\r\nRRULE:FREQ=WEEKLY;BYDAY=TU\r\nEXDATE;TZID=Europe/Amsterdam:20260317T090000\r\nSUMMARY:Geheim overleg\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\nDTSTART;VALUE=DATE:20260324\r\nSUMMARY:Vrij\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:3\r\nDTSTART:20260310T090000Z\r\nDTEND:20260310T100000Z\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

async fn a_time_that_is_taken_elsewhere_is_not_offered(database: Database) {
    let house = House::set(
        database,
        &[("TUSSENDOOR_CALENDARS__HOSTS", "http://127.0.0.1:9")],
    )
    .await;
    let (app, scope) = (&house.app, &house.scope);
    moments::open(app, scope, &tuesdays(&house, 4))
        .await
        .unwrap();
    assert_eq!(free(&house).await.len(), 12);
    assert!(matches!(
        busy::put(app, scope, "ftp://x.example/a.ics").await,
        Err(AppError::No {
            why: "busy_address"
        })
    ));
    // What may not be asked, and what does not answer, changes nothing and says so.
    for (address, problem) in [
        ("https://elsewhere.example/a.ics", "not_allowed"),
        ("http://127.0.0.1:9/a.ics", "no_answer"),
    ] {
        busy::put(app, scope, address).await.unwrap();
        assert_eq!(busy::read(app).await.unwrap(), 1);
        assert_eq!(busy::read(app).await.unwrap(), 0, "not again at once");
        let told = calendar::connected(app, scope).await.unwrap().busy.unwrap();
        assert_eq!(told, (None, Some(problem.to_owned())));
    }
    assert_eq!(free(&house).await.len(), 12);
    let times = busy::busy(
        BUSY,
        chrono_tz::Europe::Amsterdam,
        app.now(),
        app.now().plus_days(29),
    )
    .unwrap();
    let begins: Vec<Timestamp> = times.iter().map(|(from, _)| *from).collect();
    let at = |day: &str, hour| moment(day, hour, 0);
    assert_eq!(
        begins,
        [
            at("2026-03-03", 9),
            at("2026-03-10", 9),
            at("2026-03-24", 0),
            at("2026-03-24", 9),
            // After the clock change it is nine o'clock still.
            at("2026-03-31", 9),
        ]
    );
    let feed = {
        let mut tx = app.store.read().await.unwrap();
        let due = app.now().plus_days(1);
        let mut due = tussendoor::store::calendars::busy_due(&mut tx, due, 9)
            .await
            .unwrap();
        due.remove(0)
    };
    let mut tx = app.store.write().await.unwrap();
    let (next, now) = (app.now().plus_days(1), app.now());
    tussendoor::store::calendars::busy_read(&mut tx, &feed, &times, next, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // Of four Tuesdays: the first moment of the 10th and the 31st, and all three of the 24th.
    assert_eq!(free(&house).await.len(), 12 - 1 - 1 - 3);
    busy::end(app, scope).await.unwrap();
    assert_eq!(free(&house).await.len(), 12);
}

/// Of an organisation that left the settings, and with an address that does not open: neither keeps Noor's
/// from being read.
async fn a_calendar_that_cannot_be_asked_for_holds_up_no_other(database: Database) {
    let house = House::new(database).await;
    let (app, scope) = (&house.app, &house.scope);
    let team = *scope.teams.first().unwrap();
    let mut others = Vec::new();
    for email in ["an@zeestad.example", "bo@zeestad.example"] {
        let mut tx = app.store.write().await.unwrap();
        let new = coaches::NewCoach {
            id: app.id(app.now()),
            organisation: scope.organisation,
            email,
            name: "Iemand",
            role: Role::Coach,
            password_hash: "no password opens this",
            language: "nl",
            teams: &[team],
        };
        coaches::add(&mut tx, &new, app.now()).await.unwrap();
        tx.commit().await.unwrap();
        let other = Scope {
            coach: new.id,
            ..scope.clone()
        };
        busy::put(app, &other, "http://127.0.0.1:9/a.ics")
            .await
            .unwrap();
        others.push(new.id);
        house.wait(1);
    }
    busy::put(app, scope, "http://127.0.0.1:9/a.ics")
        .await
        .unwrap();
    let gone = "INSERT INTO organisations (id, slug, name, zone) VALUES ('00000000000000000000000001', 'weg', 'Weg', 'Europe/Amsterdam')";
    house.database.execute(gone).await;
    let (an, bo) = (others[0], others[1]);
    for sql in [
        format!(
            "UPDATE coaches SET organisation_id = '00000000000000000000000001' WHERE id = '{an}'"
        ),
        format!(
            "UPDATE busy_feeds SET url_sealed = (SELECT f.url_sealed FROM busy_feeds f WHERE f.coach_id = '{an}') WHERE coach_id = '{bo}'"
        ),
    ] {
        house.database.execute(&sql).await;
    }
    assert_eq!(busy::read(app).await.unwrap(), 3);
    assert_eq!(busy::read(app).await.unwrap(), 0);
    let problems = "SELECT problem FROM busy_feeds ORDER BY problem";
    let told = house.database.texts(problems).await;
    assert_eq!(told, ["not_allowed", "unreadable", "unreadable"]);
}
