//! Encrypts the columns that hold content, with a key per candidate (and one a day for raw webhooks).
//! The only file that sees data keys. What a keyed hash is lives here too, since it needs a secret.
//!
//! A sealed value is `version (1 byte, 1) | nonce (24) | ciphertext and tag`, by XChaCha20-Poly1305 with a
//! random nonce; the associated data is `table|column|row id`, so a value moved to another row does not
//! open. A data key is itself sealed by a master key in `keys.wrapped`; `keys.master` names which one, so
//! that the master can be changed while the service runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::StoreError;
use super::statement::{bind, statements};
use super::tx::Tx;
use crate::domain::ids::KeyId;
use crate::domain::time::Timestamp;
use crate::ports::chance::Chance;

statements! {
    INSERT = "INSERT INTO keys (id, owner, wrapped, master, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    BY_ID = "SELECT id, wrapped, master FROM keys WHERE id = $1 AND destroyed_at IS NULL";
    INSERT_MANY = { batch: "INSERT INTO keys (id, owner, wrapped, master, created_at)", columns: [Text, Text, Blob, Text, Int], tail: "" };
    BY_IDS = { batch: "WITH want (id) AS (", columns: [Text], tail: ") SELECT k.id, k.wrapped, k.master FROM want w JOIN keys k ON k.id = w.id WHERE k.destroyed_at IS NULL" };
    BY_OWNER = "SELECT id FROM keys WHERE owner = $1 AND destroyed_at IS NULL";
    MASTERS = "SELECT master, CAST(COUNT(*) AS BIGINT) AS n FROM keys WHERE destroyed_at IS NULL GROUP BY master";
    WRAPPED_BY = "SELECT id, owner, wrapped FROM keys WHERE master = $1 AND destroyed_at IS NULL AND id > $3 ORDER BY id LIMIT $2";
    REWRAP = "UPDATE keys SET wrapped = $3, master = $4 WHERE id = $1 AND master = $2 AND destroyed_at IS NULL";
    OVERWRITE = "UPDATE keys SET wrapped = $2 WHERE id = $1";
    DESTROYED = "UPDATE keys SET destroyed_at = $2 WHERE id = $1 AND destroyed_at IS NULL";
    DESTROYED_SINCE = "SELECT id FROM keys WHERE destroyed_at >= $1";
}

const VERSION: u8 = 1;
const NONCE: usize = 24;
/// Data keys kept in memory; past this the whole cache is dropped, which costs one read a key.
const CACHED_KEYS: usize = 50_000;

/// What a wrapped key is overwritten with: as long as it was, so that it is written in its own place.
const NOTHING: [u8; 1 + NONCE + 32 + 16] = [0; 1 + NONCE + 32 + 16];

/// The secrets of the service: `master` wraps data keys and can be changed, `older` ones still open what
/// they wrapped, `lookup` makes the keyed hashes and cannot be changed.
pub struct Secrets {
    pub master: Zeroizing<[u8; 32]>,
    pub older: Vec<Zeroizing<[u8; 32]>>,
    pub lookup: Zeroizing<[u8; 32]>,
}

pub(super) struct Keys {
    secrets: Secrets,
    master_name: String,
    chance: Arc<dyn Chance>,
    cache: Mutex<HashMap<KeyId, Arc<Zeroizing<[u8; 32]>>>>,
}

impl Keys {
    pub(super) fn new(secrets: Secrets, chance: Arc<dyn Chance>) -> Self {
        let master_name = name(&secrets.master);
        Self {
            secrets,
            master_name,
            chance,
            cache: Mutex::new(HashMap::new()),
        }
    }

    /// The master of this name, if the settings have it.
    fn master(&self, wanted: &str) -> Option<&Zeroizing<[u8; 32]>> {
        std::iter::once(&self.secrets.master)
            .chain(&self.secrets.older)
            .find(|master| name(master) == wanted)
    }

    fn forget(&self, id: KeyId) {
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }

    fn cached(&self, id: KeyId) -> Option<Arc<Zeroizing<[u8; 32]>>> {
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    fn remember(&self, id: KeyId, key: Arc<Zeroizing<[u8; 32]>>) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHED_KEYS {
            cache.clear();
        }
        cache.insert(id, key);
    }

    /// HMAC-SHA256 under the lookup secret, as hex. `kind` keeps hashes of different things apart.
    pub(super) fn hash(&self, kind: &str, value: &str) -> String {
        let mut mac =
            <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.secrets.lookup.as_slice())
                .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
        mac.update(kind.as_bytes());
        mac.update(b"|");
        mac.update(value.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

/// How `keys.master` names a master key: the first digits of its hash.
fn name(master: &[u8; 32]) -> String {
    hex::encode(&Sha256::digest(master.as_slice())[..8])
}

/// Seals and opens the columns of one owner.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<Zeroizing<[u8; 32]>>,
    chance: Arc<dyn Chance>,
}

impl Sealer {
    pub fn seal(&self, table: &str, column: &str, row: &str, plain: &[u8]) -> Vec<u8> {
        seal(
            &self.key,
            &*self.chance,
            &format!("{table}|{column}|{row}"),
            plain,
        )
    }

