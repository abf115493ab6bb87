//! Signing in with a password, the running session, signing out, another password. A wrong address
//! costs as much time as a wrong password, and tries are counted per account and per client.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::{App, AppError};
use crate::domain::access::Scope;
use crate::domain::ids::CoachId;
use crate::domain::time::Timestamp;
use crate::ports::chance::Chance;
use crate::store::audit::{self, Entry};
use crate::store::coaches::{self, Coach};

/// Checked when the address is unknown, so that the answer takes as long. Nobody knows its password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$dHVzc2VuZG9vcm5vYm9keQ$7XyFqNVkZ1h0c3dUTjV1R2lXbUpxYkE4c0V0UWxSZkE";
/// Passwords checked at once: each takes 19 MB and a core.
const AT_ONCE: usize = 2;
/// Failures within the window after which an account, or a client, must wait.
const PER_ACCOUNT: u32 = 5;
const PER_CLIENT: u32 = 30;
const WINDOW_SECONDS: i64 = 15 * 60;
/// Counters kept in memory; past this the oldest window is forgotten first.
const COUNTERS: usize = 20_000;
/// A session's "last seen" is written at most this often.
const SEEN_EVERY_SECONDS: i64 = 60;
/// The shortest password a coach may choose.
pub const SHORTEST: usize = 12;

/// How long a session may rest, and last.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub idle: Duration,
    pub absolute: Duration,
}

/// The counters and the line in front of the hashing.
pub struct Gate {
    tries: Mutex<HashMap<String, (Timestamp, u32)>>,
    hashing: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            tries: Mutex::new(HashMap::new()),
            hashing: Semaphore::new(AT_ONCE),
        }
    }
}

/// Why nobody was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Wrong,
    /// Too many tries: wait this many minutes.
    Slow {
        minutes: i64,
    },
}

impl Gate {
    /// Counts a try before it is made, so that many at once cannot slip through.
    fn knock(&self, account: &str, client: &str, now: Timestamp) -> Result<(), Refused> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() + 2 > COUNTERS {
            tries.retain(|_, (since, _)| since.plus_seconds(WINDOW_SECONDS) > now);
        }
        if tries.len() + 2 > COUNTERS {
            // Half of them go at once, the oldest first: looking for one each time would be slow.
            let mut begun: Vec<Timestamp> = tries.values().map(|(since, _)| *since).collect();
            begun.sort_unstable();
            let middle = begun[begun.len() / 2];
            tries.retain(|_, (since, _)| *since > middle);
        }
        let keys = [
            (format!("a:{account}"), PER_ACCOUNT),
            (format!("c:{client}"), PER_CLIENT),
        ];
        for (key, most) in &keys {
            if let Some((since, n)) = tries.get(key) {
                let free = since.plus_seconds(WINDOW_SECONDS);
                if n >= most && free > now {
                    return Err(Refused::Slow {
                        minutes: (free.0 - now.0) / 60_000_000 + 1,
                    });
                }
            }
        }
        for (key, _) in keys {
            let entry = tries.entry(key).or_insert((now, 0));
            if entry.0.plus_seconds(WINDOW_SECONDS) <= now {
                *entry = (now, 0);
            }
            entry.1 += 1;
        }
        Ok(())
    }

    fn welcome(&self, account: &str, client: &str) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.remove(&format!("a:{account}"));
        if let Some(entry) = tries.get_mut(&format!("c:{client}")) {
            entry.1 = entry.1.saturating_sub(1);
        }
    }

    async fn verify(&self, hash: String, password: SecretString) -> bool {
        let Ok(_place) = self.hashing.acquire().await else {
            return false;
        };
        tokio::task::spawn_blocking(move || matches(&hash, password.expose_secret()))
            .await
            .unwrap_or(false)
    }
}

