//! Export: everything that is kept about one person, opened, as one value that a person and a program can
//! read (GDPR, articles 15 and 20). Which columns are in it is decided by the rules in `store/personal`.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::{App, AppError};
use crate::domain::contact::AddressKind;
use crate::domain::ids::CandidateId;
use crate::domain::time::Timestamp;
use crate::store::audit::{self, Entry};
use crate::store::contacts::{self, Person};
use crate::store::personal::{self, Part};
use crate::store::sealed::Sealer;
use crate::store::{StoreError, Tx, addresses, owners};

/// What an export came to.
pub enum Export {
    NotThere,
    /// Nothing is left to tell.
    Erased,
    Told(Json),
}

/// Tells everything about a person; that somebody asked is written down first.
pub async fn export(app: &App, candidate: CandidateId) -> Result<Export, AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    let Some(whose) = personal::whose(&mut tx, candidate).await? else {
        tx.rollback().await?;
        return Ok(Export::NotThere);
    };
    let Some(person) = contacts::person(&mut tx, candidate).await? else {
        tx.rollback().await?;
        return Ok(Export::Erased);
    };
    audit::append(
        &mut tx,
        app.row_id(now),
        by_operator("export", &person),
        now,
    )
    .await?;
    tx.commit().await?;
    let mut tx = app.store.read().await?;
    let sealer = tx.sealer(person.key).await?;
    let senders = senders(&mut tx, &sealer, &person, now).await?;
    let parts = personal::parts(&mut tx, candidate, &sealer, &senders).await?;
    let raw = app.retention.raw_days;
    let backup = app.retention.backup_days;
    Ok(Export::Told(json!({
        "about": {
            "nl": format!("Alles wat {} in Tussendoor over u bewaart.", whose.organisation),
            "en": format!("Everything that {} keeps about you in Tussendoor.", whose.organisation),
        },
        "not_in_here": {
            "nl": format!("Berichten zoals de aanbieder ze bezorgde ({raw} dagen), ook wat van een gedeelde telefoon komt en nog niet bij een gesprek is, en reservekopieën ({backup} dagen): ze zijn versleuteld en niet op naam te vinden, en gaan vanzelf weg. Het zijn dezelfde berichten en gegevens."),
            "en": format!("Messages as the provider delivered them ({raw} days), also what came from a shared phone and is not in a conversation yet, and backups ({backup} days): they are encrypted and cannot be found by name, and go by themselves. They are the same messages and data."),
        },
        "organisation": whose.organisation,
        "candidate": candidate.to_string(),
        "made_at": now.utc().to_rfc3339(),
        "parts": parts.into_iter().map(part).collect::<Vec<_>>(),
    })))
}

fn part(part: Part) -> Json {
    let (nl, en) = part.table.title.split_once(" | ").unwrap_or_default();
    let fields: Map<String, Json> = part
        .table
        .told()
        .map(|told| {
            let label = json!({ "nl": told.nl, "en": told.en });
            (told.name().to_owned(), label)
        })
        .collect();
    json!({
        "name": part.table.name,
        "title": { "nl": nl, "en": en },
        "fields": fields,
        "rows": part.rows,
    })
}

/// The keyed hashes by which the inbox knows who wrote, of addresses that are this person's and nobody
/// else's. From a shared phone, and from a number that was left long ago, others write too: what came in
/// from there goes with its day.
pub(super) async fn senders(
    tx: &mut Tx,
    sealer: &Sealer,
    person: &Person,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let candidate = person.candidate.id;
    let mut senders = Vec::new();
    for address in addresses::of(tx, sealer, candidate).await? {
        let mut owners = BTreeSet::new();
        for kind in [address.kind, AddressKind::Whatsapp, AddressKind::Bsuid] {
            let found = owners::owners(tx, person.organisation, kind, &address.value, now).await?;
            owners.extend(found.into_iter().map(|(_, owner)| owner));
        }
        if owners == BTreeSet::from([candidate]) {
            senders.push(tx.hash("sender", &address.value));
        }
    }
    senders.sort();
    senders.dedup();
    Ok(senders)
}

/// An operator did this to a person, at the command line.
pub(super) fn by_operator<'a>(verb: &'a str, person: &Person) -> Entry<'a> {
    Entry {
        organisation: Some(person.organisation.to_string()),
        actor: "operator".to_owned(),
        verb,
        object: format!("candidate:{}", person.candidate.id),
        content_hash: None,
    }
}
