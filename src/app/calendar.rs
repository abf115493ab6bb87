//! Calendar files: of one meeting, for the person; of all of a coach's, as a feed for the coach's own
//! calendar program. A calendar program is somebody else's computer, so it learns a first name and a
//! moment, and nothing of why.

pub mod busy;

use super::meetings::own;
use super::{App, AppError, House, trail};
use crate::domain::access::Scope;
use crate::domain::contact::AddressKind;
use crate::domain::ics::{Entry, Method, Party, calendar};
use crate::domain::ids::MeetingId;
use crate::domain::plan::{MeetingMode, MeetingState};
use crate::domain::time::Timestamp;
use crate::store::contacts::{self, Person};
use crate::store::meetings::{self, MeetingRow};
use crate::store::{Tx, addresses, calendars, coaches};

/// How far back and ahead a feed reaches.
const BACK_DAYS: i64 = 60;
const AHEAD_DAYS: i64 = 400;
/// A meeting without an end takes this long.
const USUAL_SECONDS: i64 = 30 * 60;

/// The words of a calendar entry, in the reader's language.
struct Words {
    with: &'static str,
    phone: &'static str,
    task: &'static str,
    feed: &'static str,
}

const fn words(language: &str) -> Words {
    match language.as_bytes() {
        b"en" => Words {
            with: "Meeting with",
            phone: "By phone",
            task: "What you do together:",
            feed: "Tussendoor: meetings of",
        },
        _ => Words {
            with: "Afspraak met",
            phone: "Per telefoon",
            task: "Wat jullie samen doen:",
            feed: "Tussendoor: afspraken van",
        },
    }
}

/// The file of one meeting for the person's own calendar, as a coach downloads it: the same bytes until
/// the meeting changes. `NotFound` for one that never had a moment.
pub async fn file(app: &App, scope: &Scope, id: MeetingId) -> Result<String, AppError> {
    let mut tx = app.store.read().await?;
    let (person, row) = own(&mut tx, scope, id).await?;
    let house = app.house(person.organisation)?;
    invitation(&mut tx, house, &person, &row)
        .await?
        .ok_or(AppError::NotFound)
}

/// The same, as a mail would carry it: a request that takes the place of what has the same UID, or the
/// end of it.
pub async fn invitation(
    tx: &mut Tx,
    house: &House,
    person: &Person,
    row: &MeetingRow,
) -> Result<Option<String>, AppError> {
    let words = words(&person.candidate.language);
    let Some(coach) = coaches::coach(tx, row.coach).await? else {
        return Ok(None);
    };
    let Some(mut entry) = entry(row, &words, &coach.name) else {
        return Ok(None);
    };
    let sealer = tx.sealer(person.key).await?;
    let task = row.task(&sealer)?;
    if !task.is_empty() {
        entry.description = format!("{} {task}", words.task);
    }
    let addresses = addresses::of(tx, &sealer, person.candidate.id).await?;
    let mail = addresses
        .into_iter()
        .find(|address| address.kind == AddressKind::Email && address.state.usable());
    let gone = entry.cancelled;
    let method = match &mail {
        // A request names who is asked (RFC 5546 section 3.2.2); without an address nobody is.
        None => Method::Publish,
        Some(_) if gone => Method::Cancel,
        Some(_) => Method::Request,
    };
    if let Some(mail) = mail {
        entry.attendees = vec![Party {
            name: person.candidate.first_name.clone(),
            email: mail.value,
        }];
    }
    entry.organizer = Some(Party {
        name: coach.name,
        email: coach.email,
    });
    Ok(Some(calendar(method, None, &[entry], house.zone)))
}

/// A meeting as an entry; `None` before it has a moment.
fn entry(row: &MeetingRow, words: &Words, with: &str) -> Option<Entry> {
    let meeting = &row.meeting;
    let starts_at = meeting.starts_at?;
    let usual = starts_at.plus_seconds(USUAL_SECONDS);
    let place = meeting.place.clone().unwrap_or_default();
    let is_link = meeting.mode == MeetingMode::Video;
    let called_off = matches!(
        meeting.state,
        MeetingState::Cancelled | MeetingState::Proposed
    );
    Some(Entry {
        uid: row.uid.clone(),
        sequence: row.sequence,
        changed_at: row.changed_at,
        starts_at,
        ends_at: meeting
            .ends_at
            .filter(|end| *end > starts_at)
            .unwrap_or(usual),
        summary: format!("{} {with}", words.with),
        description: String::new(),
        location: match meeting.mode {
            MeetingMode::Phone if place.is_empty() => words.phone.to_owned(),
            _ => place.clone(),
        },
        url: Some(place).filter(|_| is_link),
        organizer: None,
        attendees: Vec::new(),
        cancelled: called_off,
    })
}

/// Everything of the coach whose secret address this is. `NotFound` for any other.
pub async fn feed(app: &App, token: &str) -> Result<String, AppError> {
    let now = app.now();
    let mut tx = app.store.read().await?;
    let owner = calendars::whose(&mut tx, token)
        .await?
        .ok_or(AppError::NotFound)?;
    let house = app.house(owner.organisation)?;
    let words = words(&owner.language);
    let (from, until) = (now.plus_days(-BACK_DAYS), now.plus_days(AHEAD_DAYS));
    let mut entries = Vec::new();
    for row in meetings::for_calendar(&mut tx, owner.coach, from, until).await? {
        // Erased meanwhile: there is nobody to name.
        let Some(person) = contacts::person(&mut tx, row.candidate).await? else {
            continue;
        };
        entries.extend(entry(&row, &words, &person.candidate.first_name));
    }
    let name = format!("{} {}", words.feed, owner.name);
    Ok(calendar(Method::Publish, Some(&name), &entries, house.zone))
}

/// How a coach's calendar is connected.
pub struct Connected {
    /// Since when there is an address to read it at.
    pub feed_since: Option<Timestamp>,
    /// When the coach's other appointments were last read, and what is wrong since; `None`: they are not.
    pub busy: Option<(Option<Timestamp>, Option<String>)>,
}

pub async fn connected(app: &App, scope: &Scope) -> Result<Connected, AppError> {
    let mut tx = app.store.read().await?;
    Ok(Connected {
        feed_since: calendars::made_at(&mut tx, scope.coach).await?,
        busy: calendars::busy_of(&mut tx, scope.coach).await?,
    })
}

/// A new secret address of this coach's calendar; it is shown once. Who had the old one reads nothing more.
pub async fn renew(app: &App, scope: &Scope) -> Result<String, AppError> {
    let now = app.now();
    let token = app.chance.token();
    let mut tx = app.store.write().await?;
    calendars::renew(&mut tx, scope.coach, &token, now).await?;
    let object = format!("coach:{}", scope.coach);
    trail::by_coach(app, &mut tx, scope, "calendar_renew", object, now).await?;
    tx.commit().await?;
    Ok(token)
}

/// There is no such address any more.
pub async fn end(app: &App, scope: &Scope) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    calendars::end(&mut tx, scope.coach).await?;
    let object = format!("coach:{}", scope.coach);
    trail::by_coach(app, &mut tx, scope, "calendar_end", object, now).await?;
    Ok(tx.commit().await?)
}
