//! Anthropic's Messages API (`POST BASE/v1/messages`), and the same on Vertex AI
//! (`…/publishers/anthropic/models/MODEL:streamRawPredict`).
//! Documented at platform.claude.com/docs/en/api/messages and …/build-with-claude/streaming.

use serde_json::{Value, json};
use url::Url;

use super::{Broken, Cut, Ended, Outgoing, Partial, Wire, beneath, error_message, wire_name};
use crate::chat::{ChatRequest, Message, StopReason, TokenUsage, ToolChoice};
use crate::config::ProviderConfig;
use crate::error::LlmError;
use crate::frame::Frame;

const VERSION: &str = "2023-06-01";
const VERTEX_VERSION: &str = "vertex-2023-10-16";

pub(super) struct Anthropic {
    pub(super) on_vertex: bool,
}

impl Wire for Anthropic {
    fn request(
        &self,
        config: &ProviderConfig,
        base: &Url,
        request: &ChatRequest,
    ) -> Result<Outgoing, LlmError> {
        let mut body = json!({
            "max_tokens": request.max_output_tokens,
            "messages": messages(request),
            "stream": true,
        });
        if !request.system.is_empty() {
            body["system"] = json!([{
                "type": "text", "text": request.system, "cache_control": { "type": "ephemeral" },
            }]);
        }
        if let Some(temperature) = request.temperature {
            // Its range ends at 1.
            body["temperature"] = json!(temperature.min(1.0));
        }
        if !request.tools.is_empty() {
            let mut tools: Vec<Value> = request
                .tools
                .iter()
                .map(|tool| {
                    json!({
                        "name": wire_name(&tool.name),
                        "description": tool.description,
                        "input_schema": tool.parameters,
                    })
                })
                .collect();
            if let Some(last) = tools.last_mut() {
                last["cache_control"] = json!({ "type": "ephemeral" });
            }
            body["tools"] = Value::Array(tools);
            body["tool_choice"] = match &request.tool_choice {
                ToolChoice::Auto => json!({ "type": "auto" }),
                ToolChoice::Required => json!({ "type": "any" }),
                ToolChoice::None => json!({ "type": "none" }),
                ToolChoice::Tool(name) => json!({ "type": "tool", "name": wire_name(name) }),
            };
        }
        if let Some(output) = &request.output {
            body["output_config"] =
                json!({ "format": { "type": "json_schema", "schema": output.schema } });
        }
        let mut headers = Vec::new();
        let url = if self.on_vertex {
            body["anthropic_version"] = json!(VERTEX_VERSION);
            super::gemini::model_url(config, base, "anthropic", "streamRawPredict")
        } else {
            body["model"] = json!(config.model);
            headers.push(("anthropic-version", VERSION.to_owned()));
            if let Some(key) = config.key() {
                headers.push(("x-api-key", key.to_owned()));
            }
            match base.path().trim_end_matches('/').ends_with("/v1") {
                true => beneath(base, "messages"),
                false => beneath(base, "v1/messages"),
            }
        };
        Ok(Outgoing {
            url,
            headers,
            body: body.to_string().into_bytes(),
        })
    }

    fn cut(&self) -> Cut {
        Cut::Sse
    }

    fn frame(&self, frame: &Frame, partial: &mut Partial) -> Result<(), Broken> {
        let event = super::json(frame)?;
        let index = event["index"].as_u64().unwrap_or(0);
        match event["type"]
            .as_str()
            .or(frame.event.as_deref())
            .unwrap_or("")
        {
            "message_start" => {
                named(&event["message"], partial);
                count(&event["message"]["usage"], partial);
            }
            "content_block_start" => block(&event["content_block"], index, partial)?,
            "content_block_delta" => {
                let delta = &event["delta"];
                if let Some(text) = delta["text"].as_str() {
                    partial.add_text(text)?;
                } else if let Some(piece) = delta["partial_json"].as_str() {
                    partial.add_arguments(index, piece)?;
                } else if let Some(text) = delta["thinking"].as_str() {
                    partial.add_thinking(text)?;
                }
            }
            "message_delta" => {
                stop(&event["delta"], partial);
                count(&event["usage"], partial);
            }
            "message_stop" => partial.ended = Ended::Yes,
            "error" => return Err(failure(&event)),
            // `ping`, `content_block_stop`, and kinds that may be added later.
            _ => {}
        }
        Ok(())
    }

