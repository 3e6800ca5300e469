//! Anthropic's Messages API, and Claude on Vertex AI.

use serde_json::{Value, json};

use super::{Answer, Vendor, header, is, list, object_schema, only, post, text, tool_name};
use crate::server::Seen;
use gaby_llm::ProviderKind as Kind;

pub(crate) fn vendors() -> Vec<Vendor> {
    let of = |name, kind, check| Vendor {
        name,
        kind,
        model: "claude-test",
        base: "",
        check,
        stream,
        content_type: "text/event-stream; charset=utf-8",
        whole,
        error,
        stream_error,
        ids: true,
        cached: true,
        thinking: false,
    };
    vec![
        of("anthropic", Kind::Anthropic, |seen| {
            post(seen, "/v1/messages")?;
            header(seen, "x-api-key", "test-key")?;
            header(seen, "anthropic-version", "2023-06-01")?;
            is(seen, "/model", &json!("claude-test"))?;
            body(seen, &["model"])
        }),
        of("claude on vertex", Kind::Vertex, |seen| {
            post(
                seen,
                "/v1/projects/p1/locations/eu-central-1/publishers/anthropic/models/claude-test:streamRawPredict",
            )?;
            header(seen, "authorization", "Bearer test-key")?;
            is(seen, "/anthropic_version", &json!("vertex-2023-10-16"))?;
            body(seen, &["anthropic_version"])
        }),
    ]
}

fn body(seen: &Seen, own: &[&str]) -> Result<(), String> {
    let body = &seen.body;
    let known = [
        "max_tokens",
        "messages",
        "stream",
        "system",
        "temperature",
        "tools",
        "tool_choice",
        "output_config",
    ];
    only(body, &[&known[..], own].concat())?;
    is(seen, "/stream", &json!(true))?;
    body["max_tokens"]
        .as_u64()
        .filter(|n| *n > 0)
        .ok_or("max_tokens: required")?;
    if body["temperature"]
        .as_f64()
        .is_some_and(|t| !(0.0..=1.0).contains(&t))
    {
        return Err("temperature: range 0 to 1".into());
    }
    let mut marks = 0;
    if let Some(system) = body.get("system") {
        for block in list(system, "system")? {
            only(block, &["type", "text", "cache_control"])?;
            text(&block["text"], "system text")?;
            marks += usize::from(!block["cache_control"].is_null());
        }
    }
    if let Some(tools) = body.get("tools") {
        for tool in list(tools, "tools")? {
            only(
                tool,
                &["name", "description", "input_schema", "cache_control"],
            )?;
            tool_name(&tool["name"])?;
            object_schema(&tool["input_schema"])?;
            marks += usize::from(!tool["cache_control"].is_null());
        }
    } else if !body["tool_choice"].is_null() {
        return Err("tool_choice may only be given with tools".into());
    }
    if let Some(config) = body.get("output_config") {
        is(seen, "/output_config/format/type", &json!("json_schema"))?;
        only(&config["format"], &["type", "schema"])?;
        object_schema(&config["format"]["schema"])?;
    }
    let mut role = "assistant";
    let mut open: Vec<&str> = Vec::new();
    for message in list(&body["messages"], "messages")? {
        only(message, &["role", "content"])?;
        if message["role"] == role {
            return Err(format!("two {role} turns in a row"));
        }
        role = text(&message["role"], "role")?;
        let blocks = list(&message["content"], "content")?;
        let mut answered = Vec::new();
        for (place, block) in blocks.iter().enumerate() {
            marks += usize::from(!block["cache_control"].is_null());
            match (role, text(&block["type"], "a block's type")?) {
                (_, "text") => {
                    only(block, &["type", "text", "cache_control"])?;
                    let said = text(&block["text"], "text")?;
                    if role == "assistant" && said.trim_end() != said {
                        return Err(
                            "final assistant content cannot end with trailing whitespace".into(),
                        );
                    }
                }
                ("assistant", "tool_use") => {
                    only(block, &["type", "id", "name", "input", "cache_control"])?;
                    tool_name(&block["name"])?;
                    block["input"]
                        .as_object()
                        .ok_or("tool_use.input: must be a dictionary")?;
                }
                ("user", "tool_result") => {
                    only(
                        block,
                        &[
                            "type",
                            "tool_use_id",
                            "content",
                            "is_error",
                            "cache_control",
                        ],
                    )?;
                    if place != answered.len() {
                        return Err("tool_result blocks must come first".into());
                    }
                    answered.push(text(&block["tool_use_id"], "tool_use_id")?);
                }
                (role, other) => return Err(format!("no {other} in a {role} turn")),
            }
        }
        if role == "user" {
            let mut wanted = std::mem::take(&mut open);
            wanted.sort_unstable();
            answered.sort_unstable();
            if wanted != answered {
                return Err(format!(
                    "`tool_use` ids {wanted:?} were found, with `tool_result` for {answered:?}"
                ));
            }
        } else {
            open = blocks
                .iter()
                .filter_map(|block| block["id"].as_str())
                .collect();
        }
    }
    if role != "user" {
        return Err("the last turn must be the user's".into());
    }
    (marks <= 4)
        .then_some(())
        .ok_or_else(|| "a maximum of 4 blocks with cache_control".into())
}

