//! What OpenAI refuses in a Chat Completions request: a stub that took everything would show nothing.
//! Documented at platform.openai.com/docs/api-reference/chat/create.

use serde_json::Value;

/// What is wrong with a request.
///
/// # Errors
/// The first fault that is found, in words.
pub fn fault(body: &Value) -> Result<(), String> {
    text(&body["model"], "`model`")?;
    if let Some(tools) = body.get("tools") {
        for tool in list(tools, "`tools`")? {
            tool_name(&tool["function"]["name"])?;
            if tool["function"]["parameters"]["type"] != "object" {
                return Err("a tool's `parameters` must be the schema of an object".to_owned());
            }
        }
    } else if !body["tool_choice"].is_null() {
        return Err("'tool_choice' is only allowed when 'tools' are specified".to_owned());
    }
    messages(list(&body["messages"], "`messages`")?)
}

/// The messages: every call of the model has its answer before anybody else speaks.
fn messages(messages: &[Value]) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        let role = text(&message["role"], "a role")?;
        if role != "tool" && !open.is_empty() {
            return Err(format!("tool_call_ids without response messages: {open:?}"));
        }
        match role {
            "system" | "developer" | "user" => said(&message["content"])?,
            "assistant" => called(message, &mut open)?,
            "tool" => {
                let id = text(&message["tool_call_id"], "`tool_call_id`")?;
                let place = open.iter().position(|known| *known == id);
                open.remove(place.ok_or_else(|| format!("no call has the id {id}"))?);
            }
            other => return Err(format!("there is no role `{other}`")),
        }
    }
    match open.is_empty() {
        true => Ok(()),
        false => Err(format!("calls without results: {open:?}")),
    }
}

fn called<'a>(message: &'a Value, open: &mut Vec<&'a str>) -> Result<(), String> {
    let calls = message.get("tool_calls");
    if calls.is_none() && !message["content"].is_string() {
        return Err("an assistant says or calls something".to_owned());
    }
    for call in calls
        .map(|calls| list(calls, "`tool_calls`"))
        .transpose()?
        .into_iter()
        .flatten()
    {
        tool_name(&call["function"]["name"])?;
        let arguments = text(&call["function"]["arguments"], "`arguments`")?;
        if !serde_json::from_str::<Value>(arguments).is_ok_and(|value| value.is_object()) {
            return Err("`arguments` must be the text of a JSON object".to_owned());
        }
        open.push(text(&call["id"], "a call's `id`")?);
    }
    Ok(())
}

fn said(content: &Value) -> Result<(), String> {
    match content {
        Value::Array(parts) if !parts.is_empty() => Ok(()),
        other => text(other, "`content`").map(|_| ()),
    }
}

fn tool_name(value: &Value) -> Result<(), String> {
    let name = text(value, "a tool's name")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.len() > 64 || !name.chars().all(plain) {
        return Err(format!("`{name}` does not match ^[a-zA-Z0-9_-]{{1,64}}$"));
    }
    Ok(())
}

fn list<'a>(value: &'a Value, what: &str) -> Result<&'a Vec<Value>, String> {
    value
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or_else(|| format!("{what} must be a list that is not empty"))
}

fn text<'a>(value: &'a Value, what: &str) -> Result<&'a str, String> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| format!("{what} must be a text that is not empty, not {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_openai_refuses_is_refused_and_what_it_takes_is_taken() {
        let call = |id: &str, arguments: &str| {
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": id, "type": "function", "function": {"name": "find", "arguments": arguments}}]})
        };
        let user = json!({"role": "user", "content": "hello"});
        let answer = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": ""});
        let of = |messages: Value| json!({"model": "m", "messages": messages});
        let good = of(json!([user, call("a", "{}"), answer("a"), user]));
        assert_eq!(fault(&good), Ok(()));
        for bad in [
            json!({"messages": [user]}),
            of(json!([])),
            of(json!([{"role": "user", "content": ""}])),
            of(json!([{"role": "assistant"}])),
            of(json!([{"role": "wizard", "content": "x"}])),
            of(json!([call("a", "{}")])),
            of(json!([call("a", "{}"), user])),
            of(json!([call("a", "{}"), answer("b")])),
            of(json!([call("a", "[]"), answer("a")])),
            of(json!([answer("a")])),
            json!({"model": "m", "messages": [user], "tool_choice": "auto"}),
            json!({"model": "m", "messages": [user], "tools": [{"function": {"name": "a b"}}]}),
            json!({"model": "m", "messages": [user], "tools": [{"function": {"name": "a"}}]}),
        ] {
            assert!(fault(&bad).is_err(), "{bad}");
        }
    }
}
