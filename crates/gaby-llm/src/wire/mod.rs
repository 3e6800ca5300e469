//! The wire formats: how a request is written and an answer read, vendor by vendor.
//!
//! A [`Wire`] is pure: it makes bytes of a request, and takes events of an answer into a
//! [`Partial`]. To add one: a file here, and a line in [`of`].

mod anthropic;
mod bedrock;
mod gemini;
mod names;
mod ollama;
mod openai;
mod partial;

use serde_json::Value;
use url::Url;

use crate::chat::ChatRequest;
use crate::config::{ProviderConfig, ProviderKind};
use crate::error::LlmError;
use crate::frame::{EventStream, Frame, Framing, Lines, Sse};

pub(crate) use names::{given_name, wire_name};
pub(crate) use partial::{Ended, Partial};

/// A request, ready to be signed and sent.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) url: Url,
    /// Beside `content-type` and whatever says who we are.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// How the events of an answer are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    Sse,
    Lines,
    EventStream,
}

impl Cut {
    pub(crate) fn framing(self) -> Box<dyn Framing> {
        match self {
            Self::Sse => Box::new(Sse::default()),
            Self::Lines => Box::new(Lines::default()),
            Self::EventStream => Box::new(EventStream::default()),
        }
    }

    /// The content type that a stream comes with.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Sse => "text/event-stream",
            Self::Lines => "application/x-ndjson",
            Self::EventStream => "application/vnd.amazon.eventstream",
        }
    }
}

/// Why an event of an answer cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It is not what the vendor documents.
    Malformed(String),
    /// The vendor says that it failed, in the middle of its answer.
    Said {
        /// The HTTP status that it stands for.
        status: u16,
        message: String,
    },
    /// More was written than was asked for.
    TooLong(String),
}

/// One wire format.
pub(crate) trait Wire: Send + Sync {
    /// The request as the vendor wants it, with a streamed answer.
    fn request(
        &self,
        config: &ProviderConfig,
        base: &Url,
        request: &ChatRequest,
    ) -> Result<Outgoing, LlmError>;

    /// How the answer is cut.
    fn cut(&self) -> Cut;

    /// Takes one event of a streamed answer.
    fn frame(&self, frame: &Frame, partial: &mut Partial) -> Result<(), Broken>;

    /// Takes an answer that came in one piece, as servers that do not stream give it.
    fn whole(&self, body: &Value, partial: &mut Partial) -> Result<(), Broken>;
}

/// The wire format of a provider.
pub(crate) fn of(config: &ProviderConfig) -> Box<dyn Wire> {
    match config.kind {
        ProviderKind::Anthropic => Box::new(anthropic::Anthropic { on_vertex: false }),
        ProviderKind::Vertex if config.model.contains("claude") => {
            Box::new(anthropic::Anthropic { on_vertex: true })
        }
        ProviderKind::Vertex => Box::new(gemini::Gemini),
        ProviderKind::Bedrock => Box::new(bedrock::Bedrock),
        ProviderKind::Ollama => Box::new(ollama::Ollama),
        ProviderKind::OpenAi
        | ProviderKind::Azure
        | ProviderKind::OpenAiCompatible
        | ProviderKind::Vllm
        | ProviderKind::LlamaCpp
        | ProviderKind::GabyCloud => Box::new(openai::OpenAi),
    }
}

/// A URL with a path after the base's own.
pub(crate) fn beneath(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let whole = format!("{}/{}", base.path().trim_end_matches('/'), path);
    url.set_path(&whole);
    url
}

/// Reads the JSON of an event.
pub(crate) fn json(frame: &Frame) -> Result<Value, Broken> {
    serde_json::from_str(&frame.data).map_err(|error| {
        let start: String = frame.data.chars().take(80).collect();
        Broken::Malformed(format!("an event is not JSON ({error}): {start}"))
    })
}

/// The error that a body or an event holds, in the shapes that vendors use.
pub(crate) fn error_message(body: &Value) -> Option<String> {
    let error = &body["error"];
    let text = error["message"]
        .as_str()
        .or_else(|| error.as_str())
        .or_else(|| body["message"].as_str())
        .or_else(|| body["Message"].as_str())
        .or_else(|| body["detail"].as_str());
    text.map(str::to_owned)
}
