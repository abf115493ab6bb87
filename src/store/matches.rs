//! Which vacancy fits whom, why, and what became of it: found, asked, and the person's answer. The reasons
//! are codes without a word of the search.

use std::collections::{BTreeMap, BTreeSet};

use super::Serves;
use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::{Row, Tx};
use crate::domain::access::Scope;
use crate::domain::ids::{CandidateId, OrganisationId, RowId, VacancyId};
use crate::domain::matching::{Reason, reasons_from, reasons_text};
use crate::domain::time::Timestamp;

statements! {
    ADD = { batch: "WITH v (id, vacancy, candidate, points, reasons, seen) AS (", columns: [Text, Text, Text, Int, Text, Int], tail: ") INSERT INTO matches (id, vacancy_id, candidate_id, score, why, state, version) SELECT v.id, v.vacancy, v.candidate, v.points, v.reasons, 'found', 0 FROM v CROSS JOIN searches s WHERE s.candidate_id = v.candidate AND s.version = v.seen ON CONFLICT DO NOTHING" };
    OF = "SELECT id, vacancy_id, candidate_id, score, why, state, asked_at, answered_at FROM matches WHERE vacancy_id = $1 AND candidate_id = $2";
    OF_MANY = { batch: "WITH v (candidate, vacancy) AS (", columns: [Text, Text], tail: ") SELECT v.candidate || '/' || v.vacancy AS wanted, m.id, m.vacancy_id, m.candidate_id, m.score, m.why, m.state, m.asked_at, m.answered_at FROM v CROSS JOIN matches m WHERE m.vacancy_id = v.vacancy AND m.candidate_id = v.candidate" };
    OF_PERSON = "SELECT id, vacancy_id, candidate_id, score, why, state, asked_at, answered_at FROM matches WHERE candidate_id = $1 ORDER BY COALESCE(asked_at, 0) DESC, score DESC, id LIMIT $2";
    FOUND_OF = "SELECT id, vacancy_id, candidate_id, score, why, state, asked_at, answered_at FROM matches WHERE candidate_id = $1 AND state = 'found' ORDER BY score DESC, id";
    OF_VACANCY = "SELECT m.candidate_id, m.score, m.why, m.state, m.asked_at, m.answered_at, m.vacancy_id, m.id, c.team_id FROM matches m JOIN candidates c ON c.id = m.candidate_id WHERE m.vacancy_id = $1 AND c.organisation_id = $2 AND c.state <> 'erased' ORDER BY m.score DESC, m.id LIMIT $3";
    ENDED = { batch: "WITH v (vacancy, candidate, state) AS (", columns: [Text, Text, Text], tail: ") UPDATE matches SET state = v.state, version = version + 1 FROM v WHERE matches.vacancy_id = v.vacancy AND matches.candidate_id = v.candidate AND matches.state = 'asked'" };
    STATE = { batch: "WITH v (vacancy, candidate, state, moment) AS (", columns: [Text, Text, Text, Int], tail: ") UPDATE matches SET state = v.state, answered_at = v.moment, version = version + 1 FROM v WHERE matches.vacancy_id = v.vacancy AND matches.candidate_id = v.candidate AND matches.state IN ('found', 'asked')" };
    ASKED = { batch: "WITH v (vacancy, candidate, moment) AS (", columns: [Text, Text, Int], tail: ") UPDATE matches SET state = 'asked', asked_at = v.moment, version = version + 1 FROM v WHERE matches.vacancy_id = v.vacancy AND matches.candidate_id = v.candidate AND matches.state = 'found'" };
    RESCORED = "UPDATE matches SET score = $3, why = $4, version = version + 1 WHERE vacancy_id = $1 AND candidate_id = $2 AND state = 'found'";
    CLOSE_FOUND = { batch: "WITH v (vacancy) AS (", columns: [Text], tail: ") UPDATE matches SET state = 'closed', version = version + 1 FROM v WHERE matches.vacancy_id = v.vacancy AND state = 'found' RETURNING candidate_id, vacancy_id" };
    REOPEN = { batch: "WITH v (vacancy) AS (", columns: [Text], tail: ") UPDATE matches SET state = 'found', version = version + 1 FROM v WHERE matches.vacancy_id = v.vacancy AND state = 'closed' AND asked_at IS NULL" };
    FITS_AGAIN = { batch: "WITH v (vacancy, candidate) AS (", columns: [Text, Text], tail: ") UPDATE matches SET state = 'found', version = version + 1 FROM v WHERE matches.vacancy_id = v.vacancy AND matches.candidate_id = v.candidate AND state = 'closed' AND asked_at IS NULL" };
    ASKED_OF_CLOSED = "SELECT m.candidate_id, m.vacancy_id FROM matches m JOIN vacancies x ON x.id = m.vacancy_id WHERE m.state = 'asked' AND x.state = 'closed' AND x.organisation_id = $1 ORDER BY m.vacancy_id LIMIT $2";
    PEOPLE = "SELECT m.candidate_id FROM matches m CROSS JOIN candidates c CROSS JOIN talks t WHERE m.state = 'found' AND m.candidate_id > $2 AND c.id = m.candidate_id AND c.organisation_id = $1 AND c.state = 'active' AND t.candidate_id = c.id AND t.state NOT IN ('with_coach', 'left') AND NOT EXISTS (SELECT 1 FROM nudges n WHERE n.candidate_id = m.candidate_id AND n.rule = 'vacancy' AND n.closed_at IS NULL) AND (SELECT CASE WHEN o.given THEN o.id END FROM consents o WHERE o.candidate_id = m.candidate_id AND o.purpose = 'vacancies' ORDER BY o.at DESC, o.id DESC LIMIT 1) IS NOT NULL GROUP BY m.candidate_id ORDER BY m.candidate_id LIMIT $3";
    FOUND_MANY = { batch: "WITH v (candidate) AS (", columns: [Text], tail: ") SELECT m.id, m.vacancy_id, m.candidate_id, m.score, m.why, m.state, m.asked_at, m.answered_at FROM v CROSS JOIN matches m WHERE m.candidate_id = v.candidate AND m.state = 'found' ORDER BY m.candidate_id, m.score DESC, m.id" };
    ASKED_MANY = { batch: "WITH v (candidate, since) AS (", columns: [Text, Int], tail: ") SELECT m.candidate_id, m.asked_at FROM v CROSS JOIN matches m WHERE m.candidate_id = v.candidate AND m.asked_at >= v.since" };
}

