//! OpenAI's Chat Completions (`POST BASE/chat/completions`), which many others speak too.
//! Documented at platform.openai.com/docs/api-reference/chat; Azure's variant at
//! learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use super::{Broken, Cut, Ended, Outgoing, Partial, Wire, beneath, error_message, wire_name};
use crate::chat::{ChatRequest, Message, StopReason, TokenUsage, ToolChoice, ToolSpec};
use crate::config::{ProviderConfig, ProviderKind};
use crate::error::LlmError;
use crate::frame::Frame;

pub(super) struct OpenAi;

impl Wire for OpenAi {
    fn request(
        &self,
        config: &ProviderConfig,
        base: &Url,
        request: &ChatRequest,
    ) -> Result<Outgoing, LlmError> {
        // Its newer models refuse `max_tokens`; other servers know nothing else.
        let newer = matches!(config.kind, ProviderKind::OpenAi | ProviderKind::Azure);
        let limit = Some(request.max_output_tokens);
        let offered = !request.tools.is_empty();
        let body = Body {
            model: &config.model,
            messages: messages(request),
            stream: true,
            stream_options: StreamOptions {
                include_usage: true,
            },
            max_completion_tokens: limit.filter(|_| newer),
            max_tokens: limit.filter(|_| !newer),
            temperature: request.temperature,
            tools: request.tools.iter().map(offer).collect(),
            tool_choice: offered.then(|| match &request.tool_choice {
                ToolChoice::Auto => json!("auto"),
                ToolChoice::Required => json!("required"),
                ToolChoice::None => json!("none"),
                ToolChoice::Tool(name) => {
                    json!({ "type": "function", "function": { "name": wire_name(name) } })
                }
            }),
            response_format: request.output.as_ref().map(|output| {
                json!({
                    "type": "json_schema",
                    "json_schema": { "name": output.name, "schema": output.schema, "strict": true },
                })
            }),
        };
        let body = serde_json::to_vec(&body)
            .map_err(|error| config.wrong(format!("its request cannot be written ({error})")))?;
        let (url, headers) = address(config, base);
        Ok(Outgoing { url, headers, body })
    }

    fn cut(&self) -> Cut {
        Cut::Sse
    }

    fn frame(&self, frame: &Frame, partial: &mut Partial) -> Result<(), Broken> {
        if frame.data.trim() == "[DONE]" {
            partial.ended = Ended::Yes;
            return Ok(());
        }
        let chunk = super::json(frame)?;
        failure(&chunk)?;
        named(&chunk, partial);
        if let Some(usage) = usage(&chunk["usage"]) {
            partial.usage = Some(usage);
        }
        let Some(choice) = chunk["choices"].get(0) else {
            return Ok(());
        };
        said(&choice["delta"], partial)?;
        stop(choice, partial);
        Ok(())
    }

    fn whole(&self, body: &Value, partial: &mut Partial) -> Result<(), Broken> {
        failure(body)?;
        named(body, partial);
        partial.usage = usage(&body["usage"]);
        let choice = body["choices"]
            .get(0)
            .ok_or_else(|| Broken::Malformed("it has no `choices`".to_owned()))?;
        said(&choice["message"], partial)?;
        stop(choice, partial);
        partial.ended = Ended::Yes;
        Ok(())
    }
}

fn address(config: &ProviderConfig, base: &Url) -> (Url, Vec<(&'static str, String)>) {
    let key = config.key();
    let headers = match (config.kind, key) {
        (ProviderKind::Azure, Some(key)) => vec![("api-key", key.to_owned())],
        (_, Some(key)) => vec![("authorization", format!("Bearer {key}"))],
        (_, None) => Vec::new(),
    };
    let url = match (config.kind, &config.api_version) {
        (ProviderKind::Azure, Some(version)) => {
            let path = format!("openai/deployments/{}/chat/completions", config.model);
            let mut url = beneath(base, &path);
            url.query_pairs_mut().append_pair("api-version", version);
            url
        }
        (ProviderKind::Azure, None) if !base.path().contains("/openai") => {
            beneath(base, "openai/v1/chat/completions")
        }
        _ => beneath(base, "chat/completions"),
    };
    (url, headers)
}

/// A request, as it goes over the wire: written from what there is, since it is long and goes out at every turn.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Said<'a>>,
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Function<'a, Offered<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Function<'a, Called<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Function<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    r#type: &'static str,
    function: T,
}

#[derive(Serialize)]
struct Offered<'a> {
    name: Cow<'a, str>,
    description: &'a str,
    parameters: &'a Value,
}

#[derive(Serialize)]
struct Called<'a> {
    name: Cow<'a, str>,
    arguments: String,
}

impl<'a, T> Function<'a, T> {
    fn of(id: Option<&'a str>, function: T) -> Self {
        Self {
            id,
            r#type: "function",
            function,
        }
    }
}

