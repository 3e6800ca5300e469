//! AWS Bedrock's Converse API: by API key here, by signature in `auth.rs`.

use serde_json::{Value, json};

use super::{Answer, Vendor, header, list, object_schema, only, post, text, tool_name};
use crate::server::Seen;
use gaby_llm::ProviderKind as Kind;

pub(crate) fn vendor() -> Vendor {
    Vendor {
        name: "bedrock",
        kind: Kind::Bedrock,
        model: "eu.anthropic.claude-test-v1:0",
        base: "",
        check: |seen| {
            header(seen, "authorization", "Bearer test-key")?;
            check(seen)
        },
        stream,
        content_type: "application/vnd.amazon.eventstream",
        whole,
        error: |_, why| json!({"message": why}),
        stream_error: || {
            message(
                "exception",
                "throttlingException",
                &json!({"message": "Too many tokens"}),
            )
        },
        ids: true,
        cached: true,
        thinking: false,
    }
}

/// Everything but who asks.
pub(crate) fn check(seen: &Seen) -> Result<(), String> {
    post(
        seen,
        "/model/eu.anthropic.claude-test-v1%3A0/converse-stream",
    )?;
    let body = &seen.body;
    only(
        body,
        &[
            "messages",
            "system",
            "inferenceConfig",
            "toolConfig",
            "outputConfig",
        ],
    )?;
    only(&body["inferenceConfig"], &["maxTokens", "temperature"])?;
    for block in body["system"].as_array().into_iter().flatten() {
        only(block, &["text", "cachePoint"])?;
    }
    if let Some(config) = body.get("toolConfig") {
        only(config, &["tools", "toolChoice"])?;
        for tool in list(&config["tools"], "tools")? {
            if tool.get("cachePoint").is_some() {
                continue;
            }
            only(&tool["toolSpec"], &["name", "description", "inputSchema"])?;
            tool_name(&tool["toolSpec"]["name"])?;
            object_schema(&tool["toolSpec"]["inputSchema"]["json"])?;
        }
    }
    if let Some(output) = body.get("outputConfig") {
        let schema = text(
            &output["textFormat"]["structure"]["jsonSchema"]["schema"],
            "the schema, as text",
        )?;
        object_schema(&serde_json::from_str(schema).map_err(|e| e.to_string())?)?;
    }
    let mut role = "assistant";
    let mut open: Vec<&str> = Vec::new();
    for message in list(&body["messages"], "messages")? {
        if message["role"] == role {
            return Err("A conversation must alternate between user and assistant roles".into());
        }
        role = text(&message["role"], "role")?;
        let mut answered = Vec::new();
        for block in list(&message["content"], "content")? {
            only(block, &["text", "toolUse", "toolResult", "cachePoint"])?;
            if let Some(said) = block.get("text") {
                text(said, "text")?;
            }
            if let Some(call) = block.get("toolUse") {
                if body.get("toolConfig").is_none() {
                    return Err("The toolConfig field must be defined when using toolUse".into());
                }
                call["input"].as_object().ok_or("input must be an object")?;
                open.push(text(&call["toolUseId"], "toolUseId")?);
            }
            if let Some(result) = block.get("toolResult") {
                only(result, &["toolUseId", "content", "status"])?;
                text(&result["content"][0]["text"], "a result")?;
                answered.push(text(&result["toolUseId"], "toolUseId")?);
            }
        }
        if role == "user" {
            if answered != open {
                return Err("Expected toolResult blocks for the toolUse blocks".into());
            }
            open.clear();
        }
    }
    (role == "user")
        .then_some(())
        .ok_or_else(|| "the last turn must be the user's".into())
}

pub(crate) fn message(kind: &str, event: &str, payload: &Value) -> Vec<u8> {
    let mut head = Vec::new();
    let event_header = if kind == "event" {
        ":event-type"
    } else {
        ":exception-type"
    };
    for (name, value) in [
        (event_header, event),
        (":content-type", "application/json"),
        (":message-type", kind),
    ] {
        head.push(name.len() as u8);
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&(value.len() as u16).to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let payload = payload.to_string();
    let mut out = ((12 + head.len() + payload.len() + 4) as u32)
        .to_be_bytes()
        .to_vec();
    out.extend_from_slice(&(head.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(payload.as_bytes());
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

fn usage(answer: &Answer) -> Value {
    answer.usage.map_or(Value::Null, |(input, cached, output, _)| {
        json!({"inputTokens": input.saturating_sub(cached), "cacheReadInputTokens": cached, "cacheWriteInputTokens": 0, "outputTokens": output, "totalTokens": input.saturating_add(output)})
    })
}

fn stream(answer: &Answer) -> Vec<Vec<u8>> {
    let event = |kind: &str, payload: Value| message("event", kind, &payload);
    let mut out = vec![event("messageStart", json!({"role": "assistant"}))];
    let mut index = 0;
    if !answer.text.is_empty() {
        out.extend(answer.text.iter().map(|piece| {
            event(
                "contentBlockDelta",
                json!({"contentBlockIndex": 0, "delta": {"text": piece}}),
            )
        }));
        out.push(event("contentBlockStop", json!({"contentBlockIndex": 0})));
        index = 1;
    }
    for (id, name, pieces) in &answer.calls {
        out.push(event("contentBlockStart", json!({"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": id, "name": name}}})));
        out.extend(pieces.iter().map(|piece| {
            event(
                "contentBlockDelta",
                json!({"contentBlockIndex": index, "delta": {"toolUse": {"input": piece}}}),
            )
        }));
        out.push(event(
            "contentBlockStop",
            json!({"contentBlockIndex": index}),
        ));
        index += 1;
    }
    let stop = if answer.calls.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    };
    out.push(event("messageStop", json!({"stopReason": stop})));
    out.push(event(
        "metadata",
        json!({"usage": usage(answer), "metrics": {"latencyMs": 1}}),
    ));
    out
}

fn whole(answer: &Answer) -> Value {
    let mut content = Vec::new();
    if !answer.text.is_empty() {
        content.push(json!({"text": answer.text.concat()}));
    }
    content.extend(answer.calls.iter().map(|(id, name, pieces)| {
        let input: Value = serde_json::from_str(&pieces.concat()).unwrap_or_default();
        json!({"toolUse": {"toolUseId": id, "name": name, "input": input}})
    }));
    let stop = if answer.calls.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    };
    json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop, "usage": usage(answer)})
}
