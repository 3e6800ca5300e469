//! One JSON text a line, as Ollama sends it.

use super::{Frame, Framing};

/// Cuts at line ends.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes bytes and gives the lines that end in them, without their ends.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<String>, String> {
        let mut lines = Vec::new();
        let mut bytes = bytes;
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, after) = bytes.split_at(end);
            self.rest.extend_from_slice(line);
            bytes = &after[1..];
            lines.push(self.line()?);
        }
        self.rest.extend_from_slice(bytes);
        Ok(lines)
    }

    /// What stands after the last line end.
    pub(super) fn line(&mut self) -> Result<String, String> {
        let mut line = std::mem::take(&mut self.rest);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        String::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())
    }
}

fn frame(line: String) -> Option<Frame> {
    (!line.trim().is_empty()).then_some(Frame {
        event: None,
        is_error: false,
        data: line,
    })
}

impl Framing for Lines {
    fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, String> {
        Ok(self.take(bytes)?.into_iter().filter_map(frame).collect())
    }

    fn end(&mut self) -> Result<Vec<Frame>, String> {
        Ok(frame(self.line()?).into_iter().collect())
    }
}
