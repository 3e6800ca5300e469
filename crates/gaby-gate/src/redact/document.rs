//! Numbers of cards, accounts and people, each with its own check.

use std::sync::LazyLock;

use regex::Regex;

use super::checksum::{self, digits};
use super::{Finding, Kind, has_context, stands_alone};

fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

/// Adds what a pattern finds by itself and a check accepts, with the score that it gives.
fn scan(
    text: &str,
    pattern: &LazyLock<Option<Regex>>,
    kind: Kind,
    found: &mut Vec<Finding>,
    check: impl Fn(&str, usize) -> Option<u8>,
) {
    for place in pattern.iter().flat_map(|pattern| pattern.find_iter(text)) {
        let (start, end) = (place.start(), place.end());
        if !stands_alone(text, start, end) {
            continue;
        }
        if let Some(score) = check(place.as_str(), start) {
            found.push(Finding {
                kind,
                start,
                end,
                score,
            });
        }
    }
}

static CARD: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"\d(?:[ \-]?\d){11,18}"));

pub(super) fn cards(text: &str, found: &mut Vec<Finding>) {
    scan(text, &CARD, Kind::Card, found, |written, start| {
        let digits = digits(written);
        let named = has_context(
            text,
            start,
            &[
                "card",
                "visa",
                "mastercard",
                "amex",
                "credit",
                "debit",
                "karte",
                "carte",
                "tarjeta",
            ],
        );
        let issued = is_issued(&digits);
        match (checksum::luhn(&digits), issued, named) {
            (true, true, _) => Some(97),
            (true, false, true) => Some(80),
            _ => None,
        }
    });
}

/// Whether a card scheme issues numbers of this length that begin so.
fn is_issued(digits: &[u8]) -> bool {
    let starts = |count: usize| -> u32 {
        digits
            .iter()
            .take(count)
            .fold(0, |n, digit| n * 10 + u32::from(*digit))
    };
    let length = digits.len();
    match (starts(1), starts(2), starts(3), starts(4)) {
        (4, ..) => matches!(length, 13 | 16 | 19),
        (_, 51..=55, ..) | (_, _, _, 2221..=2720) => length == 16,
        (_, 34 | 37, ..) => length == 15,
        (_, 36 | 38 | 39, ..) | (_, _, 300..=305, _) => (14..=19).contains(&length),
        (_, 65, ..) | (_, _, 644..=649, _) | (_, _, _, 6011 | 3528..=3589) => length >= 16,
        (_, 50 | 56..=64 | 66..=69, ..) => length >= 13,
        (_, _, _, 1800 | 2131) => length == 15,
        _ => false,
    }
}

/// ISO 13616: how long the account numbers of each country are.
const IBAN_LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

static IBAN: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r"(?i)[A-Z]{2}\d{2}[ A-Z0-9\-]{8,60}"));

pub(super) fn ibans(text: &str, found: &mut Vec<Finding>) {
    for place in IBAN.iter().flat_map(|iban| iban.find_iter(text)) {
        let start = place.start();
        let country = place.as_str()[..2].to_uppercase();
        let Some((_, length)) = IBAN_LENGTHS.iter().find(|(code, _)| *code == country) else {
            continue;
        };
        // Spaces do not count, and the text goes on after the number: take as many as it must have.
        let mut compact = String::new();
        let mut end = start;
        for (offset, c) in place.as_str().char_indices() {
            if compact.len() == *length {
                break;
            }
            if c.is_ascii_alphanumeric() {
                compact.push(c.to_ascii_uppercase());
                end = start + offset + 1;
            }
        }
        if compact.len() == *length && stands_alone(text, start, end) && checksum::iban(&compact) {
            found.push(Finding {
                kind: Kind::Iban,
                start,
                end,
                score: 99,
            });
        }
    }
}

static US_SSN: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r"\d{3}-\d{2}-\d{4}|\d{3} \d{2} \d{4}|\d{9}"));

pub(super) fn us_ssn(text: &str, found: &mut Vec<Finding>) {
    scan(text, &US_SSN, Kind::UsSsn, found, |written, start| {
        let compact: String = written.chars().filter(char::is_ascii_digit).collect();
        let (area, group, serial) = (&compact[..3], &compact[3..5], &compact[5..]);
        let issued = area != "000"
            && area != "666"
            && !area.starts_with('9')
            && group != "00"
            && serial != "0000";
        let named = has_context(
            text,
            start,
            &[
                "ssn",
                "ssns",
                "social security",
                "social",
                "ss number",
                "ss #",
                "itin",
            ],
        );
        match (issued, named, written.contains('-')) {
            (true, true, _) => Some(95),
            (true, false, true) => Some(85),
            (true, false, false) if written.contains(' ') => Some(55),
            _ => None,
        }
    });
}

static CA_SIN: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r"\d{3}-\d{3}-\d{3}|\d{3} \d{3} \d{3}|\d{9}"));

