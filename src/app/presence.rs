//! Two coaches at one draft see each other. It decides nothing: the second click gets a sentence
//! whether they saw each other or not. Rows in the database, so that it holds over several instances;
//! their clocks may differ by a second or two.

use std::time::Duration;

use super::{App, AppError};
use crate::domain::access::Scope;
use crate::domain::ids::MessageId;
use crate::store::{looking, pages};

/// How often an open page says that it is still there, and looks who else is.
pub const BEAT: Duration = Duration::from_secs(4);

/// After two beats that did not come, a coach is gone. With the beat in which the other page looks, nobody
/// is shown for more than thirteen seconds after they left.
const GONE_SECONDS: i64 = 9;

/// Says that this coach looks at this draft. Nothing is said of a message of another's.
pub async fn look(app: &App, scope: &Scope, message: MessageId) -> Result<(), AppError> {
    let now = app.now();
    let mut tx = app.store.write().await?;
    if pages::owner_of_message(&mut tx, scope, message)
        .await?
        .is_none()
    {
        return Ok(tx.rollback().await?);
    }
    let old = now.plus_seconds(-GONE_SECONDS);
    looking::seen(&mut tx, scope, message, now, old).await?;
    Ok(tx.commit().await?)
}

/// The names of the colleagues who look at this draft now.
pub async fn beside(app: &App, scope: &Scope, message: MessageId) -> Result<Vec<String>, AppError> {
    let since = app.now().plus_seconds(-GONE_SECONDS);
    let mut tx = app.store.read().await?;
    if pages::owner_of_message(&mut tx, scope, message)
        .await?
        .is_none()
    {
        return Ok(Vec::new());
    }
    Ok(looking::beside(&mut tx, scope, message, since).await?)
}
