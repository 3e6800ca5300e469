//! Ollama's own chat API (`POST BASE/api/chat`), one JSON object a line.
//! Documented at github.com/ollama/ollama/blob/main/docs/api.md.
//!
//! Its OpenAI-compatible side takes no context size, and a prompt beyond the default is cut off
//! without a word; here it is always told.

use serde_json::{Value, json};
use url::Url;

use super::{Broken, Cut, Ended, Outgoing, Partial, Wire, beneath, wire_name};
use crate::chat::{ChatRequest, Message, StopReason, TokenUsage, ToolChoice};
use crate::config::ProviderConfig;
use crate::error::LlmError;
use crate::frame::Frame;

/// Context sizes that are asked for; few, since each change of size loads the model anew.
const CONTEXTS: [u64; 4] = [8_192, 16_384, 32_768, 65_536];

pub(super) struct Ollama;

impl Wire for Ollama {
    fn request(
        &self,
        config: &ProviderConfig,
        base: &Url,
        request: &ChatRequest,
    ) -> Result<Outgoing, LlmError> {
        let needed = request.estimated_input() + u64::from(request.max_output_tokens);
        let context = config.context_tokens.map_or_else(
            || {
                CONTEXTS
                    .into_iter()
                    .find(|size| *size >= needed)
                    .unwrap_or(131_072)
            },
            u64::from,
        );
        let mut options = json!({ "num_predict": request.max_output_tokens, "num_ctx": context });
        if let Some(temperature) = request.temperature {
            options["temperature"] = json!(temperature);
        }
        let mut body = json!({
            "model": config.model,
            "messages": messages(request),
            "stream": true,
            "options": options,
        });
        // There is no way to forbid or demand a call; without tools there is none.
        if !request.tools.is_empty() && request.tool_choice != ToolChoice::None {
            body["tools"] = request
                .tools
                .iter()
                .map(|tool| {
                    json!({
                        "type": "function",
                        "function": {
                            "name": wire_name(&tool.name),
                            "description": tool.description,
                            "parameters": tool.parameters,
                        },
                    })
                })
                .collect();
        }
        if let Some(output) = &request.output {
            body["format"] = output.schema.clone();
        }
        let headers = match config.key() {
            Some(key) => vec![("authorization", format!("Bearer {key}"))],
            None => Vec::new(),
        };
        Ok(Outgoing {
            url: beneath(base, "api/chat"),
            headers,
            body: body.to_string().into_bytes(),
        })
    }

    fn cut(&self) -> Cut {
        Cut::Lines
    }

    fn frame(&self, frame: &Frame, partial: &mut Partial) -> Result<(), Broken> {
        take(&super::json(frame)?, partial)
    }

    fn whole(&self, body: &Value, partial: &mut Partial) -> Result<(), Broken> {
        take(body, partial)
    }
}

fn messages(request: &ChatRequest) -> Vec<Value> {
    let mut out = Vec::new();
    if !request.system.is_empty() {
        out.push(json!({ "role": "system", "content": request.system }));
    }
    for message in &request.messages {
        match message {
            Message::User { text } => out.push(json!({ "role": "user", "content": text })),
            Message::Assistant(turn) => {
                let mut said = json!({ "role": "assistant", "content": turn.text });
                if !turn.calls.is_empty() {
                    said["tool_calls"] = turn
                        .calls
                        .iter()
                        .map(|call| {
                            json!({ "function": {
                                "name": wire_name(&call.name),
                                "arguments": call.arguments.to_object(),
                            }})
                        })
                        .collect();
                }
                out.push(said);
            }
            Message::Tools { results } => out.extend(results.iter().map(|result| {
                json!({
                    "role": "tool", "content": result.content, "tool_name": wire_name(&result.name),
                })
            })),
        }
    }
    out
}

fn take(line: &Value, partial: &mut Partial) -> Result<(), Broken> {
    if let Some(error) = line["error"].as_str() {
        return Err(Broken::Said {
            status: 500,
            message: error.to_owned(),
        });
    }
    if let Some(model) = line["model"].as_str() {
        partial.model = Some(model.to_owned());
    }
    let message = &line["message"];
    if let Some(text) = message["content"].as_str() {
        partial.add_text(text)?;
    }
    if let Some(text) = message["thinking"].as_str() {
        partial.add_thinking(text)?;
    }
    let calls = message["tool_calls"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    for call in calls {
        let index = partial.next_index();
        let function = &call["function"];
        partial.name_call(
            index,
            call["id"].as_str().unwrap_or_default(),
            function["name"].as_str().unwrap_or_default(),
        )?;
        partial.set_arguments(index, function["arguments"].clone())?;
    }
    if line["done"].as_bool() == Some(true) {
        partial.stop = Some(match line["done_reason"].as_str().unwrap_or("stop") {
            "stop" => StopReason::End,
            "length" => StopReason::MaxTokens,
            other => StopReason::Other(other.chars().take(60).collect()),
        });
        let count = |name: &str| line[name].as_u64().unwrap_or(0);
        if line["eval_count"].is_u64() {
            partial.usage = Some(TokenUsage {
                input: count("prompt_eval_count"),
                cached: count("prompt_eval_cached_count"),
                output: count("eval_count"),
                ..TokenUsage::default()
            });
        }
        partial.ended = Ended::Yes;
    }
    Ok(())
}
