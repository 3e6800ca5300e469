//! From bytes to text: UTF-8, UTF-16 with a byte order mark, and Western single-byte files when
//! they read like one. Anything else is called broken rather than turned into gibberish.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::skip::SkipReason;

/// Decodes a text file; line ends become `\n`, and a byte order mark goes.
///
/// # Errors
/// When it is binary or its encoding is broken.
pub fn decode(bytes: &[u8]) -> Result<String, SkipReason> {
    for (mark, encoding) in [(&b"\xff\xfe"[..], UTF_16LE), (&b"\xfe\xff"[..], UTF_16BE)] {
        if let Some(rest) = bytes.strip_prefix(mark) {
            return match encoding.decode_without_bom_handling_and_without_replacement(rest) {
                Some(text) if !text.contains('\0') => Ok(unix_lines(&text)),
                Some(_) => Err(SkipReason::Binary),
                None => Err(SkipReason::BrokenEncoding),
            };
        }
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if looks_binary(bytes) {
        return Err(SkipReason::Binary);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(unix_lines(text)),
        Err(_) if reads_like_western(bytes) => {
            let (text, _, _) = WINDOWS_1252.decode(bytes);
            Ok(unix_lines(&text))
        }
        Err(_) => Err(SkipReason::BrokenEncoding),
    }
}

/// Whether there is a NUL, or more control characters than a text has.
#[must_use]
pub fn looks_binary(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return false;
    }
    let controls = bytes
        .iter()
        .filter(|b| **b < 0x20 && !matches!(**b, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b | 0x08))
        .count();
    bytes.contains(&0) || controls * 20 > bytes.len()
}

fn unix_lines(text: &str) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
}

/// High bytes that stand where a Western text has its accents, quotes and signs, and no sequences
/// of UTF-8, which would mean a damaged UTF-8 file.
fn reads_like_western(bytes: &[u8]) -> bool {
    let mut high = 0usize;
    let mut odd = 0usize;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte < 0x80 {
            continue;
        }
        high += 1;
        let before = index.checked_sub(1).map_or(b' ', |i| bytes[i]);
        let after = bytes.get(index + 1).copied().unwrap_or(b' ');
        let plausible = match byte {
            0x81 | 0x8d | 0x8f | 0x90 | 0x9d => return false,
            0x80..=0xbf => after < 0x80 || before < 0x80,
            0xd0 | 0xd7 | 0xde | 0xf0 | 0xf7 | 0xfe | 0xff => false,
            0xc0..=0xdf => !(0x80..0xc0).contains(&after) && after.is_ascii_alphabetic(),
            _ => {
                !(0x80..0xc0).contains(&after)
                    && (before.is_ascii_alphabetic() || after.is_ascii_alphabetic())
            }
        };
        odd += usize::from(!plausible);
    }
    high * 4 < bytes.len().max(8) && odd * 10 <= high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_encodings_are_read() {
        assert_eq!(decode("né\r\nà".as_bytes()).unwrap(), "né\nà");
        assert_eq!(decode(b"\xef\xbb\xbfhi").unwrap(), "hi");
        assert_eq!(decode(b"\xff\xfeh\0\xe9\0").unwrap(), "hé");
        assert_eq!(decode(b"\xfe\xff\0h\0i").unwrap(), "hi");
        assert_eq!(decode(b"un caf\xe9 au lait").unwrap(), "un café au lait");
        assert_eq!(
            decode(b"it\x92s \x93quoted\x94 text").unwrap(),
            "it’s “quoted” text"
        );
    }

    #[test]
    fn damaged_text_is_not_turned_into_gibberish() {
        for bytes in [
            &b"good \xc3\xa9 and bad \xc3"[..],
            b"\xc3\x28 is not utf-8",
            b"lone \xff\xfe\xfa bytes here",
            b"\xff\xfeh\0\x00\xd8",
            b"cut off \xe2\x82",
        ] {
            assert_eq!(decode(bytes), Err(SkipReason::BrokenEncoding), "{bytes:?}");
        }
        assert_eq!(decode(b"a\0b"), Err(SkipReason::Binary));
    }
}
