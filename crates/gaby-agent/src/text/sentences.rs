//! Sentences and list items of a passage, with their byte offsets.
//!
//! Works on Markdown and on plain text, and on the run-on text that manuals become when their
//! layout is lost: a stretch without punctuation is cut where a new phrase seems to begin.

/// The longest piece that is quoted as one sentence, in bytes.
const LONGEST: usize = 360;
/// Where a run-on stretch is cut, in bytes.
const CUT: usize = 240;

/// What kind of line a sentence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Running text.
    Prose,
    /// An item of a numbered list: a step of a procedure.
    Step,
    /// An item of a list without numbers.
    Item,
    /// A heading.
    Heading,
    /// A line of code, or a row of a table.
    Verbatim,
}

/// A piece of a passage that can stand in a reply by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Byte offset of its first character in the passage.
    pub start: usize,
    /// Byte offset after its last character.
    pub end: usize,
    /// What kind of line it is.
    pub kind: Kind,
    /// Its paragraph or list, counted from 0: neighbours with the same number belong together.
    pub block: usize,
}

impl Sentence {
    /// The sentence as a reply shows it: on one line, without Markdown's marks for emphasis and
    /// links.
    #[must_use]
    pub fn shown(&self, passage: &str) -> String {
        plain(passage.get(self.start..self.end).unwrap_or_default())
    }
}

/// Text on one line, without Markdown's marks for emphasis, code and links.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if (c == '[' || rest.starts_with("!["))
            && let Some((shown, after)) = link(rest)
        {
            out.push_str(&plain(shown));
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '*' | '`' => {}
            _ if c.is_whitespace() || c.is_control() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            _ => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// Where in a passage a sentence stands that is shown as `shown`, in bytes.
#[must_use]
pub fn locate(passage: &str, shown: &str) -> Option<(usize, usize)> {
    sentences(passage)
        .into_iter()
        .find(|sentence| sentence.shown(passage) == shown)
        .map(|sentence| (sentence.start, sentence.end))
}

/// `[shown](address)rest` → `(shown, rest)`.
fn link(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('!').unwrap_or(text).strip_prefix('[')?;
    let close = inner.find(']')?;
    let shown = &inner[..close];
    if shown.contains('[') {
        return None;
    }
    let after = inner[close + 1..].strip_prefix('(')?;
    let end = after.find(')')?;
    Some((shown, &after[end + 1..]))
}

/// The sentences of a passage, in order.
#[must_use]
pub fn sentences(passage: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    let mut paragraph: Option<(usize, usize, Kind)> = None;
    let mut block = 0;
    let mut fenced = false;
    let mut at = 0;
    for line in passage.split_inclusive('\n') {
        let from = at;
        at += line.len();
        let trimmed = line.trim();
        let begin = from + (line.len() - line.trim_start().len());
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            flush(&mut found, passage, &mut paragraph, block);
            block += 1;
            fenced = !fenced;
            continue;
        }
        let end = begin + trimmed.len();
        if trimmed.is_empty() {
            flush(&mut found, passage, &mut paragraph, block);
            if !matches!(found.last(), Some(s) if matches!(s.kind, Kind::Step | Kind::Item)) {
                block += 1;
            }
        } else if fenced || trimmed.starts_with('|') {
            flush(&mut found, passage, &mut paragraph, block);
            if trimmed.chars().any(char::is_alphanumeric) {
                found.push(Sentence {
                    start: begin,
                    end,
                    kind: Kind::Verbatim,
                    block,
                });
            }
        } else if trimmed.starts_with('#') {
            flush(&mut found, passage, &mut paragraph, block);
            block += 1;
            let marks = trimmed.len() - trimmed.trim_start_matches('#').trim_start().len();
            if begin + marks < end {
                found.push(Sentence {
                    start: begin + marks,
                    end,
                    kind: Kind::Heading,
                    block,
                });
            }
            block += 1;
        } else if let Some((marks, kind)) = list_mark(trimmed) {
            flush(&mut found, passage, &mut paragraph, block);
            let starts_list =
                !matches!(found.last(), Some(s) if s.kind == kind && s.block == block);
            if starts_list
                && matches!(found.last(), Some(s) if matches!(s.kind, Kind::Step | Kind::Item))
            {
                block += 1;
            }
            paragraph = Some((begin + marks, end, kind));
        } else if let Some((_, to, _)) = &mut paragraph {
            *to = end;
        } else {
            if matches!(found.last(), Some(s) if s.block == block && s.kind != Kind::Prose) {
                block += 1;
            }
            paragraph = Some((begin, end, Kind::Prose));
        }
    }
    flush(&mut found, passage, &mut paragraph, block);
    found
}