impl<'a> Said<'a> {
    fn by(role: &'static str, text: &'a str) -> Self {
        Self {
            role,
            content: Some(text),
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }
}

fn offer(tool: &ToolSpec) -> Function<'_, Offered<'_>> {
    let offered = Offered {
        name: wire_name(&tool.name),
        description: &tool.description,
        parameters: &tool.parameters,
    };
    Function::of(None, offered)
}

fn messages(request: &ChatRequest) -> Vec<Said<'_>> {
    let mut out = Vec::new();
    if !request.system.is_empty() {
        out.push(Said::by("system", &request.system));
    }
    for message in &request.messages {
        match message {
            Message::User { text } => out.push(Said::by("user", text)),
            Message::Assistant(turn) => {
                let calls = turn.calls.iter().map(|call| {
                    let called = Called {
                        name: wire_name(&call.name),
                        arguments: call.arguments.to_object().to_string(),
                    };
                    Function::of(Some(call.id.as_str()), called)
                });
                let silent = turn.text.is_empty() && !turn.calls.is_empty();
                out.push(Said {
                    content: (!silent).then_some(turn.text.as_str()),
                    tool_calls: calls.collect(),
                    ..Said::by("assistant", "")
                });
            }
            Message::Tools { results } => out.extend(results.iter().map(|result| Said {
                tool_call_id: Some(&result.call),
                ..Said::by("tool", &result.content)
            })),
        }
    }
    out
}

/// An error within an answer; servers that stand between send them with status 200.
fn failure(body: &Value) -> Result<(), Broken> {
    if body["error"].is_null() {
        return Ok(());
    }
    let code = &body["error"]["code"];
    let status = code
        .as_u64()
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..600).contains(code))
        .unwrap_or(match body["error"]["type"].as_str() {
            Some("invalid_request_error") => 400,
            Some("rate_limit_error" | "rate_limit_exceeded") => 429,
            _ => 500,
        });
    Err(Broken::Said {
        status,
        message: error_message(body).unwrap_or_else(|| body["error"].to_string()),
    })
}

fn named(body: &Value, partial: &mut Partial) {
    if let Some(model) = body["model"].as_str().filter(|model| !model.is_empty()) {
        partial.model = Some(model.to_owned());
    }
}

fn said(message: &Value, partial: &mut Partial) -> Result<(), Broken> {
    match &message["content"] {
        Value::String(text) => partial.add_text(text)?,
        Value::Array(parts) => {
            for part in parts {
                if let Some(text) = part["text"].as_str() {
                    partial.add_text(text)?;
                }
            }
        }
        _ => {}
    }
    if let Some(refusal) = message["refusal"].as_str().filter(|text| !text.is_empty()) {
        partial.add_text(refusal)?;
        partial.stop = Some(StopReason::Refused);
    }
    for thinking in ["reasoning_content", "reasoning"] {
        if let Some(text) = message[thinking].as_str() {
            partial.add_thinking(text)?;
        }
    }
    let calls = message["tool_calls"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    for call in calls {
        let id = call["id"].as_str().unwrap_or_default();
        let index = match call["index"].as_u64() {
            // Servers that number every call 0 tell them apart by id alone.
            Some(index) if partial.is_other_call(index, id) => partial.next_index(),
            Some(index) => index,
            None if id.is_empty() => partial.last_index(),
            None => partial.next_index(),
        };
        let function = &call["function"];
        partial.name_call(index, id, function["name"].as_str().unwrap_or_default())?;
        match &function["arguments"] {
            Value::String(piece) => partial.add_arguments(index, piece)?,
            Value::Null => {}
            object => partial.set_arguments(index, object.clone())?,
        }
    }
    Ok(())
}

fn stop(choice: &Value, partial: &mut Partial) {
    let Some(reason) = choice["finish_reason"].as_str().filter(|r| !r.is_empty()) else {
        return;
    };
    if partial.stop.is_none() {
        partial.stop = Some(match reason {
            "stop" => StopReason::End,
            "tool_calls" | "function_call" => StopReason::ToolUse,
            "length" => StopReason::MaxTokens,
            "content_filter" => StopReason::Refused,
            other => StopReason::Other(other.chars().take(60).collect()),
        });
    }
    partial.ended = Ended::Content;
}

fn usage(usage: &Value) -> Option<TokenUsage> {
    let count = |pointer: &str| usage.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    usage.is_object().then(|| TokenUsage {
        input: count("/prompt_tokens"),
        cached: count("/prompt_tokens_details/cached_tokens"),
        cache_write: 0,
        output: count("/completion_tokens"),
        reasoning: count("/completion_tokens_details/reasoning_tokens"),
        estimated: false,
    })
}
