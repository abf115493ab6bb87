//! The page of one person, the list of people, the code in the room.

use tussendoor::domain::talk::state::State;

use super::{NUMBER, with_draft};
use crate::support::browser::Browser;
use crate::support::database::{Database, on_both};
use crate::support::house::{House, moment};

on_both!(
    the_thread_is_honest_and_hidden_words_open_by_a_click,
    a_coach_takes_over_writes_and_gives_back,
    who_said_stop_and_writes_to_the_coach_gets_an_answer,
    notes_pauses_and_signs_of_life_are_kept,
    people_are_found_by_name,
    the_code_on_the_page_lets_a_candidate_in,
);

async fn the_thread_is_honest_and_hidden_words_open_by_a_click(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    let path = format!("/kandidaten/{candidate}");
    house.approve(candidate).await;
    house.idle().await;
    let text = browser.get(&path).await.text();
    assert!(
        text.contains("geaccepteerd") && text.contains("na akkoord van een coach"),
        "{text}"
    );
    let sent = house.graph.accepted().pop().unwrap();
    for (status, words) in [("delivered", "afgeleverd 09:31"), ("read", "gelezen 09:31")] {
        assert_eq!(
            house
                .deliver(&house.graph.webhook_status(&sent, status))
                .await,
            200
        );
        house.idle().await;
        let text = browser.get(&path).await.text();
        assert!(text.contains(words), "no {words}: {text}");
    }
    // What touches health is hidden, in the thread and on today; opening it is written down.
    house.says(NUMBER, "Ik heb last van mijn depressie").await;
    house
        .says(NUMBER, "<img src=x onerror=alert(1)> & \"hoi\"")
        .await;
    let page = browser.get(&path).await;
    assert!(!page.html.contains("depressie"), "{}", page.text());
    assert!(
        page.text().contains("Gevoelige tekst, verborgen."),
        "{}",
        page.text()
    );
    assert!(
        !page.html.contains("<img src=x") && page.html.contains("&lt;img src"),
        "escaped"
    );
    assert!(!browser.get("/vandaag").await.html.contains("depressie"));
    let (_, rest) = page
        .html
        .split_once(&format!("action=\"{path}/lees/"))
        .unwrap();
    let incoming = rest.split('"').next().unwrap().to_owned();
    // An address alone opens nothing: the click must have been made in this session.
    let guessed = browser
        .get(&format!("{path}?open={incoming}&zegel=00"))
        .await;
    assert!(!guessed.html.contains("depressie"));
    let before = house
        .number("SELECT CAST(COUNT(*) AS BIGINT) FROM audit WHERE verb = 'open'")
        .await;
    let opened = browser.post(&format!("{path}/lees/{incoming}"), &[]).await;
    assert!(browser.follow(&opened).await.html.contains("depressie"));
    let after = house
        .number("SELECT CAST(COUNT(*) AS BIGINT) FROM audit WHERE verb = 'open'")
        .await;
    assert_eq!(after, before + 1);
    let mut colleague = Browser::signed_in(&house.app, house.scope.coach).await;
    let to = opened.to.split('#').next().unwrap();
    assert!(
        !colleague.get(to).await.html.contains("depressie"),
        "the link is worth nothing elsewhere"
    );
}

