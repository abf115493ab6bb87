//! A table of searches and vacancies, what answers teach, and what holds for all of them.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

fn places() -> &'static Places {
    static PLACES: LazyLock<Places> = LazyLock::new(|| Places::builtin().unwrap());
    &PLACES
}

fn vacancy() -> Vacancy {
    Vacancy {
        id: "01J00000000000000000000001".parse().unwrap(),
        title: "Magazijnmedewerker".into(),
        employer: "De Kok".into(),
        text: "Orders verzamelen en inpakken. Ook heftruck rijden.".into(),
        url: None,
        pc4: "1012".into(),
        town: "Amsterdam".into(),
        hours: Hours {
            least: 24,
            most: 32,
        },
        needs: BTreeSet::from([Need::Vog]),
        open: true,
        checked_at: Timestamp(0),
        closes_on: None,
    }
}

fn search() -> Search {
    Search {
        words: vec!["magazijn".into()],
        pc4: "1102".into(),
        ..Search::default()
    }
}

fn fits(search: &Search, vacancy: &Vacancy) -> Option<Fit> {
    fit(
        &Ready::new(search),
        &Offered::new(vacancy.clone()),
        places(),
    )
}

#[test]
fn what_fits_and_what_does_not() {
    type Change = fn(&mut Search, &mut Vacancy);
    let cases: [(&str, bool, Change); 16] = [
        ("as it is", true, |_, _| {}),
        ("another trade", false, |search, _| {
            search.words = vec!["bakker".into()]
        }),
        ("one of two words", true, |search, _| {
            search.words.push("bakker".into())
        }),
        ("both words of one term", false, |search, _| {
            search.words = vec!["magazijn chef".into()];
        }),
        ("a word of the text", true, |search, _| {
            search.words = vec!["inpakken".into()]
        }),
        ("a word that is not wanted", false, |search, _| {
            search.not_words = vec!["magazijn".into()];
        }),
        ("no words", false, |search, _| search.words.clear()),
        ("too far", false, |search, _| search.pc4 = "9711".into()),
        ("anywhere", true, |search, _| search.pc4.clear()),
        ("nobody knows where", false, |_, vacancy| {
            vacancy.pc4.clear()
        }),
        (
            "nobody knows where, and anywhere is fine",
            true,
            |search, vacancy| {
                vacancy.pc4.clear();
                search.pc4.clear();
            },
        ),
        ("a licence is lacking", false, |_, vacancy| {
            vacancy.needs.insert(Need::DrivingB);
        }),
        ("the licence is there", true, |search, vacancy| {
            vacancy.needs.insert(Need::DrivingB);
            search.has.insert(Need::DrivingB);
        }),
        ("too many hours", false, |search, _| {
            search.hours = Hours { least: 8, most: 20 }
        }),
        ("some of the hours", true, |search, _| {
            search.hours = Hours { least: 8, most: 24 }
        }),
        ("hours that nobody told", true, |search, vacancy| {
            search.hours = Hours { least: 8, most: 20 };
            vacancy.hours = Hours::default();
        }),
    ];
    for (what, expected, change) in cases {
        let (mut search, mut vacancy) = (search(), vacancy());
        change(&mut search, &mut vacancy);
        assert_eq!(fits(&search, &vacancy).is_some(), expected, "{what}");
    }
}

#[test]
fn a_title_counts_for_more_than_a_text_and_near_for_more_than_far() {
    let score = |search: &Search, vacancy: &Vacancy| fits(search, vacancy).unwrap().score;
    let in_text = Search {
        words: vec!["inpakken".into()],
        ..search()
    };
    assert!(score(&search(), &vacancy()) > score(&in_text, &vacancy()));
    let near = Search {
        pc4: "1012".into(),
        ..search()
    };
    assert!(score(&near, &vacancy()) > score(&search(), &vacancy()));
}

#[test]
fn the_reasons_say_what_is_true_and_hold_no_word_of_the_search() {
    let fit = fits(&search(), &vacancy()).unwrap();
    let km = places().km("1102", "1012").unwrap();
    assert_eq!(
        fit.reasons,
        [
            Reason::Km(km),
            Reason::NotNeeded(Need::DrivingB),
            Reason::Words(1)
        ]
    );
    let kept = reasons_text(&fit.reasons);
    assert!(!kept.contains("magazijn"));
    assert_eq!(reasons_from(&kept), fit.reasons);
}

