//! A tenant, as a handle that owns its keys.

use std::sync::Arc;

use gaby_model::WorkspaceId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::Result;
use crate::db::Db;
use crate::error::StoreError;
use crate::keys::{Secret, subkey};
use crate::keystore::KEY_VERSION;
use crate::seal::{Place, Sealer};
use crate::store::Store;
use crate::tx::Tx;

/// The keys of one owner: a workspace, or the instance.
pub(crate) struct Keys {
    pub(crate) content: Sealer,
    pub(crate) index: Sealer,
    pub(crate) secrets: Sealer,
    blind: Secret,
    /// Tells which key this is, and nothing about it; for the receipt of its destruction.
    pub(crate) fingerprint: String,
}

impl Keys {
    pub(crate) fn new(owner: &str, data_key: &Secret) -> Self {
        Self {
            content: Sealer::new(owner, KEY_VERSION, data_key, "content"),
            index: Sealer::new(owner, KEY_VERSION, data_key, "index"),
            secrets: Sealer::new(owner, KEY_VERSION, data_key, "secrets"),
            blind: subkey(data_key, "blind"),
            fingerprint: hex::encode(&subkey(data_key, "fingerprint")[..8]),
        }
    }

    /// A keyed hash, 16 bytes: equal within the owner for equal values, and meaningless elsewhere.
    pub(crate) fn blind(&self, purpose: &str, value: &[u8]) -> Vec<u8> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.blind[..]) else {
            return Vec::new();
        };
        mac.update(&(purpose.len() as u64).to_be_bytes());
        mac.update(purpose.as_bytes());
        mac.update(value);
        mac.finalize().into_bytes()[..16].to_vec()
    }
}

struct Shared {
    id: WorkspaceId,
    slug: String,
    keys: Keys,
}

/// A tenant, with its keys. Cheap to clone.
#[derive(Clone)]
pub struct Workspace {
    store: Store,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Workspace({})", self.shared.slug)
    }
}

impl Workspace {
    pub(crate) fn new(store: Store, id: WorkspaceId, slug: String, keys: Keys) -> Self {
        Self {
            store,
            shared: Arc::new(Shared { id, slug, keys }),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &WorkspaceId {
        &self.shared.id
    }

    /// Its short name.
    #[must_use]
    pub fn slug(&self) -> &str {
        &self.shared.slug
    }

    /// The store that it is in.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Begins a change. Nothing of it is seen by others, or told to watchers, before it commits.
    ///
    /// # Errors
    /// When the database fails or is busy for too long.
    pub async fn begin(&self) -> Result<Tx> {
        Tx::begin(self.clone()).await
    }

    /// Begins a change whose commit does not wait for the disk. Others see it and watchers are told as
    /// of any other, and the death of this process does not lose it; only a machine that loses its power
    /// before the next [`Self::begin`] commits may, and then as if it had never been. For what can be told
    /// from the rest as well.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn begin_unhurried(&self) -> Result<Tx> {
        Tx::begin_unhurried(self.clone()).await
    }

    /// A keyed hash of a value: equal for equal values within this workspace and purpose, and
    /// meaningless elsewhere. For look-ups and for noticing change.
    #[must_use]
    pub fn keyed_hash(&self, purpose: &str, value: &[u8]) -> Vec<u8> {
        self.shared.keys.blind(purpose, value)
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.shared.keys
    }

    pub(crate) fn db(&self) -> &Db {
        &self.store.inner.db
    }

    pub(crate) fn seal<T: Serialize>(
        &self,
        table: &'static str,
        row: &str,
        value: &T,
    ) -> Result<Vec<u8>> {
        self.keys().content.seal_json(content_of(table, row), value)
    }

    pub(crate) fn unseal<T: DeserializeOwned>(
        &self,
        table: &'static str,
        row: &str,
        sealed: &[u8],
    ) -> Result<T> {
        self.keys()
            .content
            .open_json(content_of(table, row), sealed)
    }
}

pub(crate) fn content_of<'a>(table: &'static str, row: &'a str) -> Place<'a> {
    Place {
        table,
        row,
        column: "content",
    }
}

/// A value that the database holds as text.
pub(crate) fn parsed<T: std::str::FromStr>(text: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(StoreError::corrupt)
}

/// A word of the model's, such as a state, from how the database holds it.
pub(crate) fn word<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(StoreError::corrupt)
}

/// How the database holds a word of the model's.
pub(crate) fn as_word<T: Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        other => Err(StoreError::Corrupt(format!("not a word: {other:?}"))),
    }
}
