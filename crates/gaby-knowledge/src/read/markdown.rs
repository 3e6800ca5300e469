//! Markdown, by the byte ranges of its parser.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{Block, Heading, Reading, Syntax, front_matter, one_line, title_from_path};

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_HEADING_ATTRIBUTES
}

/// Reads a Markdown text.
#[must_use]
pub fn read(path: &str, text: String) -> Reading {
    let (matter, start) = front_matter::split(&text);
    let blocks = blocks(&text, start);
    let first_heading = blocks
        .iter()
        .filter_map(|block| block.heading.as_ref())
        .find(|heading| heading.level == 1 && !heading.text.is_empty())
        .or_else(|| blocks.iter().find_map(|block| block.heading.as_ref()))
        .map(|heading| heading.text.clone())
        .filter(|title| !title.is_empty());
    Reading {
        title: matter
            .title
            .or(first_heading)
            .unwrap_or_else(|| title_from_path(path)),
        syntax: Syntax::Markdown,
        date: matter.date,
        tags: matter.tags,
        blocks,
        text,
    }
}

fn blocks(text: &str, start: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut depth = 0usize;
    let mut heading: Option<Heading> = None;
    for (event, range) in Parser::new_ext(&text[start..], options()).into_offset_iter() {
        let range = range.start + start..range.end + start;
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    match tag {
                        Tag::Heading { level, .. } => {
                            heading = Some(Heading {
                                level: number(level),
                                text: String::new(),
                            });
                        }
                        Tag::HtmlBlock if is_comment(&text[range.clone()]) => {}
                        Tag::MetadataBlock(_) => {}
                        _ => blocks.push(Block {
                            range,
                            heading: None,
                        }),
                    }
                }
                depth += 1;
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                if depth == 0
                    && let TagEnd::Heading(_) = end
                    && let Some(mut done) = heading.take()
                {
                    done.text = one_line(&done.text);
                    blocks.push(Block {
                        range,
                        heading: Some(done),
                    });
                }
            }
            Event::Text(words) | Event::Code(words) => {
                if let Some(heading) = &mut heading {
                    heading.text.push_str(&words);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some(heading) = &mut heading {
                    heading.text.push(' ');
                }
            }
            _ => {}
        }
    }
    blocks
}

fn is_comment(html: &str) -> bool {
    let html = html.trim();
    html.starts_with("<!--") && html.ends_with("-->") && html.matches("-->").count() == 1
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

/// The words of a piece of Markdown, without marks, addresses of links and HTML tags: what is
/// counted and embedded.
#[must_use]
pub fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    for event in Parser::new_ext(markdown, options()) {
        match event {
            Event::Text(text) | Event::Code(text) => out.push_str(&text),
            Event::Html(html) | Event::InlineHtml(html) => without_tags(&html, &mut out),
            Event::SoftBreak | Event::HardBreak => out.push('\n'),
            Event::End(
                TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::Item
                | TagEnd::CodeBlock
                | TagEnd::TableRow
                | TagEnd::TableHead
                | TagEnd::HtmlBlock,
            ) => out.push('\n'),
            Event::End(TagEnd::TableCell) => out.push(' '),
            _ => {}
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn without_tags(html: &str, out: &mut String) {
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_blocks_keep_their_places() {
        let text = "---\ntitle: T\n---\n# Über `x` *y*\n\nPara one\nstill.\n\n- a\n- b\n\n<!-- note -->\n\nSub\n---\n\n```sh\n# no heading\n```\n";
        let reading = read("a.md", text.to_owned());
        assert_eq!(reading.title, "T");
        let parts: Vec<(&str, Option<&str>)> = reading
            .blocks
            .iter()
            .map(|b| {
                (
                    reading.text[b.range.clone()].trim(),
                    b.heading.as_ref().map(|h| h.text.as_str()),
                )
            })
            .collect();
        assert_eq!(
            parts,
            [
                ("# Über `x` *y*", Some("Über x y")),
                ("Para one\nstill.", None),
                ("- a\n- b", None),
                ("Sub\n---", Some("Sub")),
                ("```sh\n# no heading\n```", None),
            ]
        );
    }

    #[test]
    fn words_are_taken_without_marks() {
        assert_eq!(
            plain(
                "**Bold** [link](https://example.com/x) `code`\n\n| a | b |\n|---|---|\n| c | d |"
            ),
            "Bold link code\na b \nc d"
        );
    }
}