/// A new session's token, for the cookie. Any session that came with the request ends.
pub async fn sign_in(
    app: &App,
    gate: &Gate,
    limits: Limits,
    (mail, password): (&str, &SecretString),
    client: &str,
    old_token: Option<&str>,
) -> Result<Result<String, Refused>, AppError> {
    let now = app.now();
    let mail = mail.trim().to_lowercase();
    if let Err(refused) = gate.knock(&mail, client, now) {
        return Ok(Err(refused));
    }
    let found = {
        let mut tx = app.store.read().await?;
        coaches::by_email(&mut tx, &mail).await?
    };
    let hash = found
        .as_ref()
        .map_or(NOBODY, |coach| coach.password.as_str())
        .to_owned();
    let right = gate.verify(hash, password.clone()).await;
    let Some(coach) = found.filter(|coach| right && coach.active) else {
        tracing::info!("a sign-in was refused");
        return Ok(Err(Refused::Wrong));
    };
    gate.welcome(&mail, client);
    let token = app.chance.token();
    let idle_since = now.plus_seconds(-seconds(limits.idle));
    let mut tx = app.store.write().await?;
    if let Some(old) = old_token {
        coaches::end_session(&mut tx, old).await?;
    }
    coaches::forget_sessions(&mut tx, now, idle_since).await?;
    let ends_at = now.plus_seconds(seconds(limits.absolute));
    coaches::add_session(&mut tx, &token, coach.id, now, ends_at).await?;
    note(app, &mut tx, &coach, "sign_in", now).await?;
    tx.commit().await?;
    Ok(Ok(token))
}

/// Who is signed in, as pages need to know it.
#[derive(Debug, Clone)]
pub struct Signed {
    pub scope: Scope,
    pub name: String,
    pub language: String,
}

/// Does the session still run? Asking is no sign of its coach: a page that stands open does not keep it
/// from resting.
pub async fn runs(app: &App, limits: Limits, token: &str) -> Result<bool, AppError> {
    Ok(running(app, limits, token).await?.is_some())
}

async fn running(
    app: &App,
    limits: Limits,
    token: &str,
) -> Result<Option<coaches::Session>, AppError> {
    let now = app.now();
    let mut tx = app.store.read().await?;
    let idle_since = now.plus_seconds(-seconds(limits.idle));
    Ok(coaches::session(&mut tx, token, now, idle_since).await?)
}

/// The coach behind a token, if the session still runs.
pub async fn session(app: &App, limits: Limits, token: &str) -> Result<Option<Signed>, AppError> {
    let now = app.now();
    let Some(session) = running(app, limits, token).await? else {
        return Ok(None);
    };
    if session.seen_at.plus_seconds(SEEN_EVERY_SECONDS) < now {
        let mut tx = app.store.write().await?;
        coaches::session_seen(&mut tx, token, now).await?;
        tx.commit().await?;
    }
    Ok(Some(Signed {
        scope: session.scope,
        name: session.coach.name,
        language: session.coach.language,
    }))
}

pub async fn sign_out(app: &App, token: &str) -> Result<(), AppError> {
    let mut tx = app.store.write().await?;
    coaches::end_session(&mut tx, token).await?;
    Ok(tx.commit().await?)
}

/// Another password. Every session ends; the token of a new one comes back.
pub async fn change_password(
    app: &App,
    gate: &Gate,
    limits: Limits,
    scope: &Scope,
    (old, new): (&SecretString, &SecretString),
    client: &str,
) -> Result<Result<String, Refused>, AppError> {
    let now = app.now();
    if new.expose_secret().chars().count() < SHORTEST {
        return Err(AppError::No {
            why: "short_password",
        });
    }
    let coach = {
        let mut tx = app.store.read().await?;
        coaches::coach(&mut tx, scope.coach)
            .await?
            .ok_or(AppError::NotFound)?
    };
    let account = coach.id.to_string();
    if let Err(refused) = gate.knock(&account, client, now) {
        return Ok(Err(refused));
    }
    if !gate.verify(coach.password.clone(), old.clone()).await {
        return Ok(Err(Refused::Wrong));
    }
    gate.welcome(&account, client);
    let hash = {
        let mut salt = [0; 16];
        app.chance.fill(&mut salt);
        let new = new.clone();
        tokio::task::spawn_blocking(move || salted(&salt, new.expose_secret()))
            .await
            .map_err(|_| AppError::Text("password".into()))??
    };
    let token = app.chance.token();
    let mut tx = app.store.write().await?;
    coaches::set_password(&mut tx, &coach, &hash).await?;
    let ends_at = now.plus_seconds(seconds(limits.absolute));
    coaches::add_session(&mut tx, &token, coach.id, now, ends_at).await?;
    note(app, &mut tx, &coach, "password", now).await?;
    tx.commit().await?;
    Ok(Ok(token))
}

