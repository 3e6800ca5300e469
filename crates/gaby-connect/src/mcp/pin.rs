//! Definitions as they were approved: what is hashed, and what is not acceptable at all.

use gaby_model::canonical;
use rmcp::model::Tool;
use serde_json::{Value, json};

/// The longest description of a third party's tool, in bytes.
pub(super) const MAX_DESCRIPTION: usize = 4_096;
/// The largest schema of a third party's tool, in bytes.
const MAX_SCHEMA: usize = 64 * 1024;

/// What a definition is, for pinning: everything that a model or a person decides by.
pub(super) fn definition(tool: &Tool) -> Value {
    json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": tool.input_schema,
        "outputSchema": tool.output_schema,
        "annotations": tool.annotations,
    })
}

/// The definition's hash, or why the tool cannot be taken at all.
pub(super) fn hash(tool: &Tool) -> Result<String, String> {
    let good_name = !tool.name.is_empty()
        && tool.name.len() <= 128
        && tool
            .name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
    if !good_name {
        return Err("its name is not one that a tool may have".to_owned());
    }
    let description = tool.description.as_deref().unwrap_or_default();
    if description.len() > MAX_DESCRIPTION {
        return Err(format!(
            "its description has {} bytes, more than {MAX_DESCRIPTION}",
            description.len()
        ));
    }
    let schema = Value::Object(tool.input_schema.as_ref().clone());
    let size = schema.to_string().len();
    if size > MAX_SCHEMA {
        return Err(format!(
            "its input schema has {size} bytes, more than {MAX_SCHEMA}"
        ));
    }
    jsonschema::validator_for(&schema)
        .map_err(|error| format!("its input schema cannot be used: {error}"))?;
    canonical::hash(&definition(tool)).map_err(|error| format!("its definition {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmcp::model::ToolAnnotations;
    use std::sync::Arc;

    fn tool() -> Tool {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        Tool::new(
            "t",
            "does it",
            Arc::new(schema.as_object().unwrap().clone()),
        )
    }

    #[test]
    fn every_part_that_is_decided_by_changes_the_hash() {
        let original = hash(&tool()).unwrap();
        assert_eq!(hash(&tool()).unwrap(), original);
        let mut changed = vec![tool().with_title("T"); 4];
        changed[0].title = Some("other".into());
        changed[1] = tool();
        changed[1].description = Some("does it.".into());
        changed[2] = tool().with_annotations(ToolAnnotations::new().read_only(true));
        changed[3] = tool();
        changed[3].input_schema = Arc::new(json!({"type": "object"}).as_object().unwrap().clone());
        for tool in changed {
            assert_ne!(hash(&tool).unwrap(), original);
        }
    }

    #[test]
    fn what_is_too_long_or_fetches_is_not_taken() {
        let mut long = tool();
        long.description = Some("x".repeat(MAX_DESCRIPTION + 1).into());
        assert!(hash(&long).unwrap_err().contains("description"));
        let mut fetches = tool();
        let schema = json!({"$ref": "http://127.0.0.1:1/schema.json"});
        fetches.input_schema = Arc::new(schema.as_object().unwrap().clone());
        assert!(hash(&fetches).is_err());
        let mut name = tool();
        name.name = "a\u{202e}b".into();
        assert!(hash(&name).is_err());
    }
}
