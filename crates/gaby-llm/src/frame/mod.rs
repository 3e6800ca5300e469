//! How a stream of bytes is cut into the events of an answer.

mod event_stream;
mod lines;
mod sse;

pub(crate) use event_stream::EventStream;
pub(crate) use lines::Lines;
pub(crate) use sse::Sse;

/// One event of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Its kind, where the framing names one.
    pub(crate) event: Option<String>,
    /// Whether the framing itself marks it as an error.
    pub(crate) is_error: bool,
    /// What it holds; JSON, as a rule.
    pub(crate) data: String,
}

/// Takes bytes as they come, gives events as they end.
pub(crate) trait Framing: Send {
    /// Takes bytes and gives the events that end in them. `Err` says why the stream cannot be read.
    fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, String>;

    /// The event that the end of the stream completes, if any; `Err` when it ends within one.
    fn end(&mut self) -> Result<Vec<Frame>, String>;

    /// Whether comments or other signs of life came since the last time this was asked.
    fn alive(&mut self) -> bool {
        false
    }
}