pub async fn set_language(app: &App, coach: CoachId, language: &str) -> Result<(), AppError> {
    let mut tx = app.store.write().await?;
    coaches::set_language(&mut tx, coach, language).await?;
    Ok(tx.commit().await?)
}

/// A password's hash, for whoever makes a coach. Slow on purpose: not on a thread that serves.
pub fn hash_password(chance: &dyn Chance, password: &str) -> Result<String, AppError> {
    let mut salt = [0; 16];
    chance.fill(&mut salt);
    salted(&salt, password)
}

fn salted(salt: &[u8; 16], password: &str) -> Result<String, AppError> {
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), salt)
        .map_err(|_| AppError::Text("password".into()))?;
    Ok(hash.to_string())
}

fn matches(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 4_000_000)
}

async fn note(
    app: &App,
    tx: &mut crate::store::Tx,
    coach: &Coach,
    verb: &str,
    now: Timestamp,
) -> Result<(), AppError> {
    let entry = Entry {
        organisation: Some(coach.organisation.to_string()),
        actor: format!("coach:{}", coach.id),
        verb,
        object: format!("coach:{}", coach.id),
        content_hash: None,
    };
    Ok(audit::append(tx, app.row_id(now), entry, now).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn the_hash_for_nobody_is_checked_like_any_other() {
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!matches(NOBODY, "password"));
    }

    #[test]
    fn a_hash_opens_with_its_password_only() {
        let hash = salted(&[7; 16], "vier woorden in een zin").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(matches(&hash, "vier woorden in een zin"));
        assert!(!matches(&hash, "vier woorden in een zi"));
        assert!(!matches("not a hash", "vier woorden in een zin"));
    }

    #[test]
    fn the_sixth_try_on_one_account_waits_from_wherever_it_comes() {
        let gate = Gate::default();
        for n in 0..5 {
            assert_eq!(gate.knock("noor@x", &format!("10.0.0.{n}"), NOW), Ok(()));
        }
        let refused = gate.knock("noor@x", "10.0.0.9", NOW);
        assert!(matches!(refused, Err(Refused::Slow { minutes: 16 })));
        assert_eq!(gate.knock("joris@x", "10.0.0.9", NOW), Ok(()));
        assert_eq!(
            gate.knock("noor@x", "10.0.0.9", NOW.plus_seconds(WINDOW_SECONDS)),
            Ok(())
        );
    }

    #[test]
    fn one_client_cannot_try_many_accounts() {
        let gate = Gate::default();
        for n in 0..30 {
            assert_eq!(gate.knock(&format!("{n}@x"), "10.0.0.1", NOW), Ok(()));
        }
        assert!(gate.knock("another@x", "10.0.0.1", NOW).is_err());
    }

    #[test]
    fn the_right_password_clears_the_account() {
        let gate = Gate::default();
        for _ in 0..4 {
            gate.knock("noor@x", "10.0.0.1", NOW).unwrap();
        }
        gate.welcome("noor@x", "10.0.0.1");
        for _ in 0..5 {
            assert_eq!(gate.knock("noor@x", "10.0.0.1", NOW), Ok(()));
        }
    }

    #[test]
    fn the_counters_are_bounded() {
        let gate = Gate::default();
        for n in 0..COUNTERS {
            let _ = gate.knock(
                &format!("{n}@x"),
                &format!("{n}"),
                NOW.plus_seconds(i64::try_from(n % 60).unwrap()),
            );
        }
        assert!(gate.tries.lock().unwrap().len() <= COUNTERS + 1);
    }
}
