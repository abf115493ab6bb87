//! May this form leave by this address now? WhatsApp's 24-hour window, and the sizes that a phone
//! and its provider put up with. Who may be written to at all is not decided here.

use super::contact::AddressKind;
use super::message::{Choice, FormBody};
use super::time::Timestamp;

/// WhatsApp lets us write freely for a day after the person wrote.
const WINDOW_SECONDS: i64 = 24 * 60 * 60;
/// Our clock, Meta's clock and a line of waiting messages may differ this much.
const MARGIN_SECONDS: i64 = 10 * 60;

/// Why a form may not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// Only a template may open the conversation.
    Window,
    /// This kind of address never takes this kind of form.
    Kind,
    /// Too long, too many answers, or two answers alike.
    Size,
}

/// Is the 24-hour window open? Nothing heard, or something "heard" in the future, opens none.
pub fn is_open(heard_at: Option<Timestamp>, now: Timestamp) -> bool {
    heard_at.is_some_and(|heard_at| {
        heard_at <= now.plus_seconds(MARGIN_SECONDS) && now < closes_at(heard_at)
    })
}

/// From this moment on we count the window as shut.
pub const fn closes_at(heard_at: Timestamp) -> Timestamp {
    heard_at.plus_seconds(WINDOW_SECONDS - MARGIN_SECONDS)
}

