//! Start in the room: a code that the candidate sends from their own phone. It works once, for a day;
//! only its keyed hash is kept. What happens when it comes in is `opt_in`.

use super::{App, AppError, takeover};
use crate::domain::access::Scope;
use crate::domain::ids::CandidateId;
use crate::domain::time::Timestamp;
use crate::store::invites;

/// A code in the room works this long.
const LASTS_SECONDS: i64 = 24 * 60 * 60;
/// A code in a letter: who does not answer may not open it for weeks.
const LETTER_SECONDS: i64 = 28 * 24 * 60 * 60;

/// A new code, `ABCD-EFGH`.
pub async fn invite(app: &App, scope: &Scope, candidate: CandidateId) -> Result<String, AppError> {
    code(app, scope, candidate, LASTS_SECONDS).await
}

/// A code for a letter that goes by post.
pub async fn for_letter(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
) -> Result<String, AppError> {
    code(app, scope, candidate, LETTER_SECONDS).await
}

async fn code(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    lasts: i64,
) -> Result<String, AppError> {
    let now = app.now();
    let letters: Vec<char> = app
        .chance
        .token()
        .to_ascii_uppercase()
        .chars()
        .take(8)
        .collect();
    let code: String = letters[..4]
        .iter()
        .chain(std::iter::once(&'-'))
        .chain(&letters[4..])
        .collect();
    let mut tx = app.store.write().await?;
    takeover::own(&mut tx, scope, candidate).await?;
    let ends_at = now.plus_seconds(lasts);
    invites::add_invite(&mut tx, &code, candidate, scope.coach, ends_at).await?;
    takeover::note(app, &mut tx, scope, candidate, "invite", now).await?;
    tx.commit().await?;
    Ok(code)
}

/// Until when this code works for this candidate; `None` if it does not.
pub async fn works_until(
    app: &App,
    scope: &Scope,
    candidate: CandidateId,
    code: &str,
) -> Result<Option<Timestamp>, AppError> {
    let now = app.now();
    let mut tx = app.store.read().await?;
    takeover::own(&mut tx, scope, candidate).await?;
    let found = invites::invite(&mut tx, code).await?;
    Ok(found
        .filter(|invite| invite.candidate == candidate && invite.used_at.is_none())
        .map(|invite| invite.ends_at)
        .filter(|ends_at| *ends_at > now))
}
