//! Vacancies: what feeds told, where each was told of, its words, and whether it is open. Nothing in these
//! tables is about a candidate. What a feed has in hundreds is written in sets.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::Serves;
use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::{Row, Tx};
use crate::domain::ids::{OrganisationId, VacancyId};
use crate::domain::time::Timestamp;
use crate::domain::vacancy::{Hours, Posting, Vacancy, needs_from, needs_text};

statements! {
    SOURCES = { batch: "WITH v (organisation, feed, reference) AS (", columns: [Text, Text, Text], tail: ") SELECT s.source_ref, s.source AS asked, x.id, x.state, x.source, x.content_hash FROM v CROSS JOIN vacancy_sources s CROSS JOIN vacancies x WHERE s.organisation_id = v.organisation AND s.source = v.feed AND s.source_ref = v.reference AND x.id = s.vacancy_id" };
    SAME = { batch: "WITH v (organisation, alike) AS (", columns: [Text, Text], tail: ") SELECT x.same_as, '' AS asked, x.id, x.state, x.source, x.content_hash FROM v CROSS JOIN vacancies x WHERE x.organisation_id = v.organisation AND x.same_as = v.alike ORDER BY x.state DESC, x.id" };
    ADD = { batch: "INSERT INTO vacancies (id, organisation_id, source, source_ref, title, employer, text, url, pc4, town, hours_min, hours_max, needs, state, checked_at, closes_on, same_as, content_hash, found_at, version)", columns: [Text, Text, Text, Text, Text, Text, Text, Text, Text, Text, Int, Int, Text, Text, Int, Text, Text, Text, Int, Int], tail: "" };
    CHANGE = { batch: "WITH v (vacancy, head, boss, body, address, code, place, least, most, asks, until, alike, content) AS (", columns: [Text, Text, Text, Text, Text, Text, Text, Int, Int, Text, Text, Text, Text], tail: ") UPDATE vacancies SET title = v.head, employer = v.boss, text = v.body, url = v.address, pc4 = v.code, town = v.place, hours_min = v.least, hours_max = v.most, needs = v.asks, closes_on = v.until, same_as = v.alike, content_hash = v.content, state = 'open', matched_at = NULL, version = version + 1 FROM v WHERE vacancies.id = v.vacancy" };
    CHECKED = { batch: "WITH v (vacancy, moment) AS (", columns: [Text, Int], tail: ") UPDATE vacancies SET checked_at = v.moment FROM v WHERE vacancies.id = v.vacancy" };
    SOURCE_PUT = { batch: "INSERT INTO vacancy_sources (organisation_id, source, source_ref, vacancy_id, seen_at)", columns: [Text, Text, Text, Text, Int], tail: "ON CONFLICT (organisation_id, source, source_ref) DO UPDATE SET vacancy_id = excluded.vacancy_id, seen_at = excluded.seen_at, gone_at = NULL" };
    SEEN_AGAIN = "UPDATE vacancy_sources SET seen_at = $3 WHERE organisation_id = $1 AND source = $2 AND gone_at IS NULL";
    CHECKED_AGAIN = "UPDATE vacancies SET checked_at = $3 WHERE state = 'open' AND organisation_id = $1 AND id IN (SELECT s.vacancy_id FROM vacancy_sources s WHERE s.organisation_id = $1 AND s.source = $2 AND s.gone_at IS NULL)";
    GONE = "UPDATE vacancy_sources SET gone_at = $4 WHERE organisation_id = $1 AND source = $2 AND seen_at < $3 AND gone_at IS NULL RETURNING vacancy_id";
    NOWHERE = { batch: "WITH v (vacancy) AS (", columns: [Text], tail: ") SELECT x.id FROM v CROSS JOIN vacancies x WHERE x.id = v.vacancy AND x.state = 'open' AND NOT EXISTS (SELECT 1 FROM vacancy_sources s WHERE s.vacancy_id = x.id AND s.gone_at IS NULL)" };
    OVER = "SELECT id FROM vacancies WHERE organisation_id = $1 AND state = 'open' AND closes_on < $2 ORDER BY closes_on LIMIT $3";
    CLOSE = { batch: "WITH v (vacancy) AS (", columns: [Text], tail: ") UPDATE vacancies SET state = 'closed', version = version + 1 FROM v WHERE vacancies.id = v.vacancy AND state = 'open'" };
    WORDS_GONE = { batch: "WITH v (vacancy) AS (", columns: [Text], tail: ") DELETE FROM vacancy_words WHERE vacancy_id IN (SELECT vacancy FROM v)" };
    WORDS_ADD = { batch: "INSERT INTO vacancy_words (vacancy_id, word, in_title)", columns: [Text, Text, Bool], tail: "ON CONFLICT DO NOTHING" };
    NEW = "SELECT id, title, employer, text, url, pc4, town, hours_min, hours_max, needs, state, checked_at, closes_on FROM vacancies WHERE organisation_id = $1 AND state = 'open' AND matched_at IS NULL AND id > $2 ORDER BY id LIMIT $3";
    MATCHED = { batch: "WITH v (vacancy, moment) AS (", columns: [Text, Int], tail: ") UPDATE vacancies SET matched_at = v.moment FROM v WHERE vacancies.id = v.vacancy" };
    FIND = { batch: "WITH v (organisation, form) AS (", columns: [Text, Text], tail: ") SELECT DISTINCT x.id FROM v CROSS JOIN vacancy_words w CROSS JOIN vacancies x WHERE w.word = v.form AND x.id = w.vacancy_id AND x.organisation_id = v.organisation AND x.state = 'open'" };
    BY_IDS = { batch: "WITH v (vacancy) AS (", columns: [Text], tail: ") SELECT x.id, x.organisation_id, x.title, x.employer, x.text, x.url, x.pc4, x.town, x.hours_min, x.hours_max, x.needs, x.state, x.checked_at, x.closes_on FROM v CROSS JOIN vacancies x WHERE x.id = v.vacancy" };
    ONE = "SELECT id, organisation_id, title, employer, text, url, pc4, town, hours_min, hours_max, needs, state, checked_at, closes_on FROM vacancies WHERE id = $1";
    NEWEST = "SELECT id, title, employer, text, url, pc4, town, hours_min, hours_max, needs, state, checked_at, closes_on FROM vacancies WHERE organisation_id = $1 ORDER BY found_at DESC, id DESC LIMIT $2";
    OF_SOURCES = "SELECT source FROM vacancy_sources WHERE vacancy_id = $1 AND gone_at IS NULL ORDER BY source";
    COUNT = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM vacancies WHERE organisation_id = $1 AND state = 'open'";
}