/// May this form leave by this kind of address, when the person was last heard there at
/// `heard_at`?
pub fn may_leave(
    body: &FormBody,
    by: AddressKind,
    heard_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Shut> {
    match (by, body) {
        (AddressKind::Whatsapp | AddressKind::Bsuid, FormBody::Template(_)) => {}
        (AddressKind::Whatsapp | AddressKind::Bsuid, _) => {
            if !is_open(heard_at, now) {
                return Err(Shut::Window);
            }
        }
        (AddressKind::Phone | AddressKind::Email, FormBody::Text { .. }) => return Ok(()),
        (AddressKind::Phone | AddressKind::Email, _) => return Err(Shut::Kind),
    }
    if fits_whatsapp(body) {
        Ok(())
    } else {
        Err(Shut::Size)
    }
}

/// Meta's limits, in UTF-16 units: it says "characters" and does not define them, so an emoji
/// counts as two.
pub fn fits_whatsapp(body: &FormBody) -> bool {
    match body {
        FormBody::Text { text } => within(text, 4096),
        FormBody::Buttons {
            text,
            choices,
            list_label,
        } => {
            let (most, label, payload) = if choices.len() <= 3 {
                (3, 20, 256)
            } else {
                (10, 24, 200)
            };
            let list_label = choices.len() <= 3 || within(list_label, 20);
            within(text, 1024) && list_label && choices_fit(choices, most, label, payload)
        }
        FormBody::Template(template) => {
            within(&template.body, 1024)
                && template.params.iter().all(|param| !param.trim().is_empty())
                && choices_fit(&template.buttons, 10, 25, 256)
        }
    }
}

fn choices_fit(choices: &[Choice], most: usize, label: usize, payload: usize) -> bool {
    let alike = |a: &Choice, b: &Choice| a.label == b.label || a.payload == b.payload;
    choices.len() <= most
        && choices
            .iter()
            .all(|c| within(&c.label, label) && within(&c.payload, payload))
        && !choices
            .iter()
            .enumerate()
            .any(|(n, a)| choices[..n].iter().any(|b| alike(a, b)))
}

/// Not empty, and not longer than so many units.
fn within(text: &str, units: usize) -> bool {
    !text.trim().is_empty() && text.encode_utf16().count() <= units
}

/// A template parameter as Meta takes it: line breaks, tabs and rows of spaces become one space.
/// Meta refuses the whole message otherwise (132018).
pub fn template_param(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::Template;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn text(text: &str) -> FormBody {
        FormBody::Text {
            text: text.to_owned(),
        }
    }

    fn buttons(labels: &[&str]) -> FormBody {
        let choice = |label: &&str| Choice {
            payload: format!("s:{label}"),
            label: (*label).to_owned(),
        };
        FormBody::Buttons {
            text: "Is je cv af?".to_owned(),
            choices: labels.iter().map(choice).collect(),
            list_label: "Kies".to_owned(),
        }
    }

    fn template() -> FormBody {
        FormBody::Template(Template {
            name: "task_due".to_owned(),
            language: "nl".to_owned(),
            category: "utility".to_owned(),
            params: vec!["Samira".to_owned()],
            body: "Hoi Samira".to_owned(),
            buttons: Vec::new(),
        })
    }

    #[test]
    fn the_window_shuts_ten_minutes_early() {
        let heard = |seconds_ago: i64| Some(NOW.plus_seconds(-seconds_ago));
        assert!(is_open(heard(0), NOW));
        assert!(is_open(heard(24 * 3600 - 601), NOW));
        assert!(!is_open(heard(24 * 3600 - 600), NOW));
        assert!(!is_open(heard(24 * 3600), NOW));
        assert!(!is_open(None, NOW));
    }

    #[test]
    fn a_moment_in_the_future_opens_no_window() {
        assert!(
            is_open(Some(NOW.plus_seconds(600)), NOW),
            "clocks differ a little"
        );
        assert!(!is_open(Some(NOW.plus_seconds(601)), NOW));
        assert!(!is_open(Some(Timestamp(i64::MAX)), NOW));
        assert!(!is_open(Some(Timestamp(0)), NOW));
    }

    #[test]
    fn outside_the_window_only_a_template_may_leave() {
        let open = Some(NOW.plus_seconds(-60));
        for by in [AddressKind::Whatsapp, AddressKind::Bsuid] {
            assert_eq!(may_leave(&text("Hoi"), by, open, NOW), Ok(()));
            assert_eq!(may_leave(&buttons(&["ja", "nee"]), by, open, NOW), Ok(()));
            assert_eq!(may_leave(&text("Hoi"), by, None, NOW), Err(Shut::Window));
            assert_eq!(
                may_leave(&buttons(&["ja"]), by, None, NOW),
                Err(Shut::Window)
            );
            assert_eq!(may_leave(&template(), by, None, NOW), Ok(()));
            assert_eq!(may_leave(&template(), by, open, NOW), Ok(()));
        }
    }

    #[test]
    fn sms_and_mail_know_no_window_and_take_only_text() {
        for by in [AddressKind::Phone, AddressKind::Email] {
            assert_eq!(may_leave(&text("Hoi"), by, None, NOW), Ok(()));
            assert_eq!(may_leave(&template(), by, None, NOW), Err(Shut::Kind));
            assert_eq!(may_leave(&buttons(&["ja"]), by, None, NOW), Err(Shut::Kind));
        }
    }

    #[test]
    fn sizes_are_metas() {
        let long = |n: usize| "a".repeat(n);
        assert!(fits_whatsapp(&text(&long(4096))));
        assert!(!fits_whatsapp(&text(&long(4097))));
        assert!(
            !fits_whatsapp(&text(&"👍".repeat(2049))),
            "an emoji counts as two"
        );
        assert!(!fits_whatsapp(&text("  ")));
        assert!(fits_whatsapp(&buttons(&[&long(20)])));
        assert!(!fits_whatsapp(&buttons(&[&long(21)])));
        assert!(!fits_whatsapp(&buttons(&["ja", "ja"])), "two answers alike");
        let list = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"];
        assert!(fits_whatsapp(&buttons(&list[..10])));
        assert!(!fits_whatsapp(&buttons(&list)));
        assert!(fits_whatsapp(&buttons(&["1", "2", "3", &long(24)])));
        assert!(!fits_whatsapp(&buttons(&["1", "2", "3", &long(25)])));
    }

    #[test]
    fn a_parameter_is_one_line() {
        assert_eq!(
            template_param("je cv\n  af\tmaken     nu "),
            "je cv af maken nu"
        );
    }
}
