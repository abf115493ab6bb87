//! What a feed may say, and what is refused.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

fn places() -> &'static Places {
    static PLACES: LazyLock<Places> = LazyLock::new(|| Places::builtin().unwrap());
    &PLACES
}

fn raw() -> Raw {
    Raw {
        reference: "A-1".into(),
        title: "Magazijnmedewerker".into(),
        employer: "De Kok B.V.".into(),
        text: "Je werkt 24 tot 32 uur. Een VOG is nodig. Je hebt geen rijbewijs nodig.".into(),
        url: "https://werk.example/a-1".into(),
        postcode: "1012 AB".into(),
        ..Raw::default()
    }
}

#[test]
fn a_whole_posting_is_read() {
    let posting = Posting::of(&raw(), places()).unwrap();
    assert_eq!(posting.pc4, "1012");
    assert_eq!(posting.town, "Amsterdam");
    assert_eq!(
        posting.hours,
        Hours {
            least: 24,
            most: 32
        }
    );
    assert_eq!(posting.needs, BTreeSet::from([Need::Vog]));
}

#[test]
fn what_is_strange_is_refused_and_named() {
    type Change = fn(&mut Raw);
    let cases: [(Wrong, Change); 12] = [
        (Wrong::Reference, |raw| raw.reference = " ".into()),
        (Wrong::Reference, |raw| raw.reference = "x".repeat(201)),
        (Wrong::Title, |raw| raw.title = "\u{200b}\n".into()),
        (Wrong::Title, |raw| {
            raw.title = "Kijk op https://kwaad.example".into()
        }),
        (Wrong::Employer, |raw| raw.employer = String::new()),
        (Wrong::Url, |raw| raw.url = "javascript:alert(1)".into()),
        (Wrong::Url, |raw| {
            raw.url = "https://ik:geheim@werk.example/".into()
        }),
        (Wrong::Postcode, |raw| raw.postcode = "0123".into()),
        (Wrong::Postcode, |raw| raw.postcode = "1012 ABC".into()),
        (Wrong::Hours, |raw| raw.hours = "80".into()),
        (Wrong::Hours, |raw| raw.hours = "32-24".into()),
        (Wrong::Closes, |raw| raw.closes = "2026-02-31".into()),
    ];
    for (wrong, change) in cases {
        let mut raw = raw();
        change(&mut raw);
        assert_eq!(Posting::of(&raw, places()).unwrap_err(), wrong);
    }
}

#[test]
fn one_vacancy_in_two_feeds_has_one_key() {
    let one = Posting::of(&raw(), places()).unwrap();
    let other = Raw {
        reference: "77".into(),
        title: "MAGAZIJNMEDEWERKER ".into(),
        employer: "de kok bv".into(),
        postcode: "1012".into(),
        ..raw()
    };
    let other = Posting::of(&other, places()).unwrap();
    assert_eq!(one.same_as(), other.same_as());
    let elsewhere = Raw {
        postcode: "3511".into(),
        ..raw()
    };
    let elsewhere = Posting::of(&elsewhere, places()).unwrap();
    assert_ne!(one.same_as(), elsewhere.same_as());
    let nowhere = |reference: &str| Raw {
        reference: reference.into(),
        postcode: String::new(),
        ..raw()
    };
    let [one, other] = ["1", "2"].map(|it| Posting::of(&nowhere(it), places()).unwrap());
    assert_ne!(one.same_as(), other.same_as());
}

#[test]
fn needs_are_read_out_of_sentences() {
    for (text, needs) in [
        ("Rijbewijs B is nodig", vec![Need::DrivingB]),
        ("Je hebt rijbewijs C.", vec![Need::DrivingC]),
        ("Geen rijbewijs nodig. Wel een VOG.", vec![Need::Vog]),
        ("Een VCA is niet verplicht", vec![]),
        (
            "Je spreekt Nederlands en werkt in het weekend",
            vec![Need::Dutch, Need::Weekend],
        ),
        ("Wij zijn een kinderopvang in Vogelenzang", vec![]),
        ("No driving licence needed", vec![]),
    ] {
        assert_eq!(needs_of(text), needs.into_iter().collect(), "{text}");
    }
}

#[test]
fn hours_are_read_out_of_sentences() {
    for (text, least, most) in [
        ("Voor 24-32 uur per week", 24, 32),
        ("16 tot 24 uur", 16, 24),
        ("een baan van 32 uur", 32, 32),
        ("24/7 open, 36 uur", 36, 36),
        ("over een uur", 0, 0),
        ("niets", 0, 0),
    ] {
        assert_eq!(Hours::of_text(text), Hours { least, most }, "{text}");
    }
}

#[test]
fn a_long_title_is_cut_before_a_word() {
    let long = Raw {
        title: "Medewerker bezorging en magazijn in de avond en in het weekend bij ons".into(),
        ..raw()
    };
    let title = Posting::of(&long, places()).unwrap().title;
    assert_eq!(
        title,
        "Medewerker bezorging en magazijn in de avond en in het"
    );
}

#[test]
fn a_vacancy_goes_stale_on_its_own_day_and_when_its_feed_falls_silent() {
    let vacancy = Vacancy {
        id: "01J00000000000000000000001".parse().unwrap(),
        title: "Kok".into(),
        employer: "De Kok".into(),
        text: String::new(),
        url: None,
        pc4: "1012".into(),
        town: "Amsterdam".into(),
        hours: Hours::default(),
        needs: BTreeSet::new(),
        open: true,
        checked_at: Timestamp(1000),
        closes_on: Some("2026-03-10".parse().unwrap()),
    };
    let on = |day: &str, since: i64| vacancy.is_fresh(day.parse().unwrap(), Timestamp(since));
    assert!(on("2026-03-10", 1000));
    assert!(!on("2026-03-11", 1000));
    assert!(!on("2026-03-10", 1001));
    let closed = Vacancy {
        open: false,
        ..vacancy.clone()
    };
    assert!(!closed.is_fresh("2026-03-01".parse().unwrap(), Timestamp(0)));
}

proptest! {
    /// Whatever a feed says: no panic, nothing hidden, nothing too long.
    #[test]
    fn no_text_of_a_feed_does_harm(title in ".{0,200}", employer in ".{0,90}", text in "(?s).{0,400}", hours in ".{0,12}", postcode in ".{0,8}", closes in ".{0,14}") {
        let places = places();
        let raw = Raw { title, employer, text, hours, postcode, closes, ..raw() };
        if let Ok(posting) = Posting::of(&raw, places) {
            prop_assert!(posting.title.chars().count() <= TITLE);
            prop_assert!(posting.employer.chars().count() <= EMPLOYER);
            prop_assert!(!posting.title.chars().any(char::is_control));
            prop_assert!(posting.hours.least <= posting.hours.most && posting.hours.most <= HOURS);
            prop_assert!(posting.pc4.is_empty() || posting.pc4.len() == 4);
            prop_assert_eq!(needs_from(&needs_text(&posting.needs)), posting.needs);
        }
    }
}