    pub fn open(
        &self,
        table: &'static str,
        column: &str,
        row: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        open(&self.key, &format!("{table}|{column}|{row}"), sealed).ok_or_else(|| {
            StoreError::Corrupt {
                statement: table,
                column: column.to_owned(),
                id: row.to_owned(),
            }
        })
    }

    pub fn open_text(
        &self,
        table: &'static str,
        column: &str,
        row: &str,
        sealed: &[u8],
    ) -> Result<String, StoreError> {
        String::from_utf8(self.open(table, column, row, sealed)?).map_err(|_| StoreError::Corrupt {
            statement: table,
            column: column.to_owned(),
            id: row.to_owned(),
        })
    }

    pub fn seal_json<T: serde::Serialize>(
        &self,
        table: &str,
        column: &str,
        row: &str,
        value: &T,
    ) -> Vec<u8> {
        let plain =
            serde_json::to_vec(value).unwrap_or_else(|_| unreachable!("our own types serialise"));
        self.seal(table, column, row, &plain)
    }

    pub fn open_json<T: serde::de::DeserializeOwned>(
        &self,
        table: &'static str,
        column: &str,
        row: &str,
        sealed: &[u8],
    ) -> Result<T, StoreError> {
        serde_json::from_slice(&self.open(table, column, row, sealed)?).map_err(|_| {
            StoreError::Corrupt {
                statement: table,
                column: column.to_owned(),
                id: row.to_owned(),
            }
        })
    }
}

/// A key that the master under whose name it stands does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableKey {
    pub id: KeyId,
    pub owner: String,
    master: String,
}

impl Tx {
    /// A new data key for `owner` (`candidate:…`, `day:2026-03-02`).
    pub async fn new_key(&mut self, owner: &str, now: Timestamp) -> Result<KeyId, StoreError> {
        let keys = &self.inner.keys;
        let mut key = Zeroizing::new([0u8; 32]);
        keys.chance.fill(key.as_mut_slice());
        let id: KeyId = keys.chance.id(now);
        let wrapped = seal(
            &keys.secrets.master,
            &*keys.chance,
            &format!("keys|wrapped|{id}"),
            key.as_slice(),
        );
        let master = keys.master_name.clone();
        if self
            .run(&INSERT, bind![id, owner, wrapped, master, now])
            .await?
            == 0
        {
            let row = self.maybe(&BY_OWNER, bind![owner]).await?;
            return row.ok_or(StoreError::Stale(BY_OWNER.name))?.parsed("id");
        }
        self.inner.keys.remember(id, Arc::new(key));
        Ok(id)
    }