#[test]
fn too_far_narrows_to_less_than_this_one_was_and_can_be_taken_back() {
    let (mut search, vacancy) = (search(), vacancy());
    let before = search.clone();
    let km = places().km(&search.pc4, &vacancy.pc4).unwrap();
    let lesson = search.too_far(&vacancy, places(), Timestamp(5));
    assert_eq!(
        lesson,
        Lesson::Nearer {
            from: 15,
            to: km - 1
        }
    );
    assert_eq!(fits(&search, &vacancy), None);
    assert!(search.can_unlearn(&search.learned[0]));
    assert!(search.unlearn(Timestamp(5)));
    assert_eq!(search.radius_km, before.radius_km);
    assert!(fits(&search, &vacancy).is_some());
    assert!(!search.unlearn(Timestamp(5)), "only once");
}

#[test]
fn other_hours_narrow_on_the_side_that_was_asked() {
    for (prefers, from, to) in [
        (Prefers::FewerHours, (0, 0), Some((0, 23))),
        (Prefers::FewerHours, (16, 40), Some((16, 23))),
        (Prefers::FewerHours, (24, 40), None),
        (Prefers::MoreHours, (0, 0), Some((33, 40))),
        (Prefers::MoreHours, (16, 36), Some((33, 36))),
        (Prefers::MoreHours, (8, 24), None),
    ] {
        let hours = |(least, most)| Hours { least, most };
        let mut search = Search {
            hours: hours(from),
            ..search()
        };
        let lesson = search.prefers(prefers, &vacancy(), Timestamp(5));
        match to {
            Some(to) => {
                assert_eq!(search.hours, hours(to), "{prefers:?} from {from:?}");
                assert_eq!(fits(&search, &vacancy()), None);
                assert!(search.unlearn(Timestamp(5)));
            }
            None => assert_eq!(lesson, Lesson::Nothing, "{prefers:?} from {from:?}"),
        }
        assert_eq!(search.hours, hours(from));
    }
}

#[test]
fn other_days_takes_the_times_of_this_one_off() {
    let mut vacancy = vacancy();
    let mut search = search();
    let lesson = search.prefers(Prefers::OtherDays, &vacancy, Timestamp(4));
    assert_eq!(lesson, Lesson::Nothing, "it said no times");
    vacancy.needs.insert(Need::Weekend);
    assert!(fits(&search, &vacancy).is_some());
    search.prefers(Prefers::OtherDays, &vacancy, Timestamp(5));
    assert_eq!(fits(&search, &vacancy), None);
    assert!(search.unlearn(Timestamp(5)));
    assert!(fits(&search, &vacancy).is_some());
}

#[test]
fn other_work_refuses_the_title_and_nothing_that_is_looked_for() {
    let mut search = search();
    let lesson = search.prefers(Prefers::OtherWork, &vacancy(), Timestamp(5));
    let words = Refusal("magazijnmedewerker".into());
    assert_eq!(lesson, Lesson::NotThis { words });
    assert_eq!(fits(&search, &vacancy()), None);
    let other = Vacancy {
        title: "Hulp in het magazijn".into(),
        ..vacancy()
    };
    assert!(fits(&search, &other).is_some(), "only this title");
    assert!(search.can_unlearn(&search.learned[0]));
    assert!(search.unlearn(Timestamp(5)));
    assert!(fits(&search, &vacancy()).is_some());
    // A title that is all that is looked for.
    for (title, words) in [
        ("Magazijn", "magazijn"),
        ("Magazijnmedewerker (m/v)", "magazijnmedewerkers"),
        ("Werk voor 32 uur", "magazijn"),
    ] {
        let mut search = Search {
            words: vec![words.into()],
            ..search.clone()
        };
        let asked = Vacancy {
            title: title.into(),
            ..vacancy()
        };
        let lesson = search.prefers(Prefers::OtherWork, &asked, Timestamp(6));
        assert_eq!(lesson, Lesson::Nothing, "{title}");
        assert!(search.not_words.is_empty());
    }
}

