//! The span of one call of a model, as OpenTelemetry's conventions for generative AI have it.
//!
//! A call that nobody waits for any more is told as cancelled. What was said stands in it only where
//! the operator switched that on, and then as it was sent: with what is personal hidden.

use gaby_model::LlmCallId;
use gaby_model::telemetry::{self, SPANS};
use serde_json::{Value, json};
use tracing::Span;
use tracing::field::Empty;

use crate::chat::{ChatRequest, ChatResponse, Message, StopReason, ToolCall};
use crate::config::{ProviderConfig, ProviderKind};
use crate::error::LlmError;
use crate::settings::Purpose;

/// The span of a call that is made.
pub(crate) struct CallSpan {
    span: Span,
    ended: bool,
}

impl CallSpan {
    pub(crate) fn begin(
        config: &ProviderConfig,
        request: &ChatRequest,
        purpose: Purpose,
        record: Option<&LlmCallId>,
    ) -> Self {
        let span = tracing::info_span!(
            target: SPANS,
            "chat",
            "otel.name" = format!("chat {}", config.model),
            "otel.kind" = "client",
            "otel.status_code" = Empty,
            "gen_ai.operation.name" = "chat",
            "gen_ai.provider.name" = provider(config.kind),
            "gen_ai.request.model" = config.model.as_str(),
            "gen_ai.request.max_tokens" = u64::from(request.max_output_tokens),
            "gen_ai.request.temperature" = request.temperature.map(f64::from),
            "gen_ai.response.model" = Empty,
            "gen_ai.response.finish_reasons" = Empty,
            "gen_ai.usage.input_tokens" = Empty,
            "gen_ai.usage.output_tokens" = Empty,
            "gen_ai.usage.cache_read.input_tokens" = Empty,
            "gen_ai.usage.cache_creation.input_tokens" = Empty,
            "gen_ai.usage.reasoning.output_tokens" = Empty,
            "gen_ai.system_instructions" = Empty,
            "gen_ai.input.messages" = Empty,
            "gen_ai.output.messages" = Empty,
            "server.address" = Empty,
            "server.port" = Empty,
            "error.type" = Empty,
            "gaby.llm.purpose" = purpose.as_str(),
            "gaby.llm.provider" = config.label(),
            "gaby.llm.call.id" = record.map(LlmCallId::as_str),
            "gaby.llm.cost.micro_usd" = Empty,
        );
        if !span.is_disabled() {
            if let Ok(address) = config.address() {
                span.record("server.address", address.host_str());
                span.record(
                    "server.port",
                    address.port_or_known_default().map(u64::from),
                );
            }
            if telemetry::content_is_recorded() {
                let instructions = json!([text_part(&request.system)]);
                told(&span, "gen_ai.system_instructions", &instructions);
                let messages: Vec<Value> = request.messages.iter().map(message).collect();
                told(&span, "gen_ai.input.messages", &Value::from(messages));
            }
        }
        Self { span, ended: false }
    }

    /// The span itself.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(crate) fn answered(mut self, response: &ChatResponse, micro_usd: u64) {
        self.ended = true;
        let (span, usage) = (&self.span, &response.usage);
        span.record("gen_ai.response.model", response.model.as_str());
        let reason = finish_reason(&response.stop);
        span.record("gen_ai.response.finish_reasons", reason);
        span.record("gen_ai.usage.input_tokens", usage.input);
        span.record("gen_ai.usage.output_tokens", usage.output);
        for (name, tokens) in [
            ("gen_ai.usage.cache_read.input_tokens", usage.cached),
            (
                "gen_ai.usage.cache_creation.input_tokens",
                usage.cache_write,
            ),
            ("gen_ai.usage.reasoning.output_tokens", usage.reasoning),
        ] {
            if tokens > 0 {
                span.record(name, tokens);
            }
        }
        span.record("gaby.llm.cost.micro_usd", micro_usd);
        if telemetry::content_is_recorded() && !span.is_disabled() {
            let mut said = message(&Message::Assistant(response.turn.clone()));
            said["finish_reason"] = json!(reason);
            told(span, "gen_ai.output.messages", &json!([said]));
        }
    }

    pub(crate) fn failed(mut self, error: &LlmError) {
        self.ended = true;
        self.error(error.kind());
    }

    fn error(&self, kind: &'static str) {
        self.span.record("error.type", kind);
        self.span.record("otel.status_code", "ERROR");
    }
}

impl Drop for CallSpan {
    fn drop(&mut self) {
        if !self.ended {
            self.error("cancelled");
        }
    }
}

/// The conventions' name for whoever serves the model; theirs for the protocol where that is all that is
/// known, ours where they have none.
fn provider(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Anthropic => "anthropic",
        ProviderKind::OpenAi | ProviderKind::OpenAiCompatible => "openai",
        ProviderKind::Azure => "azure.ai.openai",
        ProviderKind::Vertex => "gcp.vertex_ai",
        ProviderKind::Bedrock => "aws.bedrock",
        ProviderKind::Ollama
        | ProviderKind::Vllm
        | ProviderKind::LlamaCpp
        | ProviderKind::GabyCloud => kind.as_str(),
    }
}

fn finish_reason(stop: &StopReason) -> &str {
    match stop {
        StopReason::End => "stop",
        StopReason::ToolUse => "tool_call",
        StopReason::MaxTokens => "length",
        StopReason::Refused => "content_filter",
        StopReason::Other(other) => other,
    }
}

fn told(span: &Span, name: &'static str, content: &Value) {
    let text = content.to_string();
    span.record(name, telemetry::shortened(&text));
}

fn text_part(text: &str) -> Value {
    json!({"type": "text", "content": text})
}

/// A message in the conventions' own form.
fn message(message: &Message) -> Value {
    match message {
        Message::User { text } => json!({"role": "user", "parts": [text_part(text)]}),
        Message::Assistant(turn) => {
            let text = (!turn.text.is_empty()).then(|| text_part(&turn.text));
            let calls = turn.calls.iter().map(call_part);
            let parts: Vec<Value> = text.into_iter().chain(calls).collect();
            json!({"role": "assistant", "parts": parts})
        }
        Message::Tools { results } => {
            let parts: Vec<Value> = results
                .iter()
                .map(|result| {
                    json!({"type": "tool_call_response", "id": result.call, "response": result.content})
                })
                .collect();
            json!({"role": "tool", "parts": parts})
        }
    }
}

fn call_part(call: &ToolCall) -> Value {
    json!({
        "type": "tool_call",
        "id": call.id,
        "name": call.name,
        "arguments": call.arguments.to_object(),
    })
}