    /// New data keys for owners who have none, each for its own.
    pub async fn new_keys(
        &mut self,
        owners: &[String],
        now: Timestamp,
    ) -> Result<Vec<KeyId>, StoreError> {
        let inner = self.inner.clone();
        let keys = &inner.keys;
        let (mut ids, mut fresh, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for owner in owners {
            let mut key = Zeroizing::new([0u8; 32]);
            keys.chance.fill(key.as_mut_slice());
            let id: KeyId = keys.chance.id(now);
            let place = format!("keys|wrapped|{id}");
            let wrapped = seal(&keys.secrets.master, &*keys.chance, &place, key.as_slice());
            rows.push(bind![id, owner, wrapped, keys.master_name.as_str(), now]);
            fresh.push((id, Arc::new(key)));
            ids.push(id);
        }
        self.many(&INSERT_MANY, rows).await?;
        for (id, key) in fresh {
            keys.remember(id, key);
        }
        Ok(ids)
    }

    /// Reads many keys at once, so that each `sealer` after it finds its own in memory.
    pub async fn open_keys(&mut self, ids: &[KeyId]) -> Result<(), StoreError> {
        let inner = self.inner.clone();
        let keys = &inner.keys;
        let unknown = ids.iter().filter(|id| keys.cached(**id).is_none());
        let rows = unknown.map(|id| bind![id]).collect();
        for row in self.find(&BY_IDS, rows).await? {
            let id: KeyId = row.parsed("id")?;
            let master = keys
                .master(&row.text("master")?)
                .ok_or(StoreError::MissingMaster { keys: 1 })?;
            let opened =
                unwrap(master, id, &row.blob("wrapped")?).ok_or_else(|| row.corrupt("wrapped"))?;
            keys.remember(id, Arc::new(opened));
        }
        Ok(())
    }

    /// The sealer of an owner. `Corrupt` if the key is gone (erased), `MissingMaster` if it is wrapped by
    /// a master key that the settings do not have.
    pub async fn sealer(&mut self, key: KeyId) -> Result<Sealer, StoreError> {
        let chance = self.inner.keys.chance.clone();
        if let Some(cached) = self.inner.keys.cached(key) {
            return Ok(Sealer {
                key: cached,
                chance,
            });
        }
        let gone = || StoreError::Corrupt {
            statement: BY_ID.name,
            column: "wrapped".into(),
            id: key.to_string(),
        };
        let rows = self.rows_of(&BY_ID, key.to_string(), bind![key]).await?;
        let row = rows.first().ok_or_else(gone)?;
        let master = self
            .inner
            .keys
            .master(&row.text("master")?)
            .ok_or(StoreError::MissingMaster { keys: 1 })?;
        let opened = unwrap(master, key, &row.blob("wrapped")?).ok_or_else(gone)?;
        let opened = Arc::new(opened);
        self.inner.keys.remember(key, opened.clone());
        Ok(Sealer {
            key: opened,
            chance,
        })
    }

    /// Fails if a master key is missing that keys in the database are wrapped by.
    pub async fn check_masters(&mut self) -> Result<(), StoreError> {
        let mut missing = 0;
        for row in self.all(&MASTERS, bind![]).await? {
            if self.inner.keys.master(&row.text("master")?).is_none() {
                missing += row.int("n")?;
            }
        }
        match missing {
            0 => Ok(()),
            keys => Err(StoreError::MissingMaster { keys }),
        }
    }

    /// Wraps up to `limit` keys of an older master by the present one; how many were looked at. One that does
    /// not open is passed by and noted in `unreadable`, behind which the next call goes on.
    pub async fn rewrap(
        &mut self,
        limit: u32,
        unreadable: &mut Vec<UnreadableKey>,
    ) -> Result<usize, StoreError> {
        let inner = self.inner.clone();
        let keys = &inner.keys;
        for older in &keys.secrets.older {
            let wrapped_by = name(older);
            if wrapped_by == keys.master_name {
                continue;
            }
            let met = unreadable.iter().filter(|it| it.master == wrapped_by);
            let after = met.map(|it| it.id.to_string()).max().unwrap_or_default();
            let rows = self
                .all(&WRAPPED_BY, bind![wrapped_by.as_str(), limit, after])
                .await?;
            if rows.is_empty() {
                continue;
            }
            let count = rows.len();
            for row in rows {
                let id: KeyId = row.parsed("id")?;
                let Some(key) = unwrap(older, id, &row.blob("wrapped")?) else {
                    unreadable.push(UnreadableKey {
                        id,
                        owner: row.text("owner")?,
                        master: wrapped_by.clone(),
                    });
                    continue;
                };
                let place = format!("keys|wrapped|{id}");
                let wrapped = seal(&keys.secrets.master, &*keys.chance, &place, key.as_slice());
                let values = bind![id, wrapped_by.as_str(), wrapped, keys.master_name.as_str()];
                // Another hand may have been faster: the old name is compared.
                self.run(&REWRAP, values).await?;
            }
            return Ok(count);
        }
        Ok(0)
    }

    /// What was sealed under this key can never be opened again. The wrapped key is overwritten in its own
    /// place before anything else about its row changes.
    pub async fn destroy_key(&mut self, id: KeyId, now: Timestamp) -> Result<(), StoreError> {
        self.run(&OVERWRITE, bind![id, NOTHING.to_vec()]).await?;
        self.run(&DESTROYED, bind![id, now]).await?;
        self.inner.keys.forget(id);
        Ok(())
    }

    /// Forgets the keys that another process destroyed since a moment.
    pub async fn forget_destroyed(&mut self, since: Timestamp) -> Result<(), StoreError> {
        for row in self.all(&DESTROYED_SINCE, bind![since]).await? {
            self.inner.keys.forget(row.parsed("id")?);
        }
        Ok(())
    }

    /// A keyed hash: how we look up what we keep sealed.
    pub fn hash(&self, kind: &str, value: &str) -> String {
        self.inner.keys.hash(kind, value)
    }
}

fn unwrap(master: &[u8; 32], id: KeyId, wrapped: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let opened = Zeroizing::new(open(master, &format!("keys|wrapped|{id}"), wrapped)?);
    Some(Zeroizing::new(
        <[u8; 32]>::try_from(opened.as_slice()).ok()?,
    ))
}

fn seal(key: &[u8; 32], chance: &dyn Chance, place: &str, plain: &[u8]) -> Vec<u8> {
    let mut nonce = [0u8; NONCE];
    chance.fill(&mut nonce);
    let cipher = XChaCha20Poly1305::new(key.into());
    let payload = Payload {
        msg: plain,
        aad: place.as_bytes(),
    };
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .unwrap_or_else(|_| unreachable!("only a message of 256 GB fails"));
    let mut out = Vec::with_capacity(1 + NONCE + sealed.len());
    out.push(VERSION);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    out
}

fn open(key: &[u8; 32], place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (version, rest) = sealed.split_first()?;
    let (nonce, sealed) = rest.split_at_checked(NONCE)?;
    if *version != VERSION {
        return None;
    }
    let nonce: [u8; NONCE] = nonce.try_into().ok()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher
        .decrypt(
            &XNonce::from(nonce),
            Payload {
                msg: sealed,
                aad: place.as_bytes(),
            },
        )
        .ok()
}