/// What is known of a posting's vacancy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub id: VacancyId,
    pub open: bool,
    /// Was it told first by the source that was asked about?
    pub first: bool,
    /// The hash of what it says.
    pub content: String,
}

fn known_of(row: &Row) -> Result<Known, StoreError> {
    Ok(Known {
        id: row.parsed("id")?,
        open: row.text("state")? == "open",
        first: row.text("source")? == row.text("asked")?,
        content: row.text("content_hash")?,
    })
}

fn vacancy_of(row: &Row) -> Result<Vacancy, StoreError> {
    Ok(Vacancy {
        id: row.parsed("id")?,
        title: row.text("title")?,
        employer: row.text("employer")?,
        text: row.text("text")?,
        url: row.maybe_text("url")?,
        pc4: row.text("pc4")?,
        town: row.text("town")?,
        hours: Hours {
            least: row.count("hours_min")?,
            most: row.count("hours_max")?,
        },
        needs: needs_from(&row.text("needs")?),
        open: row.text("state")? == "open",
        checked_at: row.at("checked_at")?,
        closes_on: row.maybe_parsed("closes_on")?,
    })
}

/// One place where vacancies come from: a feed or a hand.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    pub organisation: OrganisationId,
    pub name: &'a str,
}

/// What is known of these references of a source.
pub async fn by_references(
    tx: &mut Tx,
    source: Source<'_>,
    references: &[&str],
) -> Result<BTreeMap<String, Known>, StoreError> {
    let rows = references
        .iter()
        .map(|reference| bind![source.organisation, source.name, *reference])
        .collect();
    let found = tx.find(&SOURCES, rows).await?;
    found
        .iter()
        .map(|row| Ok((row.text("source_ref")?, known_of(row)?)))
        .collect()
}

/// The vacancies with these keys, whatever their source; an open one before a closed one.
pub async fn by_keys(
    tx: &mut Tx,
    organisation: OrganisationId,
    keys: &[String],
) -> Result<BTreeMap<String, Known>, StoreError> {
    let rows = keys.iter().map(|key| bind![organisation, key]).collect();
    let mut known = BTreeMap::new();
    for row in tx.find(&SAME, rows).await? {
        let (key, found) = (row.text("same_as")?, known_of(&row)?);
        let kept = known.entry(key).or_insert_with(|| found.clone());
        if found.open && !kept.open {
            *kept = found;
        }
    }
    Ok(known)
}

