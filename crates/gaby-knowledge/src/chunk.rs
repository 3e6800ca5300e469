//! From blocks to chunks: passages of one section each, short enough to embed whole and long
//! enough to answer by themselves. A chunk is always a slice of the stored text.

use crate::read::{Reading, Syntax, markdown};

/// A chunk is closed rather than grown beyond this many tokens.
const MOST_TOKENS: usize = 200;
/// From here on a chunk is long enough to stand alone.
const ENOUGH_TOKENS: usize = 130;
/// A rest shorter than this joins the chunk before it.
const REST_TOKENS: usize = 30;
/// What stands between the headings of a path.
pub const HEADING_SEPARATOR: &str = " › ";

/// A passage: a slice of the text, and the headings above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Byte offset of its first character.
    pub start: usize,
    /// Byte offset after its last character.
    pub end: usize,
    /// The headings down to it, joined by [`HEADING_SEPARATOR`].
    pub heading: String,
}

/// Cuts a document into passages, in order and without overlap.
#[must_use]
pub fn passages(reading: &Reading) -> Vec<Passage> {
    let mut cutter = Cutter {
        text: &reading.text,
        done: Vec::new(),
        open: None,
        section: 0,
        heading: String::new(),
    };
    let mut path: Vec<(u8, &str)> = Vec::new();
    for block in &reading.blocks {
        match &block.heading {
            Some(heading) => {
                cutter.close();
                cutter.section = cutter.done.len();
                path.retain(|(level, _)| *level < heading.level);
                if !heading.text.is_empty() {
                    path.push((heading.level, &heading.text));
                }
                let titles: Vec<&str> = path.iter().map(|(_, title)| *title).collect();
                cutter.heading = titles.join(HEADING_SEPARATOR);
            }
            None => cutter.add(block.range.start, block.range.end),
        }
    }
    cutter.close();
    if cutter.done.is_empty() {
        // Headings only: they are all that the document says.
        cutter.heading.clear();
        for block in &reading.blocks {
            cutter.add(block.range.start, block.range.end);
        }
        cutter.close();
    }
    cutter.done
}

/// The words of a passage, as they are counted and embedded.
#[must_use]
pub fn words_of(syntax: Syntax, passage: &str) -> String {
    match syntax {
        Syntax::Markdown => markdown::plain(passage),
        Syntax::Plain => passage.to_owned(),
    }
}

struct Open {
    start: usize,
    end: usize,
    tokens: usize,
}

struct Cutter<'a> {
    text: &'a str,
    done: Vec<Passage>,
    open: Option<Open>,
    section: usize,
    heading: String,
}

impl Cutter<'_> {
    fn add(&mut self, start: usize, end: usize) {
        let Some((start, end)) = trimmed(self.text, start, end) else {
            return;
        };
        let tokens = tokens(&self.text[start..end]);
        if tokens > MOST_TOKENS {
            self.split(start, end);
            return;
        }
        if let Some(open) = &mut self.open {
            let introduces = self.text[open.start..open.end].ends_with(':');
            let room = if introduces {
                MOST_TOKENS + 60
            } else {
                MOST_TOKENS
            };
            let full = open.tokens >= ENOUGH_TOKENS && !introduces;
            if !full && open.tokens + tokens <= room {
                open.end = end;
                open.tokens += tokens;
                return;
            }
            self.close();
        }
        self.open = Some(Open { start, end, tokens });
    }

    /// Cuts one long block at lines, else at sentences, else at words, else anywhere.
    fn split(&mut self, start: usize, end: usize) {
        let mut from = start;
        while let Some((piece_start, piece_end)) = trimmed(self.text, from, end) {
            let slice = &self.text[piece_start..piece_end];
            let limit = byte_of_token(slice, ENOUGH_TOKENS + 30);
            if limit >= slice.len() || tokens(&slice[limit..]) < REST_TOKENS {
                self.push_part(piece_start, piece_end);
                return;
            }
            let cut = piece_start + cut_before(slice, limit);
            self.push_part(piece_start, cut);
            from = cut;
        }
    }

    fn push_part(&mut self, start: usize, end: usize) {
        if let Some((start, end)) = trimmed(self.text, start, end) {
            let count = tokens(&self.text[start..end]);
            match &mut self.open {
                Some(open) if open.tokens + count <= MOST_TOKENS => {
                    open.end = end;
                    open.tokens += count;
                }
                _ => {
                    self.close();
                    self.open = Some(Open {
                        start,
                        end,
                        tokens: count,
                    });
                }
            }
        }
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        if open.tokens < REST_TOKENS
            && self.done.len() > self.section
            && let Some(last) = self.done.last_mut()
            && tokens(&self.text[last.start..last.end]) + open.tokens <= MOST_TOKENS + 60
        {
            last.end = open.end;
            return;
        }
        self.done.push(Passage {
            start: open.start,
            end: open.end,
            heading: self.heading.clone(),
        });
    }
}