pub(super) fn ca_sin(text: &str, found: &mut Vec<Finding>) {
    scan(text, &CA_SIN, Kind::CaSin, found, |written, start| {
        let number = digits(written);
        // Numbers that begin with 0 or 8 are not given to people.
        let issued = checksum::luhn(&number) && !matches!(number.first(), Some(0 | 8) | None);
        let named = has_context(
            text,
            start,
            &[
                "sin",
                "social insurance",
                "nas",
                "assurance sociale",
                "insurance number",
            ],
        );
        match (issued, named, written.len() > 9) {
            (true, true, _) => Some(95),
            (true, false, true) => Some(75),
            _ => None,
        }
    });
}

static UK_NINO: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(r"(?i)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ \-]?\d{2}[ \-]?\d{2}[ \-]?\d{2}[ \-]?[A-D]")
});

pub(super) fn uk_nino(text: &str, found: &mut Vec<Finding>) {
    scan(text, &UK_NINO, Kind::UkNino, found, |written, start| {
        let prefix = written[..2].to_uppercase();
        let never = matches!(
            prefix.as_str(),
            "BG" | "GB" | "KN" | "NK" | "NT" | "TN" | "ZZ"
        );
        let named = has_context(
            text,
            start,
            &["nino", "national insurance", "ni number", "ni no"],
        );
        let capital = written
            .chars()
            .filter(|c| c.is_alphabetic())
            .all(char::is_uppercase);
        match (never, named, capital) {
            (true, ..) => None,
            (false, true, _) => Some(95),
            (false, false, true) => Some(85),
            (false, false, false) => None,
        }
    });
}

static DE_TAX_ID: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r"[1-9]\d[ /]?\d{3}[ /]?\d{3}[ /]?\d{3}"));

pub(super) fn de_tax_id(text: &str, found: &mut Vec<Finding>) {
    scan(text, &DE_TAX_ID, Kind::DeTaxId, found, |written, start| {
        let number = digits(written);
        if number.len() != 11 || !checksum::mod_11_10(&number) {
            return None;
        }
        // Of the first ten digits exactly one occurs twice or three times.
        let mut counts = [0_u8; 10];
        for digit in &number[..10] {
            counts[usize::from(*digit)] += 1;
        }
        let repeated = counts.iter().filter(|count| **count > 1).count();
        let most = counts.iter().max().copied().unwrap_or(0);
        if repeated != 1 || most > 3 {
            return None;
        }
        let named = has_context(
            text,
            start,
            &[
                "steuer",
                "steuer-id",
                "steuerid",
                "steueridentifikationsnummer",
                "idnr",
                "steuer-idnr",
                "tax",
                "tax id",
                "tin",
                "identifikationsnummer",
            ],
        );
        match (named, written.len() > 11) {
            (true, _) => Some(96),
            (false, true) => Some(80),
            (false, false) => Some(60),
        }
    });
}

static FR_NIR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(r"(?i)[1-478] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}")
});

pub(super) fn fr_nir(text: &str, found: &mut Vec<Finding>) {
    scan(text, &FR_NIR, Kind::FrNir, found, |written, _| {
        let compact: String = written
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if compact.len() != 15 {
            return None;
        }
        let (number, key) = compact.split_at(13);
        checksum::nir(number, key).then_some(98)
    });
}

#[cfg(test)]
mod tests {
    use super::super::{Profile, find};
    use super::*;

    fn found(text: &str) -> Vec<(Kind, &str)> {
        find(text, &Profile::default())
            .into_iter()
            .filter(|finding| finding.kind < Kind::Email && finding.kind != Kind::Secret)
            .map(|finding| (finding.kind, &text[finding.start..finding.end]))
            .collect()
    }

    #[test]
    fn numbers_with_a_check_are_found_as_people_write_them() {
        for (text, kind, number) in [
            (
                "pay 4111-1111-1111-1111 now",
                Kind::Card,
                "4111-1111-1111-1111",
            ),
            ("amex 378282246310005.", Kind::Card, "378282246310005"),
            (
                "to DE89 3704 0044 0532 0130 00 today",
                Kind::Iban,
                "DE89 3704 0044 0532 0130 00",
            ),
            (
                "gb82west12345698765432",
                Kind::Iban,
                "gb82west12345698765432",
            ),
            ("SSN 536-22-1234", Kind::UsSsn, "536-22-1234"),
            (
                "social security number: 536221234",
                Kind::UsSsn,
                "536221234",
            ),
            ("SIN 130 692 544", Kind::CaSin, "130 692 544"),
            ("NI number AB 12 34 56 C", Kind::UkNino, "AB 12 34 56 C"),
            ("Steuer-ID 86 095 742 719", Kind::DeTaxId, "86 095 742 719"),
            (
                "NIR 2 55 08 14 168 025 38",
                Kind::FrNir,
                "2 55 08 14 168 025 38",
            ),
        ] {
            assert_eq!(found(text), [(kind, number)], "{text}");
        }
    }

    #[test]
    fn numbers_that_only_look_so_are_left() {
        for text in [
            "4111 1111 1111 1112",
            "order 1234567890123456",
            "DE89 3704 0044 0532 0130 01",
            "SSN 000-22-1234",
            "SSN 666-22-1234",
            "SSN 936-22-1234",
            "part 536221234",
            "ticket 130692545",
            "GB 12 34 56 C",
            "86095742718",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