/// `1. `, `2) `, `- `, `* `, `+ `, `• `: the mark's length and the list's kind.
fn list_mark(line: &str) -> Option<(usize, Kind)> {
    if after_page_number(line).is_some() {
        return None;
    }
    for mark in ["- ", "* ", "+ ", "• ", "– "] {
        if let Some(rest) = line.strip_prefix(mark) {
            return (!rest.trim().is_empty())
                .then_some((line.len() - rest.trim_start().len(), Kind::Item));
        }
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line[digits..].strip_prefix(['.', ')'])?;
    if digits == 0 || digits > 3 || !rest.starts_with(' ') || rest.trim().is_empty() {
        return None;
    }
    Some((line.len() - rest.trim_start().len(), Kind::Step))
}

fn flush(
    found: &mut Vec<Sentence>,
    passage: &str,
    paragraph: &mut Option<(usize, usize, Kind)>,
    block: usize,
) {
    let Some((start, end, kind)) = paragraph.take() else {
        return;
    };
    let (start, end) = without_page_numbers(passage, start, end);
    let text = &passage[start..end];
    // An item of a list is one thought, however many sentences it has.
    if kind != Kind::Prose && !text.is_empty() && text.len() <= LONGEST {
        found.push(Sentence {
            start,
            end,
            kind,
            block,
        });
        return;
    }
    for (from, to) in split_prose(text) {
        let (from, to) = without_page_numbers(passage, start + from, start + to);
        if from < to {
            found.push(Sentence {
                start: from,
                end: to,
                kind,
                block,
            });
        }
    }
}

/// A piece without the page number (`- 12 -`) that a printed manual leaves at either end.
fn without_page_numbers(passage: &str, mut start: usize, mut end: usize) -> (usize, usize) {
    let text = &passage[start..end];
    if let Some(rest) = after_page_number(text) {
        start = end - rest.trim_start().len();
    }
    let text = &passage[start..end];
    if let Some(before_dash) = text.strip_suffix(" -") {
        let before_number = before_dash.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = before_dash.len() - before_number.len();
        if (1..=4).contains(&digits)
            && let Some(rest) = before_number.strip_suffix("- ")
        {
            end = start + rest.trim_end().len();
        }
    }
    (start, end)
}

/// What follows the page number (`- 12 - `, or `12 - ` whose dash is taken already) at the start.
fn after_page_number(text: &str) -> Option<&str> {
    let after_dash = text.strip_prefix("- ").unwrap_or(text);
    let after_number = after_dash.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = after_dash.len() - after_number.len();
    (1..=4)
        .contains(&digits)
        .then(|| after_number.strip_prefix(" - "))
        .flatten()
}

/// Byte ranges of the sentences of running text.
fn split_prose(text: &str) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let after = at + c.len_utf8();
        if matches!(c, '.' | '!' | '?') && ends_sentence(&text[from..after], &text[after..]) {
            push_range(&mut ranges, text, from, after);
            from = after;
        }
    }
    push_range(&mut ranges, text, from, text.len());
    ranges
}

fn push_range(ranges: &mut Vec<(usize, usize)>, text: &str, from: usize, to: usize) {
    let piece = &text[from..to];
    let start = from + (piece.len() - piece.trim_start().len());
    let end = start + piece.trim().len();
    let mut start = start;
    while end - start > LONGEST {
        let cut = phrase_end(&text[start..end]).map_or(end, |cut| start + cut);
        if cut >= end {
            break;
        }
        ranges.push((start, start + text[start..cut].trim_end().len()));
        start = cut + (text[cut..end].len() - text[cut..end].trim_start().len());
    }
    if start < end {
        ranges.push((start, end));
    }
}

/// Where to cut a run-on stretch: before a capital that begins a phrase, else at any space.
fn phrase_end(text: &str) -> Option<usize> {
    let mut at_space = None;
    let mut at_capital = None;
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        if at > LONGEST {
            break;
        }
        if previous.is_whitespace() && !c.is_whitespace() && at >= CUT / 2 {
            if at <= CUT || at_space.is_none() {
                at_space = Some(at);
            }
            if c.is_uppercase() && (at <= CUT || at_capital.is_none()) {
                at_capital = Some(at);
            }
        }
        previous = c;
    }
    at_capital.or(at_space)
}

