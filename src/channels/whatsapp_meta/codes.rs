//! Meta's error codes: what each means and what it lets us do. One table, used for refusals, for
//! *failed* receipts and for the operator's sentences.
//!
//! Sources: Meta's "Error codes" page for the Cloud API (January 2026) and its page on
//! business-scoped user ids (June 2026); codes that neither page lists are those that
//! `david-lev/pywa` and `nyaruka/courier` handle in production.

use std::ops::RangeInclusive;

use crate::ports::channel::Outcome;

/// What a code lets us do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Again, after so many seconds (0: as the house thinks best).
    Wait(u32),
    /// Again, but only this recipient waits.
    WaitForPerson(u32),
    /// The next form; this address may still work another time.
    NextForm,
    /// The next form; this address cannot be reached.
    Dead,
    /// Never, in this form or another.
    Refuse,
    /// Never: the person asked for it.
    OptOut,
    /// Nothing more goes out on this line until an operator has looked.
    Stop,
}

struct Row(RangeInclusive<u32>, &'static str, Then);

const fn one(code: u32, meaning: &'static str, then: Then) -> Row {
    Row(code..=code, meaning, then)
}

/// The first row that holds a code counts.
static TABLE: &[Row] = &[
    one(0, "access token invalid", Then::Stop),
    one(1, "unknown request or server error", Then::Wait(0)),
    one(2, "temporary outage", Then::Wait(0)),
    one(3, "capability missing", Then::Stop),
    one(4, "app call limit", Then::Wait(300)),
    one(10, "permission missing", Then::Stop),
    one(33, "business number deleted", Then::Stop),
    one(100, "bad parameter", Then::Refuse),
    one(190, "access token expired", Then::Stop),
    Row(200..=299, "permission missing", Then::Stop),
    one(368, "account restricted by policy", Then::Stop),
    one(80007, "account rate limit", Then::Wait(300)),
    one(130429, "throughput exceeded", Then::Wait(10)),
    one(130472, "person in an experiment of Meta", Then::NextForm),
    one(
        130497,
        "country not allowed for this account",
        Then::NextForm,
    ),
    one(131000, "unknown error", Then::Wait(0)),
    one(131005, "permission missing", Then::Stop),
    one(131008, "required parameter missing", Then::Refuse),
    one(131009, "parameter value not valid", Then::Refuse),
    one(131016, "temporary outage", Then::Wait(0)),
    one(131020, "group not usable", Then::Refuse),
    one(131021, "sender and recipient are the same", Then::Refuse),
    one(
        131026,
        "undeliverable: not on WhatsApp, or an old app",
        Then::Dead,
    ),
    one(
        131030,
        "recipient not on the test number's list",
        Then::Refuse,
    ),
    one(131031, "account locked", Then::Stop),
    one(131037, "display name not approved", Then::Stop),
    one(131041, "group not usable", Then::Refuse),
    one(131042, "payment problem", Then::Stop),
    one(131044, "payment problem (calls)", Then::Stop),
    one(131045, "number not registered correctly", Then::Stop),
    one(
        131047,
        "more than 24 hours since the person wrote",
        Then::NextForm,
    ),
    // Going on under a spam limit makes it worse: an operator decides.
    one(131048, "spam limit on this number", Then::Stop),
    one(131049, "Meta chose not to deliver", Then::NextForm),
    one(131050, "person stopped marketing messages", Then::OptOut),
    one(131051, "message type not supported", Then::Refuse),
    one(
        131052,
        "the person's file could not be downloaded",
        Then::Refuse,
    ),
    one(131053, "file upload failed", Then::Wait(0)),
    one(131055, "only for the Marketing Messages API", Then::Refuse),
    // Meta's advice is 4^X seconds; the house counts X.
    one(
        131056,
        "too many messages to this person",
        Then::WaitForPerson(4),
    ),
    one(131057, "number in maintenance", Then::Wait(60)),
    one(
        131062,
        "user id not allowed for this message",
        Then::NextForm,
    ),
    one(131063, "marketing disabled on the Cloud API", Then::Stop),
    one(131064, "limited for misclassified templates", Then::Stop),
    Row(131_200..=131_299, "group not usable", Then::Refuse),
    one(
        132000,
        "number of template parameters differs",
        Then::Refuse,
    ),
    one(132001, "template or its language missing", Then::NextForm),
    one(132005, "filled-in template too long", Then::Refuse),
    one(132007, "template content against policy", Then::Refuse),
    one(132008, "template parameter not valid", Then::Refuse),
    one(132012, "template parameter format differs", Then::Refuse),
    one(132015, "template paused", Then::NextForm),
    one(132016, "template disabled", Then::NextForm),
    one(132018, "template parameter not valid", Then::Refuse),
    one(132068, "flow blocked", Then::Refuse),
    one(132069, "flow throttled", Then::Wait(300)),
    one(133000, "deregistration incomplete", Then::Stop),
    one(133004, "temporary outage", Then::Wait(0)),
    one(133005, "PIN wrong", Then::Stop),
    one(133006, "number not verified", Then::Stop),
    one(133008, "too many PIN guesses", Then::Stop),
    one(133009, "PIN guessed too fast", Then::Stop),
    one(133010, "number not registered", Then::Stop),
    one(133015, "number was deregistered just now", Then::Wait(300)),
    one(133016, "too many registrations", Then::Stop),
    one(134011, "payment terms not accepted", Then::Stop),
    Row(
        134_100..=134_102,
        "only for the Marketing Messages API",
        Then::Refuse,
    ),
    one(135000, "bad parameter", Then::Refuse),
    one(137000, "the person's identity changed", Then::Refuse),
];

/// What a code means, in a few words for the operator.
pub fn meaning(code: &str) -> Option<&'static str> {
    row(code).map(|Row(_, meaning, _)| *meaning)
}