/// A posting on its way into the database.
pub struct Put<'a> {
    pub id: VacancyId,
    pub posting: &'a Posting,
    pub key: String,
    pub content: String,
}

/// New vacancies of a source, with their words.
pub async fn add(
    tx: &mut Tx,
    source: Source<'_>,
    new: &[Put<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows = new
        .iter()
        .map(|put| {
            let posting = put.posting;
            bind![
                put.id,
                source.organisation,
                source.name,
                posting.reference.as_str(),
                posting.title.as_str(),
                posting.employer.as_str(),
                posting.text.as_str(),
                posting.url.as_deref(),
                posting.pc4.as_str(),
                posting.town.as_str(),
                posting.hours.least,
                posting.hours.most,
                needs_text(&posting.needs),
                "open",
                now,
                posting.closes_on,
                put.key.as_str(),
                put.content.as_str(),
                now,
                0_i64
            ]
        })
        .collect();
    tx.many(&ADD, rows).await.map(drop)
}

/// What these say has changed, or they are back: open, and to be matched anew.
pub async fn change(tx: &mut Tx, changed: &[Put<'_>]) -> Result<(), StoreError> {
    let rows = changed
        .iter()
        .map(|put| {
            let posting = put.posting;
            bind![
                put.id,
                posting.title.as_str(),
                posting.employer.as_str(),
                posting.text.as_str(),
                posting.url.as_deref(),
                posting.pc4.as_str(),
                posting.town.as_str(),
                posting.hours.least,
                posting.hours.most,
                needs_text(&posting.needs),
                posting.closes_on,
                put.key.as_str(),
                put.content.as_str()
            ]
        })
        .collect();
    tx.many(&CHANGE, rows).await.map(drop)
}

/// The words of these vacancies, in the place of those they had.
pub async fn put_words(
    tx: &mut Tx,
    words: &[(VacancyId, BTreeSet<String>, BTreeSet<String>)],
) -> Result<(), StoreError> {
    let gone = words.iter().map(|(id, ..)| bind![id]).collect();
    tx.many(&WORDS_GONE, gone).await?;
    let mut rows = Vec::new();
    for (id, title, text) in words {
        rows.extend(title.iter().map(|word| bind![id, word, true]));
        rows.extend(text.iter().map(|word| bind![id, word, false]));
    }
    tx.many(&WORDS_ADD, rows).await.map(drop)
}

/// A source has these now: reference and vacancy.
pub async fn seen(
    tx: &mut Tx,
    source: Source<'_>,
    seen: &[(&str, VacancyId)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows = seen
        .iter()
        .map(|(reference, id)| bind![source.organisation, source.name, *reference, id, now])
        .collect();
    tx.many(&SOURCE_PUT, rows).await?;
    let rows = seen.iter().map(|(_, id)| bind![id, now]).collect();
    tx.many(&CHECKED, rows).await.map(drop)
}

/// A source says that nothing changed since the last look: everything of it is there.
pub async fn all_seen(tx: &mut Tx, source: Source<'_>, now: Timestamp) -> Result<(), StoreError> {
    let values = || bind![source.organisation, source.name, now];
    tx.run(&SEEN_AGAIN, values()).await?;
    tx.run(&CHECKED_AGAIN, values()).await.map(drop)
}

/// A source has no longer what it has not told since a moment; open vacancies that no source has any more.
pub async fn gone(
    tx: &mut Tx,
    source: Source<'_>,
    before: Timestamp,
    now: Timestamp,
) -> Result<Vec<VacancyId>, StoreError> {
    let values = bind![source.organisation, source.name, before, now];
    let gone = tx.all(&GONE, values).await?;
    let mut ids: Vec<String> = gone
        .iter()
        .map(|row| row.text("vacancy_id"))
        .collect::<Result<_, _>>()?;
    ids.sort();
    ids.dedup();
    let rows = ids.iter().map(|id| bind![id]).collect();
    let nowhere = tx.many(&NOWHERE, rows).await?;
    nowhere.iter().map(|row| row.parsed("id")).collect()
}

/// Open vacancies whose last day was before this one.
pub async fn over(
    tx: &mut Tx,
    organisation: OrganisationId,
    today: NaiveDate,
    limit: u32,
) -> Result<Vec<VacancyId>, StoreError> {
    let rows = tx.all(&OVER, bind![organisation, today, limit]).await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// Closes these; their words go, for nobody looks for them any more.
pub async fn close(tx: &mut Tx, ids: &[VacancyId]) -> Result<(), StoreError> {
    let rows = || ids.iter().map(|id| bind![id]).collect();
    tx.many(&CLOSE, rows()).await?;
    tx.many(&WORDS_GONE, rows()).await.map(drop)
}

/// Open vacancies that no search was compared with yet, by their id.
pub async fn unmatched(
    tx: &mut Tx,
    organisation: OrganisationId,
    after: Option<VacancyId>,
    limit: u32,
) -> Result<Vec<Vacancy>, StoreError> {
    let after = after.map_or_else(String::new, |id| id.to_string());
    let rows = tx.all(&NEW, bind![organisation, after, limit]).await?;
    rows.iter().map(vacancy_of).collect()
}

pub async fn matched(tx: &mut Tx, ids: &[VacancyId], now: Timestamp) -> Result<(), StoreError> {
    let rows = ids.iter().map(|id| bind![id, now]).collect();
    tx.many(&MATCHED, rows).await.map(drop)
}

/// Open vacancies of an organisation that hold one of these forms.
pub async fn with_forms(
    tx: &mut Tx,
    organisation: OrganisationId,
    forms: &BTreeSet<&str>,
) -> Result<Vec<VacancyId>, StoreError> {
    let rows = forms
        .iter()
        .map(|form| bind![organisation, *form])
        .collect();
    let mut ids: Vec<VacancyId> = tx
        .find(&FIND, rows)
        .await?
        .iter()
        .map(|row| row.parsed("id"))
        .collect::<Result<_, _>>()?;
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// These vacancies, by their id.
pub async fn by_ids(
    tx: &mut Tx,
    ids: &BTreeSet<VacancyId>,
) -> Result<BTreeMap<VacancyId, Vacancy>, StoreError> {
    let (mut found, mut missing) = (BTreeMap::new(), Vec::new());
    for id in ids {
        match tx.ahead_of(&ONE, &id.to_string()) {
            Some(rows) => {
                for row in rows.iter() {
                    found.insert(*id, vacancy_of(row)?);
                }
            }
            None => missing.push(bind![id]),
        }
    }
    for row in tx.find(&BY_IDS, missing).await? {
        let vacancy = vacancy_of(&row)?;
        found.insert(vacancy.id, vacancy);
    }
    Ok(found)
}

/// One vacancy of an organisation.
pub async fn of(
    tx: &mut Tx,
    organisation: OrganisationId,
    id: VacancyId,
) -> Result<Option<Vacancy>, StoreError> {
    let rows = tx.rows_of(&ONE, id.to_string(), bind![id]).await?;
    match rows.first() {
        Some(row) if row.parsed::<OrganisationId>("organisation_id")? == organisation => {
            vacancy_of(row).map(Some)
        }
        _ => Ok(None),
    }
}

/// Fetches ahead what is asked about these vacancies.
pub async fn fetch_ahead(tx: &mut Tx, ids: &BTreeSet<VacancyId>) -> Result<(), StoreError> {
    let keys = ids.iter().map(|id| (id.to_string(), bind![id])).collect();
    tx.fetch_ahead(&BY_IDS, &ONE, "id", keys, Serves::Looks)
        .await
}

/// The newest vacancies of an organisation, open and closed.
pub async fn newest(
    tx: &mut Tx,
    organisation: OrganisationId,
    limit: u32,
) -> Result<Vec<Vacancy>, StoreError> {
    let rows = tx.all(&NEWEST, bind![organisation, limit]).await?;
    rows.iter().map(vacancy_of).collect()
}

/// Which sources have this vacancy now.
pub async fn sources(tx: &mut Tx, id: VacancyId) -> Result<Vec<String>, StoreError> {
    let rows = tx.all(&OF_SOURCES, bind![id]).await?;
    rows.iter().map(|row| row.text("source")).collect()
}

/// How many are open.
pub async fn open_count(tx: &mut Tx, organisation: OrganisationId) -> Result<usize, StoreError> {
    let row = tx.maybe(&COUNT, bind![organisation]).await?;
    let count = row.map(|row| row.int("n")).transpose()?.unwrap_or(0);
    Ok(usize::try_from(count).unwrap_or(0))
}
