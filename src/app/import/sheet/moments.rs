//! Rows about moments: the slots of coaches and the meetings of people. Times are local to the organisation.

use chrono::{Datelike, NaiveDateTime};

use super::{Cells, MAIL, mail};
use crate::domain::plan::{MeetingKind, MeetingMode, MeetingState};

pub struct SlotRow {
    pub reference: String,
    pub coach_email: String,
    pub starts_at: NaiveDateTime,
    pub minutes: u32,
    pub mode: MeetingMode,
    pub place: String,
    pub capacity: u32,
    pub open: bool,
}

pub struct MeetingRow {
    pub reference: String,
    pub candidate_ref: String,
    pub coach_email: String,
    pub kind: MeetingKind,
    pub mode: MeetingMode,
    pub starts_at: NaiveDateTime,
    pub minutes: u32,
    pub place: String,
    /// Never `Proposed`: who has no moment is invited, not imported.
    pub state: MeetingState,
}

const MOMENT: &str = "a day and a time such as 2026-03-10 14:30";
const MODE: &str = "office, phone, video or elsewhere";
const MINUTES: &str = "minutes from 5 to 480";

pub(super) fn slot(cells: &mut Cells<'_, '_, '_>) -> Option<SlotRow> {
    let reference = cells.text("ref", 100);
    let coach_email = cells.word("coach_email", MAIL, mail);
    let starts_at = cells.word("starts_at", MOMENT, moment);
    let minutes = cells.word("minutes", MINUTES, |text| number(text, 5, 480));
    let mode = cells.word("mode", MODE, MeetingMode::parse);
    let place = place(cells, mode);
    let capacity = cells.word("capacity", "a number from 1 to 50", |text| {
        number(text, 1, 50)
    });
    let open = cells.word("state", "open or withdrawn", |text| match text {
        "open" => Some(true),
        "withdrawn" => Some(false),
        _ => None,
    });
    Some(SlotRow {
        reference: reference?,
        coach_email: coach_email?,
        starts_at: starts_at?,
        minutes: minutes?,
        mode: mode?,
        place: place?,
        capacity: capacity?,
        open: open?,
    })
}

pub(super) fn meeting(cells: &mut Cells<'_, '_, '_>) -> Option<MeetingRow> {
    let reference = cells.text("ref", 100);
    let candidate_ref = cells.text("candidate_ref", 100);
    let coach_email = cells.word("coach_email", MAIL, mail);
    let kind = cells.word(
        "kind",
        "intake, progress, diagnosis, reassessment, practice or workshop",
        MeetingKind::parse,
    );
    let mode = cells.word("mode", MODE, MeetingMode::parse);
    let starts_at = cells.word("starts_at", MOMENT, moment);
    let minutes = cells.word("minutes", MINUTES, |text| number(text, 5, 480));
    let place = place(cells, mode);
    let state = cells.word("state", "booked, held, missed or cancelled", |text| {
        MeetingState::parse(text).filter(|state| *state != MeetingState::Proposed)
    });
    let offline_only = kind.is_some_and(MeetingKind::offline_only);
    if offline_only && mode.is_some_and(|mode| mode != MeetingMode::Office) {
        cells.wrong("mode", "office, for this kind of meeting");
        return None;
    }
    Some(MeetingRow {
        reference: reference?,
        candidate_ref: candidate_ref?,
        coach_email: coach_email?,
        kind: kind?,
        mode: mode?,
        starts_at: starts_at?,
        minutes: minutes?,
        place: place?,
        state: state?,
    })
}

/// Where to be: needed in a room, a link for video.
fn place(cells: &mut Cells<'_, '_, '_>, mode: Option<MeetingMode>) -> Option<String> {
    let text = cells.cell("place").to_owned();
    let odd = text.chars().any(char::is_control) || text.chars().count() > 200;
    let fine = match mode {
        Some(MeetingMode::Video) => text.starts_with("https://"),
        Some(MeetingMode::Office | MeetingMode::Elsewhere) => !text.is_empty(),
        Some(MeetingMode::Phone) | None => true,
    };
    if odd || !fine {
        let expected = "where it is in at most 200 characters; for video a link with https";
        cells.wrong("place", expected);
        return None;
    }
    Some(text)
}

/// Strict, as days are: `2026-03-10 14:30`.
fn moment(text: &str) -> Option<NaiveDateTime> {
    let at = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok()?;
    (text.len() == 16 && (1990..2100).contains(&at.year())).then_some(at)
}

fn number(text: &str, least: u32, most: u32) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits)?;
    (least..=most).contains(&number).then_some(number)
}
