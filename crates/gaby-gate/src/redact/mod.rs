//! Personal data and secrets in text: found, and replaced by pseudonyms that can be turned back.
//!
//! Recognisers look at a normalised form of the text (compatibility forms folded, invisible
//! characters removed) and report places in the original. What has a checksum is checked; what only
//! has a shape needs words around it that say what it is; names are found by a list and by their
//! surroundings, which is a best effort. Pure: the key of the pseudonyms is passed in.

mod checksum;
mod contact;
mod document;
mod keep;
mod names;
mod normal;
mod pseudonym;
mod secret;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use keep::{Hidden, Lately, Veil, hide, profile, settle, show};
use normal::Normal;
pub use pseudonym::{Redacted, redact, restore};

/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Keys, tokens, passwords.
    Secret,
    /// Payment cards.
    Card,
    /// Bank accounts.
    Iban,
    /// Social security numbers of the United States.
    UsSsn,
    /// Social insurance numbers of Canada.
    CaSin,
    /// National insurance numbers of the United Kingdom.
    UkNino,
    /// Tax identification numbers of Germany.
    DeTaxId,
    /// National identification numbers of France.
    FrNir,
    /// E-mail addresses.
    Email,
    /// Addresses of machines.
    Ip,
    /// Telephone numbers.
    Phone,
    /// Names of people.
    Person,
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| {
                let known: Vec<&str> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
                format!("`{text}` is none of {}", known.join(", "))
            })
    }
}

impl Kind {
    /// Every kind, the surest first: of two that overlap, the surer one counts.
    pub const ALL: [Self; 12] = [
        Self::Secret,
        Self::Card,
        Self::Iban,
        Self::UsSsn,
        Self::CaSin,
        Self::UkNino,
        Self::DeTaxId,
        Self::FrNir,
        Self::Email,
        Self::Ip,
        Self::Phone,
        Self::Person,
    ];

    /// The word in pseudonyms and settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::UsSsn => "us_ssn",
            Self::CaSin => "ca_sin",
            Self::UkNino => "uk_nino",
            Self::DeTaxId => "de_tax_id",
            Self::FrNir => "fr_nir",
            Self::Email => "email",
            Self::Ip => "ip",
            Self::Phone => "phone",
            Self::Person => "person",
        }
    }
}

/// Something that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Byte offset of its first character.
    pub start: usize,
    /// Byte offset after its last character.
    pub end: usize,
    /// How sure it is, 0 to 100.
    pub score: u8,
}

/// What a workspace has redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// The kinds that are looked for.
    pub kinds: BTreeSet<Kind>,
    /// What is less sure than this is left, 0 to 100.
    pub threshold: u8,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            kinds: Kind::ALL.into(),
            threshold: 50,
        }
    }
}

/// Finds what the profile asks for, in the order of the text, without overlaps.
#[must_use]
pub fn find(text: &str, profile: &Profile) -> Vec<Finding> {
    let normal = Normal::of(text);
    let mut found = Vec::new();
    for kind in Kind::ALL
        .into_iter()
        .filter(|kind| profile.kinds.contains(kind))
    {
        recognise(kind, &normal.text, &mut found);
    }
    found.retain(|finding| finding.score >= profile.threshold && finding.start < finding.end);
    // By where they begin.
    let mut kept: BTreeMap<usize, Finding> = BTreeMap::new();
    // Surest first, then the longer: what overlaps something that is kept is dropped.
    found.sort_by_key(|f| {
        (
            std::cmp::Reverse(f.score),
            f.kind,
            std::cmp::Reverse(f.end - f.start),
        )
    });
    for finding in found {
        let before_its_end = kept.range(..finding.end).next_back();
        if before_its_end.is_none_or(|(_, other)| other.end <= finding.start) {
            kept.insert(finding.start, finding);
        }
    }
    kept.into_values()
        .map(|finding| normal.in_original(finding))
        .collect()
}

/// What a text holds of what looks like a secret, in words; none when nothing does.
#[must_use]
pub fn secret_in(text: &str) -> Option<&'static str> {
    secret::first(&Normal::of(text).text)
}

fn recognise(kind: Kind, text: &str, found: &mut Vec<Finding>) {
    match kind {
        Kind::Secret => secret::find(text, found),
        Kind::Card => document::cards(text, found),
        Kind::Iban => document::ibans(text, found),
        Kind::UsSsn => document::us_ssn(text, found),
        Kind::CaSin => document::ca_sin(text, found),
        Kind::UkNino => document::uk_nino(text, found),
        Kind::DeTaxId => document::de_tax_id(text, found),
        Kind::FrNir => document::fr_nir(text, found),
        Kind::Email => contact::emails(text, found),
        Kind::Ip => contact::addresses(text, found),
        Kind::Phone => contact::phones(text, found),
        Kind::Person => names::find(text, found),
    }
}

/// Whether one of these words stands in the text shortly before a place.
fn has_context(text: &str, start: usize, words: &[&str]) -> bool {
    const REACH: usize = 48;
    let mut from = start.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text[from..start].to_lowercase();
    words.iter().any(|word| {
        before.match_indices(word).any(|(at, _)| {
            let left = before[..at].chars().next_back();
            let right = before[at + word.len()..].chars().next();
            left.is_none_or(|c| !c.is_alphanumeric()) && right.is_none_or(|c| !c.is_alphabetic())
        })
    })
}

/// Whether a place stands by itself: no letter or digit touches it.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let touches = |c: char| c.is_alphanumeric() || c == '_';
    !text[..start].chars().next_back().is_some_and(touches)
        && !text[end..].chars().next().is_some_and(touches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        find(text, &Profile::default())
            .into_iter()
            .map(|finding| (finding.kind, &text[finding.start..finding.end]))
            .collect()
    }

    #[test]
    fn what_is_found_lies_in_the_original_although_invisible_characters_hide_it() {
        let hidden = "card 4111\u{200b} 1111 1111\u{2060} 1111 and \u{ff41}nn@example.com!";
        assert_eq!(
            kinds(hidden),
            [
                (Kind::Card, "4111\u{200b} 1111 1111\u{2060} 1111"),
                (Kind::Email, "\u{ff41}nn@example.com"),
            ]
        );
    }

    #[test]
    fn what_stands_after_the_escape_of_a_line_end_stands_alone() {
        for before in ["\\n", "\\r\\n", "\\\\n", "\\\\\\t", "\\u0007", "\\u000a"] {
            let text = format!("deploy{before}4111 1111 1111 1111{before}bob@example.com");
            assert_eq!(
                kinds(&text),
                [
                    (Kind::Card, "4111 1111 1111 1111"),
                    (Kind::Email, "bob@example.com"),
                ],
                "{text}"
            );
            let key = format!("deploy{before}ghp_0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R");
            assert!(secret_in(&key).is_some(), "{key}");
        }
    }

    #[test]
    fn a_profile_says_what_is_looked_for() {
        let profile = Profile {
            kinds: [Kind::Email].into(),
            threshold: 50,
        };
        let text = "ann@example.com 4111 1111 1111 1111";
        let found = find(text, &profile);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, Kind::Email);
    }

    #[test]
    fn any_text_at_all_is_looked_through_without_harm() {
        for text in [
            "",
            "\u{200b}",
            "é@é",
            "ﷺ ﷺ",
            "\u{1f600}@\u{1f600}.com",
            "++++----",
            "İ@İ.İİ",
        ] {
            for finding in find(text, &Profile::default()) {
                assert!(text.get(finding.start..finding.end).is_some(), "{text}");
            }
        }
    }
}
