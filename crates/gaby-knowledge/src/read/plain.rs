//! Plain text; headings where reStructuredText (underlined) and AsciiDoc (`==`) show them.

use super::{Block, Heading, Reading, Syntax, one_line, title_from_path};

/// Reads a plain text.
#[must_use]
pub fn read(path: &str, text: String) -> Reading {
    let blocks = blocks(&text);
    let heading = blocks
        .iter()
        .find_map(|block| block.heading.as_ref())
        .map(|heading| heading.text.clone());
    Reading {
        title: heading.unwrap_or_else(|| title_from_path(path)),
        syntax: Syntax::Plain,
        date: None,
        tags: Vec::new(),
        blocks,
        text,
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut lines = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        lines.push((at, line.trim_end()));
        at += line.len();
    }
    let mut blocks = Vec::new();
    let mut underlines: Vec<char> = Vec::new();
    let mut open: Option<usize> = None;
    let mut end = 0;
    let mut index = 0;
    while index < lines.len() {
        let (start, line) = lines[index];
        let next = lines.get(index + 1).map_or("", |(_, next)| *next);
        let heading = adoc_heading(line).or_else(|| {
            let mark = underline(next)?;
            let fits = next.chars().count() >= line.trim().chars().count();
            if open.is_some() || line.trim().is_empty() || underline(line).is_some() || !fits {
                return None;
            }
            let level = underlines
                .iter()
                .position(|seen| *seen == mark)
                .unwrap_or_else(|| {
                    underlines.push(mark);
                    underlines.len() - 1
                });
            Some((level.min(5) as u8 + 1, line.trim(), 2))
        });
        if let Some((level, title, taken)) = heading {
            close(&mut blocks, &mut open, end);
            let (last, last_line) = lines[index + taken - 1];
            blocks.push(Block {
                range: start..last + last_line.len(),
                heading: Some(Heading {
                    level,
                    text: one_line(title),
                }),
            });
            index += taken;
            continue;
        }
        if line.trim().is_empty() {
            close(&mut blocks, &mut open, end);
        } else {
            open.get_or_insert(start);
            end = start + line.len();
        }
        index += 1;
    }
    close(&mut blocks, &mut open, end);
    blocks
}

fn close(blocks: &mut Vec<Block>, open: &mut Option<usize>, end: usize) {
    if let Some(start) = open.take() {
        blocks.push(Block {
            range: start..end,
            heading: None,
        });
    }
}

fn adoc_heading(line: &str) -> Option<(u8, &str, usize)> {
    let level = line.bytes().take_while(|b| *b == b'=').count();
    let title = line.get(level..)?.strip_prefix(' ')?.trim();
    ((1..=6).contains(&level) && !title.is_empty()).then_some((level as u8, title, 1))
}

fn underline(line: &str) -> Option<char> {
    let mark = line.chars().next()?;
    (line.len() >= 3 && "=-~^\"*#+".contains(mark) && line.chars().all(|c| c == mark))
        .then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_underlined_headings_are_found() {
        let text = "Guide\n=====\n\nOne\ntwo\n\nPart\n----\nThree\n\n== Adoc\nFour";
        let reading = read("g.rst", text.to_owned());
        let parts: Vec<(&str, Option<u8>)> = reading
            .blocks
            .iter()
            .map(|b| (&text[b.range.clone()], b.heading.as_ref().map(|h| h.level)))
            .collect();
        assert_eq!(
            parts,
            [
                ("Guide\n=====", Some(1)),
                ("One\ntwo", None),
                ("Part\n----", Some(2)),
                ("Three", None),
                ("== Adoc", Some(2)),
                ("Four", None),
            ]
        );
        assert_eq!(reading.title, "Guide");
    }
}
