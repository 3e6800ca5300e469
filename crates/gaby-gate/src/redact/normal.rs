//! The normalised form of a text, and where each of its bytes came from.

use unicode_normalization::UnicodeNormalization as _;

use super::Finding;

/// A text with compatibility forms folded, invisible characters removed, and the escapes of JSON and of
/// logs for line ends and the like as the spaces that they stand for: what they stand before or after
/// stands alone.
pub(super) struct Normal {
    pub(super) text: String,
    /// For each byte of `text`: where the original character that it came from starts and ends.
    origin: Vec<(usize, usize)>,
}

impl Normal {
    pub(super) fn of(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut origin = Vec::with_capacity(original.len());
        let mut escape_ends = 0;
        for (start, c) in original.char_indices() {
            if is_invisible(c) {
                continue;
            }
            if c == '\\' && start >= escape_ends {
                escape_ends = start + escape(&original[start..]);
            }
            let c = if start < escape_ends { ' ' } else { c };
            let end = start + c.len_utf8();
            for folded in std::iter::once(c).nfkc().map(plain) {
                text.push(folded);
                origin.extend(std::iter::repeat_n((start, end), folded.len_utf8()));
            }
        }
        Self { text, origin }
    }

    /// A finding in the normalised text, as a place in the original.
    pub(super) fn in_original(&self, finding: Finding) -> Finding {
        let last = finding.end.saturating_sub(1);
        Finding {
            start: self
                .origin
                .get(finding.start)
                .map_or(0, |(start, _)| *start),
            end: self.origin.get(last).map_or(0, |(_, end)| *end),
            ..finding
        }
    }
}

/// How long the escape of a blank is that a text begins with; 0 where it begins with none. One within
/// another has several backslashes.
fn escape(text: &str) -> usize {
    let rest = text.trim_start_matches('\\');
    let slashes = text.len() - rest.len();
    let blank = rest.starts_with(['n', 'r', 't', 'b', 'f', '0', 'v']);
    let code = rest.strip_prefix('u').and_then(|rest| rest.get(..4));
    let control = code.is_some_and(|code| {
        u32::from_str_radix(code, 16).is_ok_and(|code| code <= 0x20 || code == 0xa0)
    });
    match (blank, control) {
        (true, _) => slashes + 1,
        (false, true) => slashes + 5,
        (false, false) => 0,
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c as u32,
        0xad | 0x34f | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f
        | 0xfeff | 0xe0000..=0xe0fff)
}

/// Dashes, quotes and spaces of all lengths as those of a keyboard.
fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2018}' | '\u{2019}' | '\u{201b}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        c if c.is_whitespace() && c != '\n' && c != '\t' && c != '\r' => ' ',
        c => c,
    }
}
