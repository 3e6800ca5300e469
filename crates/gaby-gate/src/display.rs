//! Arguments as a person sees them before saying yes: rendered from the very bytes that are hashed,
//! with every character that could deceive the eye shown as an escape and named in a warning.

use gaby_model::canonical::{self, CanonicalError};
use serde::Serialize;
use serde_json::Value;

/// Arguments made safe to look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Display {
    /// The arguments, in which what the eye would miss is written `\u{202e}`.
    pub arguments: Value,
    /// The same as indented JSON.
    pub text: String,
    /// What was escaped and where, in words; empty when nothing was.
    pub warnings: Vec<String>,
}

/// Renders arguments from their canonical bytes.
///
/// # Errors
/// When they have no canonical form, and so could not have been approved either.
pub fn render(arguments: &Value) -> Result<Display, CanonicalError> {
    let not_json = |error: serde_json::Error| CanonicalError::NotJson(error.to_string());
    let bytes = canonical::to_bytes(arguments)?;
    let hashed: Value = serde_json::from_slice(&bytes).map_err(not_json)?;
    let mut warnings = Vec::new();
    warn(&hashed, "", &mut warnings);
    let pretty = serde_json::to_string_pretty(&hashed).map_err(not_json)?;
    Ok(Display {
        arguments: escape_value(hashed),
        text: escape(&pretty),
        warnings,
    })
}

fn escape_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(escape(&text)),
        Value::Array(items) => items.into_iter().map(escape_value).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, field)| (escape(&name), escape_value(field)))
            .collect(),
        other => other,
    }
}

/// A text in which every deceiving character is written as an escape.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(is_boundary) {
        let mixed = mixes_scripts(word);
        for c in word.chars() {
            let foreign = mixed && !c.is_ascii() && script(c).is_some();
            if foreign || Trick::of(c).is_some() {
                out.extend(c.escape_unicode());
            } else {
                out.push(c);
            }
        }
    }
    out
}

fn warn(value: &Value, place: &str, warnings: &mut Vec<String>) {
    match value {
        Value::String(text) => warn_text(text, place, warnings),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                warn(item, &format!("{place}/{index}"), warnings);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let place = format!("{place}/{}", escape(name));
                warn_text(name, &format!("the name {place}"), warnings);
                warn(field, &place, warnings);
            }
        }
        _ => {}
    }
}

fn warn_text(text: &str, place: &str, warnings: &mut Vec<String>) {
    let mut tricks: Vec<Trick> = text.chars().filter_map(Trick::of).collect();
    tricks.sort_unstable();
    tricks.dedup();
    let place = if place.is_empty() { "the value" } else { place };
    warnings.extend(
        tricks
            .iter()
            .map(|trick| format!("{place} has {}", trick.in_words())),
    );
    if text.split(is_boundary).any(mixes_scripts) {
        warnings.push(format!(
            "{place} mixes letters of several alphabets in one word"
        ));
    }
}

/// Kinds of characters that make a text look other than it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trick {
    Control,
    Invisible,
    Bidirectional,
    Tag,
    Lookalike,
    Private,
}

impl Trick {
    fn of(c: char) -> Option<Self> {
        Some(match c as u32 {
            0x09 | 0x0a => return None,
            0x00..=0x1f | 0x7f..=0x9f | 0x2028 | 0x2029 | 0xfff9..=0xfffb => Self::Control,
            0x061c | 0x200e | 0x200f | 0x202a..=0x202e | 0x2066..=0x2069 => Self::Bidirectional,
            0xe0000..=0xe007f => Self::Tag,
            // Soft hyphen, joiners, fillers, no-width and unusual spaces, variation selectors.
            0x00ad
            | 0x034f
            | 0x115f
            | 0x1160
            | 0x17b4
            | 0x17b5
            | 0x180b..=0x180f
            | 0x2000..=0x200d
            | 0x202f
            | 0x205f..=0x2065
            | 0x206a..=0x206f
            | 0x2800
            | 0x3000
            | 0x3164
            | 0xfe00..=0xfe0f
            | 0xfeff
            | 0xffa0
            | 0x1d173..=0x1d17a
            | 0xe0080..=0xe0fff => Self::Invisible,
            // Latin written with other code points: enclosed, mathematical, fullwidth.
            0x2460..=0x24ff | 0xff01..=0xff5e | 0x1d400..=0x1d7ff | 0x1f100..=0x1f189 => {
                Self::Lookalike
            }
            0xe000..=0xf8ff | 0xf0000..=0x10_ffff => Self::Private,
            _ => return None,
        })
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Control => "control characters",
            Self::Invisible => "invisible characters",
            Self::Bidirectional => "characters that change the direction of writing",
            Self::Tag => "hidden tag characters",
            Self::Lookalike => "letters or digits written with look-alike code points",
            Self::Private => "characters without a meaning of their own",
        }
    }
}

