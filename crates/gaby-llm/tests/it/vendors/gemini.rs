//! Gemini on Vertex AI.

use serde_json::{Value, json};

use super::{Answer, Vendor, header, list, object_schema, only, post, text, tool_name};
use crate::server::Seen;
use gaby_llm::ProviderKind as Kind;

pub(crate) fn vendor() -> Vendor {
    Vendor {
        name: "gemini on vertex",
        kind: Kind::Vertex,
        model: "gemini-test",
        base: "",
        check,
        stream,
        content_type: "text/event-stream",
        whole,
        error,
        stream_error,
        ids: false,
        cached: true,
        thinking: true,
    }
}

fn check(seen: &Seen) -> Result<(), String> {
    post(
        seen,
        "/v1/projects/p1/locations/eu-central-1/publishers/google/models/gemini-test:streamGenerateContent?alt=sse",
    )?;
    header(seen, "authorization", "Bearer test-key")?;
    let body = &seen.body;
    only(
        body,
        &[
            "contents",
            "systemInstruction",
            "tools",
            "toolConfig",
            "generationConfig",
        ],
    )?;
    only(
        &body["generationConfig"],
        &[
            "maxOutputTokens",
            "temperature",
            "responseMimeType",
            "responseJsonSchema",
        ],
    )?;
    if !body["generationConfig"]["responseJsonSchema"].is_null()
        && body["generationConfig"]["responseMimeType"] != "application/json"
    {
        return Err("a schema needs responseMimeType application/json".into());
    }
    if let Some(system) = body.get("systemInstruction") {
        text(&system["parts"][0]["text"], "systemInstruction")?;
    }
    if let Some(tools) = body.get("tools") {
        for tool in list(&tools[0]["functionDeclarations"], "functionDeclarations")? {
            only(tool, &["name", "description", "parametersJsonSchema"])?;
            tool_name(&tool["name"])?;
            object_schema(&tool["parametersJsonSchema"])?;
        }
        let mode = text(&body["toolConfig"]["functionCallingConfig"]["mode"], "mode")?;
        if !["AUTO", "ANY", "NONE"].contains(&mode) {
            return Err(format!("no mode {mode}"));
        }
    }
    let mut open: Vec<&str> = Vec::new();
    for content in list(&body["contents"], "contents")? {
        only(content, &["role", "parts"])?;
        let role = text(&content["role"], "role")?;
        if !["user", "model"].contains(&role) {
            return Err("Please use a valid role: user, model".into());
        }
        let parts = list(&content["parts"], "parts")?;
        let names = |kind: &str| -> Vec<&str> {
            parts
                .iter()
                .filter_map(|part| part[kind]["name"].as_str())
                .collect()
        };
        let (calls, responses) = (names("functionCall"), names("functionResponse"));
        if responses != open {
            return Err(
                "the number of function response parts must equal that of function call parts"
                    .into(),
            );
        }
        open = calls;
        for (place, part) in parts.iter().enumerate() {
            only(
                part,
                &[
                    "text",
                    "functionCall",
                    "functionResponse",
                    "thoughtSignature",
                ],
            )?;
            if let Some(call) = part.get("functionCall") {
                only(call, &["name", "args"])?;
                call["args"].as_object().ok_or("args must be an object")?;
                let first = parts[..place]
                    .iter()
                    .all(|before| before.get("functionCall").is_none());
                if first && part["thoughtSignature"].is_null() {
                    return Err("Function call is missing a thought_signature".into());
                }
            }
            if let Some(response) = part.get("functionResponse") {
                only(response, &["name", "response"])?;
                response["response"]
                    .as_object()
                    .ok_or("response must be an object")?;
            }
        }
    }
    open.is_empty()
        .then_some(())
        .ok_or_else(|| "calls without responses".into())
}

fn usage(answer: &Answer) -> Value {
    answer.usage.map_or(Value::Null, |(input, cached, output, thinking)| {
        json!({"promptTokenCount": input, "cachedContentTokenCount": cached, "candidatesTokenCount": output.saturating_sub(thinking),
            "thoughtsTokenCount": thinking, "totalTokenCount": input.saturating_add(output)})
    })
}

fn chunk(parts: &Value, finish: Option<&str>, usage: &Value) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}});
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    let mut chunk = json!({"candidates": [candidate], "modelVersion": "gemini-test-001"});
    if !usage.is_null() {
        chunk["usageMetadata"] = usage.clone();
    }
    chunk
}

fn call_parts(answer: &Answer) -> Vec<Value> {
    let calls = answer
        .calls
        .iter()
        .enumerate()
        .map(|(place, (_, name, pieces))| {
            let args: Value =
                serde_json::from_str(&pieces.concat()).unwrap_or_else(|_| json!(pieces.concat()));
            let mut part = json!({"functionCall": {"name": name, "args": args}});
            if place == 0 {
                part["thoughtSignature"] = json!("c2ln");
            }
            part
        });
    calls.collect()
}

fn stream(answer: &Answer) -> Vec<Vec<u8>> {
    let sse = |chunk: Value| format!("data: {chunk}\r\n\r\n").into_bytes();
    let mut out: Vec<Vec<u8>> = answer
        .text
        .iter()
        .map(|piece| sse(chunk(&json!([{"text": piece}]), None, &Value::Null)))
        .collect();
    out.push(sse(chunk(
        &Value::Array(call_parts(answer)),
        Some("STOP"),
        &usage(answer),
    )));
    out
}

fn whole(answer: &Answer) -> Value {
    let mut parts = Vec::new();
    if !answer.text.is_empty() {
        parts.push(json!({"text": answer.text.concat()}));
    }
    parts.extend(call_parts(answer));
    chunk(&Value::Array(parts), Some("STOP"), &usage(answer))
}

fn error(status: u16, why: &str) -> Value {
    json!([{"error": {"code": status, "message": why, "status": "ANY"}}])
}

fn stream_error() -> Vec<u8> {
    format!(
        "data: {}\r\n\r\n",
        json!({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}})
    )
    .into_bytes()
}
