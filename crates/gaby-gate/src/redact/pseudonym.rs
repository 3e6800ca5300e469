//! Pseudonyms: `[email_3f9a1c0b2d4e]`, the same for the same value within a workspace, and nothing
//! without its key.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::{Kind, Profile, find};

/// A text in which what was found stands as pseudonyms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text.
    pub text: String,
    /// What each pseudonym in it stands for; to be sealed.
    pub originals: BTreeMap<String, String>,
}

/// Replaces what the profile asks for by pseudonyms. `keyed` gives a keyed hash of at least six
/// bytes, such as [`Workspace::keyed_hash`](gaby_store::Workspace::keyed_hash).
#[must_use]
pub fn redact(text: &str, profile: &Profile, keyed: &dyn Fn(&[u8]) -> Vec<u8>) -> Redacted {
    let mut out = String::with_capacity(text.len());
    let mut originals = BTreeMap::new();
    let mut at = 0;
    for finding in find(text, profile) {
        let original = &text[finding.start..finding.end];
        let pseudonym = pseudonym(finding.kind, original, keyed);
        out.push_str(&text[at..finding.start]);
        out.push_str(&pseudonym);
        // However it is written, one value has one original: the way it was first written.
        originals
            .entry(pseudonym)
            .or_insert_with(|| original.to_owned());
        at = finding.end;
    }
    out.push_str(&text[at..]);
    Redacted {
        text: out,
        originals,
    }
}

/// The same value has the same pseudonym however it is spaced or capitalised.
fn pseudonym(kind: Kind, original: &str, keyed: &dyn Fn(&[u8]) -> Vec<u8>) -> String {
    let mut value = format!("{}\0", kind.as_str());
    match kind {
        Kind::Secret => value.push_str(original),
        Kind::Person => {
            value.push_str(
                &original
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
                    .to_lowercase(),
            );
        }
        _ => value.extend(
            original
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, '@' | '.' | '+' | ':'))
                .flat_map(char::to_lowercase),
        ),
    }
    let mut hash = keyed(value.as_bytes());
    hash.truncate(6);
    format!("[{}_{}]", kind.as_str(), hex::encode(hash))
}

/// Turns pseudonyms back. One that `original` does not know stays as it is.
#[must_use]
pub fn restore(text: &str, original: &dyn Fn(&str) -> Option<String>) -> String {
    static PSEUDONYM: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\[[a-z_]{2,12}_[0-9a-f]{12}\]").ok());
    match PSEUDONYM.as_ref() {
        None => text.to_owned(),
        Some(shape) => shape
            .replace_all(text, |found: &regex::Captures<'_>| {
                original(&found[0]).unwrap_or_else(|| found[0].to_owned())
            })
            .into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    fn keyed(value: &[u8]) -> Vec<u8> {
        Sha256::digest([b"key".as_slice(), value].concat()).to_vec()
    }

    #[test]
    fn a_text_is_turned_back_to_the_letter() {
        let text = "Ann Miller <Ann@Example.com>, +49 30 901820: card 4111 1111 1111 1111 fails.";
        let redacted = redact(text, &Profile::default(), &keyed);
        for hidden in ["Example.com", "901820", "4111"] {
            assert!(!redacted.text.contains(hidden), "{}", redacted.text);
        }
        let back = restore(&redacted.text, &|p| redacted.originals.get(p).cloned());
        assert_eq!(back, text);
    }

    #[test]
    fn one_value_has_one_pseudonym_and_another_key_another() {
        let of = |text: &str, key: &dyn Fn(&[u8]) -> Vec<u8>| {
            redact(text, &Profile::default(), key).text
        };
        assert_eq!(of("ann@example.com", &keyed), of("ANN@Example.com", &keyed));
        assert_eq!(
            of("4111111111111111", &keyed),
            of("4111 1111 1111 1111", &keyed)
        );
        assert_ne!(of("ann@example.com", &keyed), of("bob@example.com", &keyed));
        let other = |value: &[u8]| keyed(&[value, b"other"].concat());
        assert_ne!(of("ann@example.com", &keyed), of("ann@example.com", &other));
    }

    #[test]
    fn a_pseudonym_that_nobody_knows_is_left_as_it_is() {
        let text = "[email_0123456789ab] and [1]";
        assert_eq!(restore(text, &|_| None), text);
        // A pseudonym is not itself taken for something to hide.
        assert_eq!(redact(text, &Profile::default(), &keyed).text, text);
    }
}