fn event(kind: &str, mut data: Value) -> Vec<u8> {
    data["type"] = json!(kind);
    format!("event: {kind}\ndata: {data}\n\n").into_bytes()
}

fn stream(answer: &Answer) -> Vec<Vec<u8>> {
    let (input, cached, output, _) = answer.usage.unwrap_or_default();
    let mut usage = json!({"input_tokens": input.saturating_sub(cached), "cache_creation_input_tokens": 0, "cache_read_input_tokens": cached, "output_tokens": 1});
    let mut last = json!({"output_tokens": output});
    if answer.usage.is_none() {
        (usage, last) = (Value::Null, Value::Null);
    }
    let mut out = vec![
        event(
            "message_start",
            json!({"message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-test-1", "content": [], "stop_reason": null, "usage": usage}}),
        ),
        event("ping", json!({})),
    ];
    let mut index = 0;
    if !answer.text.is_empty() {
        out.push(event(
            "content_block_start",
            json!({"index": 0, "content_block": {"type": "text", "text": ""}}),
        ));
        out.extend(answer.text.iter().map(|piece| {
            event(
                "content_block_delta",
                json!({"index": 0, "delta": {"type": "text_delta", "text": piece}}),
            )
        }));
        out.push(event("content_block_stop", json!({"index": 0})));
        index = 1;
    }
    for (id, name, pieces) in &answer.calls {
        out.push(event("content_block_start", json!({"index": index, "content_block": {"type": "tool_use", "id": id, "name": name, "input": {}}})));
        out.extend(pieces.iter().map(|piece| event("content_block_delta", json!({"index": index, "delta": {"type": "input_json_delta", "partial_json": piece}}))));
        out.push(event("content_block_stop", json!({"index": index})));
        index += 1;
    }
    let stop = if answer.calls.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    };
    out.push(event(
        "message_delta",
        json!({"delta": {"stop_reason": stop, "stop_sequence": null}, "usage": last}),
    ));
    out.push(event("message_stop", json!({})));
    out
}

fn whole(answer: &Answer) -> Value {
    let (input, cached, output, _) = answer.usage.unwrap_or_default();
    let mut content: Vec<Value> = Vec::new();
    if !answer.text.is_empty() {
        content.push(json!({"type": "text", "text": answer.text.concat()}));
    }
    content.extend(answer.calls.iter().map(|(id, name, pieces)| {
        let input: Value = serde_json::from_str(&pieces.concat()).unwrap_or_default();
        json!({"type": "tool_use", "id": id, "name": name, "input": input})
    }));
    let stop = if answer.calls.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    };
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-test-1", "content": content, "stop_reason": stop,
        "usage": {"input_tokens": input - cached, "cache_read_input_tokens": cached, "cache_creation_input_tokens": 0, "output_tokens": output}})
}

fn error(status: u16, why: &str) -> Value {
    let kind = match status {
        429 => "rate_limit_error",
        529 => "overloaded_error",
        400 => "invalid_request_error",
        _ => "api_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": why}, "request_id": "req_1"})
}

fn stream_error() -> Vec<u8> {
    event(
        "error",
        json!({"error": {"type": "overloaded_error", "message": "Overloaded"}}),
    )
}