async fn a_coach_takes_over_writes_and_gives_back(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    let path = format!("/kandidaten/{candidate}");
    let shut = browser.get(&path).await;
    assert!(
        shut.text().contains("Het 24-uursvenster is dicht"),
        "{}",
        shut.text()
    );
    assert!(
        !shut.html.contains("id=\"bericht\""),
        "what cannot go cannot be written"
    );
    let refused = browser
        .post(
            &format!("{path}/berichten"),
            &[("tekst", "Hoi"), ("wanneer", "nu")],
        )
        .await;
    assert_eq!(refused.status, 422);
    house.says(NUMBER, "Kun je me bellen?").await;
    let today = browser.get("/vandaag").await.text();
    assert!(today.contains("Kun je me bellen?"), "{today}");
    let open = browser.get(&path).await;
    assert!(
        open.text().contains("Gewone tekst kan tot"),
        "{}",
        open.text()
    );
    let taken = browser.post(&format!("{path}/overnemen"), &[]).await;
    let text = browser.follow(&taken).await.text();
    assert!(
        text.contains("Jij hebt het gesprek met Samira.")
            && text.contains("Jij hebt dit gesprek sinds"),
        "{text}"
    );
    assert!(matches!(
        house.talk(candidate).await.state,
        State::WithCoach { .. }
    ));
    let empty = browser
        .post(
            &format!("{path}/berichten"),
            &[("tekst", "  \u{7} "), ("wanneer", "nu")],
        )
        .await;
    assert_eq!(empty.status, 422);
    assert!(empty.text().contains("Er staat geen tekst in."));
    let written = browser
        .post(
            &format!("{path}/berichten"),
            &[("tekst", "Ik bel je om 14:00. Noor"), ("wanneer", "nu")],
        )
        .await;
    let told = browser.follow(&written).await;
    assert!(
        told.text().contains("Bericht aan Samira staat klaar"),
        "{}",
        told.text()
    );
    assert!(told.html.contains("/terug\""), "it can be taken back");
    let before = house.graph.accepted().len();
    house.wait(11);
    house.idle().await;
    assert_eq!(house.graph.accepted().len(), before + 1);
    let text = browser.get(&path).await.text();
    assert!(
        text.contains("Ik bel je om 14:00. Noor") && text.contains("jij"),
        "{text}"
    );
    assert!(
        browser
            .get("/vandaag")
            .await
            .text()
            .contains("Niemand wacht op jou.")
    );
    let back = browser.post(&format!("{path}/teruggeven"), &[]).await;
    let text = browser.follow(&back).await.text();
    assert!(
        text.contains("is terug bij de bot") && text.contains("De bot voert dit gesprek."),
        "{text}"
    );
    assert!(matches!(house.talk(candidate).await.state, State::Idle));
}

/// "Je kunt Noor altijd schrijven": then Noor can answer, once for each time.
async fn who_said_stop_and_writes_to_the_coach_gets_an_answer(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    let path = format!("/kandidaten/{candidate}");
    let (shut, words) = ("Schrijven kan pas weer", "Ik bel je morgen.");
    house.says(NUMBER, "Stop").await;
    let page = browser.get(&path).await;
    assert!(page.text().contains(shut), "{}", page.text());
    let form = [("tekst", words), ("wanneer", "nu")];
    let refused = browser.post(&format!("{path}/berichten"), &form).await;
    assert_eq!(refused.status, 422);
    house.says(NUMBER, "Mag ik je toch iets vragen?").await;
    let page = browser.get(&path).await;
    assert!(!page.text().contains(shut), "{}", page.text());
    browser.post(&format!("{path}/berichten"), &form).await;
    house.wait(20);
    house.idle().await;
    let last = house.graph.accepted().pop().unwrap();
    assert_eq!(last.body["text"]["body"], words);
    assert!(browser.get(&path).await.text().contains(shut));
}

