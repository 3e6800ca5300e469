//! Writing and reading the log.

use ed25519_dalek::VerifyingKey;
use gaby_model::{WorkspaceId, canonical};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::chain::{self, Hash};
use super::merkle::Edge;
use super::verify::{self, Problem, Report};
use super::{AuditEntry, AuditRecord, note};
use crate::Result;
use crate::db::Engine;
use crate::error::StoreError;
use crate::keys::random;
use crate::seal::Place;
use crate::sql::{Transaction, query};
use crate::store::Store;
use crate::workspace::Workspace;

/// A checkpoint is signed whenever the log reaches a multiple of this.
const CHECKPOINT_EVERY: u64 = 256;

/// What an append came to; for the head file.
pub(crate) struct Appended {
    seq: u64,
    signed_head: String,
    pub(crate) checkpoint: Option<String>,
}

/// The log of one workspace.
pub struct Audit<'a>(&'a Workspace);

impl Workspace {
    /// The audit log.
    #[must_use]
    pub fn audit(&self) -> Audit<'_> {
        Audit(self)
    }

    pub(crate) fn audit_origin(&self) -> String {
        origin(self.store(), self.id())
    }
}

fn origin(store: &Store, workspace: &WorkspaceId) -> String {
    format!("gaby/{}/{workspace}", store.inner.instance_id)
}

/// A whole log, as it is exported and verified offline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportedLog {
    /// The workspace's id.
    pub workspace: String,
    /// The nonce that its chain begins with, in hex.
    pub nonce: String,
    /// The entries as they stand, each with its hash in hex.
    pub entries: Vec<(u64, String, String)>,
    /// Signed checkpoints, oldest first.
    pub checkpoints: Vec<String>,
    /// Signed heads: the database's own, then the file's beside it where there must be one. An empty
    /// text is a head that should be there and is not.
    pub heads: Vec<String>,
}

