//! Gemini on Vertex AI (`…/publishers/google/models/MODEL:streamGenerateContent?alt=sse`).
//! Documented at cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference.

use serde_json::{Value, json};
use url::Url;

use super::{Broken, Cut, Ended, Outgoing, Partial, Wire, beneath, error_message, wire_name};
use crate::chat::{ChatRequest, Message, StopReason, TokenUsage, ToolChoice};
use crate::config::ProviderConfig;
use crate::error::LlmError;
use crate::frame::Frame;

/// Stands for a signature that is not there: Gemini 3 refuses a call in the history without one,
/// and documents this value for histories that it did not write.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

pub(super) struct Gemini;

/// The address of a method of a publisher's model on Vertex AI.
pub(super) fn model_url(config: &ProviderConfig, base: &Url, publisher: &str, method: &str) -> Url {
    let project = config.project.as_deref().unwrap_or_default();
    let region = config.region.as_deref().unwrap_or("global");
    let model = &config.model;
    let path = format!(
        "v1/projects/{project}/locations/{region}/publishers/{publisher}/models/{model}:{method}"
    );
    beneath(base, &path)
}

impl Wire for Gemini {
    fn request(
        &self,
        config: &ProviderConfig,
        base: &Url,
        request: &ChatRequest,
    ) -> Result<Outgoing, LlmError> {
        let mut settings = json!({ "maxOutputTokens": request.max_output_tokens });
        if let Some(temperature) = request.temperature {
            settings["temperature"] = json!(temperature);
        }
        if let Some(output) = &request.output {
            settings["responseMimeType"] = json!("application/json");
            settings["responseJsonSchema"] = output.schema.clone();
        }
        let mut body = json!({ "contents": contents(request), "generationConfig": settings });
        if !request.system.is_empty() {
            body["systemInstruction"] = json!({ "parts": [{ "text": request.system }] });
        }
        if !request.tools.is_empty() {
            let declared: Vec<Value> = request
                .tools
                .iter()
                .map(|tool| {
                    json!({
                        "name": wire_name(&tool.name),
                        "description": tool.description,
                        "parametersJsonSchema": tool.parameters,
                    })
                })
                .collect();
            body["tools"] = json!([{ "functionDeclarations": declared }]);
            let calling = match &request.tool_choice {
                ToolChoice::Auto => json!({ "mode": "AUTO" }),
                ToolChoice::Required => json!({ "mode": "ANY" }),
                ToolChoice::None => json!({ "mode": "NONE" }),
                ToolChoice::Tool(name) => {
                    json!({ "mode": "ANY", "allowedFunctionNames": [wire_name(name)] })
                }
            };
            body["toolConfig"] = json!({ "functionCallingConfig": calling });
        }
        let mut url = model_url(config, base, "google", "streamGenerateContent");
        url.set_query(Some("alt=sse"));
        Ok(Outgoing {
            url,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        })
    }

    fn cut(&self) -> Cut {
        Cut::Sse
    }

    fn frame(&self, frame: &Frame, partial: &mut Partial) -> Result<(), Broken> {
        take(&super::json(frame)?, partial)
    }

    fn whole(&self, body: &Value, partial: &mut Partial) -> Result<(), Broken> {
        // Without `alt=sse` the chunks come as one array.
        match body {
            Value::Array(chunks) => {
                for chunk in chunks {
                    take(chunk, partial)?;
                }
            }
            one => take(one, partial)?,
        }
        if partial.stop.is_none() {
            return Err(Broken::Malformed("it has no `finishReason`".to_owned()));
        }
        partial.ended = Ended::Yes;
        Ok(())
    }
}

