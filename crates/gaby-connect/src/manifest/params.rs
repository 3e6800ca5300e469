//! Simply typed arguments, and the JSON Schema they stand for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The longest text argument when a manifest does not say.
pub(crate) const DEFAULT_MAX_LENGTH: u32 = 1_000;

/// One argument.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: ParamType,
    /// What it means.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether a call without it is refused.
    #[serde(default = "super::yes")]
    pub required: bool,
    /// The value when none is given.
    #[serde(default)]
    pub default: Option<Value>,
    /// The values that are allowed.
    #[serde(default, rename = "enum")]
    pub choices: Option<Vec<Value>>,
    /// A regular expression that a text must match.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Fewest characters of a text.
    #[serde(default)]
    pub min_length: Option<u32>,
    /// Most characters of a text.
    #[serde(default)]
    pub max_length: Option<u32>,
    /// Least number.
    #[serde(default)]
    pub minimum: Option<serde_json::Number>,
    /// Greatest number.
    #[serde(default)]
    pub maximum: Option<serde_json::Number>,
}

/// What an argument holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
}

impl ParamType {
    /// JSON Schema's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }

    /// Whether `value` is of this type.
    #[must_use]
    pub fn holds(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
        }
    }
}

/// JSON Schema of an object with these fields and no others.
#[must_use]
pub fn input_schema(params: &BTreeMap<String, Param>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, param) in params {
        properties.insert(name.clone(), param_schema(param));
        if param.required && param.default.is_none() {
            required.push(Value::from(name.as_str()));
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn param_schema(param: &Param) -> Value {
    let mut schema = Map::new();
    schema.insert("type".into(), param.kind.as_str().into());
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            schema.insert(key.to_owned(), value);
        }
    };
    put("description", param.description.clone().map(Value::from));
    put("default", param.default.clone());
    put("enum", param.choices.clone().map(Value::from));
    put("pattern", param.pattern.clone().map(Value::from));
    put("minLength", param.min_length.map(Value::from));
    if param.kind == ParamType::String {
        put(
            "maxLength",
            Some(param.max_length.unwrap_or(DEFAULT_MAX_LENGTH).into()),
        );
    }
    put("minimum", param.minimum.clone().map(Value::Number));
    put("maximum", param.maximum.clone().map(Value::Number));
    Value::Object(schema)
}
