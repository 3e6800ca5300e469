//! Signed heads and checkpoints, as C2SP signed notes so that standard witnesses can cosign them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::chain::Hash;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// `gaby/INSTANCE/WORKSPACE`.
    pub origin: String,
    /// How many entries there were.
    pub size: u64,
    /// The Merkle root over them.
    pub root: [u8; 32],
    /// The chain's hash after the last of them; only in heads.
    pub hash: Option<[u8; 32]>,
}

fn key_id(origin: &str, key: &VerifyingKey) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(origin.as_bytes());
    hash.update(b"\n\x01");
    hash.update(key.as_bytes());
    let digest = hash.finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// The verifying key in the form that note tools take: `NAME+ID+BASE64`.
#[must_use]
pub fn verifying_key_text(origin: &str, key: &VerifyingKey) -> String {
    let mut bytes = vec![1];
    bytes.extend_from_slice(key.as_bytes());
    format!(
        "{origin}+{}+{}",
        hex::encode(key_id(origin, key)),
        STANDARD.encode(bytes)
    )
}

/// Reads the key out of that form; none when it is not of it.
#[must_use]
pub fn read_verifying_key(text: &str) -> Option<VerifyingKey> {
    // Base64 may hold `+` too; a name does not.
    let [_, _, key] = text.trim().splitn(3, '+').collect::<Vec<_>>()[..] else {
        return None;
    };
    let bytes = STANDARD.decode(key).ok()?;
    let (algorithm, key) = bytes.split_first()?;
    if *algorithm != 1 {
        return None;
    }
    VerifyingKey::from_bytes(key.try_into().ok()?).ok()
}

pub(crate) fn sign(
    origin: &str,
    size: u64,
    root: &Hash,
    hash: Option<&Hash>,
    key: &SigningKey,
) -> String {
    let mut text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root));
    if let Some(hash) = hash {
        text.push_str(&format!("{}\n", STANDARD.encode(hash)));
    }
    let mut signature = key_id(origin, &key.verifying_key()).to_vec();
    signature.extend_from_slice(&key.sign(text.as_bytes()).to_bytes());
    format!("{text}\n\u{2014} {origin} {}\n", STANDARD.encode(signature))
}

/// Reads a note and checks its signature. None when it is not one, or the signature is not good.
pub(crate) fn open(note: &str, key: &VerifyingKey) -> Option<Checkpoint> {
    let (text, signatures) = note.split_once("\n\n")?;
    let text = format!("{text}\n");
    let mut lines = text.lines();
    let origin = lines.next()?.to_owned();
    let size = lines.next()?.parse().ok()?;
    let bytes32 = |line: &str| -> Option<[u8; 32]> { STANDARD.decode(line).ok()?.try_into().ok() };
    let root = bytes32(lines.next()?)?;
    let hash = match lines.next() {
        Some(line) => Some(bytes32(line)?),
        None => None,
    };
    let good = signatures.lines().any(|line| {
        let signed = line
            .strip_prefix("\u{2014} ")
            .and_then(|rest| rest.strip_prefix(origin.as_str()))
            .and_then(|rest| STANDARD.decode(rest.trim()).ok());
        let Some((id, signature)) = signed.as_deref().and_then(|s| s.split_first_chunk::<4>())
        else {
            return false;
        };
        *id == key_id(&origin, key)
            && Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok())
    });
    good.then_some(Checkpoint {
        origin,
        size,
        root,
        hash,
    })
}

/// Whether a note names itself signed, by the name of its origin, with another key than this.
pub(crate) fn signed_by_another(note: &str, key: &VerifyingKey) -> bool {
    let Some((text, signatures)) = note.split_once("\n\n") else {
        return false;
    };
    let origin = text.lines().next().unwrap_or_default();
    let ids: Vec<Vec<u8>> = signatures
        .lines()
        .filter_map(|line| line.strip_prefix("\u{2014} ")?.strip_prefix(origin))
        .filter_map(|rest| STANDARD.decode(rest.trim()).ok())
        .collect();
    !ids.is_empty() && ids.iter().all(|id| !id.starts_with(&key_id(origin, key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_opens_with_its_key_only_and_unchanged_only() {
        let key = SigningKey::from_bytes(&[3; 32]);
        let note = sign("gaby/i/w", 7, &[1; 32], None, &key);
        let opened = open(&note, &key.verifying_key()).unwrap();
        assert_eq!((opened.size, opened.root), (7, [1; 32]));
        let other = SigningKey::from_bytes(&[4; 32]);
        assert!(open(&note, &other.verifying_key()).is_none());
        assert!(open(&note.replacen("\n7\n", "\n8\n", 1), &key.verifying_key()).is_none());
        assert!(open("garbage", &key.verifying_key()).is_none());
    }
}
