//! What coaches see of vacancies and searches.

use super::{has, looking, looks_for, raw};
use crate::support::browser::Browser;
use crate::support::database::{Database, on_both};
use crate::support::house::House;

on_both!(
    vacancies_are_listed_searched_and_opened,
    a_search_is_written_on_its_page,
    nothing_of_a_search_stands_in_the_database_in_words,
);

async fn vacancies_are_listed_searched_and_opened(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", "+31612345678", true).await;
    looks_for(&house, candidate, "magazijn").await;
    has(
        &house,
        "werkplein",
        &[
            raw("1", "Magazijnmedewerker", "1012"),
            raw("2", "Chauffeur <b>", "1012"),
        ],
    )
    .await;
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let page = browser.get("/vacatures").await;
    assert!(page.text().contains("2 open vacatures"), "{}", page.text());
    assert!(page.html.contains("Chauffeur &lt;b&gt;"));
    let page = browser.get("/vacatures?woorden=magazijnen").await;
    assert!(page.html.contains("Magazijnmedewerker"));
    assert!(!page.html.contains("Chauffeur"));
    let (_, rest) = page.html.split_once("href=\"/vacatures/").unwrap();
    let id = rest.split('"').next().unwrap();
    let page = browser.get(&format!("/vacatures/{id}")).await;
    let text = page.text();
    for part in ["Samira Haddad", "gevonden", "werkplein", "hemelsbreed"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

async fn a_search_is_written_on_its_page(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", "+31612345678", true).await;
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let path = format!("/kandidaten/{candidate}/werk");
    let page = browser.get(&path).await;
    assert_eq!(page.field(&path, "versie"), "-1");
    let written = |version: &'static str, place: &'static str| {
        [
            ("versie", version),
            ("woorden", "magazijn, orderpicker"),
            ("niet", ""),
            ("plek", place),
            ("straal", "10"),
            ("minstens", ""),
            ("hoogstens", "24"),
            ("heeft_vog", "ja"),
        ]
    };
    assert_eq!(
        browser.post(&path, &written("-1", "0123")).await.status,
        422
    );
    let saved = browser.post(&path, &written("-1", "1102 AB")).await;
    assert_eq!(saved.status, 303);
    let search = looking(&house, candidate).await.unwrap().search;
    assert_eq!(search.words, ["magazijn", "orderpicker"]);
    assert_eq!((search.pc4.as_str(), search.radius_km), ("1102", 10));
    assert_eq!(search.has.len(), 1);
    // A page that was open meanwhile does not overwrite it.
    let stale = browser.post(&path, &written("-1", "1102")).await;
    assert_eq!(stale.status, 409);
    let page = browser.get(&saved.to).await;
    assert!(
        page.text()
            .contains("Het zoekprofiel van Samira is bewaard")
    );
    let page = browser.get(&format!("/kandidaten/{candidate}")).await;
    assert!(page.text().contains("10 km rond 1102, hemelsbreed"));
}

/// Whoever has the database and no key learns that somebody looks for work, and not which.
async fn nothing_of_a_search_stands_in_the_database_in_words(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Samira", "+31612345678", true).await;
    looks_for(&house, candidate, "zilvermeeuw, magazijn").await;
    has(&house, "een", &[raw("1", "Magazijnmedewerker", "1012")]).await;
    for (table, rows) in house.database.dump().await {
        if table == "vacancies" || table == "vacancy_words" {
            continue;
        }
        for row in rows {
            for word in ["zilvermeeuw", "magazijn"] {
                assert!(!row.to_lowercase().contains(word), "{table}: {row}");
            }
        }
    }
}
