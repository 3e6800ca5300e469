//! Ways to reach somebody or something: e-mail and telephone, and addresses of machines.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, Kind, has_context, stands_alone};

fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

static EMAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"[\p{L}\p{N}](?:[\p{L}\p{N}._%+'\-]*[\p{L}\p{N}_%+\-])?@(?:[\p{L}\p{N}](?:[\p{L}\p{N}\-]{0,61}[\p{L}\p{N}])?\.)+\p{L}{2,24}",
    )
});

pub(super) fn emails(text: &str, found: &mut Vec<Finding>) {
    for place in EMAIL.iter().flat_map(|email| email.find_iter(text)) {
        found.push(Finding {
            kind: Kind::Email,
            start: place.start(),
            end: place.end(),
            score: 98,
        });
    }
}

static V4: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"\d{1,3}(?:\.\d{1,3}){3}"));
static V6: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}"));

pub(super) fn addresses(text: &str, found: &mut Vec<Finding>) {
    let mut add = |start: usize, end: usize, score| {
        found.push(Finding {
            kind: Kind::Ip,
            start,
            end,
            score,
        });
    };
    for place in V4.iter().flat_map(|v4| v4.find_iter(text)) {
        let before = text[..place.start()].chars().next_back();
        let after = text[place.end()..].chars();
        let goes_on = after.clone().next() == Some('.')
            && after.clone().nth(1).is_some_and(|c| c.is_ascii_digit());
        let version = has_context(text, place.start(), &["version", "v", "release", "build"]);
        if place.as_str().parse::<Ipv4Addr>().is_ok()
            && stands_alone(text, place.start(), place.end())
            && before != Some('.')
            && !goes_on
            && !version
        {
            add(place.start(), place.end(), 90);
        }
    }
    for place in V6.iter().flat_map(|v6| v6.find_iter(text)) {
        let trimmed = match place.as_str() {
            whole if whole.parse::<Ipv6Addr>().is_ok() => whole,
            whole => whole.trim_end_matches(':'),
        };
        let end = place.start() + trimmed.len();
        let long_enough = trimmed.len() > 3;
        if long_enough
            && trimmed.parse::<Ipv6Addr>().is_ok()
            && stands_alone(text, place.start(), end)
        {
            add(place.start(), end, 90);
        }
    }
}

/// Digits in groups, as telephone numbers are written.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(r"(?:\+\s?|\(\+?)?\d(?:[\s().\-/]{0,3}\d){5,16}(?:\s?(?:x|ext\.?|extension)\s?\d{1,6})?")
});
/// Before numbers that are written like telephone numbers and are none.
const OTHER_NUMBERS: &[&str] = &[
    "license",
    "licence",
    "passport",
    "account number",
    "invoice",
    "order number",
    "order no",
    "ticket number",
    "serial number",
    "reference number",
    "tracking number",
    "credit card",
    "card number",
];

/// Three, three and four digits, as in North America.
static AMERICAN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(
        r"^(?:\+?0{0,2}1[\s.\-]?)?(?:\([2-9]\d{2}\)\s?|[2-9]\d{2}[\s.\-])\d{3}[\s.\-]\d{4}(?:\s?(?:x|ext)|$)",
    )
});
static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    regex(r"^(?:\d{4}[\-/.]\d{1,2}[\-/.]\d{1,2}|\d{1,2}[\-/.]\d{1,2}[\-/.](?:\d{4}|\d{2}))(?:$|\s)")
});

const ABOUT_PHONES: &[&str] = &[
    "phone",
    "tel",
    "telephone",
    "mobile",
    "cell",
    "fax",
    "call",
    "called",
    "calling",
    "ring",
    "dial",
    "text",
    "whatsapp",
    "sms",
    "hotline",
    "telefon",
    "handy",
    "téléphone",
    "portable",
    "teléfono",
    "móvil",
    "cellulare",
    "telefono",
    "reach me",
    "reached at",
    "answering",
    "answer at",
    "messages to",
    "texts to",
    "contact number",
    "number is",
];

