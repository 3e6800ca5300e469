//! AWS Bedrock's Converse API (`POST /model/MODEL/converse-stream`).
//! Documented at docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html.

use serde_json::{Value, json};
use url::Url;

use super::{Broken, Cut, Ended, Outgoing, Partial, Wire, beneath, error_message, wire_name};
use crate::chat::{ChatRequest, Message, StopReason, TokenUsage, ToolChoice};
use crate::config::ProviderConfig;
use crate::error::LlmError;
use crate::frame::Frame;

pub(super) struct Bedrock;

impl Wire for Bedrock {
    fn request(
        &self,
        config: &ProviderConfig,
        base: &Url,
        request: &ChatRequest,
    ) -> Result<Outgoing, LlmError> {
        // Other models refuse a cache point.
        let caches = ["anthropic.", "amazon.nova"]
            .iter()
            .any(|maker| config.model.contains(maker));
        let point = || json!({ "cachePoint": { "type": "default" } });
        let mut body = json!({
            "messages": messages(request, caches),
            "inferenceConfig": { "maxTokens": request.max_output_tokens },
        });
        if let Some(temperature) = request.temperature {
            body["inferenceConfig"]["temperature"] = json!(temperature.min(1.0));
        }
        if !request.system.is_empty() {
            let mut system = vec![json!({ "text": request.system })];
            if caches {
                system.push(point());
            }
            body["system"] = Value::Array(system);
        }
        if !request.tools.is_empty() {
            let mut tools: Vec<Value> = request
                .tools
                .iter()
                .map(|tool| {
                    json!({
                        "toolSpec": {
                            "name": wire_name(&tool.name),
                            "description": tool.description,
                            "inputSchema": { "json": tool.parameters },
                        },
                    })
                })
                .collect();
            if caches && config.model.contains("anthropic.") {
                tools.push(point());
            }
            body["toolConfig"] = json!({ "tools": tools });
            match &request.tool_choice {
                ToolChoice::Required => body["toolConfig"]["toolChoice"] = json!({ "any": {} }),
                ToolChoice::Tool(name) => {
                    body["toolConfig"]["toolChoice"] =
                        json!({ "tool": { "name": wire_name(name) } });
                }
                // There is no "none"; the tools must stay while the history has calls.
                ToolChoice::Auto | ToolChoice::None => {}
            }
        }
        if let Some(output) = &request.output {
            body["outputConfig"] = json!({ "textFormat": {
                "type": "json_schema",
                "structure": { "jsonSchema": { "name": output.name, "schema": output.schema.to_string() } },
            }});
        }
        let headers = match (config.key(), &config.access_key_id) {
            (Some(key), None) => vec![("authorization", format!("Bearer {key}"))],
            _ => Vec::new(),
        };
        Ok(Outgoing {
            url: beneath(
                base,
                &format!("model/{}/converse-stream", escaped(&config.model)),
            ),
            headers,
            body: body.to_string().into_bytes(),
        })
    }

    fn cut(&self) -> Cut {
        Cut::EventStream
    }