async fn notes_pauses_and_signs_of_life_are_kept(database: Database) {
    let (house, candidate, mut browser) = with_draft(database).await;
    let path = format!("/kandidaten/{candidate}");
    browser.get(&path).await;
    let noted = browser
        .post(
            &format!("{path}/notities"),
            &[("tekst", "Gebeld, <geen> gehoor")],
        )
        .await;
    let page = browser.follow(&noted).await;
    assert!(page.html.contains("Gebeld, &lt;geen&gt; gehoor"));
    assert!(
        page.text().contains("Notitie van jou") && page.text().contains("Samira ziet dit niet.")
    );
    let paused = browser
        .post(
            &format!("{path}/pauze"),
            &[("tot", ""), ("dag", "2026-03-12")],
        )
        .await;
    let text = browser.follow(&paused).await.text();
    assert!(text.contains("Pauze tot en met do 12 mrt."), "{text}");
    assert_eq!(
        browser
            .post(&format!("{path}/pauze"), &[("tot", "2026-03-01")])
            .await
            .status,
        422
    );
    assert_eq!(
        browser
            .post(&format!("{path}/pauze"), &[("tot", "ooit")])
            .await
            .status,
        400
    );
    assert!(browser.get("/kandidaten").await.text().contains("pauze"));
    let on = browser
        .post(&format!("{path}/pauze"), &[("tot", "nu")])
        .await;
    let text = browser.follow(&on).await.text();
    assert!(
        text.contains("De pauze voor Samira is voorbij.") && !text.contains("Pauze tot en met"),
        "{text}"
    );
    // A sign of life ends the silence that today shows.
    house.says(NUMBER, "Hoi").await;
    house.turn_to(moment("2026-03-16", 9, 0));
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let today = browser.get("/vandaag").await.text();
    assert!(today.contains("12 dagen"), "{today}");
    browser.get(&path).await;
    let sign = browser.post(&format!("{path}/teken"), &[]).await;
    let text = browser.follow(&sign).await.text();
    assert!(
        text.contains("legde een teken van leven vast") && text.contains("laatst gehoord vandaag"),
        "{text}"
    );
    assert!(
        browser
            .get("/vandaag")
            .await
            .text()
            .contains("Iedereen liet deze week iets horen.")
    );
}

async fn people_are_found_by_name(database: Database) {
    let house = House::new(database).await;
    for (n, name) in ["Fatma Yıldız", "José", "Wim"].into_iter().enumerate() {
        house
            .candidate(name, &format!("+3161234560{n}"), true)
            .await;
    }
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let all = browser.get("/kandidaten").await.text();
    assert!(
        all.contains("3 kandidaten") && all.contains("Fatma Yıldız Haddad"),
        "{all}"
    );
    for (asked, found) in [("yildiz", "Fatma"), ("JOSE", "José"), ("wim%20had", "Wim")] {
        let text = browser
            .get(&format!("/kandidaten?naam={asked}"))
            .await
            .text();
        assert!(
            text.contains("1 kandidaat") && text.contains(found),
            "{asked}: {text}"
        );
    }
    let none = browser.get("/kandidaten?naam=%22%3E%3Cscript%3E").await;
    assert!(none.text().contains("Niemand gevonden") && !none.html.contains("\"><script>"));
}

async fn the_code_on_the_page_lets_a_candidate_in(database: Database) {
    let house = House::new(database).await;
    let candidate = house.candidate("Layla", "+31611111111", false).await;
    let mut browser = Browser::signed_in(&house.app, house.scope.coach).await;
    let path = format!("/kandidaten/{candidate}/start");
    let before = browser.get(&path).await;
    assert!(before.text().contains("Maak code") && !before.html.contains("class=\"qr\""));
    let made = browser.post(&path, &[]).await;
    let page = browser.follow(&made).await;
    assert!(
        page.html.contains("class=\"qr\"") && page.html.contains("https://wa.me/31201234567"),
        "{}",
        page.text()
    );
    let code = made.to.split_once("code=").unwrap().1.to_owned();
    assert!(page.html.contains(&code));
    let link = page
        .html
        .split_once("href=\"https://wa.me/")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap();
    let text = link.split_once("text").unwrap().1;
    assert!(text.contains(&code), "{link}");
    // From whatever number it comes, the sender is this candidate from now on.
    house
        .says("+31699999999", &format!("Hoi, mijn code is {code}"))
        .await;
    let thread = browser
        .get(&format!("/kandidaten/{candidate}"))
        .await
        .text();
    assert!(
        thread.contains(&code) && thread.contains("bewezen"),
        "{thread}"
    );
    let used = browser.get(&made.to).await;
    assert!(!used.html.contains("class=\"qr\""), "it works once");
}