fn trimmed(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let slice = text.get(start..end)?;
    let left = slice.len() - slice.trim_start().len();
    let kept = slice.trim();
    (!kept.is_empty()).then_some((start + left, start + left + kept.len()))
}

/// About how many tokens a text has for the embedding model: a word is one or more, a sign is one.
#[must_use]
pub fn tokens(text: &str) -> usize {
    let mut count = Counter::default();
    text.chars().for_each(|c| count.take(c));
    count.total
}

fn byte_of_token(text: &str, wanted: usize) -> usize {
    let mut count = Counter::default();
    for (index, c) in text.char_indices() {
        count.take(c);
        if count.total > wanted {
            return index;
        }
    }
    text.len()
}

#[derive(Default)]
struct Counter {
    total: usize,
    word: usize,
}

impl Counter {
    fn take(&mut self, c: char) {
        if c.is_whitespace() {
            self.word = 0;
        } else if c.is_alphanumeric() && (c as u32) < 0x2e80 {
            // A word piece holds some six letters; the first piece is counted at once.
            self.total += usize::from(self.word.is_multiple_of(6));
            self.word += 1;
        } else {
            self.word = 0;
            self.total += 1;
        }
    }
}

/// The best place to cut `text` at or before `limit`, and never at 0.
fn cut_before(text: &str, limit: usize) -> usize {
    let head = &text[..limit];
    let least = limit / 3;
    let after =
        |found: Option<usize>, length: usize| found.map(|at| at + length).filter(|at| *at > least);
    after(head.rfind("\n\n"), 2)
        .or_else(|| after(head.rfind('\n'), 1))
        .or_else(|| {
            after(
                [". ", "! ", "? ", "。"]
                    .iter()
                    .filter_map(|m| head.rfind(m))
                    .max(),
                1,
            )
        })
        .map(|at| {
            (at..=limit)
                .find(|i| text.is_char_boundary(*i))
                .unwrap_or(limit)
        })
        .or_else(|| after(head.rfind(char::is_whitespace), 0))
        .unwrap_or(limit)
        .max(text.chars().next().map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::read::{markdown, plain};

    #[test]
    fn a_passage_stays_in_its_section_and_names_its_headings() {
        let text = "# Guide\n\nIntro.\n\n## Reset\n\nOpen it.\n\nPress it.\n\n### Late\n\nWait.\n\n## Other\n\nEnd.\n";
        let reading = markdown::read("g.md", text.to_owned());
        let found: Vec<(String, &str)> = passages(&reading)
            .into_iter()
            .map(|p| (p.heading, &text[p.start..p.end]))
            .collect();
        assert_eq!(
            found,
            [
                ("Guide".to_owned(), "Intro."),
                ("Guide › Reset".to_owned(), "Open it.\n\nPress it."),
                ("Guide › Reset › Late".to_owned(), "Wait."),
                ("Guide › Other".to_owned(), "End."),
            ]
        );
    }

    #[test]
    fn a_document_of_headings_only_is_still_found() {
        let reading = markdown::read("g.md", "# Only\n\n## This\n".to_owned());
        assert_eq!(passages(&reading).len(), 1);
    }

    #[test]
    fn a_wall_of_text_is_cut_into_passages_of_a_fitting_size() {
        for text in ["word ".repeat(5000), "x".repeat(20_000), "字".repeat(3000)] {
            let reading = plain::read("w.txt", text.clone());
            let found = passages(&reading);
            assert!(found.len() > 5);
            for p in &found {
                assert!(tokens(&text[p.start..p.end]) <= MOST_TOKENS + 60);
            }
        }
    }

    proptest! {
        #[test]
        fn passages_are_slices_in_order_that_lose_no_word(
            parts in proptest::collection::vec(
                prop_oneof![
                    "[a-zé字 .\n]{0,400}", "\n\n#{1,4} [a-z]{0,9}\n\n", "```\n[a-z\n]{0,200}\n```\n",
                    "\n\n- [a-z ]{1,300}\n- [a-z]{1,3}\n", "\\PC{0,80}",
                ],
                0..12,
            ),
        ) {
            let text = parts.concat();
            for reading in [markdown::read("p.md", text.clone()), plain::read("p.txt", text.clone())] {
                let found = passages(&reading);
                let mut at = 0;
                for passage in &found {
                    prop_assert!(passage.start >= at && passage.start < passage.end);
                    let slice = &reading.text[passage.start..passage.end];
                    prop_assert_eq!(slice.trim(), slice);
                    at = passage.end;
                }
                let body: usize = reading.blocks.iter()
                    .filter(|b| b.heading.is_none())
                    .map(|b| letters(&reading.text[b.range.clone()]))
                    .sum();
                let kept: usize = found.iter().map(|p| letters(&reading.text[p.start..p.end])).sum();
                prop_assert!(kept >= body, "{} letters of {}", kept, body);
            }
        }
    }

    fn letters(text: &str) -> usize {
        text.chars().filter(|c| c.is_alphanumeric()).count()
    }
}
