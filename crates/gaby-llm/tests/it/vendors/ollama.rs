//! Ollama's own API.

use serde_json::{Value, json};

use super::{Answer, Vendor, is, list, object_schema, only, post, text, tool_name};
use crate::server::Seen;
use gaby_llm::ProviderKind as Kind;

pub(crate) fn vendor() -> Vendor {
    Vendor {
        name: "ollama",
        kind: Kind::Ollama,
        model: "qwen-test",
        base: "",
        check,
        stream,
        content_type: "application/x-ndjson",
        whole,
        error: |_, why| json!({"error": why}),
        stream_error: || {
            b"{\"error\":\"an error was encountered while running the model\"}\n".to_vec()
        },
        ids: false,
        cached: false,
        thinking: false,
    }
}

fn check(seen: &Seen) -> Result<(), String> {
    post(seen, "/api/chat")?;
    let body = &seen.body;
    only(
        body,
        &["model", "messages", "stream", "options", "tools", "format"],
    )?;
    is(seen, "/model", &json!("qwen-test"))?;
    is(seen, "/stream", &json!(true))?;
    only(&body["options"], &["num_predict", "num_ctx", "temperature"])?;
    // Ollama cuts a prompt that is too long, and says nothing.
    let context = body["options"]["num_ctx"].as_u64().ok_or("num_ctx")?;
    if context < (seen.raw.len() as u64) / 4 {
        return Err("the prompt would be cut".into());
    }
    for tool in body
        .get("tools")
        .map(|tools| list(tools, "tools"))
        .transpose()?
        .into_iter()
        .flatten()
    {
        tool_name(&tool["function"]["name"])?;
        object_schema(&tool["function"]["parameters"])?;
    }
    if let Some(format) = body.get("format") {
        object_schema(format)?;
    }
    for message in list(&body["messages"], "messages")? {
        only(message, &["role", "content", "tool_calls", "tool_name"])?;
        match text(&message["role"], "role")? {
            "tool" => {
                tool_name(&message["tool_name"])?;
            }
            "assistant" => {
                for call in message["tool_calls"].as_array().into_iter().flatten() {
                    call["function"]["arguments"]
                        .as_object()
                        .ok_or("arguments must be an object")?;
                }
            }
            "system" | "user" => {
                text(&message["content"], "content")?;
            }
            other => return Err(format!("no role {other}")),
        }
    }
    Ok(())
}

fn line(message: Value) -> Value {
    json!({"model": "qwen-test", "created_at": "2025-01-01T00:00:00Z", "message": message, "done": false})
}

fn calls(answer: &Answer) -> Value {
    answer
        .calls
        .iter()
        .map(|(_, name, pieces)| {
            let arguments: Value =
                serde_json::from_str(&pieces.concat()).unwrap_or_else(|_| json!(pieces.concat()));
            json!({"function": {"name": name, "arguments": arguments}})
        })
        .collect()
}

fn done(answer: &Answer, mut last: Value) -> Value {
    last["done"] = json!(true);
    last["done_reason"] = json!("stop");
    if let Some((input, _, output, _)) = answer.usage {
        last["prompt_eval_count"] = json!(input);
        last["eval_count"] = json!(output);
    }
    last
}

fn stream(answer: &Answer) -> Vec<Vec<u8>> {
    let mut out: Vec<Value> = answer
        .text
        .iter()
        .map(|piece| line(json!({"role": "assistant", "content": piece})))
        .collect();
    if !answer.calls.is_empty() {
        out.push(line(
            json!({"role": "assistant", "content": "", "tool_calls": calls(answer)}),
        ));
    }
    out.push(done(
        answer,
        line(json!({"role": "assistant", "content": ""})),
    ));
    out.iter()
        .map(|line| format!("{line}\n").into_bytes())
        .collect()
}

fn whole(answer: &Answer) -> Value {
    let mut message = json!({"role": "assistant", "content": answer.text.concat()});
    if !answer.calls.is_empty() {
        message["tool_calls"] = calls(answer);
    }
    done(answer, line(message))
}