/// Begins the log of a new workspace. The head file is there before the rows are, so that a log
/// without one was tampered with.
pub(crate) async fn start_chain(
    tx: &mut Transaction,
    store: &Store,
    workspace: &WorkspaceId,
) -> Result<()> {
    let nonce: [u8; 32] = random();
    let genesis = chain::genesis(workspace.as_str(), &nonce);
    let edge = Edge::default();
    let signed_head = note::sign(
        &origin(store, workspace),
        0,
        &edge.root(),
        Some(&genesis),
        &store.inner.audit_key,
    );
    store.inner.heads.begin(workspace, &signed_head)?;
    query(
        "INSERT INTO audit_heads (workspace, nonce, seq, hash, edge, signed_head) \
         VALUES ($1, $2, 0, $3, $4, $5)",
    )
    .bind(workspace.as_str())
    .bind(nonce.to_vec())
    .bind(genesis.to_vec())
    .bind(edge.to_bytes())
    .bind(signed_head)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

pub(crate) async fn append(
    tx: &mut Transaction,
    workspace: &Workspace,
    records: Vec<AuditRecord>,
) -> Result<Appended> {
    let id = workspace.id().as_str();
    // One appender at a time: SQLite's write lock is held already.
    let statement = match workspace.db().engine() {
        Engine::Sqlite => "SELECT seq, hash, edge FROM audit_heads WHERE workspace = $1",
        Engine::Postgres => {
            "SELECT seq, hash, edge FROM audit_heads WHERE workspace = $1 FOR UPDATE"
        }
    };
    let row = query(statement).bind(id).fetch_one(&mut *tx).await?;
    let mut seq = row.get::<i64>(0)?.unsigned_abs();
    let mut hash: Hash = row
        .get::<Vec<u8>>(1)?
        .try_into()
        .map_err(|_| StoreError::corrupt("the audit head's hash"))?;
    let mut edge = Edge::from_bytes(row.bytes(2)?)
        .ok_or_else(|| StoreError::corrupt("the audit head's edge"))?;
    let key = &workspace.store().inner.audit_key;
    let origin = workspace.audit_origin();
    let mut checkpoint = None;

    for record in records {
        seq += 1;
        let salt: [u8; 32] = random();
        let entry = AuditEntry {
            v: 1,
            ws: id.to_owned(),
            seq,
            ts: record.at.to_string(),
            actor: record.actor,
            action: record.action,
            object: record.object,
            decision: record.decision,
            commit: commit(&salt, &record.content),
            prev: hex::encode(hash),
        };
        let value = serde_json::to_value(&entry).map_err(StoreError::corrupt)?;
        let bytes = canonical::to_bytes(&value).map_err(StoreError::corrupt)?;
        hash = chain::next(&hash, &bytes);
        edge.push(&bytes);
        let number = seq.to_string();
        query(
            "INSERT INTO audit_entries (workspace, seq, entry, hash, salt) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(seq as i64)
        .bind(String::from_utf8(bytes).map_err(StoreError::corrupt)?)
        .bind(hash.to_vec())
        .bind(workspace.keys().content.seal(salt_place(&number), &salt))
        .execute(&mut *tx)
        .await?;
        if seq % CHECKPOINT_EVERY == 0 {
            let signed = note::sign(&origin, seq, &edge.root(), None, key);
            query("INSERT INTO audit_checkpoints (workspace, size, note) VALUES ($1, $2, $3)")
                .bind(id)
                .bind(seq as i64)
                .bind(&signed)
                .execute(&mut *tx)
                .await?;
            checkpoint = Some(signed);
        }
    }
    let signed_head = note::sign(&origin, seq, &edge.root(), Some(&hash), key);
    query(
        "UPDATE audit_heads SET seq = $1, hash = $2, edge = $3, signed_head = $4 WHERE workspace = $5",
    )
    .bind(seq as i64)
    .bind(hash.to_vec())
    .bind(edge.to_bytes())
    .bind(&signed_head)
    .bind(id)
    .execute(&mut *tx)
    .await?;
    Ok(Appended {
        seq,
        signed_head,
        checkpoint,
    })
}

/// A salted commitment: a plain hash of something guessable could be guessed.
fn commit(salt: &[u8; 32], content: &serde_json::Value) -> String {
    // Content may hold numbers that have no canonical form; it must be recorded nevertheless.
    let bytes = canonical::to_bytes(content)
        .or_else(|_| serde_json::to_vec(content))
        .unwrap_or_default();
    match Hmac::<Sha256>::new_from_slice(salt) {
        Ok(mut mac) => {
            mac.update(&bytes);
            hex::encode(mac.finalize().into_bytes())
        }
        Err(_) => String::new(),
    }
}

fn salt_place(seq: &str) -> Place<'_> {
    Place {
        table: "audit_entries",
        row: seq,
        column: "salt",
    }
}

/// Has the head written beside the database, and tells a checkpoint that was signed.
pub(crate) fn tell_head(workspace: &Workspace, appended: Appended) {
    let heads = &workspace.store().inner.heads;
    heads.write_soon(workspace.id(), appended.seq, appended.signed_head);
    if let Some(checkpoint) = &appended.checkpoint {
        // The log line is the copy outside this machine's database, for those who collect logs.
        tracing::info!(checkpoint, "the audit log was signed");
    }
}

impl Audit<'_> {
    /// Entries before a place, newest first, at most so many, each with its hash in hex.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, before: Option<u64>, limit: u32) -> Result<Vec<(AuditEntry, String)>> {
        let before = before.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
        let rows = query(
            "SELECT entry, hash FROM audit_entries WHERE workspace = $1 AND seq < $2 \
             ORDER BY seq DESC LIMIT $3",
        )
        .bind(self.0.id().as_str())
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(self.0.db().reader())
        .await?;
        rows.iter()
            .map(|row| {
                let entry =
                    serde_json::from_str(&row.get::<String>(0)?).map_err(StoreError::corrupt)?;
                Ok((entry, hex::encode(row.get::<Vec<u8>>(1)?)))
            })
            .collect()
    }

    /// The whole log, to be verified here or elsewhere.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export(&self) -> Result<ExportedLog> {
        let id = self.0.id().as_str();
        // The file is read before the database: it is written after the commit of what it signs, so
        // it can lag behind what is read here and never lead.
        let heads = &self.0.store().inner.heads;
        heads.settled().await;
        let path = heads.path(self.0.id());
        let beside = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Some("?".to_owned()),
            Err(source) => return Err(StoreError::File { path, source }),
        };
        // One moment of the database, while others append.
        let mut reader = self.0.db().snapshot().await?;
        let head = query("SELECT nonce, signed_head FROM audit_heads WHERE workspace = $1")
            .bind(id)
            .fetch_optional(&mut reader)
            .await?;
        let (nonce, signed) = match head {
            Some(row) => (row.get::<Vec<u8>>(0)?, row.get::<String>(1)?),
            None => (Vec::new(), String::new()),
        };
        let rows =
            query("SELECT seq, entry, hash FROM audit_entries WHERE workspace = $1 ORDER BY seq")
                .bind(id)
                .large()
                .fetch_all(&mut reader)
                .await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            entries.push((
                row.get::<i64>(0)?.unsigned_abs(),
                row.get(1)?,
                hex::encode(row.get::<Vec<u8>>(2)?),
            ));
        }
        let notes = query("SELECT note FROM audit_checkpoints WHERE workspace = $1 ORDER BY size")
            .bind(id)
            .fetch_all(&mut reader)
            .await?;
        reader.rollback().await?;
        // On PostgreSQL another process, with a folder of its own, may have made the workspace.
        let beside = match self.0.db().engine() {
            Engine::Sqlite => Some(beside.unwrap_or_default()),
            Engine::Postgres => beside,
        };
        Ok(ExportedLog {
            workspace: id.to_owned(),
            nonce: hex::encode(nonce),
            entries,
            checkpoints: notes.iter().map(|row| row.get(0)).collect::<Result<_>>()?,
            heads: [Some(signed), beside].into_iter().flatten().collect(),
        })
    }

    /// Verifies the log, also against checkpoints that were kept elsewhere.
    ///
    /// # Errors
    /// When the database fails; what is wrong with the log is the inner error.
    pub async fn verify(&self, kept: &[String]) -> Result<Result<Report, Problem>> {
        let mut log = self.export().await?;
        log.checkpoints.extend_from_slice(kept);
        Ok(verify::verify(&log, &self.verifying_key()))
    }

    /// Whether this is the content that an entry was written for; none when there is no such entry.
    ///
    /// # Errors
    /// When the database fails, or the entry's salt was changed.
    pub async fn is_about(&self, seq: u64, content: &serde_json::Value) -> Result<Option<bool>> {
        let row = query("SELECT entry, salt FROM audit_entries WHERE workspace = $1 AND seq = $2")
            .bind(self.0.id().as_str())
            .bind(i64::try_from(seq).unwrap_or(i64::MAX))
            .fetch_optional(self.0.db().reader())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let entry: AuditEntry =
            serde_json::from_str(&row.get::<String>(0)?).map_err(StoreError::corrupt)?;
        let number = seq.to_string();
        let salt = self
            .0
            .keys()
            .content
            .open(salt_place(&number), row.bytes(1)?)?;
        let salt: &[u8; 32] = salt[..]
            .try_into()
            .map_err(|_| StoreError::corrupt("the salt of an audit entry"))?;
        Ok(Some(commit(salt, content) == entry.commit))
    }

    /// A checkpoint of the log as it is now, to be kept elsewhere.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checkpoint(&self) -> Result<String> {
        let row = query("SELECT seq, edge FROM audit_heads WHERE workspace = $1")
            .bind(self.0.id().as_str())
            .fetch_one(self.0.db().reader())
            .await?;
        let edge = Edge::from_bytes(row.bytes(1)?)
            .ok_or_else(|| StoreError::corrupt("the audit head's edge"))?;
        let seq = row.get::<i64>(0)?.unsigned_abs();
        let store = &self.0.store().inner;
        Ok(note::sign(
            &self.0.audit_origin(),
            seq,
            &edge.root(),
            None,
            &store.audit_key,
        ))
    }

    /// The key that heads and checkpoints are checked with.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.0.store().inner.audit_key.verifying_key()
    }

    /// That key as note tools take it.
    #[must_use]
    pub fn verifying_key_text(&self) -> String {
        note::verifying_key_text(&self.0.audit_origin(), &self.verifying_key())
    }
}