    fn whole(&self, body: &Value, partial: &mut Partial) -> Result<(), Broken> {
        if body["type"] == "error" {
            return Err(failure(body));
        }
        let blocks = body["content"]
            .as_array()
            .ok_or_else(|| Broken::Malformed("it has no `content`".to_owned()))?;
        named(body, partial);
        for (index, content) in (0..).zip(blocks) {
            block(content, index, partial)?;
            if content["type"] == "tool_use" {
                partial.set_arguments(index, content["input"].clone())?;
            }
        }
        stop(body, partial);
        count(&body["usage"], partial);
        partial.ended = Ended::Yes;
        Ok(())
    }
}

fn messages(request: &ChatRequest) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for message in &request.messages {
        let (role, blocks): (&str, Vec<Value>) = match message {
            Message::User { text } => ("user", vec![json!({ "type": "text", "text": text })]),
            Message::Assistant(turn) => {
                let text = (!turn.text.trim().is_empty())
                    .then(|| json!({ "type": "text", "text": turn.text.trim_end() }));
                let calls = turn.calls.iter().map(|call| {
                    json!({
                        "type": "tool_use",
                        "id": call.id,
                        "name": wire_name(&call.name),
                        "input": call.arguments.to_object(),
                    })
                });
                ("assistant", text.into_iter().chain(calls).collect())
            }
            Message::Tools { results } => {
                let results = results.iter().map(|result| {
                    json!({
                        "type": "tool_result",
                        "tool_use_id": result.call,
                        "content": result.content,
                        "is_error": result.is_error,
                    })
                });
                ("user", results.collect())
            }
        };
        match out.last_mut() {
            // Results must stand first in the turn after the calls; what is said beside them follows.
            Some(last) if last["role"] == role => {
                if let Some(content) = last["content"].as_array_mut() {
                    content.extend(blocks);
                }
            }
            _ if blocks.is_empty() => {}
            _ => out.push(json!({ "role": role, "content": blocks })),
        }
    }
    // The conversation only grows, so each call can read what the one before wrote to the cache.
    if let Some(block) = out
        .last_mut()
        .and_then(|last| last["content"].as_array_mut())
        .and_then(|content| content.last_mut())
    {
        block["cache_control"] = json!({ "type": "ephemeral" });
    }
    out
}

fn block(content: &Value, index: u64, partial: &mut Partial) -> Result<(), Broken> {
    match content["type"].as_str() {
        Some("text") => partial.add_text(content["text"].as_str().unwrap_or_default()),
        Some("tool_use") => partial.name_call(
            index,
            content["id"].as_str().unwrap_or_default(),
            content["name"].as_str().unwrap_or_default(),
        ),
        Some("thinking") => partial.add_thinking(content["thinking"].as_str().unwrap_or_default()),
        _ => Ok(()),
    }
}

fn named(message: &Value, partial: &mut Partial) {
    if let Some(model) = message["model"].as_str() {
        partial.model = Some(model.to_owned());
    }
}

fn stop(holder: &Value, partial: &mut Partial) {
    if let Some(reason) = holder["stop_reason"].as_str() {
        partial.stop = Some(match reason {
            "end_turn" | "stop_sequence" => StopReason::End,
            "tool_use" => StopReason::ToolUse,
            "max_tokens" | "model_context_window_exceeded" => StopReason::MaxTokens,
            "refusal" => StopReason::Refused,
            other => StopReason::Other(other.chars().take(60).collect()),
        });
        // `message_stop` must follow; without it the stream was cut.
    }
}

/// Counts are cumulative, and `input_tokens` leaves out what the cache has to do with.
fn count(usage: &Value, partial: &mut Partial) {
    if !usage.is_object() {
        return;
    }
    let known = partial.usage.unwrap_or_default();
    let number = |name: &str| usage[name].as_u64();
    let cached = number("cache_read_input_tokens").unwrap_or(known.cached);
    let cache_write = number("cache_creation_input_tokens").unwrap_or(known.cache_write);
    let fresh = number("input_tokens").unwrap_or_else(|| {
        known
            .input
            .saturating_sub(known.cached.saturating_add(known.cache_write))
    });
    let reasoning = usage["output_tokens_details"]["thinking_tokens"].as_u64();
    partial.usage = Some(TokenUsage {
        input: fresh.saturating_add(cached).saturating_add(cache_write),
        cached,
        cache_write,
        output: number("output_tokens").unwrap_or(known.output),
        reasoning: reasoning.unwrap_or(known.reasoning),
        estimated: false,
    });
}

fn failure(event: &Value) -> Broken {
    let status = match event["error"]["type"].as_str().unwrap_or_default() {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 500,
    };
    Broken::Said {
        status,
        message: error_message(event).unwrap_or_else(|| "an error without a message".to_owned()),
    }
}
