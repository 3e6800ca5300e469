//! From an MCP result to a tool's result, within bounds.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

/// The largest result that goes further.
pub(super) const MAX_RESULT_BYTES: usize = 256 * 1024;
/// `_meta` key: whether rows or bytes were cut off.
pub(super) const TRUNCATED: &str = "gaby/truncated";
/// `_meta` key: the kind of failure, set by Gaby's own servers and believed only of them.
pub(super) const FAILURE: &str = "gaby/failure";

/// A result's value, and whether it was cut.
pub(super) fn value_of(result: CallToolResult) -> (Value, bool) {
    let truncated = result
        .meta
        .as_ref()
        .is_some_and(|meta| meta.get(TRUNCATED) == Some(&Value::Bool(true)));
    let value = match result.structured_content {
        Some(value) if !value.is_null() => value,
        _ => from_content(&result.content),
    };
    let (value, cut) = bound(value);
    (value, truncated || cut)
}

fn from_content(content: &[ContentBlock]) -> Value {
    let mut texts = Vec::new();
    for block in content {
        // Links and embedded things are named, never fetched.
        let text = match serde_json::to_value(block).unwrap_or_default() {
            Value::Object(fields) => match fields.get("type").and_then(Value::as_str) {
                Some("text") => fields
                    .get("text")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                Some("resource_link") => format!("[link {}]", fields["uri"]),
                Some("resource") => match fields["resource"].get("text").and_then(Value::as_str) {
                    Some(text) => text.to_owned(),
                    None => format!("[resource {}]", fields["resource"]["uri"]),
                },
                Some(kind) => format!("[{kind} of type {}]", fields["mimeType"]),
                None => continue,
            },
            _ => continue,
        };
        texts.push(text);
    }
    let text = texts.join("\n");
    match serde_json::from_str::<Value>(&text) {
        Ok(value) if value.is_object() || value.is_array() => value,
        _ => Value::from(text),
    }
}

fn bound(value: Value) -> (Value, bool) {
    let size = match &value {
        Value::String(text) => text.len(),
        other => other.to_string().len(),
    };
    if size <= MAX_RESULT_BYTES {
        return (value, false);
    }
    let text = match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let mut end = MAX_RESULT_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (Value::from(&text[..end]), true)
}

/// The result of one of Gaby's own tools.
pub(super) fn success(value: &Value, truncated: bool) -> Value {
    json!({
        "content": [{"type": "text", "text": value.to_string()}],
        "structuredContent": value,
        "isError": false,
        "_meta": {TRUNCATED: truncated},
    })
}

/// A failure of one of Gaby's own tools.
pub(super) fn failure(kind: &str, message: &str) -> Value {
    json!({
        "content": [{"type": "text", "text": message}],
        "isError": true,
        "_meta": {FAILURE: kind},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(value: Value) -> CallToolResult {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn structured_content_is_preferred_then_json_text_then_text() {
        let both = result(
            json!({"content": [{"type": "text", "text": "x"}], "structuredContent": {"a": 1}}),
        );
        assert_eq!(value_of(both).0, json!({"a": 1}));
        let json_text = result(json!({"content": [{"type": "text", "text": "[1, 2]"}]}));
        assert_eq!(value_of(json_text).0, json!([1, 2]));
        let text = result(
            json!({"content": [{"type": "text", "text": "12"}, {"type": "text", "text": "b"}]}),
        );
        assert_eq!(value_of(text).0, json!("12\nb"));
    }

    #[test]
    fn a_link_is_named_and_a_large_text_is_cut_at_a_character() {
        let link = result(
            json!({"content": [{"type": "resource_link", "uri": "http://x.example.com/", "name": "x"}]}),
        );
        assert_eq!(value_of(link).0, json!("[link \"http://x.example.com/\"]"));
        let large =
            result(json!({"content": [{"type": "text", "text": "é".repeat(MAX_RESULT_BYTES)}]}));
        let (value, truncated) = value_of(large);
        assert!(truncated && value.as_str().unwrap().len() <= MAX_RESULT_BYTES);
    }
}
