//! Feeds over real HTTP: asked again with their version, believed when they are whole, and left alone when
//! they are not.

use tussendoor::app::health::{self, Level};
use tussendoor::app::vacancies::fetch::{self, Looked};
use tussendoor::app::vacancies::{self};

use super::stand::Stand;
use super::{has, open, raw};
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    a_feed_is_asked_again_with_its_version,
    what_a_whole_feed_no_longer_has_is_closed_and_may_come_back,
    a_broken_feed_keeps_what_is_there_and_says_since_when,
    a_host_that_is_not_public_is_not_asked,
    a_file_is_a_feed_too,
    the_same_vacancy_from_two_feeds_is_one,
    what_is_over_is_closed_on_its_own_day,
    what_changed_is_changed_and_what_is_strange_is_left_out,
);

type Settings = Vec<(&'static str, &'static str)>;

/// Settings live as long as a house, and a house as long as its test.
fn settings(more: &[(&'static str, String)]) -> &'static [(&'static str, &'static str)] {
    let mut all: Settings = vec![
        ("TUSSENDOOR_FEEDS__WERK__ORGANISATION", "waterstad"),
        ("TUSSENDOOR_FEEDS__WERK__FORMAT", "json"),
        ("TUSSENDOOR_VACANCIES__FEED_BYTES", "5000"),
    ];
    for (name, value) in more {
        all.push((name, Box::leak(value.clone().into_boxed_str())));
    }
    Box::leak(all.into_boxed_slice())
}

async fn house(database: Database, stand: &Stand) -> House {
    let own = settings(&[
        ("TUSSENDOOR_FEEDS__WERK__URL", stand.url.clone()),
        ("TUSSENDOOR_VACANCIES__LOOPBACK", "true".into()),
    ]);
    House::set(database, own).await
}

async fn look(house: &House) -> Looked {
    let feed = &house.app.vacancies.feeds[0];
    let looked = fetch::look(&house.app, feed, false).await.unwrap();
    vacancies::work(&house.app).await.unwrap();
    looked
}

const TWO: &str = r#"[
    {"id": 1, "title": "Kok", "employer": "De Kok", "postcode": "1012 AB"},
    {"id": 2, "title": "Bakker", "employer": "De Kok", "postcode": "1012 AB"}
]"#;
const ONE: &str = r#"[{"id": 2, "title": "Bakker", "employer": "De Kok", "postcode": "1012 AB"}]"#;

async fn a_feed_is_asked_again_with_its_version(database: Database) {
    let stand = Stand::start();
    let house = house(database, &stand).await;
    stand.says(
        "200 OK\r\netag: \"v1\"\r\nlast-modified: Mon, 02 Mar 2026 10:00:00 GMT",
        TWO,
    );
    assert!(vacancies::work(&house.app).await.unwrap() > 0);
    assert_eq!(open(&house).await, ["Bakker", "Kok"]);
    let first = &stand.heard()[0];
    assert!(!first.contains("if-none-match"), "{first}");
    // Not due again before tomorrow at six.
    vacancies::work(&house.app).await.unwrap();
    assert_eq!(stand.heard().len(), 1);
    stand.says("304 Not Modified", "");
    house.turn_to(moment("2026-03-04", 6, 1));
    vacancies::work(&house.app).await.unwrap();
    let second = &stand.heard()[1];
    assert!(second.contains("if-none-match: \"v1\"\r\n"), "{second}");
    assert!(
        second.contains("if-modified-since: mon, 02 mar 2026 10:00:00 gmt\r\n"),
        "{second}"
    );
    assert_eq!(open(&house).await, ["Bakker", "Kok"]);
    let sql = "SELECT MIN(checked_at) FROM vacancies";
    assert_eq!(house.number(sql).await, house.app.now().0);
}

async fn what_a_whole_feed_no_longer_has_is_closed_and_may_come_back(database: Database) {
    let stand = Stand::start();
    let house = house(database, &stand).await;
    stand.says("200 OK", TWO);
    look(&house).await;
    house.wait(60);
    stand.says("200 OK", ONE);
    let Looked::Took(report) = look(&house).await else {
        panic!("taken")
    };
    assert_eq!((report.new, report.gone), (0, 1));
    assert_eq!(open(&house).await, ["Bakker"]);
    let words = "SELECT COUNT(*) FROM vacancy_words w JOIN vacancies v ON v.id = w.vacancy_id WHERE v.state = 'closed'";
    assert_eq!(house.number(words).await, 0);
    house.wait(60);
    stand.says("200 OK", TWO);
    look(&house).await;
    assert_eq!(open(&house).await, ["Bakker", "Kok"]);
    assert_eq!(house.number("SELECT COUNT(*) FROM vacancies").await, 2);
}

async fn a_broken_feed_keeps_what_is_there_and_says_since_when(database: Database) {
    let stand = Stand::start();
    let house = house(database, &stand).await;
    stand.says("200 OK", TWO);
    look(&house).await;
    house.wait(60);
    let since = house.app.now();
    let elsewhere = Stand::start();
    let redirect = format!("302 Found\r\nlocation: {}", elsewhere.url);
    let large = format!("[{}]", " ".repeat(6000));
    let strange = r#"[{"id": 1, "title": "", "employer": "De Kok"}, {"id": 2, "title": "Kok", "employer": "De Kok", "postcode": "0123"}]"#;
    for (head, body, why) in [
        ("500 Internal Server Error", "oeps", "answered 500"),
        (redirect.as_str(), "", "answered 302"),
        ("200 OK", large.as_str(), "larger than 5000 bytes"),
        ("200 OK", &TWO[..80], "no JSON"),
        ("200 OK", "{}", "no list"),
        ("200 OK", "[]", "no vacancy"),
        ("200 OK", strange, "more than half"),
    ] {
        stand.says(head, body);
        let looked = look(&house).await;
        assert!(
            matches!(&looked, Looked::Broken(said) if said.contains(why)),
            "{head}: {looked:?}"
        );
        assert_eq!(open(&house).await, ["Bakker", "Kok"], "{head}");
        house.wait(60);
    }
    stand.breaks_off(TWO);
    assert!(matches!(look(&house).await, Looked::Broken(_)));
    assert_eq!(elsewhere.heard().len(), 0, "a redirect is not followed");
    let health = health::look(&house.app).await;
    let check = health.checks.iter().find(|it| it.name == "feeds").unwrap();
    assert_eq!((check.level, check.count), (Level::Look, 1));
    assert_eq!(check.since, Some(since));
    stand.says("200 OK", TWO);
    look(&house).await;
    let health = health::look(&house.app).await;
    let check = health.checks.iter().find(|it| it.name == "feeds").unwrap();
    assert_eq!(check.level, Level::Well);
}

async fn a_host_that_is_not_public_is_not_asked(database: Database) {
    let stand = Stand::start();
    let url = stand.url.replace("http://", "https://");
    let own = settings(&[("TUSSENDOOR_FEEDS__WERK__URL", url)]);
    let house = House::set(database, own).await;
    let looked = look(&house).await;
    assert!(
        matches!(&looked, Looked::Broken(why) if why.contains("nowhere that may be asked")),
        "{looked:?}"
    );
    assert_eq!(stand.heard().len(), 0);
}

async fn a_file_is_a_feed_too(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vacatures.csv");
    let mut own = vec![("TUSSENDOOR_FEEDS__WERK__FILE", path.display().to_string())];
    own.push(("TUSSENDOOR_FEEDS__WERK__FORMAT", "csv".into()));
    let mut all = settings(&own).to_vec();
    all.retain(|(name, value)| !(name.ends_with("FORMAT") && *value == "json"));
    let house = House::set(database, Box::leak(all.into_boxed_slice())).await;
    let looked = look(&house).await;
    assert!(
        matches!(&looked, Looked::Broken(why) if why.contains("cannot be read")),
        "{looked:?}"
    );
    let csv = "id;title;employer;postcode;hours\n1;Kok;De Kok;1012 AB;24-32\n";
    std::fs::write(&path, csv).unwrap();
    assert!(matches!(look(&house).await, Looked::Took(_)));
    assert_eq!(open(&house).await, ["Kok"]);
    assert_eq!(look(&house).await, Looked::Same);
}

async fn the_same_vacancy_from_two_feeds_is_one(database: Database) {
    let house = House::new(database).await;
    let kok = raw("1", "Kok", "1012 AB");
    let mut other = raw("x-77", "KOK", "1012");
    other.employer = "de kok B.V.".into();
    has(&house, "een", &[kok]).await;
    let report = has(
        &house,
        "twee",
        &[other.clone(), raw("x-78", "Bakker", "1012")],
    )
    .await;
    assert_eq!((report.new, report.elsewhere), (1, 1));
    assert_eq!(open(&house).await, ["Bakker", "Kok"]);
    // Gone from the first only: it is still there.
    house.wait(60);
    has(&house, "een", &[raw("2", "Chauffeur", "1012")]).await;
    assert_eq!(open(&house).await, ["Bakker", "Chauffeur", "Kok"]);
    house.wait(60);
    has(&house, "twee", &[raw("x-78", "Bakker", "1012")]).await;
    assert_eq!(open(&house).await, ["Bakker", "Chauffeur"]);
}

async fn what_is_over_is_closed_on_its_own_day(database: Database) {
    let house = House::new(database).await;
    let mut kok = raw("1", "Kok", "1012");
    kok.closes = "2026-03-04".into();
    has(&house, "een", &[kok, raw("2", "Bakker", "1012")]).await;
    house.turn_to(moment("2026-03-04", 23, 59));
    vacancies::work(&house.app).await.unwrap();
    assert_eq!(open(&house).await, ["Bakker", "Kok"]);
    house.turn_to(moment("2026-03-05", 0, 1));
    vacancies::work(&house.app).await.unwrap();
    assert_eq!(open(&house).await, ["Bakker"]);
}

async fn what_changed_is_changed_and_what_is_strange_is_left_out(database: Database) {
    let house = House::new(database).await;
    let kok = raw("1", "Kok", "1012");
    let bakker = raw("2", "Bakker", "1012");
    has(&house, "een", &[kok.clone(), bakker.clone()]).await;
    house.wait(60);
    let mut better = kok.clone();
    better.title = "Chef-kok".into();
    let strange = raw("3", "Kijk op https://kwaad.example", "1012");
    let report = has(&house, "een", &[better, bakker.clone(), bakker, strange]).await;
    assert_eq!((report.new, report.changed, report.twice), (0, 1, 1));
    assert_eq!(report.skipped, 1);
    assert_eq!(open(&house).await, ["Bakker", "Chef-kok"]);
}
