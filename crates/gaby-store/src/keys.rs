//! Keys: a master key wraps a random key per workspace; everything else is derived from those.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use hkdf::Hkdf;
use rand::TryRngCore as _;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::StoreError;

/// 32 bytes that are wiped when dropped.
pub(crate) type Secret = Zeroizing<[u8; 32]>;

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without randomness nothing can be sealed safely; the system that cannot give any is broken.
    while rand::rngs::OsRng.try_fill_bytes(&mut bytes).is_err() {
        std::thread::yield_now();
    }
    bytes
}

/// The key for one purpose, from a key (HKDF-SHA-256, RFC 5869).
pub(crate) fn subkey(key: &Secret, purpose: &str) -> Secret {
    let mut out = Zeroizing::new([0; 32]);
    let info = ["gaby/v1/", purpose].concat();
    // 32 bytes are far below the most that the function can give.
    let _ = Hkdf::<Sha256>::new(None, &key[..]).expand(info.as_bytes(), &mut out[..]);
    out
}

/// The key that wraps all others. Never printed.
#[derive(Clone)]
pub struct MasterKey {
    pub(crate) key: Secret,
    /// Where it came from, for error messages.
    pub(crate) origin: String,
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey(from {})", self.origin)
    }
}

/// Where the master key is to be found.
#[derive(Clone)]
pub enum MasterKeySource {
    /// `GABY_MASTER_KEY` if it is set, else the file `master.key` of the data folder, which is made
    /// at the first start.
    EnvironmentOrFile,
    /// This text: 64 hexadecimal digits or base64 of 32 bytes.
    Text(Zeroizing<String>),
}

impl MasterKeySource {
    /// The key, if one is to be had without making one.
    pub(crate) fn find(&self, data_dir: &Path) -> Result<Option<MasterKey>, StoreError> {
        let from_text = |text: &str, origin: &str| {
            parse(text)
                .map(|key| MasterKey {
                    key,
                    origin: origin.to_owned(),
                })
                .ok_or_else(|| StoreError::MalformedMasterKey(origin.to_owned()))
        };
        if let Self::Text(text) = self {
            return from_text(text, "the given key").map(Some);
        }
        if let Ok(text) = std::env::var("GABY_MASTER_KEY") {
            let text = Zeroizing::new(text);
            return from_text(&text, "GABY_MASTER_KEY").map(Some);
        }
        let path = key_file(data_dir);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::File { path, source }),
        };
        refuse_exposed(&path)?;
        from_text(&text, &path.display().to_string()).map(Some)
    }

    /// Makes a key and its file.
    pub(crate) fn create(data_dir: &Path) -> Result<MasterKey, StoreError> {
        let path = key_file(data_dir);
        let key: Secret = Zeroizing::new(random());
        let text = Zeroizing::new(format!("{}\n", hex::encode(&key[..])));
        write_private(&path, text.as_bytes())?;
        Ok(MasterKey {
            key,
            origin: path.display().to_string(),
        })
    }
}

/// The file that the master key is kept in.
pub(crate) fn key_file(data_dir: &Path) -> PathBuf {
    data_dir.join("master.key")
}

/// Writes a file that only its owner can read, durably; one that is there is left and is an error.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let write = || -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        if let Some(folder) = path.parent() {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    write().map_err(|source| StoreError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(unix)]
fn refuse_exposed(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path).map_err(|source| StoreError::File {
        path: path.to_owned(),
        source,
    })?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(StoreError::ExposedMasterKey {
            path: path.display().to_string(),
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path) -> Result<(), StoreError> {
    Ok(())
}

fn parse(text: &str) -> Option<Secret> {
    let text = text.trim();
    let bytes = Zeroizing::new(if text.len() == 64 {
        hex::decode(text).ok()?
    } else {
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .ok()?
    });
    let mut key = Zeroizing::new([0; 32]);
    if bytes.len() != 32 {
        return None;
    }
    key.copy_from_slice(&bytes);
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_is_32_bytes_in_hex_or_base64() {
        assert!(parse(&"ab".repeat(32)).is_some());
        assert!(parse(&base64::engine::general_purpose::STANDARD.encode([7; 32])).is_some());
        assert!(parse("secret").is_none());
        assert!(parse(&"ab".repeat(31)).is_none());
        assert!(parse(&"zz".repeat(32)).is_none());
    }

    #[test]
    fn keys_of_different_purposes_differ() {
        let key = Zeroizing::new([1; 32]);
        assert_ne!(subkey(&key, "content"), subkey(&key, "blind"));
    }
}
