//! Slots: values that a playbook needs, found in a ticket's text.
//!
//! Whatever is found here was written by anybody, and is labelled so.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// A kind of thing that tickets name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// An e-mail address.
    Email,
    /// An invoice number, such as `INV-1042`.
    Invoice,
    /// An order number, such as `ORD-77` or `order #1234`.
    Order,
    /// A web address.
    Url,
    /// A host or domain name.
    Domain,
    /// A date, as written.
    Date,
    /// An amount of money, as written.
    Amount,
    /// An error code, such as `ERR_1234`, `0x80070005` or `HTTP 503`.
    ErrorCode,
}

/// The longest text that is searched for slots, in bytes.
const LONGEST: usize = 64 * 1024;
/// The longest value, in bytes; what is longer names nothing.
const LONGEST_VALUE: usize = 500;

/// The values of one kind in a text, in order, each once.
#[must_use]
pub fn find(entity: Entity, text: &str) -> Vec<String> {
    pattern(entity).map_or_else(Vec::new, |pattern| find_by(pattern, text))
}

/// What a pattern finds in a text, in order, each once: its first group, or all of it.
#[must_use]
pub fn find_by(pattern: &Regex, text: &str) -> Vec<String> {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut found: Vec<String> = Vec::new();
    for captures in pattern.captures_iter(&text[..end]) {
        let hit = captures
            .iter()
            .skip(1)
            .flatten()
            .next()
            .or_else(|| captures.get(0));
        let value = hit
            .map_or("", |hit| hit.as_str())
            .trim_matches(['.', ',', ';', ':']);
        let fits = !value.is_empty() && value.len() <= LONGEST_VALUE;
        if fits && !found.iter().any(|known| known == value) {
            found.push(value.to_owned());
        }
        if found.len() == 20 {
            break;
        }
    }
    found
}

fn pattern(entity: Entity) -> Option<&'static Regex> {
    static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\b[a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}\b").ok()
    });
    static INVOICE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\b((?:inv[-_/ ]?|in[-_/]|re[-_/]|rg[-_/]|bill[-_/])\d[\d-]{0,14}\d)\b|\binvoice\s*(?:no\.?|number|nr\.?|#)?\s*:?\s*#?((?:[a-z]{1,5}-)?\d[\d-]{1,14})\b").ok()
    });
    static ORDER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(ord(?:er)?[-_]\d[\d-]{0,14})\b|\border\s*(?:no\.?|number|nr\.?|#)?\s*:?\s*#?(\d[\d-]{2,14})\b").ok()
    });
    static URL: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?i)\bhttps?://[^\s<>"')\]]+"#).ok());
    static DOMAIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,6}(?:com|org|net|io|dev|app|cloud|eu|de|fr|co|uk|us|local|internal|example|test)\b").ok()
    });
    static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{1,2}\.? (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{4}\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2}(?:, ?| )\d{4}\b").ok()
    });
    static AMOUNT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)[$€£]\s?\d[\d,.]*\d|[$€£]\s?\d|\b\d[\d,.]*\s?(?:usd|eur|gbp|chf|dollars|euros?|€|£)").ok()
    });
    static ERROR: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"\b(0x[0-9a-fA-F]{4,16})\b|\b(E(?:RR)?[-_]?\d{2,6})\b|\b((?:ERR|ERROR)_[A-Z0-9_]{2,60})\b|(?i)\b(?:error|http|code|status)\s*(?:code|status)?\s*:?\s*#?(\d{3,6})\b").ok()
    });
    match entity {
        Entity::Email => &EMAIL,
        Entity::Invoice => &INVOICE,
        Entity::Order => &ORDER,
        Entity::Url => &URL,
        Entity::Domain => &DOMAIN,
        Entity::Date => &DATE,
        Entity::Amount => &AMOUNT,
        Entity::ErrorCode => &ERROR,
    }
    .as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tickets_name_things_in_many_ways() {
        for (entity, text, expected) in [
            (
                Entity::Email,
                "write to Ann.Lee+x@mail.example.com, please",
                &["Ann.Lee+x@mail.example.com"][..],
            ),
            (Entity::Email, "nobody@ or @home", &[]),
            (
                Entity::Invoice,
                "Invoice INV-2026-0042 never arrived",
                &["INV-2026-0042"],
            ),
            (
                Entity::Invoice,
                "invoice no. 10042 and invoice #10043.",
                &["10042", "10043"],
            ),
            (Entity::Invoice, "in 2026 we paid", &[]),
            (Entity::Order, "order 12345 and ORD-9", &["12345", "ORD-9"]),
            (
                Entity::Url,
                "see https://example.com/a?b=1.",
                &["https://example.com/a?b=1"],
            ),
            (
                Entity::Domain,
                "our domain is login.example.com",
                &["login.example.com"],
            ),
            (
                Entity::Date,
                "since 2026-01-31 or 31.1.2026 or March 3, 2026",
                &["2026-01-31", "31.1.2026", "March 3, 2026"],
            ),
            (
                Entity::Amount,
                "you took $49.00 and 12 EUR",
                &["$49.00", "12 EUR"],
            ),
            (
                Entity::ErrorCode,
                "error 0x80070005, ERR_SSL_PROTOCOL, HTTP 503",
                &["0x80070005", "ERR_SSL_PROTOCOL", "503"],
            ),
        ] {
            assert_eq!(find(entity, text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_searched_without_harm(text in "(.|\n){0,300}") {
            for entity in [Entity::Email, Entity::Invoice, Entity::Order, Entity::Url, Entity::Domain,
                           Entity::Date, Entity::Amount, Entity::ErrorCode] {
                for value in find(entity, &text) {
                    prop_assert!(text.contains(&value));
                }
            }
        }
    }
}
