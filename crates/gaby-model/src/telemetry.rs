//! Traces: what spans of an investigation are told apart by, and whether they hold what people wrote.
//!
//! Every crate may open spans of this target; where they go is settled by the binary alone. Names and
//! attributes are those of OpenTelemetry's conventions for generative AI
//! (github.com/open-telemetry/semantic-conventions-genai), and Gaby's own begin with `gaby.`.

use std::sync::atomic::{AtomicBool, Ordering};

/// The target of the spans that make up a trace. Logs leave it out, and exporters take nothing else, so
/// that none traces its own requests.
pub const SPANS: &str = "gaby.trace";

/// The most bytes of a text that one attribute holds.
pub const LONGEST_CONTENT: usize = 16 * 1024;

static CONTENT: AtomicBool = AtomicBool::new(false);

/// Lets spans hold what people wrote, for the whole process, or no longer. They do not until this is
/// called.
pub fn record_content(yes: bool) {
    CONTENT.store(yes, Ordering::Relaxed);
}

/// Whether spans may hold prompts, arguments, answers and results.
#[must_use]
pub fn content_is_recorded() -> bool {
    CONTENT.load(Ordering::Relaxed)
}

/// A text as an attribute may hold it: cut where it is too long.
#[must_use]
pub fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_CONTENT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "é".repeat(LONGEST_CONTENT);
        assert_eq!(shortened(&text).len(), LONGEST_CONTENT);
        let odd = format!("a{text}");
        assert_eq!(shortened(&odd).len(), LONGEST_CONTENT - 1);
        assert_eq!(shortened("short"), "short");
    }
}