// Not at dots, hyphens or `@`: a host or an address is one word to the eye.
fn is_boundary(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '(' | ')' | '<' | '>' | '/')
}

fn mixes_scripts(word: &str) -> bool {
    let mut first = None;
    word.chars()
        .filter_map(script)
        .any(|script| *first.get_or_insert(script) != script)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Hebrew,
    Arabic,
    Georgian,
    Cherokee,
    Coptic,
    Lisu,
    Other,
    EastAsian,
}

/// The script of a letter; none for what is shared by all. Blocks of the Unicode character
/// database, as coarse as confusion between alphabets needs.
fn script(c: char) -> Option<Script> {
    if !c.is_alphabetic() {
        return None;
    }
    Some(match c as u32 {
        0x0000..=0x024f
        | 0x0250..=0x02af
        | 0x1e00..=0x1eff
        | 0x2c60..=0x2c7f
        | 0xa720..=0xa7ff
        | 0xab30..=0xab6f
        | 0xfb00..=0xfb06 => match c {
            'ª' | 'µ' | 'º' => return None,
            _ => Script::Latin,
        },
        0x02b0..=0x02ff | 0x1d00..=0x1dbf | 0x2071..=0x209c => return None,
        0x0370..=0x03ff | 0x1f00..=0x1fff => Script::Greek,
        0x0400..=0x052f | 0x1c80..=0x1c8f | 0x2de0..=0x2dff | 0xa640..=0xa69f => Script::Cyrillic,
        0x0530..=0x058f | 0xfb13..=0xfb17 => Script::Armenian,
        0x0590..=0x05ff | 0xfb1d..=0xfb4f => Script::Hebrew,
        0x0600..=0x06ff | 0x0750..=0x077f | 0x08a0..=0x08ff | 0xfb50..=0xfdff | 0xfe70..=0xfefc => {
            Script::Arabic
        }
        0x10a0..=0x10ff | 0x1c90..=0x1cbf | 0x2d00..=0x2d2f => Script::Georgian,
        0x13a0..=0x13ff | 0xab70..=0xabbf => Script::Cherokee,
        0x2c80..=0x2cff => Script::Coptic,
        0xa4d0..=0xa4ff => Script::Lisu,
        0x1100..=0x11ff
        | 0x2e80..=0x9fff
        | 0xac00..=0xd7ff
        | 0xf900..=0xfaff
        | 0xff66..=0xffdc
        | 0x20000..=0x3ffff => Script::EastAsian,
        _ => Script::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rendered(value: &Value) -> Display {
        render(value).unwrap()
    }

    #[test]
    fn plain_text_in_any_one_alphabet_is_left_as_it_is() {
        for text in [
            "Zoë Müller, 12,50 €",
            "Привет, мир",
            "日本語テキスト",
            "café 🙂 ok",
            "a\tb",
        ] {
            let display = rendered(&json!({ "note": text }));
            assert_eq!(display.warnings, Vec::<String>::new(), "{text}");
            assert!(!display.text.contains("\\u{"), "{}", display.text);
        }
    }

    #[test]
    fn what_deceives_the_eye_is_escaped_and_named() {
        for (text, shown, warning) in [
            ("a\u{202e}b", "a\\u{202e}b", "direction of writing"),
            ("a\u{200b}b", "a\\u{200b}b", "invisible"),
            ("a\u{e0041}b", "a\\u{e0041}b", "hidden tag"),
            ("p\u{430}ypal.com", "p\\u{430}ypal.com", "several alphabets"),
            (
                "\u{440}\u{430}\u{443}.com",
                "\\u{440}\\u{430}\\u{443}.com",
                "several alphabets",
            ),
            ("\u{ff41}dmin", "\\u{ff41}dmin", "look-alike"),
            ("a\u{85}b", "a\\u{85}b", "control"),
        ] {
            let display = rendered(&json!({ "to": text }));
            assert!(display.text.contains(shown), "{}", display.text);
            assert!(
                display
                    .warnings
                    .iter()
                    .any(|w| w.contains("/to") && w.contains(warning)),
                "{:?}",
                display.warnings
            );
        }
    }

    #[test]
    fn names_are_looked_at_as_well_as_values() {
        let display = rendered(&json!({ "a\u{200d}b": 1 }));
        assert!(display.text.contains("a\\u{200d}b"));
        assert_eq!(display.warnings.len(), 1);
    }

    #[test]
    fn what_cannot_be_hashed_cannot_be_shown() {
        assert!(render(&json!(u64::MAX)).is_err());
    }
}
