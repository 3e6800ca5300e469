//! OpenAI's Chat Completions, and those that speak it.

use serde_json::{Value, json};

use super::{Answer, Vendor, header, is, list, object_schema, only, post, text};
use crate::server::Seen;
use gaby_llm::ProviderKind as Kind;

pub(crate) fn vendors() -> Vec<Vendor> {
    let of = |name, kind, base, check| Vendor {
        name,
        kind,
        model: "gpt-test",
        base,
        check,
        stream,
        content_type: "text/event-stream; charset=utf-8",
        whole,
        error,
        stream_error,
        ids: true,
        cached: true,
        thinking: true,
    };
    vec![
        of("openai", Kind::OpenAi, "/v1", |seen| {
            post(seen, "/v1/chat/completions")?;
            header(seen, "authorization", "Bearer test-key")?;
            body(seen, "max_completion_tokens", "max_tokens")
        }),
        of("azure", Kind::Azure, "", |seen| {
            post(seen, "/openai/v1/chat/completions")?;
            header(seen, "api-key", "test-key")?;
            if seen.header("authorization").is_some() {
                return Err("either an api-key or a token".into());
            }
            body(seen, "max_completion_tokens", "max_tokens")
        }),
        of(
            "openai-compatible",
            Kind::OpenAiCompatible,
            "/some/v1",
            |seen| {
                post(seen, "/some/v1/chat/completions")?;
                header(seen, "authorization", "Bearer test-key")?;
                body(seen, "max_tokens", "max_completion_tokens")
            },
        ),
        of("vllm", Kind::Vllm, "/v1", local),
        of("llamacpp", Kind::LlamaCpp, "/v1", local),
        of("gaby-cloud", Kind::GabyCloud, "/v1", local),
    ]
}

fn local(seen: &Seen) -> Result<(), String> {
    post(seen, "/v1/chat/completions")?;
    header(seen, "authorization", "Bearer test-key")?;
    body(seen, "max_tokens", "max_completion_tokens")
}

fn body(seen: &Seen, limit: &str, other_limit: &str) -> Result<(), String> {
    let body = &seen.body;
    if !body[other_limit].is_null() {
        return Err(format!("Unsupported parameter: '{other_limit}'"));
    }
    only(
        body,
        &[
            "model",
            "messages",
            "stream",
            "stream_options",
            "temperature",
            "tools",
            "tool_choice",
            "response_format",
            limit,
        ],
    )?;
    is(seen, "/model", &json!("gpt-test"))?;
    is(seen, "/stream", &json!(true))?;
    is(seen, "/stream_options", &json!({"include_usage": true}))?;
    body[limit]
        .as_u64()
        .filter(|n| *n > 0)
        .ok_or("the limit must be positive")?;
    if let Some(tools) = body.get("tools") {
        for tool in list(tools, "tools")? {
            only(tool, &["type", "function"])?;
            only(
                &tool["function"],
                &["name", "description", "parameters", "strict"],
            )?;
        }
    }
    if let Some(format) = body.get("response_format") {
        is(seen, "/response_format/type", &json!("json_schema"))?;
        text(&format["json_schema"]["name"], "the schema's name")?;
        object_schema(&format["json_schema"]["schema"])?;
    }
    for message in list(&body["messages"], "messages")? {
        let known: &[&str] = match message["role"].as_str() {
            Some("assistant") => &["role", "content", "tool_calls"],
            Some("tool") => &["role", "tool_call_id", "content"],
            _ => &["role", "content"],
        };
        only(message, known)?;
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            only(call, &["id", "type", "function"])?;
        }
    }
    gaby_llm::stub::fault(body)
}

fn event(data: &Value) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

fn chunk(delta: &Value, finish: Option<&str>) -> Vec<u8> {
    event(&json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-test-0125",
        "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}],
        "usage": null,
    }))
}

fn usage(answer: &Answer) -> Value {
    answer.usage.map_or(Value::Null, |(input, cached, output, thinking)| {
        json!({
            "prompt_tokens": input, "completion_tokens": output, "total_tokens": input.saturating_add(output),
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": thinking},
        })
    })
}

fn stream(answer: &Answer) -> Vec<Vec<u8>> {
    let mut out = vec![chunk(&json!({"role": "assistant", "content": ""}), None)];
    out.extend(
        answer
            .text
            .iter()
            .map(|piece| chunk(&json!({"content": piece}), None)),
    );
    for (index, (id, name, pieces)) in answer.calls.iter().enumerate() {
        out.push(chunk(
            &json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}]}),
            None,
        ));
        out.extend(pieces.iter().map(|piece| {
            chunk(
                &json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}),
                None,
            )
        }));
    }
    let finish = if answer.calls.is_empty() {
        "stop"
    } else {
        "tool_calls"
    };
    out.push(chunk(&json!({}), Some(finish)));
    if answer.usage.is_some() {
        out.push(event(&json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-test-0125", "choices": [], "usage": usage(answer)})));
    }
    out.push(b"data: [DONE]\n\n".to_vec());
    out
}

fn whole(answer: &Answer) -> Value {
    let calls: Vec<Value> = answer
        .calls
        .iter()
        .map(|(id, name, pieces)| json!({"id": id, "type": "function", "function": {"name": name, "arguments": pieces.concat()}}))
        .collect();
    let mut message = json!({"role": "assistant", "content": answer.text.concat()});
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    let finish = if answer.calls.is_empty() {
        "stop"
    } else {
        "tool_calls"
    };
    json!({"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-test-0125",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage(answer)})
}

fn error(status: u16, why: &str) -> Value {
    let kind = if status == 429 {
        "rate_limit_error"
    } else {
        "invalid_request_error"
    };
    json!({"error": {"message": why, "type": kind, "param": null, "code": null}})
}

fn stream_error() -> Vec<u8> {
    event(
        &json!({"error": {"message": "the engine stumbled", "type": "server_error", "code": 503}}),
    )
}
