//! The hours of a vacancy, the reasons of a match and what an answer taught, as phrases for texts: short, and
//! with a distance that says what it is.

use crate::domain::matching::{Lesson, Reason};
use crate::domain::vacancy::{Hours, Need};

/// "24 tot 32 uur per week"; where nobody told the hours, that.
pub fn hours(hours: Hours, locale: &str) -> String {
    let english = locale == "en";
    match hours {
        _ if !hours.known() && english => "hours to be agreed".to_owned(),
        _ if !hours.known() => "uren in overleg".to_owned(),
        Hours { least, most } if least == most && english => format!("{most} hours a week"),
        Hours { least, most } if least == most => format!("{most} uur per week"),
        Hours { least: 0, most } if english => format!("up to {most} hours a week"),
        Hours { least: 0, most } => format!("tot {most} uur per week"),
        Hours { least, most } if english => format!("{least} to {most} hours a week"),
        Hours { least, most } => format!("{least} tot {most} uur per week"),
    }
}

/// The reasons as one phrase: "ongeveer 6 km in een rechte lijn, geen rijbewijs nodig". Where there is none to tell,
/// the place.
pub fn why(reasons: &[Reason], town: &str, locale: &str) -> String {
    let told: Vec<String> = reasons
        .iter()
        .filter_map(|one| reason(*one, locale))
        .collect();
    if !told.is_empty() {
        return told.join(", ");
    }
    match (town.is_empty(), locale) {
        (false, _) => format!("in {town}"),
        (true, "en") => "it fits what you look for".to_owned(),
        (true, _) => "het past bij wat je zoekt".to_owned(),
    }
}

/// One reason for the person; that words fit goes without saying.
fn reason(reason: Reason, locale: &str) -> Option<String> {
    let english = locale == "en";
    Some(match reason {
        Reason::Km(0 | 1) if english => "close to your home".to_owned(),
        Reason::Km(0 | 1) => "dicht bij je huis".to_owned(),
        Reason::Km(km) if english => format!("about {km} km in a straight line"),
        Reason::Km(km) => format!("ongeveer {km} km in een rechte lijn"),
        Reason::Hours if english => "the hours you want".to_owned(),
        Reason::Hours => "de uren die je zoekt".to_owned(),
        Reason::NotNeeded(need) => not_needed(need, english)?.to_owned(),
        Reason::Words(_) => return None,
    })
}

const fn not_needed(need: Need, english: bool) -> Option<&'static str> {
    Some(match (need, english) {
        (Need::DrivingB, true) => "no driving licence needed",
        (Need::DrivingB, false) => "geen rijbewijs nodig",
        (Need::Vog, true) => "no certificate of conduct needed",
        (Need::Vog, false) => "geen VOG nodig",
        (Need::Diploma, true) => "no diploma needed",
        (Need::Diploma, false) => "geen diploma nodig",
        (Need::Dutch, true) => "you need not speak much Dutch",
        (Need::Dutch, false) => "je hoeft niet goed Nederlands te spreken",
        _ => return None,
    })
}

/// What an answer changed, told to the person. Where a search could not hold it, the coach looks at it.
pub fn lesson(lesson: Option<&Lesson>, locale: &str) -> String {
    let english = locale == "en";
    match lesson {
        Some(Lesson::Nearer { to, .. }) if english => {
            format!("We now look up to {to} km from you.")
        }
        Some(Lesson::Nearer { to, .. }) => format!("We zoeken nu tot {to} km van je huis."),
        Some(Lesson::Hours { to, .. }) if english => {
            format!("We now look for work of {}.", hours(*to, locale))
        }
        Some(Lesson::Hours { to, .. }) => {
            // "voor tot 23 uur" is no Dutch.
            let word = if to.least == 0 { "" } else { "voor " };
            format!("We zoeken nu werk {word}{}.", hours(*to, locale))
        }
        Some(Lesson::NotThen { .. }) if english => {
            "We now look for work at other times.".to_owned()
        }
        Some(Lesson::NotThen { .. }) => "We zoeken nu werk op andere tijden.".to_owned(),
        Some(Lesson::NotThis { .. }) if english => "We now look for other work.".to_owned(),
        Some(Lesson::NotThis { .. }) => "We zoeken nu ander werk.".to_owned(),
        Some(Lesson::Nothing) if english => "We tell your coach.".to_owned(),
        Some(Lesson::Nothing) => "We vertellen het je coach.".to_owned(),
        None if english => "We will mind it next time.".to_owned(),
        None => "We letten er voortaan op.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_says_what_it_is() {
        assert_eq!(
            reason(Reason::Km(6), "nl").unwrap(),
            "ongeveer 6 km in een rechte lijn"
        );
        assert_eq!(
            reason(Reason::Km(6), "en").unwrap(),
            "about 6 km in a straight line"
        );
        assert_eq!(reason(Reason::Words(2), "nl"), None);
    }

    #[test]
    fn hours_are_a_phrase() {
        let told = |least, most| hours(Hours { least, most }, "nl");
        assert_eq!(told(24, 32), "24 tot 32 uur per week");
        assert_eq!(told(32, 32), "32 uur per week");
        assert_eq!(told(0, 23), "tot 23 uur per week");
        assert_eq!(told(0, 0), "uren in overleg");
    }

    #[test]
    fn what_was_learned_about_hours_is_no_time_of_the_clock() {
        let told = |least, most, locale| {
            let from = Hours { least: 0, most: 40 };
            let to = Hours { least, most };
            lesson(Some(&Lesson::Hours { from, to }), locale)
        };
        assert_eq!(told(0, 23, "nl"), "We zoeken nu werk tot 23 uur per week.");
        assert_eq!(
            told(24, 32, "nl"),
            "We zoeken nu werk voor 24 tot 32 uur per week."
        );
        assert_eq!(
            told(0, 23, "en"),
            "We now look for work of up to 23 hours a week."
        );
    }
}
