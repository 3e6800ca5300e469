//! The vendors, as they document themselves: what a request must look like, and how an answer is
//! written. Each stub refuses with the vendor's own error body whatever the vendor would refuse.

mod anthropic;
mod bedrock;
mod gemini;
mod ollama;
mod openai;

use std::time::Duration;

use gaby_llm::chat::{ChatRequest, ChatResponse};
use gaby_llm::{Limits, LlmError, Provider, ProviderConfig, ProviderKind};
use serde_json::Value;

use crate::server::{Act, Seen, Server, head, serve};

/// An answer, before it is written as a vendor writes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) text: Vec<&'static str>,
    /// Id, name, and the pieces of the arguments.
    pub(crate) calls: Vec<(&'static str, &'static str, Vec<&'static str>)>,
    /// Input with what was cached, of it cached, output with thinking, of it thinking.
    pub(crate) usage: Option<(u64, u64, u64, u64)>,
}

impl Answer {
    pub(crate) fn text(text: &'static str) -> Self {
        Self {
            text: vec![text],
            usage: Some((20, 0, 7, 0)),
            ..Self::default()
        }
    }
}

/// One vendor.
#[derive(Clone, Copy)]
pub(crate) struct Vendor {
    pub(crate) name: &'static str,
    pub(crate) kind: ProviderKind,
    pub(crate) model: &'static str,
    /// Where its stub is, after the server's address.
    pub(crate) base: &'static str,
    /// What is wrong with a request, if anything.
    pub(crate) check: fn(&Seen) -> Result<(), String>,
    /// The events of a streamed answer, each as the bytes that it is sent as.
    pub(crate) stream: fn(&Answer) -> Vec<Vec<u8>>,
    pub(crate) content_type: &'static str,
    /// The answer in one piece.
    pub(crate) whole: fn(&Answer) -> Value,
    /// An error's body.
    pub(crate) error: fn(u16, &str) -> Value,
    /// An error in the middle of a stream, if the vendor sends such.
    pub(crate) stream_error: fn() -> Vec<u8>,
    /// Whether calls have ids, cached tokens are counted, thinking is counted.
    pub(crate) ids: bool,
    pub(crate) cached: bool,
    pub(crate) thinking: bool,
}

pub(crate) fn all() -> Vec<Vendor> {
    let mut all = openai::vendors();
    all.extend(anthropic::vendors());
    all.extend([gemini::vendor(), bedrock::vendor(), ollama::vendor()]);
    all
}

pub(crate) fn of(kind: ProviderKind) -> Vendor {
    all()
        .into_iter()
        .find(|vendor| vendor.kind == kind)
        .unwrap()
}

/// Short, so that tests of waiting do not wait.
pub(crate) fn short() -> Limits {
    Limits {
        connect: Duration::from_secs(5),
        first_byte: Duration::from_millis(400),
        idle: Duration::from_millis(400),
        body: 2 << 20,
    }
}

/// Long enough for a busy machine.
pub(crate) fn patient() -> Limits {
    Limits {
        first_byte: Duration::from_secs(30),
        idle: Duration::from_secs(30),
        ..short()
    }
}

impl Vendor {
    pub(crate) fn config(&self, server: &Server) -> ProviderConfig {
        let mut config = ProviderConfig::new(self.kind, self.model);
        config.base_url = Some(format!("{}{}", server.url, self.base));
        config.api_key = Some("test-key".to_owned().into());
        config.region = Some("eu-central-1".into());
        config.project = Some("p1".into());
        config
    }

    pub(crate) fn provider(&self, server: &Server, limits: Limits) -> Provider {
        Provider::open(
            self.config(server),
            gaby_llm::address::Reach::default(),
            limits,
        )
        .unwrap()
    }

    pub(crate) fn head(&self) -> Act {
        head(200, &[("content-type", self.content_type)])
    }

    /// All that is sent for an answer.
    pub(crate) fn bytes(&self, answer: &Answer) -> Vec<u8> {
        (self.stream)(answer).concat()
    }

    /// A server that checks every request and answers it so.
    pub(crate) async fn answering(&self, answer: Answer) -> Server {
        let vendor = *self;
        serve(move |_, seen| match (vendor.check)(seen) {
            Ok(()) => vec![vendor.head(), Act::Send(vendor.bytes(&answer))],
            Err(why) => vendor.refusal(400, &why, &[]),
        })
        .await
    }

    /// A server that does so after its check.
    pub(crate) async fn doing(&self, acts: Vec<Act>) -> Server {
        let vendor = *self;
        serve(move |_, seen| match (vendor.check)(seen) {
            Ok(()) => acts.clone(),
            Err(why) => vendor.refusal(400, &why, &[]),
        })
        .await
    }

    pub(crate) fn refusal(&self, status: u16, why: &str, headers: &[(&str, &str)]) -> Vec<Act> {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        vec![
            head(status, &all),
            Act::Send((self.error)(status, why).to_string().into_bytes()),
        ]
    }
}

/// Asks and throws the text as it comes away.
pub(crate) async fn ask(
    provider: &Provider,
    request: &ChatRequest,
) -> Result<ChatResponse, LlmError> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    provider.chat(request, deadline, &mut |_| {}).await
}

/// A field must be there and so.
pub(crate) fn is(seen: &Seen, pointer: &str, wanted: &Value) -> Result<(), String> {
    match seen.body.pointer(pointer) {
        Some(value) if value == wanted => Ok(()),
        other => Err(format!("{pointer} must be {wanted}, not {other:?}")),
    }
}

/// Nothing but these fields may be in an object.
pub(crate) fn only(object: &Value, known: &[&str]) -> Result<(), String> {
    let object = object.as_object().ok_or("not an object")?;
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(format!("unknown field `{unknown}`")),
        None => Ok(()),
    }
}

pub(crate) fn list<'a>(value: &'a Value, what: &str) -> Result<&'a Vec<Value>, String> {
    value
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or_else(|| format!("{what} must be a list that is not empty"))
}

pub(crate) fn text<'a>(value: &'a Value, what: &str) -> Result<&'a str, String> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| format!("{what} must be a text that is not empty, not {value}"))
}

pub(crate) fn post(seen: &Seen, target: &str) -> Result<(), String> {
    if seen.method != "POST" || seen.target != target {
        return Err(format!("no such route: {} {}", seen.method, seen.target));
    }
    if seen.header("content-type") != Some("application/json") || !seen.body.is_object() {
        return Err("the body must be JSON, and be declared so".into());
    }
    Ok(())
}

pub(crate) fn header(seen: &Seen, name: &str, wanted: &str) -> Result<(), String> {
    match seen.header(name) {
        Some(value) if value == wanted => Ok(()),
        other => Err(format!("header {name} must be `{wanted}`, not {other:?}")),
    }
}

/// The name of a tool as most vendors restrict it.
pub(crate) fn tool_name(value: &Value) -> Result<&str, String> {
    let name = text(value, "a tool's name")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.len() > 64 || !name.chars().all(plain) {
        return Err(format!("`{name}` does not match ^[a-zA-Z0-9_-]{{1,64}}$"));
    }
    Ok(name)
}

pub(crate) fn object_schema(schema: &Value) -> Result<(), String> {
    (schema["type"] == "object")
        .then_some(())
        .ok_or_else(|| format!("the schema must be an object's: {schema}"))
}
