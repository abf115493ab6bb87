//! What the town of the demo has: free moments of both coaches, one appointment, vacancies near by, and
//! who looks for which work. All made up; the postcodes are of a real town, so that distances are true.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveTime};

use crate::app::vacancies::{search, take};
use crate::app::{App, AppError, House, meetings, slots};
use crate::domain::access::Scope;
use crate::domain::ids::CandidateId;
use crate::domain::plan::{MeetingKind, MeetingMode};
use crate::domain::series::Series;
use crate::domain::time::{Timestamp, add_working_days};
use crate::domain::vacancy::Raw;
use crate::store::vacancies::Source;
use crate::wire::feeds::Read;

const OFFICE: &str = "Stadhuis Waterstad, kamer 2.14";
/// The name under which the vacancies came in; no feed of the settings has it.
const SOURCE: &str = "demo";
/// Vacancies close so many days from now.
const OPEN_DAYS: u64 = 45;

/// Free moments of half an hour, each week for a month: the place of the coach in `COACHES`, working days
/// from today, from and to which hour.
const MOMENTS: [(usize, i32, u32, u32); 2] = [(0, 2, 10, 12), (1, 3, 13, 15)];

/// Who is expected at the first free moment of their coach.
const EXPECTED: &str = "Tineke";

/// Reference, title, employer, postcode, hours, and what the work is.
const VACANCIES: [[&str; 6]; 6] = [
    [
        "1041",
        "Groepshulp kinderopvang",
        "Kinderopvang De Kade",
        "4331 AB",
        "16-24",
        "Je helpt op een groep met kinderen van 2 tot 4 jaar. Een VOG is nodig, een diploma niet.",
    ],
    [
        "1042",
        "Medewerker bibliotheek",
        "Bibliotheek Waterstad",
        "4331 CD",
        "20-24",
        "Je helpt bezoekers, ruimt boeken op en doet kantoorwerk aan de balie.",
    ],
    [
        "1043",
        "Kitchen assistant hotel",
        "Hotel Het Spoor",
        "4337 PB",
        "24-32",
        "Work in our kitchen, early shifts. English is fine.",
    ],
    [
        "1044",
        "Lasser constructie",
        "Staalbouw Havenzicht",
        "4382 NE",
        "36-40",
        "Lassen in ploegen van vier. Rijbewijs B is nodig.",
    ],
    [
        "1045",
        "Medewerker wasserij",
        "Wasserij Helder",
        "4338 PL",
        "20-32",
        "Sorteren en vouwen in een klein team, overdag. Nederlands leer je hier op het werk.",
    ],
    [
        "1046",
        "Leerling monteur",
        "Techniekhuis Zeeland",
        "4462 GE",
        "32-40",
        "Leren en werken in de techniek, vier dagen werk en een dag school.",
    ],
];

/// First name, words, postcode, kilometres, least and most hours. The first morning of the
/// first coach is for the step of the phone that is shown first: who looks for work there has that step first.
const SEARCHES: [(&str, &str, &str, u32, u32, u32); 3] = [
    ("Samira", "kinderopvang, groepshulp", "4335 BA", 10, 16, 24),
    ("Jamila", "wasserij, keuken", "4336 KB", 10, 16, 32),
    ("Mohammed", "techniek, monteur", "4331 JT", 40, 32, 40),
];

/// Opens the town, through the verbs of the pages.
pub(super) async fn open(
    app: &App,
    house: &House,
    scopes: &[Scope],
    people: &BTreeMap<&str, (usize, CandidateId)>,
    now: Timestamp,
) -> Result<(), AppError> {
    let today = now.local_day(house.zone);
    let (team, _) = house.teams.first().ok_or(AppError::NotFound)?;
    let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
    for (coach, days, from, to) in MOMENTS {
        let scope = scopes.get(coach).ok_or(AppError::NotFound)?;
        let series = Series {
            first: add_working_days(today, days, &house.holidays),
            from: hour(from),
            to: hour(to),
            minutes: 30,
            weeks: 4,
        };
        let opening = slots::Opening {
            team: *team,
            series,
            mode: MeetingMode::Office,
            place: OFFICE.to_owned(),
            capacity: 1,
        };
        slots::open(app, scope, &opening).await?;
    }
    expected(app, scopes, people, now).await?;
    let closes = today
        .checked_add_days(Days::new(OPEN_DAYS))
        .unwrap_or(today);
    let vacancies = VACANCIES.map(|[reference, title, employer, postcode, hours, text]| Raw {
        reference: reference.to_owned(),
        title: title.to_owned(),
        employer: employer.to_owned(),
        text: text.to_owned(),
        url: format!("https://werk.waterstad.example/{reference}"),
        postcode: postcode.to_owned(),
        town: "Waterstad".to_owned(),
        hours: hours.to_owned(),
        needs: String::new(),
        closes: closes.to_string(),
    });
    let read = Read {
        vacancies: vacancies.into(),
        unread: 0,
    };
    let source = Source {
        organisation: house.id,
        name: SOURCE,
    };
    take::take(app, source, &read, false, 0).await?;
    for (name, words, postcode, radius_km, least, most) in SEARCHES {
        let (coach, candidate) = people.get(name).ok_or(AppError::NotFound)?;
        let scope = scopes.get(*coach).ok_or(AppError::NotFound)?;
        let written = search::Written {
            words: words.to_owned(),
            not_words: String::new(),
            postcode: postcode.to_owned(),
            radius_km,
            least,
            most,
            has: BTreeSet::new(),
            version: None,
        };
        search::save(app, scope, *candidate, &written).await?;
    }
    Ok(())
}

/// One appointment in the first free moment: the person is told at once, and reminded the working day before.
async fn expected(
    app: &App,
    scopes: &[Scope],
    people: &BTreeMap<&str, (usize, CandidateId)>,
    now: Timestamp,
) -> Result<(), AppError> {
    let (coach, candidate) = people.get(EXPECTED).ok_or(AppError::NotFound)?;
    let scope = scopes.get(*coach).ok_or(AppError::NotFound)?;
    let mut tx = app.store.read().await?;
    let ahead = now.plus_days(14);
    let moments = crate::store::slots::of_coach(&mut tx, scope.coach, now, ahead).await?;
    drop(tx);
    let first = moments.first().ok_or(AppError::NotFound)?;
    let what = (MeetingKind::Progress, "");
    meetings::book_slot(app, scope, *candidate, first.id, what).await?;
    Ok(())
}
