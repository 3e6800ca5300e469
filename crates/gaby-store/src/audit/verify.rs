//! Is this log whole? A pure function over an exported log, so that it can be asked anywhere.

use ed25519_dalek::VerifyingKey;
use serde::Serialize;

use super::chain::{self, Hash};
use super::merkle::Edge;
use super::note::{self, Checkpoint};
use super::{AuditEntry, ExportedLog};

/// A log that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many entries it has.
    pub entries: u64,
    /// How many signed checkpoints agree with it.
    pub checkpoints: u64,
    /// The hash after the last entry, in hex.
    pub head: String,
}

/// What is wrong, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An entry, or its hash, is not what was written.
    Changed,
    /// An entry is not there.
    Missing,
    /// An entry stands where none was written.
    Inserted,
    /// An entry stands in another's place.
    Reordered,
    /// Entries at the end are not there.
    Truncated,
    /// The log is an older one than a checkpoint knows.
    RolledBack,
    /// The signature of a head or checkpoint is not good.
    BadSignature,
    /// A head or checkpoint is signed by another key.
    UnknownKey,
    /// An entry of another workspace.
    ForeignWorkspace,
    /// A signed head that should be there is not.
    NoHead,
}

/// The first thing that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("the log is not whole from entry {seq} on: {detail}")]
pub struct Problem {
    /// The first entry concerned.
    pub seq: u64,
    /// What kind of problem.
    pub kind: Kind,
    /// In words.
    pub detail: String,
}

fn problem(seq: u64, kind: Kind, detail: impl Into<String>) -> Problem {
    Problem {
        seq,
        kind,
        detail: detail.into(),
    }
}

/// Verifies entries, chain, checkpoints and heads.
///
/// # Errors
/// The first problem.
pub fn verify(log: &ExportedLog, key: &VerifyingKey) -> Result<Report, Problem> {
    let have = log.entries.len() as u64;
    if log.heads.is_empty() || log.heads.iter().any(String::is_empty) {
        let text = "a signed head is gone: what was cut off at the end cannot be told";
        return Err(problem(have.max(1), Kind::NoHead, text));
    }
    let notes = signed(log, &log.checkpoints, key)?;
    let heads = signed(log, &log.heads, key)?;
    let known = heads.iter().map(|note| note.size).max().unwrap_or(0);
    let nonce = hex::decode(&log.nonce).unwrap_or_default();
    let mut hash = chain::genesis(&log.workspace, &nonce);
    let mut edge = Edge::default();
    let mut last_agreed = 0;
    for note in notes.iter().chain(&heads).filter(|note| note.size == 0) {
        agrees(note, &edge, &hash, 1)?;
    }
    for (index, (_, bytes, _)) in log.entries.iter().enumerate() {
        let expected = index as u64 + 1;
        let next = chain::next(&hash, bytes.as_bytes());
        check_entry(log, index, &hash, &next)?;
        hash = next;
        edge.push(bytes.as_bytes());
        for note in notes
            .iter()
            .chain(&heads)
            .filter(|note| note.size == expected)
        {
            agrees(note, &edge, &hash, last_agreed + 1)?;
            last_agreed = expected;
        }
    }
    if let Some(note) = heads.iter().find(|head| head.size > have) {
        let text = format!(
            "a signed head knows {} entries, {have} are there",
            note.size
        );
        // The database's own head was written with its last entry: where it agrees, nothing was cut
        // off, but all of the database was put back to an earlier moment.
        let kind = match heads.first() {
            Some(own) if own.size == have => Kind::RolledBack,
            _ => Kind::Truncated,
        };
        return Err(problem(have + 1, kind, text));
    }
    if let Some(note) = notes.iter().find(|note| note.size > have) {
        let text = format!("a checkpoint knows {} entries, {have} are there", note.size);
        return Err(problem(have + 1, Kind::RolledBack, text));
    }
    // The head in the database commits with the entries; only the file beside it may lag.
    if known < have {
        return Err(problem(
            known + 1,
            Kind::Inserted,
            "there are entries after the last signed head",
        ));
    }
    Ok(Report {
        entries: have,
        checkpoints: notes.len() as u64,
        head: hex::encode(hash),
    })
}

