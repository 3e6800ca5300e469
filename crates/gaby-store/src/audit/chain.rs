//! The hash chain itself.

use sha2::{Digest as _, Sha256};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

const TAG: &[u8] = b"gaby/audit/v1";

/// What a workspace's chain begins with.
pub(crate) fn genesis(workspace: &str, nonce: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(TAG);
    hash.update((workspace.len() as u64).to_be_bytes());
    hash.update(workspace.as_bytes());
    hash.update(nonce);
    hash.finalize().into()
}

/// The hash after an entry.
pub(crate) fn next(previous: &Hash, entry: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(TAG);
    hash.update([0]);
    hash.update(previous);
    hash.update((entry.len() as u64).to_be_bytes());
    hash.update(entry);
    hash.finalize().into()
}
