//! A moment in few letters, as it stands on a button: WhatsApp shows at most twenty.

use chrono::{Datelike, NaiveDateTime};

/// `di 10 mrt 10:00`, `Tue 10 Mar 10:00`; in Dutch for a language that we have no words of.
pub fn brief(at: NaiveDateTime, locale: &str) -> String {
    const NL: ([&str; 7], [&str; 12]) = (
        ["ma", "di", "wo", "do", "vr", "za", "zo"],
        [
            "jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec",
        ],
    );
    const EN: ([&str; 7], [&str; 12]) = (
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ],
    );
    let (days, months) = if locale == "en" { EN } else { NL };
    let weekday = usize::try_from(at.weekday().num_days_from_monday()).unwrap_or(0);
    let month = usize::try_from(at.month0()).unwrap_or(0);
    format!(
        "{} {} {} {}",
        days[weekday],
        at.day(),
        months[month],
        at.format("%H:%M")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_fits_on_a_button_in_every_language() {
        let day = chrono::NaiveDate::from_ymd_opt(2026, 3, 10).unwrap();
        let at = day.and_hms_opt(10, 0, 0).unwrap();
        assert_eq!(brief(at, "nl"), "di 10 mrt 10:00");
        assert_eq!(brief(at, "en"), "Tue 10 Mar 10:00");
        assert_eq!(brief(at, "ar"), "di 10 mrt 10:00");
        for day in day.iter_days().take(366) {
            for locale in ["nl", "en"] {
                let label = brief(day.and_hms_opt(23, 59, 0).unwrap(), locale);
                assert!(label.chars().count() <= 20, "{label}");
            }
        }
    }
}
