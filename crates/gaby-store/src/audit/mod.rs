//! The audit log: what happened, in an order that cannot be changed without being seen.
//!
//! Each workspace has a hash chain over canonical JSON. Entries hold structure only; what they are
//! about is committed to with a salted HMAC, the salt sealed beside it, so that erasing content
//! leaves the chain whole. The right edge of a Merkle tree (RFC 6962) over the entries gives each
//! checkpoint a root, signed as a C2SP note. A signed head is kept in a file beside the database, so
//! that cutting off the end of the table alone is seen.
//!
//! What one machine cannot show by itself is that database and head were set back together;
//! checkpoints kept elsewhere can ([`verify`]).

mod chain;
mod heads;
mod log;
mod merkle;
mod note;
pub mod verify;

use gaby_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use heads::HeadFiles;
pub(crate) use log::{Appended, append, start_chain, tell_head};
pub use log::{Audit, ExportedLog};
pub use note::{Checkpoint, read_verifying_key, verifying_key_text};

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// `gaby`, `user`, `token`, `cli` or `system`.
    pub kind: String,
    /// Which; empty where there is only one.
    #[serde(default)]
    pub id: String,
}

impl Actor {
    /// Gaby herself.
    #[must_use]
    pub fn gaby() -> Self {
        Self {
            kind: "gaby".into(),
            id: String::new(),
        }
    }

    /// Somebody else, by kind and id.
    #[must_use]
    pub fn new(kind: &str, id: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            id: id.into(),
        }
    }
}

/// Something to be written into the log.
#[derive(Debug, Clone)]
pub struct AuditRecord {
    /// Who did it.
    pub actor: Actor,
    /// What was done, such as `action.approved`.
    pub action: String,
    /// To what: an id or a name that is not content.
    pub object: String,
    /// Why it could be done: rule ids, risk, hashes. Structure only, no content.
    pub decision: Value,
    /// What it was about; only a salted commitment to it is kept.
    pub content: Value,
    /// When.
    pub at: Timestamp,
}

/// An entry as it stands in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// Version of this form.
    pub v: u32,
    /// The workspace's id.
    pub ws: String,
    /// Its place, from 1 and without gaps.
    pub seq: u64,
    /// When, RFC 3339.
    pub ts: String,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: String,
    /// Why it could be.
    #[serde(default)]
    pub decision: Value,
    /// HMAC-SHA-256 of the content with a random salt, in hex.
    pub commit: String,
    /// The hash before it, in hex.
    pub prev: String,
}
