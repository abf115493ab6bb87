//! Who looks at which draft now. A row is worth a few seconds and then only waits to be swept.

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::access::Scope;
use crate::domain::ids::MessageId;
use crate::domain::time::Timestamp;

statements! {
    SEEN = "INSERT INTO looking (message_id, coach_id, seen_at) VALUES ($1, $2, $3) ON CONFLICT (message_id, coach_id) DO UPDATE SET seen_at = excluded.seen_at";
    SWEEP = "DELETE FROM looking WHERE seen_at < $1";
    BESIDE = "SELECT k.name FROM looking l JOIN coaches k ON k.id = l.coach_id WHERE l.message_id = $3 AND l.coach_id <> $2 AND l.seen_at > $4 AND k.organisation_id = $1 AND k.state = 'active' ORDER BY k.id";
}

/// This coach looks at this draft; who looked at one before `old` is forgotten.
pub async fn seen(
    tx: &mut Tx,
    scope: &Scope,
    message: MessageId,
    now: Timestamp,
    old: Timestamp,
) -> Result<(), StoreError> {
    tx.run(&SWEEP, bind![old]).await?;
    tx.run(&SEEN, bind![message, scope.coach, now])
        .await
        .map(drop)
}

/// The colleagues who looked at this draft after `since`.
pub async fn beside(
    tx: &mut Tx,
    scope: &Scope,
    message: MessageId,
    since: Timestamp,
) -> Result<Vec<String>, StoreError> {
    tx.all(
        &BESIDE,
        bind![scope.organisation, scope.coach, message, since],
    )
    .await?
    .iter()
    .map(|row| row.text("name"))
    .collect()
}