#[test]
fn a_refusal_that_the_coach_took_out_is_not_taken_back() {
    let mut search = search();
    search.prefers(Prefers::OtherWork, &vacancy(), Timestamp(5));
    assert!(!format!("{:?}", search.learned[0].lesson).contains("magazijn"));
    search.not_words.clear();
    assert!(!search.can_unlearn(&search.learned[0]));
    assert!(!search.unlearn(Timestamp(5)));
}

#[test]
fn what_a_coach_changed_since_is_not_taken_back() {
    let mut search = search();
    search.too_far(&vacancy(), places(), Timestamp(5));
    search.radius_km = 30;
    assert!(!search.unlearn(Timestamp(5)));
    assert_eq!(search.radius_km, 30);
}

fn any_search() -> impl Strategy<Value = Search> {
    let word = prop::sample::select(vec!["magazijn", "inpakken", "bakker", "orders chef"]);
    let code = prop::sample::select(vec!["", "1102", "1012", "3511", "1381"]);
    (
        prop::collection::vec(word.prop_map(str::to_owned), 0..4),
        code,
        1..60u32,
        0..40u32,
        0..40u32,
        prop::collection::btree_set(prop::sample::select(Need::ALL.to_vec()), 0..8),
    )
        .prop_map(|(words, pc4, radius_km, one, other, has)| Search {
            words,
            pc4: pc4.to_owned(),
            radius_km,
            hours: Hours {
                least: one.min(other),
                most: one.max(other),
            },
            has,
            ..Search::default()
        })
}

fn any_vacancy() -> impl Strategy<Value = Vacancy> {
    let code = prop::sample::select(vec!["", "1102", "1012", "3511", "1381"]);
    let needs = prop::collection::btree_set(prop::sample::select(Need::ALL.to_vec()), 0..3);
    (code, needs, 0..40u32, 0..20u32).prop_map(|(pc4, needs, least, more)| Vacancy {
        pc4: pc4.to_owned(),
        needs,
        hours: Hours {
            least,
            most: least + more,
        },
        ..vacancy()
    })
}

proptest! {
    /// Whatever fits is near enough, asks nothing that is lacking, and is found by the forms.
    #[test]
    fn nothing_fits_that_breaks_a_wish(search in any_search(), vacancy in any_vacancy()) {
        let places = places();
        let (ready, offered) = (Ready::new(&search), Offered::new(vacancy.clone()));
        if let Some(fit) = fit(&ready, &offered, places) {
            prop_assert!((1..=100).contains(&fit.score));
            prop_assert!(vacancy.needs.is_subset(&search.has));
            if !search.pc4.is_empty() {
                prop_assert!(places.km(&search.pc4, &vacancy.pc4).unwrap() <= search.radius_km);
            }
            let found = |form: &&str| offered.title.contains(*form) || offered.text.contains(*form);
            prop_assert!(ready.forms().iter().any(found));
            prop_assert_eq!(reasons_from(&reasons_text(&fit.reasons)), fit.reasons);
        }
    }

    /// Answers only narrow: nothing fits afterwards that did not before, and an undo restores.
    #[test]
    fn answers_only_narrow(search in any_search(), asked in any_vacancy(), other in any_vacancy(), answer in 0..5) {
        let places = places();
        let mut after = search.clone();
        match answer {
            0 => after.too_far(&asked, places, Timestamp(1)),
            1 => after.prefers(Prefers::FewerHours, &asked, Timestamp(1)),
            2 => after.prefers(Prefers::MoreHours, &asked, Timestamp(1)),
            3 => after.prefers(Prefers::OtherWork, &asked, Timestamp(1)),
            _ => after.prefers(Prefers::OtherDays, &asked, Timestamp(1)),
        };
        if fits(&after, &other).is_some() {
            prop_assert!(fits(&search, &other).is_some());
        }
        after.unlearn(Timestamp(1));
        after.learned.clear();
        prop_assert_eq!(after, search);
    }
}