/// What a refusal with this code proves. `None`: a code that nobody has described.
pub fn refused(code: &str) -> Option<Outcome> {
    let Row(_, _, then) = row(code)?;
    let code = code.to_owned();
    Some(match *then {
        Then::Wait(0) => Outcome::Later {
            code,
            after_seconds: None,
        },
        Then::Wait(seconds) => Outcome::Later {
            code,
            after_seconds: Some(seconds),
        },
        Then::WaitForPerson(after_seconds) => Outcome::LaterForThisPerson {
            code,
            after_seconds,
        },
        Then::NextForm => Outcome::NextForm { code, dead: false },
        Then::Dead => Outcome::NextForm { code, dead: true },
        Then::Refuse => Outcome::Rejected { code },
        Then::OptOut => Outcome::OptedOut { code },
        Then::Stop => Outcome::Misconfigured { code },
    })
}

/// What a *failed* receipt with this code proves. Only codes that say "this did not reach the
/// person, and will not" let the next form go; all others are for the coach, never a resend.
pub fn failed(code: &str) -> Outcome {
    const UNDELIVERABLE: [u32; 6] = [130_472, 130_497, 131_026, 131_047, 131_049, 131_062];
    let undeliverable = number(code).is_some_and(|code| UNDELIVERABLE.contains(&code));
    match refused(code) {
        Some(outcome) if undeliverable => outcome,
        _ => Outcome::Rejected {
            code: code.to_owned(),
        },
    }
}

fn row(code: &str) -> Option<&'static Row> {
    let code = number(code)?;
    TABLE.iter().find(|Row(codes, _, _)| codes.contains(&code))
}

fn number(code: &str) -> Option<u32> {
    code.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_hides_another() {
        for (index, Row(codes, _, _)) in TABLE.iter().enumerate() {
            for code in codes.clone() {
                let first = TABLE
                    .iter()
                    .position(|Row(codes, _, _)| codes.contains(&code));
                assert_eq!(first, Some(index), "{code} stands twice");
            }
        }
    }

    #[test]
    fn a_failed_receipt_opens_the_next_form_only_when_it_says_undeliverable() {
        let next = |code: &str, dead| Outcome::NextForm {
            code: code.to_owned(),
            dead,
        };
        assert_eq!(failed("131026"), next("131026", true));
        assert_eq!(failed("131047"), next("131047", false));
        // A template that is paused, an outage, an unknown code: for the coach.
        for code in ["132015", "131000", "131056", "190", "999999", "", "x"] {
            assert_eq!(
                failed(code),
                Outcome::Rejected {
                    code: code.to_owned()
                }
            );
        }
    }
}
