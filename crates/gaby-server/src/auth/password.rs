//! Passwords, kept as argon2id hashes (RFC 9106).
//!
//! Hashing takes memory on purpose, so at most two run at once: a flood of sign-ins waits instead
//! of filling the machine. An unknown account costs as much as a known one, so that the time of an
//! answer tells nothing.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::Semaphore;

use super::secret;

/// Memory of one hash in KiB, and passes over it.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
/// The fewest characters of a password (NIST SP 800-63B asks for 8; a machine's keys deserve more).
pub(crate) const SHORTEST: usize = 12;
/// The most bytes that are hashed.
const LONGEST: usize = 1024;

/// Makes and checks hashes, two at a time.
#[derive(Clone)]
pub(crate) struct Passwords {
    slots: Arc<Semaphore>,
    stand_in: Arc<str>,
}

/// Why a password cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("`password` must have at least {SHORTEST} characters")]
    TooShort,
    #[error("`password` must have at most {LONGEST} bytes")]
    TooLong,
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

impl Passwords {
    /// Ready to hash.
    pub(crate) fn new() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(2)),
            stand_in: stand_in().into(),
        }
    }

    /// The hash of a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, PasswordError> {
        if password.chars().count() < SHORTEST {
            return Err(PasswordError::TooShort);
        }
        if password.len() > LONGEST {
            return Err(PasswordError::TooLong);
        }
        self.run(move || hash(&password)).await?
    }

    /// Whether the password is the account's; for no account, the same work and a no.
    pub(crate) async fn matches(
        &self,
        password: String,
        stored: Option<String>,
    ) -> Result<bool, PasswordError> {
        if password.len() > LONGEST {
            return Ok(false);
        }
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.stand_in.to_string());
        let same = self.run(move || matches(&password, &stored)).await?;
        Ok(known && same)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let failed = |error: &dyn std::fmt::Display| PasswordError::Hash(error.to_string());
        let _slot = self.slots.acquire().await.map_err(|error| failed(&error))?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| failed(&error))
    }
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let failed = |error: &dyn std::fmt::Display| PasswordError::Hash(error.to_string());
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| failed(&error))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| failed(&error))
}

/// What unknown accounts are compared with: the form and cost of a hash, and of no password, since
/// nothing was hashed for it (and what comes of the comparison is ignored).
fn stand_in() -> String {
    let (salt, output) = (secret::random::<16>(), secret::random::<32>());
    format!(
        "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1${}${}",
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(output)
    )
}

fn matches(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches_and_nobody_has_none() {
        let passwords = Passwords::new();
        let stored = passwords
            .hash("correct horse battery".into())
            .await
            .unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"),
            "{stored}"
        );
        for (given, kept, expected) in [
            ("correct horse battery", Some(stored.clone()), true),
            ("correct horse batterY", Some(stored.clone()), false),
            ("", Some(stored), false),
            ("correct horse battery", None, false),
            ("correct horse battery", Some("garbage".to_owned()), false),
        ] {
            let found = passwords.matches(given.to_owned(), kept).await.unwrap();
            assert_eq!(found, expected, "{given}");
        }
    }

    #[tokio::test]
    async fn an_unknown_account_costs_what_a_known_one_does() {
        let known = Passwords::new().hash("correct horse battery".into()).await;
        let known = known.unwrap();
        let unknown = stand_in();
        let [known, unknown] = [&known, &unknown].map(|text| PasswordHash::new(text).unwrap());
        assert_eq!(known.algorithm, unknown.algorithm);
        assert_eq!(known.version, unknown.version);
        assert_eq!(known.params.to_string(), unknown.params.to_string());
        let lengths = |hash: &PasswordHash| (hash.salt.unwrap().len(), hash.hash.unwrap().len());
        assert_eq!(lengths(&known), lengths(&unknown));
        assert_ne!(stand_in(), stand_in());
    }

    #[tokio::test]
    async fn short_and_endless_passwords_are_refused_before_any_work() {
        let passwords = Passwords::new();
        let short = passwords.hash("elevenchars".into()).await.unwrap_err();
        assert!(short.to_string().contains("12 characters"), "{short}");
        assert!(passwords.hash("x".repeat(2000)).await.is_err());
        assert!(
            !passwords
                .matches("x".repeat(10_000_000), None)
                .await
                .unwrap()
        );
    }
}
