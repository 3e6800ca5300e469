//! HTML: the text that a reader of the page sees, without menus, scripts and styles.

use scraper::node::Node;
use scraper::{ElementRef, Html, Selector};

use super::{Block, Heading, Reading, Syntax, front_matter, one_line, title_from_path};
use crate::skip::SkipReason;

/// Nesting beyond this is hostile: the parser's work grows with the depth of open elements.
const MAX_DEPTH: usize = 400;

/// Reads an HTML page.
///
/// # Errors
/// When it is nested too deep.
pub fn read(path: &str, html: &str) -> Result<Reading, SkipReason> {
    if depth(html) > MAX_DEPTH {
        return Err(SkipReason::TooDeep);
    }
    let page = Html::parse_document(html);
    let mut writer = Writer::default();
    let root = first(&page, "main, [role=main]")
        .or_else(|| first(&page, "article"))
        .filter(|part| part.text().map(str::len).sum::<usize>() > 200)
        .or_else(|| first(&page, "body"))
        .unwrap_or_else(|| page.root_element());
    writer.walk(root);
    let (text, blocks) = writer.finish();
    let heading = blocks.iter().find_map(|block| block.heading.as_ref());
    let title = first(&page, "head > title")
        .map(|title| one_line(&title.text().collect::<String>()))
        .filter(|title| !title.is_empty())
        .or_else(|| heading.map(|heading| heading.text.clone()))
        .unwrap_or_else(|| title_from_path(path));
    let meta = |selector: &str| {
        first(&page, selector).and_then(|tag| tag.attr("content").map(str::to_owned))
    };
    Ok(Reading {
        title,
        text,
        syntax: Syntax::Plain,
        date: meta("meta[property='article:modified_time'], meta[name=date]")
            .and_then(|text| front_matter::date(&text)),
        tags: meta("meta[name=keywords]")
            .map(|words| {
                words
                    .split(',')
                    .map(one_line)
                    .filter(|word| !word.is_empty())
                    .take(64)
                    .collect()
            })
            .unwrap_or_default(),
        blocks,
    })
}

fn first<'a>(page: &'a Html, selector: &str) -> Option<ElementRef<'a>> {
    let selector = Selector::parse(selector).ok()?;
    page.select(&selector).next()
}

/// The deepest nesting of tags that must be closed, by a scan that cannot itself be slow.
fn depth(html: &str) -> usize {
    const OPEN_ENDED: [&str; 31] = [
        "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup",
        "colgroup", "rp", "rt", "area", "base", "br", "col", "embed", "hr", "img", "input", "link",
        "meta", "param", "source", "track", "wbr", "html", "body",
    ];
    let bytes = html.as_bytes();
    let (mut now, mut most, mut at) = (0usize, 0usize, 0usize);
    while let Some(found) = bytes[at..].iter().position(|b| *b == b'<') {
        let tag = at + found + 1;
        let closing = bytes.get(tag) == Some(&b'/');
        let name_start = tag + usize::from(closing);
        let name_end = bytes[name_start..]
            .iter()
            .position(|b| !b.is_ascii_alphanumeric() && *b != b'-')
            .map_or(bytes.len(), |length| name_start + length);
        let name = html[name_start..name_end].to_ascii_lowercase();
        if name.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
            && !OPEN_ENDED.contains(&name.as_str())
        {
            if closing {
                now = now.saturating_sub(1);
            } else {
                now += 1;
                most = most.max(now);
            }
        }
        at = name_end.max(tag);
    }
    most
}

#[derive(Default)]
struct Writer {
    text: String,
    blocks: Vec<Block>,
    start: usize,
    heading: Option<u8>,
    preformatted: usize,
}

impl Writer {
    fn walk(&mut self, root: ElementRef<'_>) {
        use ego_tree::iter::Edge;
        let mut hidden = 0usize;
        for edge in root.traverse() {
            match edge {
                Edge::Open(node) => match node.value() {
                    Node::Element(element) if hidden > 0 || is_hidden(element) => hidden += 1,
                    Node::Element(element) => self.open(element.name()),
                    Node::Text(text) if hidden == 0 => self.write(text),
                    _ => {}
                },
                Edge::Close(node) => {
                    if let Node::Element(element) = node.value() {
                        if hidden > 0 {
                            hidden -= 1;
                        } else {
                            self.close(element.name());
                        }
                    }
                }
            }
        }
        self.end_block();
    }

