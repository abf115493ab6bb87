//! What an answer does: one word, or a small table.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};

use super::super::definition::Deed;
use crate::domain::contact::Purpose;
use crate::domain::talk::effect::Act;

/// `"task_done"`, `{ task_later = { days = 7 } }`, `{ prefers = "…" }`, `{ exercise = "…" }` or
/// `{ consent = ["tasks"], given = true }`.
#[derive(Clone)]
pub(super) struct DeedSource(Deed);

pub(super) fn deeds(source: &[DeedSource]) -> Vec<Deed> {
    source.iter().map(|DeedSource(deed)| deed.clone()).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeedTable {
    task_later: Option<Later>,
    prefers: Option<String>,
    exercise: Option<String>,
    consent: Option<Vec<Purpose>>,
    given: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Later {
    days: u32,
}

const DEEDS: &str = "one of `task_done`, `{ task_later = { days = 7 } }`, `task_smaller`, \
    `meeting_book`, `meeting_decline`, `meeting_again`, `meeting_cancel`, `vacancy_yes`, `vacancy_too_far`, \
    `vacancy_other_hours`, `vacancy_ask_coach`, `{ prefers = \"…\" }`, `{ exercise = \"…\" }`, \
    `{ consent = [\"tasks\"], given = true }`";

impl<'de> Deserialize<'de> for DeedSource {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DeedVisitor)
    }
}

struct DeedVisitor;

impl<'de> Visitor<'de> for DeedVisitor {
    type Value = DeedSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DEEDS)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<DeedSource, E> {
        let act = match name {
            "task_done" => Act::TaskDone,
            "task_smaller" => Act::TaskSmaller,
            "meeting_book" => Act::MeetingBook,
            "meeting_decline" => Act::MeetingDecline,
            "meeting_again" => Act::MeetingAgain,
            "meeting_cancel" => Act::MeetingCancel,
            "vacancy_yes" => Act::VacancyYes,
            "vacancy_too_far" => Act::VacancyTooFar,
            "vacancy_other_hours" => Act::VacancyOtherHours,
            "vacancy_ask_coach" => Act::VacancyAskCoach,
            _ => {
                return Err(E::custom(format!(
                    "nothing called `{name}` can be done, expected {DEEDS}"
                )));
            }
        };
        Ok(DeedSource(Deed::Act(act)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DeedSource, A::Error> {
        let table = DeedTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
        let consent = match (table.consent, table.given) {
            (Some(purposes), Some(given)) if !purposes.is_empty() => {
                Some(Deed::Consent { purposes, given })
            }
            (None, None) => None,
            _ => return Err(unclear()),
        };
        let later = table
            .task_later
            .map(|Later { days }| Act::TaskLater { days });
        let acts = [
            later,
            table.prefers.map(Act::Prefers),
            table.exercise.map(Act::Exercise),
        ];
        let acts = acts.into_iter().flatten().map(Deed::Act);
        let mut said = acts.chain(consent);
        let (Some(deed), None) = (said.next(), said.next()) else {
            return Err(unclear());
        };
        Ok(DeedSource(deed))
    }
}

fn unclear<E: de::Error>() -> E {
    E::custom(format!(
        "a `do` says too much or too little, expected {DEEDS}"
    ))
}
