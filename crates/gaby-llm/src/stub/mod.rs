//! A stub model: a server that speaks OpenAI's Chat Completions, refuses what OpenAI would refuse, and
//! answers by a script, the same way each time. For tests, demos, and evaluations of one's own;
//! `docs/models.md` describes the script. Whatever else can think of an answer ([`Answers`]) may stand
//! in the place of the script.

mod script;
mod strict;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use script::Scripted;
pub use script::{Answer, Call, Rule, Script, ScriptError, Tokens, When};
pub use strict::fault;

/// What answers in the place of a model.
pub trait Answers: Send + Sync {
    /// The answer to a request, as it was sent.
    ///
    /// # Errors
    /// Why there is none; it is told with status 400.
    fn answer(&self, request: &Value) -> Result<Answer, String>;
}

/// A stub model that listens.
#[derive(Debug)]
pub struct Stub {
    /// Where it is: the `base_url` for an OpenAI-compatible provider.
    pub url: String,
    listener: TcpListener,
    shared: Arc<Shared>,
}

struct Shared {
    mind: Arc<dyn Answers>,
    asked: Mutex<Vec<Value>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// What a stub model was asked.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Shared>);

impl Journal {
    /// Every request, in order, as it was sent.
    #[must_use]
    pub fn asked(&self) -> Vec<Value> {
        let asked = self.0.asked.lock();
        asked.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every request since the last time, in order.
    #[must_use]
    pub fn take(&self) -> Vec<Value> {
        let asked = self.0.asked.lock();
        std::mem::take(&mut *asked.unwrap_or_else(PoisonError::into_inner))
    }
}

impl Stub {
    /// Listens. Nobody is answered before it runs.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn bind(script: Script, address: SocketAddr) -> std::io::Result<Self> {
        Self::of(Arc::new(Scripted::new(script)), address).await
    }

    /// Listens, and lets something else than a script answer.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn of(mind: Arc<dyn Answers>, address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self {
            url: format!("http://{}/v1", listener.local_addr()?),
            listener,
            shared: Arc::new(Shared {
                mind,
                asked: Mutex::default(),
            }),
        })
    }

    /// What it is asked from now on.
    #[must_use]
    pub fn journal(&self) -> Journal {
        Journal(Arc::clone(&self.shared))
    }

    /// Answers until it is dropped.
    ///
    /// # Errors
    /// When it can no longer listen.
    pub async fn run(self) -> std::io::Result<()> {
        let router = Router::new()
            .route("/v1/chat/completions", post(chat))
            .route("/v1/models", get(models))
            .with_state(self.shared);
        axum::serve(self.listener, router).await
    }
}

async fn models() -> Json<Value> {
    Json(json!({"object": "list", "data": [{"id": "stub", "object": "model", "owned_by": "stub"}]}))
}

async fn chat(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Response {
    shared
        .asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(body.clone());
    if let Err(why) = fault(&body) {
        return refused(StatusCode::BAD_REQUEST, &why);
    }
    let answer = match shared.mind.answer(&body) {
        Ok(answer) => answer,
        Err(why) => return refused(StatusCode::BAD_REQUEST, &why),
    };
    if answer.wait_ms > 0 {
        tokio::time::sleep(Duration::from_millis(answer.wait_ms)).await;
    }
    if let Some(status) = answer.status {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return refused(status, "as the script says");
    }
    let usage = answer.usage.unwrap_or_else(|| Tokens {
        input: estimate(&body.to_string()),
        output: estimate(&format!("{}{:?}", answer.text, answer.calls)),
    });
    written(&body, &answer, usage)
}

/// How many turns of the model stand in a conversation.
#[must_use]
pub fn turns(request: &Value) -> usize {
    let messages = request["messages"].as_array().into_iter().flatten();
    messages
        .filter(|message| message["role"] == "assistant")
        .count()
}

/// The text of a message, whole or in parts.
#[must_use]
pub fn text_of(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

fn estimate(text: &str) -> u64 {
    (text.len() / 4 + 1) as u64
}

fn written(body: &Value, answer: &Answer, usage: Tokens) -> Response {
    let turns = turns(body);
    let calls: Vec<Value> = answer
        .calls
        .iter()
        .enumerate()
        .map(|(place, call)| {
            let arguments = match &call.text {
                Some(text) => text.clone(),
                None => Value::Object(call.arguments.clone()).to_string(),
            };
            json!({
                "index": place,
                "id": format!("call_{turns}_{place}"),
                "type": "function",
                "function": {"name": call.tool, "arguments": arguments},
            })
        })
        .collect();
    let mut message = json!({"role": "assistant", "content": answer.text});
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    let finish = match answer.calls.is_empty() {
        true => "stop",
        false => "tool_calls",
    };
    let usage = json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
    });
    let whole = |kind: &str, choice: Value| {
        json!({
            "id": "chatcmpl-stub", "object": kind, "created": 0, "model": body["model"],
            "choices": [choice],
        })
    };
    if body["stream"] != true {
        let choice = json!({"index": 0, "message": message, "finish_reason": finish});
        let mut out = whole("chat.completion", choice);
        out["usage"] = usage;
        return Json(out).into_response();
    }
    let said = json!({"index": 0, "delta": message, "finish_reason": null});
    let end = json!({"index": 0, "delta": {}, "finish_reason": finish});
    let mut last = whole("chat.completion.chunk", Value::Null);
    last["choices"] = json!([]);
    last["usage"] = usage;
    let events = [
        whole("chat.completion.chunk", said),
        whole("chat.completion.chunk", end),
        last,
    ];
    let stream: String = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .chain(["data: [DONE]\n\n".to_owned()])
        .collect();
    ([(header::CONTENT_TYPE, "text/event-stream")], stream).into_response()
}

fn refused(status: StatusCode, why: &str) -> Response {
    let body = json!({"error": {"message": why, "type": "stub", "code": null}});
    (status, Json(body)).into_response()
}
