//! The normalised form of a text, and where each of its bytes came from.

use unicode_normalization::UnicodeNormalization as _;

use super::Finding;

/// A text with compatibility forms folded and invisible characters removed.
pub(super) struct Normal {
    pub(super) text: String,
    /// For each byte of `text`: where the original character that it came from starts and ends.
    origin: Vec<(usize, usize)>,
}

impl Normal {
    pub(super) fn of(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut origin = Vec::with_capacity(original.len());
        for (start, c) in original.char_indices() {
            if is_invisible(c) {
                continue;
            }
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