    fn frame(&self, frame: &Frame, partial: &mut Partial) -> Result<(), Broken> {
        let event = super::json(frame)?;
        let kind = frame.event.as_deref().unwrap_or_default();
        if frame.is_error || kind.ends_with("Exception") {
            return Err(failure(kind, &event));
        }
        let index = event["contentBlockIndex"].as_u64().unwrap_or(0);
        match kind {
            "contentBlockStart" => {
                if let Some(call) = event["start"].get("toolUse") {
                    name(call, index, partial)?;
                }
            }
            "contentBlockDelta" => {
                let delta = &event["delta"];
                if let Some(text) = delta["text"].as_str() {
                    partial.add_text(text)?;
                } else if let Some(piece) = delta["toolUse"]["input"].as_str() {
                    partial.add_arguments(index, piece)?;
                } else if let Some(text) = delta["reasoningContent"]["text"].as_str() {
                    partial.add_thinking(text)?;
                }
            }
            "messageStop" => {
                stop(&event, partial);
                partial.ended = Ended::Content;
            }
            "metadata" => {
                partial.usage = usage(&event["usage"]);
                if partial.ended == Ended::Content {
                    partial.ended = Ended::Yes;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn whole(&self, body: &Value, partial: &mut Partial) -> Result<(), Broken> {
        let blocks = body["output"]["message"]["content"]
            .as_array()
            .ok_or_else(|| Broken::Malformed("it has no `output.message.content`".to_owned()))?;
        for (index, block) in (0..).zip(blocks) {
            if let Some(text) = block["text"].as_str() {
                partial.add_text(text)?;
            } else if let Some(call) = block.get("toolUse") {
                name(call, index, partial)?;
                partial.set_arguments(index, call["input"].clone())?;
            }
        }
        stop(body, partial);
        partial.usage = usage(&body["usage"]);
        partial.ended = Ended::Yes;
        Ok(())
    }
}

/// A model's id or ARN in a path: what is not unreserved is escaped, `:` and `/` too.
fn escaped(model: &str) -> String {
    model.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
        out
    })
}

fn messages(request: &ChatRequest, caches: bool) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for message in &request.messages {
        let (role, blocks): (&str, Vec<Value>) = match message {
            Message::User { text } => ("user", vec![json!({ "text": text })]),
            Message::Assistant(turn) => {
                let text =
                    (!turn.text.trim().is_empty()).then(|| json!({ "text": turn.text.trim_end() }));
                let calls = turn.calls.iter().map(|call| {
                    json!({ "toolUse": {
                        "toolUseId": call.id,
                        "name": wire_name(&call.name),
                        "input": call.arguments.to_object(),
                    }})
                });
                ("assistant", text.into_iter().chain(calls).collect())
            }
            Message::Tools { results } => {
                let results = results.iter().map(|result| {
                    json!({ "toolResult": {
                        "toolUseId": result.call,
                        "content": [{ "text": result.content }],
                        "status": if result.is_error { "error" } else { "success" },
                    }})
                });
                ("user", results.collect())
            }
        };
        match out.last_mut() {
            // Roles must alternate.
            Some(last) if last["role"] == role => {
                if let Some(content) = last["content"].as_array_mut() {
                    content.extend(blocks);
                }
            }
            _ if blocks.is_empty() => {}
            _ => out.push(json!({ "role": role, "content": blocks })),
        }
    }
    if caches
        && let Some(content) = out
            .last_mut()
            .and_then(|last| last["content"].as_array_mut())
    {
        content.push(json!({ "cachePoint": { "type": "default" } }));
    }
    out
}

fn name(call: &Value, index: u64, partial: &mut Partial) -> Result<(), Broken> {
    partial.name_call(
        index,
        call["toolUseId"].as_str().unwrap_or_default(),
        call["name"].as_str().unwrap_or_default(),
    )
}

fn stop(holder: &Value, partial: &mut Partial) {
    if let Some(reason) = holder["stopReason"].as_str() {
        partial.stop = Some(match reason {
            "end_turn" | "stop_sequence" => StopReason::End,
            "tool_use" => StopReason::ToolUse,
            "max_tokens" | "model_context_window_exceeded" => StopReason::MaxTokens,
            "guardrail_intervened" | "content_filtered" => StopReason::Refused,
            other => StopReason::Other(other.chars().take(60).collect()),
        });
    }
}

/// `inputTokens` leaves out what the cache has to do with.
fn usage(usage: &Value) -> Option<TokenUsage> {
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    usage.is_object().then(|| {
        let (cached, cache_write) = (
            count("cacheReadInputTokens"),
            count("cacheWriteInputTokens"),
        );
        TokenUsage {
            input: count("inputTokens")
                .saturating_add(cached)
                .saturating_add(cache_write),
            cached,
            cache_write,
            output: count("outputTokens"),
            reasoning: 0,
            estimated: false,
        }
    })
}

fn failure(kind: &str, event: &Value) -> Broken {
    let status = match kind {
        "throttlingException" => 429,
        "validationException" => 400,
        "serviceUnavailableException" => 503,
        "modelStreamErrorException" => 424,
        _ => 500,
    };
    // 424 says that the model failed while it wrote, which another try may not.
    let status = if status == 424 { 500 } else { status };
    Broken::Said {
        status,
        message: error_message(event).unwrap_or_else(|| kind.to_owned()),
    }
}
