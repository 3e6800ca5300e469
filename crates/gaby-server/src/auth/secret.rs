//! Secrets that callers carry: session tokens, API tokens, one-time links. Only their SHA-256 is
//! ever stored, so that a stolen database signs nobody in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore as _;
use sha2::{Digest as _, Sha256};

/// What API tokens begin with, so that scanners of leaked secrets can find them.
const API_TOKEN_PREFIX: &str = "gaby_";
/// Hexadecimal digits of checksum at the end of an API token.
const CHECKSUM_DIGITS: usize = 8;

/// Random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    // A system without randomness can give out no secret: wait for it rather than make a weak one.
    while rand::rngs::OsRng.try_fill_bytes(&mut bytes).is_err() {
        std::thread::yield_now();
    }
    bytes
}

/// 256 random bits as text.
pub(crate) fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(random::<32>())
}

/// What is stored of a secret.
pub(crate) fn fingerprint(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// The token that guards a session's changes against forgery: bound to the session, and of no use
/// without its cookie.
pub(crate) fn csrf_of(session_token: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"gaby/csrf/v1\0")
        .chain_update(session_token.as_bytes())
        .finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

/// A new API token: `gaby_`, 256 random bits, and a checksum.
pub(crate) fn new_api_token() -> String {
    let body = random_text();
    let sum = checksum(&body);
    [API_TOKEN_PREFIX, &body, &sum].concat()
}

/// Whether a text can be an API token at all; what cannot is refused without asking the store.
pub(crate) fn is_api_token(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(API_TOKEN_PREFIX) else {
        return false;
    };
    // Base64 of 32 bytes without padding is 43 characters.
    rest.len() == 43 + CHECKSUM_DIGITS && rest.is_ascii() && checksum(&rest[..43]) == rest[43..]
}

fn checksum(body: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"gaby/token/v1\0")
        .chain_update(body.as_bytes())
        .finalize();
    hex::encode(digest)[..CHECKSUM_DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_with_a_typing_error_is_known_as_none() {
        let token = new_api_token();
        assert!(is_api_token(&token));
        let mut wrong = token.clone();
        wrong.replace_range(10..11, if &token[10..11] == "a" { "b" } else { "a" });
        for text in ["", "gaby_", "gaby_é", &token[..20], &wrong, &token[5..]] {
            assert!(!is_api_token(text), "{text}");
        }
    }

    #[test]
    fn every_secret_is_new_and_its_fingerprint_is_not_it() {
        assert_ne!(random_text(), random_text());
        let secret = random_text();
        assert_ne!(fingerprint(&secret).as_slice(), secret.as_bytes());
        assert_ne!(csrf_of(&secret), secret);
    }
}