/// Whether a full stop, question mark or exclamation mark at the end of `so_far` ends a sentence
/// that `rest` does not go on with.
fn ends_sentence(so_far: &str, rest: &str) -> bool {
    let mut next = rest.chars();
    match next.next() {
        None => return true,
        Some(c) if !c.is_whitespace() => return false,
        _ => {}
    }
    let starts_new = rest
        .trim_start()
        .chars()
        .next()
        .is_none_or(|c| !c.is_lowercase());
    if !starts_new {
        return false;
    }
    let last = so_far
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default();
    let word = last.trim_end_matches('.');
    let abbreviated = ABBREVIATIONS.contains(&word.to_ascii_lowercase().as_str())
        || (word.chars().count() == 1 && word.chars().all(char::is_uppercase));
    !(so_far.ends_with('.') && abbreviated)
}

const ABBREVIATIONS: &[&str] = &[
    "e.g", "i.e", "etc", "vs", "mr", "mrs", "ms", "dr", "no", "fig", "approx", "incl", "st", "ca",
    "resp", "cf", "inc", "ltd", "u.s",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(passage: &str) -> Vec<String> {
        sentences(passage)
            .iter()
            .map(|s| s.shown(passage))
            .collect()
    }

    #[test]
    fn sentences_end_at_full_stops_but_not_at_abbreviations_or_numbers() {
        assert_eq!(
            shown("Use version 1.2 or later, e.g. the newest. Then wait! Is it done? Yes."),
            [
                "Use version 1.2 or later, e.g. the newest.",
                "Then wait!",
                "Is it done?",
                "Yes."
            ]
        );
    }

    #[test]
    fn page_numbers_of_a_printed_manual_are_left_out() {
        assert_eq!(
            shown("- 104 - Selecting a mode. Then select Done - 86 -"),
            ["Selecting a mode.", "Then select Done"]
        );
        assert_eq!(shown("Press 3 - 5 times."), ["Press 3 - 5 times."]);
        assert_eq!(shown("Use 10 - 20 volts"), ["Use 10 - 20 volts"]);
    }

    #[test]
    fn a_wrapped_paragraph_is_one_text_and_an_empty_line_ends_it() {
        let passage =
            "One sentence that\nis wrapped.\n\nAnother **bold** [link](https://example.com/x).";
        assert_eq!(
            shown(passage),
            ["One sentence that is wrapped.", "Another bold link."]
        );
    }

    #[test]
    fn the_steps_of_a_procedure_stay_together_in_order() {
        let passage = "## Unlock\nDo this:\n\n1. Open *Settings*. Wait.\n2. Choose **Unlock**\n   and confirm.\n\n3. Done.\n\n- a note\n";
        let found = sentences(passage);
        let kinds: Vec<Kind> = found.iter().map(|s| s.kind).collect();
        assert_eq!(
            kinds,
            [
                Kind::Heading,
                Kind::Prose,
                Kind::Step,
                Kind::Step,
                Kind::Step,
                Kind::Item
            ]
        );
        assert_eq!(found[3].shown(passage), "Choose Unlock and confirm.");
        assert_eq!(found[2].block, found[4].block, "{found:?}");
        assert_ne!(found[4].block, found[5].block);
    }

    #[test]
    fn a_stretch_without_punctuation_is_cut_into_phrases() {
        let passage =
            "Settings General Network Wired If you connect a cable the device finds the network "
                .repeat(12);
        let found = sentences(&passage);
        assert!(found.len() > 2);
        assert!(
            found.iter().all(|s| s.end - s.start <= LONGEST),
            "{found:?}"
        );
    }

    #[test]
    fn offsets_point_at_the_very_text() {
        let passage = "Ärger. Öffnen Sie das Menü! ✓ Fertig.";
        for s in sentences(passage) {
            assert_eq!(passage[s.start..s.end].trim(), &passage[s.start..s.end]);
        }
    }

    proptest! {
        #[test]
        fn any_text_splits_into_ordered_pieces_of_itself(text in "(.|\n){0,400}") {
            let mut last = 0;
            for s in sentences(&text) {
                prop_assert!(text.get(s.start..s.end).is_some());
                prop_assert!(s.start >= last && s.start < s.end);
                last = s.end;
            }
        }

        #[test]
        fn plain_text_is_one_line(text in "(.|\n){0,200}") {
            prop_assert!(!plain(&text).contains('\n'));
        }
    }
}