pub(super) fn phones(text: &str, found: &mut Vec<Finding>) {
    for place in PHONE.iter().flat_map(|phone| phone.find_iter(text)) {
        let start = place.start();
        let written = place.as_str();
        let end = start + written.len();
        let before = text[..start].chars().next_back();
        let digit_first = text[..start]
            .chars()
            .rev()
            .nth(1)
            .is_some_and(|c| c.is_ascii_digit());
        // A comma or full stop parts digits only where digits stand on both sides.
        let joined = before.is_some_and(|c| match c {
            '.' | ',' => digit_first,
            c => matches!(c, '-' | '/' | '#' | '$' | '€' | '£' | ':'),
        });
        if written.contains('\n') || joined || !stands_alone(text, start, end) {
            continue;
        }
        if let Some(score) = phone_score(text, start, written) {
            found.push(Finding {
                kind: Kind::Phone,
                start,
                end,
                score,
            });
        }
    }
}

/// Whether the few words right before a number say that it is of another kind.
fn is_another_number(text: &str, start: usize) -> bool {
    const REACH: usize = 24;
    let mut from = start.saturating_sub(REACH);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text[from..start].to_lowercase();
    OTHER_NUMBERS.iter().any(|word| before.contains(word))
}

/// Whether a number is named right after it, as in `030 901820 (office)`.
fn is_named_after(text: &str, end: usize) -> bool {
    const NAMES: &[&str] = &[
        "office", "fax", "mobile", "cell", "home", "work", "desk", "phone", "tel", "landline",
    ];
    let after = text[end..].trim_start_matches([' ', '-', '(', ',', ':', '\t']);
    let word: String = after.chars().take_while(|c| c.is_alphabetic()).collect();
    NAMES.contains(&word.to_lowercase().as_str())
}

fn phone_score(text: &str, start: usize, written: &str) -> Option<u8> {
    let number = written.split(['x', 'e']).next().unwrap_or(written);
    let count = number.bytes().filter(u8::is_ascii_digit).count();
    let matches = |shape: &LazyLock<Option<Regex>>| {
        shape.as_ref().is_some_and(|shape| shape.is_match(written))
    };
    if matches(&DATE) || !(7..=15).contains(&count) {
        return None;
    }
    if written.starts_with('+') || written.starts_with("(+") {
        return Some(90);
    }
    if matches(&AMERICAN) {
        return Some(85);
    }
    let groups = number
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .count();
    let spoken_of =
        has_context(text, start, ABOUT_PHONES) || is_named_after(text, start + written.len());
    if is_another_number(text, start) {
        return None;
    }
    let dialled = number.trim_start_matches('(').starts_with('0');
    match (spoken_of, dialled, groups) {
        (true, _, 2..) => Some(80),
        (true, _, _) => Some(70),
        (false, true, 2..=6) if count >= 9 => Some(60),
        (false, true, 1) if (10..=14).contains(&count) => Some(45),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Profile, find};
    use super::*;

    fn found(text: &str) -> Vec<(Kind, &str)> {
        let profile = Profile {
            kinds: [Kind::Email, Kind::Ip, Kind::Phone].into(),
            threshold: 50,
        };
        find(text, &profile)
            .into_iter()
            .map(|finding| (finding.kind, &text[finding.start..finding.end]))
            .collect()
    }

    #[test]
    fn numbers_that_are_called_are_found_and_other_numbers_are_not() {
        for (text, number) in [
            ("Call +49 30 901820, please", "+49 30 901820"),
            ("(212) 555-0187", "(212) 555-0187"),
            ("1-800-555-0199 x12", "1-800-555-0199 x12"),
            ("my mobile is 5550187 now", "5550187"),
            ("01 42 68 53 00 is ours", "01 42 68 53 00"),
            ("020 7946 0958", "020 7946 0958"),
        ] {
            assert_eq!(found(text), [(Kind::Phone, number)], "{text}");
        }
        for text in [
            "2026-03-04 10:00",
            "on 03/04/2026",
            "order 20260304-117",
            "invoice INV-2026-00123",
            "it cost $1 234 567",
            "error 0x80070005",
            "1234567890",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn mail_and_machine_addresses_are_found_whole() {
        assert_eq!(
            found("<Ann.Lee+x@mail.example.co.uk>."),
            [(Kind::Email, "Ann.Lee+x@mail.example.co.uk")]
        );
        assert_eq!(found("from 192.0.2.7, port 80"), [(Kind::Ip, "192.0.2.7")]);
        assert_eq!(found("at 2001:db8::7 and"), [(Kind::Ip, "2001:db8::7")]);
        for text in [
            "version 1.2.3.4",
            "1.2.3.4.5",
            "300.1.1.1",
            "at 10:30:15",
            "a@b",
            "std::io",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