/// What became of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Found,
    /// A question about it was written.
    Asked,
    Yes,
    /// Not this work.
    No,
    TooFar,
    OtherHours,
    AskCoach,
    Silent,
    /// The vacancy is gone, or fits no longer.
    Closed,
}

impl State {
    pub const ALL: [State; 9] = [
        State::Found,
        State::Asked,
        State::Yes,
        State::No,
        State::TooFar,
        State::OtherHours,
        State::AskCoach,
        State::Silent,
        State::Closed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            State::Found => "found",
            State::Asked => "asked",
            State::Yes => "yes",
            State::No => "no",
            State::TooFar => "too_far",
            State::OtherHours => "other_hours",
            State::AskCoach => "ask_coach",
            State::Silent => "silent",
            State::Closed => "closed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One vacancy and one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub vacancy: VacancyId,
    pub candidate: CandidateId,
    pub score: u32,
    pub reasons: Vec<Reason>,
    pub state: State,
    pub asked_at: Option<Timestamp>,
    pub answered_at: Option<Timestamp>,
}

fn match_of(row: &Row) -> Result<Match, StoreError> {
    Ok(Match {
        vacancy: row.parsed("vacancy_id")?,
        candidate: row.parsed("candidate_id")?,
        score: row.count("score")?,
        reasons: reasons_from(&row.text("why")?),
        state: row.word("state", State::parse)?,
        asked_at: row.maybe_at("asked_at")?,
        answered_at: row.maybe_at("answered_at")?,
    })
}

/// A match about to be kept.
pub struct New {
    pub id: RowId,
    pub vacancy: VacancyId,
    pub candidate: CandidateId,
    pub score: u32,
    pub reasons: Vec<Reason>,
    /// The version of the search that it was found with: another one is another search.
    pub version: i64,
}

/// Keeps matches; one that is there already stays as it is, one of a search that changed is left out.
pub async fn add(tx: &mut Tx, new: &[New]) -> Result<(), StoreError> {
    let rows = new
        .iter()
        .map(|new| {
            bind![
                new.id,
                new.vacancy,
                new.candidate,
                new.score,
                reasons_text(&new.reasons),
                new.version
            ]
        })
        .collect();
    tx.many(&ADD, rows).await.map(drop)
}

pub async fn of(
    tx: &mut Tx,
    vacancy: VacancyId,
    candidate: CandidateId,
) -> Result<Option<Match>, StoreError> {
    let key = format!("{candidate}/{vacancy}");
    let rows = tx.rows_of(&OF, key, bind![vacancy, candidate]).await?;
    rows.first().map(match_of).transpose()
}

/// Fetches ahead what `of` says of these, for one turn of each.
pub async fn fetch_ahead(
    tx: &mut Tx,
    pairs: &[(CandidateId, VacancyId)],
) -> Result<(), StoreError> {
    let key = |(candidate, vacancy): &(CandidateId, VacancyId)| {
        (format!("{candidate}/{vacancy}"), bind![candidate, vacancy])
    };
    let keys = pairs.iter().map(key).collect();
    tx.fetch_ahead(&OF_MANY, &OF, "wanted", keys, Serves::OneTurn)
        .await
}

/// A person's matches, those that were asked last first.
pub async fn of_person(
    tx: &mut Tx,
    candidate: CandidateId,
    limit: u32,
) -> Result<Vec<Match>, StoreError> {
    let rows = tx.all(&OF_PERSON, bind![candidate, limit]).await?;
    rows.iter().map(match_of).collect()
}

/// What fits a person and was not asked yet, the best first.
pub async fn found_of(tx: &mut Tx, candidate: CandidateId) -> Result<Vec<Match>, StoreError> {
    let rows = tx.all(&FOUND_OF, bind![candidate]).await?;
    rows.iter().map(match_of).collect()
}

/// Whom a vacancy fits, of the candidates under these eyes.
pub async fn of_vacancy(
    tx: &mut Tx,
    scope: &Scope,
    vacancy: VacancyId,
    limit: u32,
) -> Result<Vec<Match>, StoreError> {
    let rows = tx
        .all(&OF_VACANCY, bind![vacancy, scope.organisation, limit])
        .await?;
    let mut matches = Vec::new();
    for row in &rows {
        if scope.covers(scope.organisation, row.parsed("team_id")?) {
            matches.push(match_of(row)?);
        }
    }
    Ok(matches)
}

/// The person answered, or never will; only what is still open changes.
pub fn answered(
    tx: &mut Tx,
    vacancy: VacancyId,
    candidate: CandidateId,
    state: State,
    at: Option<Timestamp>,
) {
    tx.later(&STATE, bind![vacancy, candidate, state.as_str(), at]);
}

/// A question about it was written.
pub fn asked(tx: &mut Tx, vacancy: VacancyId, candidate: CandidateId, now: Timestamp) {
    tx.later(&ASKED, bind![vacancy, candidate, now]);
}

/// The conversation about it ended without an answer that says more.
pub fn ended(tx: &mut Tx, vacancy: VacancyId, candidate: CandidateId, state: State) {
    tx.later(&ENDED, bind![vacancy, candidate, state.as_str()]);
}

/// The search changed: it still fits, otherwise.
pub async fn rescored(
    tx: &mut Tx,
    vacancy: VacancyId,
    candidate: CandidateId,
    score: u32,
    reasons: &[Reason],
) -> Result<(), StoreError> {
    let values = bind![vacancy, candidate, score, reasons_text(reasons)];
    tx.run(&RESCORED, values).await.map(drop)
}

/// These vacancies are gone: whoever was not asked yet never will be. Who that is.
pub async fn close_found(
    tx: &mut Tx,
    vacancies: &[VacancyId],
) -> Result<Vec<(CandidateId, VacancyId)>, StoreError> {
    let rows = vacancies.iter().map(|id| bind![id]).collect();
    let closed = tx.many(&CLOSE_FOUND, rows).await?;
    closed.iter().map(pair).collect()
}

fn pair(row: &Row) -> Result<(CandidateId, VacancyId), StoreError> {
    Ok((row.parsed("candidate_id")?, row.parsed("vacancy_id")?))
}

/// These vacancies are back: whoever was never asked may be.
pub async fn reopen(tx: &mut Tx, vacancies: &[VacancyId]) -> Result<(), StoreError> {
    let rows = vacancies.iter().map(|id| bind![id]).collect();
    tx.many(&REOPEN, rows).await.map(drop)
}

/// The search of a person changed, and these fit again: those that were never asked may be.
pub async fn fits_again(
    tx: &mut Tx,
    candidate: CandidateId,
    vacancies: &[VacancyId],
) -> Result<(), StoreError> {
    let rows = vacancies.iter().map(|id| bind![id, candidate]).collect();
    tx.many(&FITS_AGAIN, rows).await.map(drop)
}

/// People whose open question is about a vacancy that closed.
pub async fn asked_of_closed(
    tx: &mut Tx,
    organisation: OrganisationId,
    limit: u32,
) -> Result<Vec<(CandidateId, VacancyId)>, StoreError> {
    let rows = tx.all(&ASKED_OF_CLOSED, bind![organisation, limit]).await?;
    rows.iter().map(pair).collect()
}

/// People for whom something was found, who agreed to be told, whose talk is not with the coach, and for
/// whom no vacancy is on its way: the next ones by their id.
pub async fn people(
    tx: &mut Tx,
    organisation: OrganisationId,
    after: Option<CandidateId>,
    limit: u32,
) -> Result<Vec<CandidateId>, StoreError> {
    let after = after.map_or_else(String::new, |id| id.to_string());
    let rows = tx.all(&PEOPLE, bind![organisation, after, limit]).await?;
    rows.iter().map(|row| row.parsed("candidate_id")).collect()
}

/// What was found for these people, the best first, and when they were asked since a moment.
pub async fn of_people(
    tx: &mut Tx,
    people: &[CandidateId],
    since: Timestamp,
) -> Result<BTreeMap<CandidateId, (Vec<Match>, Vec<Timestamp>)>, StoreError> {
    let mut of: BTreeMap<CandidateId, (Vec<Match>, Vec<Timestamp>)> = BTreeMap::new();
    let rows = people.iter().map(|id| bind![id]).collect();
    for row in tx.find(&FOUND_MANY, rows).await? {
        let found = match_of(&row)?;
        of.entry(found.candidate).or_default().0.push(found);
    }
    let rows = people.iter().map(|id| bind![id, since]).collect();
    for row in tx.find(&ASKED_MANY, rows).await? {
        let candidate: CandidateId = row.parsed("candidate_id")?;
        of.entry(candidate).or_default().1.push(row.at("asked_at")?);
    }
    // A set is read in pieces.
    for (found, _) in of.values_mut() {
        found.sort_by_key(|one| (std::cmp::Reverse(one.score), one.vacancy));
    }
    Ok(of)
}

/// The vacancies among these matches.
pub fn vacancies(matches: &[Match]) -> BTreeSet<VacancyId> {
    matches.iter().map(|one| one.vacancy).collect()
}