    fn open(&mut self, name: &str) {
        match name {
            "br" => self.text.push('\n'),
            "li" => {
                self.new_line();
                self.text.push_str("- ");
            }
            "td" | "th" if !self.text.ends_with('\n') && self.start < self.text.len() => {
                self.text.push_str(" | ");
            }
            "tr" | "dt" | "dd" => self.new_line(),
            "pre" => {
                self.end_block();
                self.preformatted += 1;
            }
            _ if is_block(name) => {
                self.end_block();
                self.heading = heading_level(name);
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if name == "pre" {
            self.preformatted = self.preformatted.saturating_sub(1);
        }
        if name == "pre" || is_block(name) {
            self.end_block();
        }
    }

    fn write(&mut self, text: &str) {
        if self.preformatted > 0 {
            self.text.push_str(text);
            return;
        }
        let mut spaced = self.text.len() == self.start || self.text.ends_with([' ', '\n']);
        for c in text.chars() {
            if c.is_whitespace() {
                if !spaced {
                    self.text.push(' ');
                    spaced = true;
                }
            } else {
                self.text.push(c);
                spaced = false;
            }
        }
    }

    fn new_line(&mut self) {
        if self.text.len() > self.start && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn end_block(&mut self) {
        let level = self.heading.take();
        let end = self.start + self.text[self.start..].trim_end().len();
        self.text.truncate(end);
        let words = self.text[self.start..].trim_start_matches(['-', ' ', '\n']);
        if words.is_empty() {
            self.text.truncate(self.start);
            return;
        }
        self.blocks.push(Block {
            range: self.start..end,
            heading: level.map(|level| Heading {
                level,
                text: one_line(&self.text[self.start..end]),
            }),
        });
        self.text.push_str("\n\n");
        self.start = self.text.len();
    }

    fn finish(mut self) -> (String, Vec<Block>) {
        self.text.truncate(self.text.trim_end().len());
        (self.text, self.blocks)
    }
}

fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', digit @ b'1'..=b'6'] => Some(digit - b'0'),
        _ => None,
    }
}

fn is_hidden(element: &scraper::node::Element) -> bool {
    matches!(
        element.name(),
        "script"
            | "style"
            | "noscript"
            | "template"
            | "svg"
            | "nav"
            | "footer"
            | "head"
            | "form"
            | "button"
            | "iframe"
            | "object"
            | "canvas"
    ) || element.attr("hidden").is_some()
        || element.attr("aria-hidden") == Some("true")
}

fn is_block(name: &str) -> bool {
    heading_level(name).is_some()
        || matches!(
            name,
            "p" | "div"
                | "section"
                | "article"
                | "main"
                | "header"
                | "aside"
                | "ul"
                | "ol"
                | "dl"
                | "table"
                | "blockquote"
                | "figure"
                | "figcaption"
                | "details"
                | "summary"
                | "hr"
                | "address"
                | "body"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_the_text_that_a_reader_sees() {
        let html = "<html><head><title> My  page </title><style>x{}</style></head><body>\
            <nav>Menu</nav><h1>Reset</h1><p>Open <b>Settings</b>,\n then <a href=x>Reset</a>.</p>\
            <ul><li>One</li><li>Two</li></ul><h2>Then</h2><pre>a\n  b</pre>\
            <table><tr><th>K</th><th>V</th></tr><tr><td>1</td><td>2</td></tr></table>\
            <script>alert(1)</script></body></html>";
        let reading = read("a.html", html).unwrap();
        assert_eq!(reading.title, "My page");
        assert_eq!(
            reading.text,
            "Reset\n\nOpen Settings, then Reset.\n\n- One\n- Two\n\nThen\n\na\n  b\n\nK | V\n1 | 2"
        );
        let headings: Vec<_> = reading
            .blocks
            .iter()
            .filter_map(|b| b.heading.clone())
            .collect();
        assert_eq!(headings.len(), 2);
        assert_eq!((headings[1].level, headings[1].text.as_str()), (2, "Then"));
    }

    #[test]
    fn hostile_nesting_is_refused_at_once_and_unclosed_tags_are_not() {
        assert_eq!(
            read("a.html", &"<div>".repeat(2_000_000)),
            Err(SkipReason::TooDeep)
        );
        assert!(read("a.html", &"<p>word<br><li>x".repeat(100_000)).is_ok());
    }
}
