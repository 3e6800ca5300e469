//! Server-sent events, as the HTML standard defines their stream.

use super::{Frame, Framing, Lines};

/// Cuts at empty lines.
#[derive(Debug, Default)]
pub(crate) struct Sse {
    lines: Lines,
    event: Option<String>,
    data: Option<String>,
    alive: bool,
}

impl Sse {
    fn line(&mut self, line: &str) -> Option<Frame> {
        if line.is_empty() {
            let event = self.event.take();
            return self.data.take().map(|data| Frame {
                event,
                is_error: false,
                data,
            });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            // A comment: servers send them while a model thinks.
            "" => self.alive = true,
            "event" => self.event = Some(value.to_owned()),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            _ => {}
        }
        None
    }
}

impl Framing for Sse {
    fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, String> {
        let lines = self.lines.take(bytes)?;
        Ok(lines.iter().filter_map(|line| self.line(line)).collect())
    }

    fn end(&mut self) -> Result<Vec<Frame>, String> {
        // The standard drops an event that no empty line ends; servers that close right after
        // their last line are common, and JSON shows by itself whether it is whole.
        let last = self.lines.line()?;
        let mut frames: Vec<Frame> = self.line(&last).into_iter().collect();
        frames.extend(self.line(""));
        Ok(frames)
    }

    fn alive(&mut self) -> bool {
        std::mem::take(&mut self.alive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn events_end_at_empty_lines_whatever_the_line_ends_and_comments_are_life() {
        let mut sse = Sse::default();
        let frames = sse
            .push(b": hello\r\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\ndata: [DONE]\n\nid: 7\n\n")
            .unwrap();
        assert_eq!(frames.len(), 2);
        assert_eq!(
            (frames[0].event.as_deref(), frames[0].data.as_str()),
            (Some("a"), "1\n2")
        );
        assert_eq!(
            (frames[1].event.as_deref(), frames[1].data.as_str()),
            (None, "[DONE]")
        );
        assert!(sse.alive() && !sse.alive());
        assert!(sse.push(b"data: \xff\n\n").is_err());
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_does_not_matter(cuts in proptest::collection::vec(0usize..60, 0..6)) {
            let text = "event: x\ndata: {\"é\":1}\n\n: ping\n\ndata: two\ndata: lines\n\n".as_bytes();
            let mut whole = Sse::default();
            let expected = whole.push(text).unwrap();
            let mut cut = Sse::default();
            let mut got = Vec::new();
            let mut places: Vec<usize> = cuts.into_iter().map(|c| c.min(text.len())).collect();
            places.sort_unstable();
            let mut at = 0;
            for place in places.into_iter().chain([text.len()]) {
                got.extend(cut.push(&text[at..place]).unwrap());
                at = place;
            }
            prop_assert_eq!(got, expected);
        }
    }
}
