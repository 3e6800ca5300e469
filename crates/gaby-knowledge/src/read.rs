//! Readers: from a file's bytes to a text with its title and its blocks.
//!
//! Every reader keeps byte offsets into the text that is stored, so that a citation opens the very
//! place. Markdown and plain text are stored as they are; HTML and PDF as the text taken from them.

pub mod encoding;
pub mod front_matter;
pub mod html;
pub mod markdown;
pub mod pdf;
pub mod plain;

use std::ops::Range;

use gaby_model::Timestamp;

use crate::skip::{MAX_FILE_BYTES, SkipReason};

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Syntax {
    /// Markdown: marks are left out before words are counted.
    Markdown,
    /// As it stands.
    Plain,
}

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 1 is the highest.
    pub level: u8,
    /// Its text, without marks.
    pub text: String,
}

/// One paragraph, list, table, code block or heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where it stands in the text.
    pub range: Range<usize>,
    /// Set when it is a heading.
    pub heading: Option<Heading>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Its title: stated, or the first heading, or made from its name.
    pub title: String,
    /// Its text, as it is stored and cited.
    pub text: String,
    /// How the text is written.
    pub syntax: Syntax,
    /// The date that it states for itself.
    pub date: Option<Timestamp>,
    /// The tags that it states for itself.
    pub tags: Vec<String>,
    /// Its blocks, in order.
    pub blocks: Vec<Block>,
}

/// What a file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Markdown.
    Markdown,
    /// Plain text, reStructuredText, AsciiDoc.
    Plain,
    /// HTML.
    Html,
    /// PDF.
    Pdf,
}

/// The kind of a file by its name; none when it is not one that is understood.
#[must_use]
pub fn kind_of(path: &str) -> Option<Kind> {
    Some(match extension(path).as_str() {
        "md" | "markdown" | "mdx" | "mdown" | "mkd" => Kind::Markdown,
        "txt" | "text" | "rst" | "adoc" | "asciidoc" | "" => Kind::Plain,
        "html" | "htm" | "xhtml" => Kind::Html,
        "pdf" => Kind::Pdf,
        _ => return None,
    })
}

/// The extension in lower case; empty when there is none.
#[must_use]
pub fn extension(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension.to_lowercase(),
        _ => String::new(),
    }
}

/// Reads a file's bytes. `explicit` files, named by a person, are tried as plain text when their
/// kind is not known.
///
/// # Errors
/// The reason why the file is left out.
pub fn read(path: &str, bytes: &[u8], explicit: bool) -> Result<Reading, SkipReason> {
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(SkipReason::TooLarge {
            bytes: bytes.len() as u64,
        });
    }
    if bytes.is_empty() {
        return Err(SkipReason::Empty);
    }
    let kind = match kind_of(path) {
        Some(kind) => kind,
        None if encoding::looks_binary(bytes) => return Err(SkipReason::Binary),
        None if explicit => Kind::Plain,
        None => return Err(SkipReason::UnsupportedType(extension(path))),
    };
    if kind == Kind::Pdf || bytes.starts_with(b"%PDF-") {
        return pdf::read(path, bytes);
    }
    let text = encoding::decode(bytes)?;
    let reading = match kind {
        Kind::Markdown => markdown::read(path, text),
        Kind::Html => html::read(path, &text)?,
        Kind::Plain | Kind::Pdf => plain::read(path, text),
    };
    let says_something = reading.text.chars().any(char::is_alphanumeric);
    if !says_something || reading.blocks.is_empty() {
        return Err(SkipReason::Empty);
    }
    Ok(reading)
}

/// A title from a file's name: `reset-password.md` gives `Reset password`.
#[must_use]
pub fn title_from_path(path: &str) -> String {
    let trimmed = path.trim_end_matches(['/', '\\']);
    let name = trimmed.rsplit(['/', '\\']).next().unwrap_or(trimmed);
    let stem = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    };
    let words = stem
        .split(['-', '_', ' '])
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().collect::<String>() + chars.as_str(),
        None => name.to_owned(),
    }
}

/// White space to single blanks, cut to what a title may be.
pub(crate) fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(300) {
        Some((end, _)) => line[..end].to_owned(),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_made_from_the_name_when_nothing_better_is_there() {
        assert_eq!(title_from_path("a/reset-password.md"), "Reset password");
        assert_eq!(title_from_path("README"), "README");
        assert_eq!(title_from_path(".hidden"), ".hidden");
        assert_eq!(title_from_path("---"), "---");
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let reason = |path: &str, bytes: &[u8]| read(path, bytes, false).unwrap_err();
        assert_eq!(reason("a.md", b""), SkipReason::Empty);
        assert_eq!(reason("a.md", b" \n\n---\n"), SkipReason::Empty);
        assert_eq!(reason("a.md", b"te\0xt"), SkipReason::Binary);
        assert_eq!(reason("a.png", b"\x89PNG\0\0"), SkipReason::Binary);
        assert_eq!(
            reason("a.go", b"package main"),
            SkipReason::UnsupportedType("go".into())
        );
        assert_eq!(
            reason("a.txt", b"\xff\xfa\x81 abc"),
            SkipReason::BrokenEncoding
        );
        assert!(matches!(
            reason("a.md", &vec![b'x'; MAX_FILE_BYTES as usize + 1]),
            SkipReason::TooLarge { .. }
        ));
        assert!(matches!(
            reason("a.pdf", b"%PDF-1.4 garbage"),
            SkipReason::PdfFailed(_)
        ));
        assert!(read("notes.conf", b"key = value", true).is_ok());
    }
}