fn contents(request: &ChatRequest) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for message in &request.messages {
        let (role, parts): (&str, Vec<Value>) = match message {
            Message::User { text } => ("user", vec![json!({ "text": text })]),
            Message::Assistant(turn) => {
                let text = (!turn.text.is_empty()).then(|| json!({ "text": turn.text }));
                let calls = (0..).zip(&turn.calls).map(|(place, call)| {
                    let mut part = json!({
                        "functionCall": {
                            "name": wire_name(&call.name), "args": call.arguments.to_object(),
                        },
                    });
                    // Of several calls at once, the first carries the signature.
                    let stand_in = (place == 0).then_some(NO_SIGNATURE);
                    if let Some(signature) = call.signature.as_deref().or(stand_in) {
                        part["thoughtSignature"] = json!(signature);
                    }
                    part
                });
                ("model", text.into_iter().chain(calls).collect())
            }
            Message::Tools { results } => {
                let results = results.iter().map(|result| {
                    let key = if result.is_error { "error" } else { "output" };
                    json!({
                        "functionResponse": {
                            "name": wire_name(&result.name), "response": { key: result.content },
                        },
                    })
                });
                ("user", results.collect())
            }
        };
        match out.last_mut() {
            // Results stand by themselves: there must be as many as there were calls.
            Some(last) if last["role"] == role && last["parts"][0]["text"].is_string() => {
                if let Some(known) = last["parts"].as_array_mut() {
                    known.extend(parts);
                }
            }
            _ if parts.is_empty() => {}
            _ => out.push(json!({ "role": role, "parts": parts })),
        }
    }
    out
}

fn take(chunk: &Value, partial: &mut Partial) -> Result<(), Broken> {
    if !chunk["error"].is_null() {
        let status = chunk["error"]["code"].as_u64().unwrap_or(500);
        return Err(Broken::Said {
            status: u16::try_from(status).unwrap_or(500),
            message: error_message(chunk).unwrap_or_default(),
        });
    }
    if let Some(model) = chunk["modelVersion"].as_str() {
        partial.model = Some(model.to_owned());
    }
    if let Some(usage) = usage(&chunk["usageMetadata"]) {
        partial.usage = Some(usage);
    }
    if let Some(reason) = chunk["promptFeedback"]["blockReason"].as_str() {
        partial.stop = Some(StopReason::Refused);
        partial.add_text(&format!("The request was blocked ({reason})."))?;
        partial.ended = Ended::Content;
        return Ok(());
    }
    let candidate = &chunk["candidates"][0];
    let parts = candidate["content"]["parts"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    for part in parts {
        let signature = part["thoughtSignature"].as_str();
        if let Some(call) = part.get("functionCall") {
            let index = partial.next_index();
            partial.name_call(
                index,
                call["id"].as_str().unwrap_or_default(),
                call["name"].as_str().unwrap_or_default(),
            )?;
            partial.set_arguments(index, call["args"].clone())?;
            if let Some(signature) = signature {
                partial.sign_call(index, signature)?;
            }
        } else if let Some(text) = part["text"].as_str() {
            match part["thought"].as_bool() {
                Some(true) => partial.add_thinking(text)?,
                _ => partial.add_text(text)?,
            }
        }
    }
    if let Some(reason) = candidate["finishReason"].as_str() {
        partial.stop = Some(match reason {
            "STOP" => StopReason::End,
            "MAX_TOKENS" => StopReason::MaxTokens,
            "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => {
                StopReason::Refused
            }
            other => StopReason::Other(other.chars().take(60).collect()),
        });
        partial.ended = Ended::Content;
    }
    Ok(())
}

/// `candidatesTokenCount` leaves thinking out.
fn usage(usage: &Value) -> Option<TokenUsage> {
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    usage.is_object().then(|| TokenUsage {
        input: count("promptTokenCount").saturating_add(count("toolUsePromptTokenCount")),
        cached: count("cachedContentTokenCount"),
        cache_write: 0,
        output: count("candidatesTokenCount").saturating_add(count("thoughtsTokenCount")),
        reasoning: count("thoughtsTokenCount"),
        estimated: false,
    })
}
