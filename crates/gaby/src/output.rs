//! What commands print: text for people, JSON for scripts.

use std::io::{self, BufWriter, Stdout, Write};

use serde::Serialize;

/// Standard output. Control characters in what came from outside do not reach the terminal.
pub(crate) struct Output(BufWriter<Stdout>);

impl Output {
    pub(crate) fn new() -> Self {
        Self(BufWriter::new(io::stdout()))
    }

    /// A line, or several.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.0, "{}", plain(text.as_ref()))
    }

    /// One JSON document.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut self.0, value).map_err(io::Error::from)?;
        self.0.write_all(b"\n")?;
        Ok(self.0.flush()?)
    }

    /// Hands everything over; an error of the reader's end shows here at the latest.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        Ok(self.0.flush()?)
    }
}

/// Prints one JSON document.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Output::new().json(value)
}

/// Says something to the person, apart from the result.
pub(crate) fn note(text: impl AsRef<str>) {
    let _ = writeln!(io::stderr(), "{}", plain(text.as_ref()));
}

/// A text without control characters, which could drive a terminal; line ends and tabs stay.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

/// The text with every line moved to the right.
pub(crate) fn indent(text: &str, by: usize) -> String {
    let margin = " ".repeat(by);
    text.lines()
        .map(|line| {
            if line.trim().is_empty() {
                String::new()
            } else {
                format!("{margin}{line}")
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The beginning of a text on one line.
pub(crate) fn short(text: &str, characters: usize) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= characters {
        return one_line;
    }
    let mut cut: String = one_line
        .chars()
        .take(characters.saturating_sub(1))
        .collect();
    cut.push('…');
    cut
}

/// Rows with their columns in line, two blanks apart.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| {
                let fill = " ".repeat(width.saturating_sub(cell.chars().count()));
                format!("{cell}{fill}")
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_drive_a_terminal_is_left_out() {
        assert_eq!(
            plain("a\u{1b}]0;owned\u{7}b\n\tc\u{9b}1m"),
            "a]0;ownedb\n\tc1m"
        );
    }

    #[test]
    fn a_short_text_is_one_line() {
        assert_eq!(short("two\n  lines", 20), "two lines");
        assert_eq!(short("abcdef", 4), "abc…");
    }

    #[test]
    fn columns_stand_in_line() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        assert_eq!(
            table(&[row(["a", "b"]), row(["long", "c"])]),
            "a     b\nlong  c"
        );
    }
}