fn signed(
    log: &ExportedLog,
    texts: &[String],
    key: &VerifyingKey,
) -> Result<Vec<Checkpoint>, Problem> {
    let mut out = Vec::with_capacity(texts.len());
    for text in texts {
        let line = text.lines().nth(1).and_then(|size| size.parse().ok());
        let seq = line.unwrap_or(0);
        let note = match note::open(text, key) {
            Some(note) => note,
            None if note::signed_by_another(text, key) => {
                let text = "a head or checkpoint is signed by another key";
                return Err(problem(seq, Kind::UnknownKey, text));
            }
            None => {
                let text = "the signature of a head or checkpoint is not good";
                return Err(problem(seq, Kind::BadSignature, text));
            }
        };
        if !note.origin.ends_with(&format!("/{}", log.workspace)) {
            let text = "a head or checkpoint is of another workspace";
            return Err(problem(seq, Kind::ForeignWorkspace, text));
        }
        out.push(note);
    }
    Ok(out)
}

fn check_entry(
    log: &ExportedLog,
    index: usize,
    before: &Hash,
    after: &Hash,
) -> Result<(), Problem> {
    let expected = index as u64 + 1;
    let (seq, bytes, stored) = &log.entries[index];
    let seq = *seq;
    if seq < expected {
        let text = format!("entry {seq} is there twice");
        return Err(problem(seq, Kind::Inserted, text));
    }
    let entry = serde_json::from_str::<AuditEntry>(bytes);
    if let Ok(entry) = &entry
        && entry.ws != log.workspace
    {
        let text = "the entry is of another workspace";
        return Err(problem(expected, Kind::ForeignWorkspace, text));
    }
    if seq > expected {
        return Err(elsewhere_or_missing(log, index, expected));
    }
    let Ok(entry) = entry else {
        return Err(problem(seq, Kind::Changed, "the entry cannot be read"));
    };
    if hex::encode(after) == *stored {
        return Ok(());
    }
    // Something is off: say what, as exactly as can be told.
    if entry.seq != seq {
        let numbered = log
            .entries
            .iter()
            .any(|(_, other, _)| number_of(other) == Some(seq));
        return Err(if numbered || entry.seq > seq {
            elsewhere_or_missing(log, index, seq)
        } else {
            let text = format!("entry {} stands in the place of {seq}", entry.seq);
            problem(seq, Kind::Inserted, text)
        });
    }
    if entry.prev != hex::encode(before) {
        // An entry that is whole by itself was written after another one than stands before it.
        let whole = hex::decode(&entry.prev)
            .ok()
            .and_then(|prev| Hash::try_from(prev).ok())
            .is_some_and(|prev| hex::encode(chain::next(&prev, bytes.as_bytes())) == *stored);
        let (seq, text) = if whole && seq > 1 {
            (
                seq - 1,
                "the entry is not the one that the next was written after",
            )
        } else {
            (seq, "the entry does not follow the one before it")
        };
        return Err(problem(seq, Kind::Changed, text));
    }
    Err(problem(
        seq,
        Kind::Changed,
        "the entry does not match its hash",
    ))
}

/// The entry of this number is not in its place: it stands later, or nowhere.
fn elsewhere_or_missing(log: &ExportedLog, index: usize, seq: u64) -> Problem {
    let later = log.entries[index..]
        .iter()
        .any(|(_, other, _)| number_of(other) == Some(seq));
    if later {
        problem(
            seq,
            Kind::Reordered,
            format!("another entry stands in the place of {seq}"),
        )
    } else {
        problem(seq, Kind::Missing, format!("entry {seq} is not there"))
    }
}

fn number_of(entry: &str) -> Option<u64> {
    serde_json::from_str::<AuditEntry>(entry)
        .ok()
        .map(|entry| entry.seq)
}

fn agrees(note: &Checkpoint, edge: &Edge, hash: &Hash, first: u64) -> Result<(), Problem> {
    if note.root != edge.root() || note.hash.is_some_and(|signed| signed != *hash) {
        return Err(problem(
            first,
            Kind::Changed,
            format!(
                "the entries up to {} are not those that were signed",
                note.size
            ),
        ));
    }
    Ok(())
}
