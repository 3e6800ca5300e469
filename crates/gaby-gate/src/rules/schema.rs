//! The schema against which policies are checked, made from the definitions of the connected tools:
//! each tool is a Cedar action, and its arguments are typed as its own JSON Schema types them.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::RestrictedExpression;
use gaby_model::{Access, ToolDefinition};
use serde_json::{Map, Value, json};

/// The action of a reply to a requester, which is no tool's.
pub const ANSWER: &str = "answer";

/// How deep arguments are typed; what lies deeper cannot be named by a policy.
const DEEPEST: usize = 6;

/// The type of an argument, as far as Cedar can say it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ArgType {
    Text,
    Whole,
    Number,
    Bool,
    List(Box<ArgType>),
    Fields(BTreeMap<String, Field>),
}

/// A field of a record, and whether it must be there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    kind: ArgType,
    required: bool,
}

impl ArgType {
    /// The type of the arguments of a tool.
    pub(crate) fn of_tool(tool: &ToolDefinition) -> Self {
        Self::of(&tool.input_schema, 0)
            .filter(|kind| matches!(kind, Self::Fields(_)))
            .unwrap_or_else(|| Self::Fields(BTreeMap::new()))
    }

    /// None for what has no one type; a policy cannot name it then.
    fn of(schema: &Value, depth: usize) -> Option<Self> {
        if depth > DEEPEST {
            return None;
        }
        let declared = match schema.get("type") {
            Some(Value::String(name)) => Some(name.as_str()),
            Some(_) => return None,
            None => None,
        };
        let among = schema.get("enum").and_then(Value::as_array);
        match (declared, among) {
            (Some("string"), _) => Some(Self::Text),
            (Some("integer"), _) => Some(Self::Whole),
            (Some("number"), _) => Some(Self::Number),
            (Some("boolean"), _) => Some(Self::Bool),
            (Some("array"), _) => {
                Self::of(schema.get("items")?, depth + 1).map(|item| Self::List(Box::new(item)))
            }
            (Some("object"), _) => Some(Self::Fields(fields(schema, depth))),
            (None, Some(values)) if values.iter().all(Value::is_string) => Some(Self::Text),
            (None, Some(values)) if values.iter().all(Value::is_i64) => Some(Self::Whole),
            (None, None) if schema.get("properties").is_some() => {
                Some(Self::Fields(fields(schema, depth)))
            }
            _ => None,
        }
    }

    fn as_cedar(&self) -> Map<String, Value> {
        let shape = match self {
            Self::Text => json!({"type": "String"}),
            Self::Whole => json!({"type": "Long"}),
            Self::Number => json!({"type": "Extension", "name": "decimal"}),
            Self::Bool => json!({"type": "Boolean"}),
            Self::List(item) => json!({"type": "Set", "element": item.as_cedar()}),
            Self::Fields(fields) => {
                let attributes: Map<String, Value> = fields
                    .iter()
                    .map(|(name, field)| {
                        let mut shape = field.kind.as_cedar();
                        shape.insert("required".to_owned(), field.required.into());
                        (name.clone(), Value::Object(shape))
                    })
                    .collect();
                json!({"type": "Record", "attributes": attributes})
            }
        };
        match shape {
            Value::Object(shape) => shape,
            _ => Map::new(),
        }
    }

    /// A value of this type for Cedar. What the type does not name is left out; what is of another
    /// type is an error, so that no policy is dodged by an argument in an unforeseen shape.
    pub(crate) fn value(&self, value: &Value, place: &str) -> Result<RestrictedExpression, String> {
        let other = |wanted: &str| format!("`{place}` is not {wanted}");
        match self {
            Self::Text => match value.as_str() {
                Some(text) => Ok(RestrictedExpression::new_string(text.to_owned())),
                None => Err(other("a text")),
            },
            Self::Whole => match value.as_i64() {
                Some(number) => Ok(RestrictedExpression::new_long(number)),
                None => Err(other("a whole number")),
            },
            Self::Bool => match value.as_bool() {
                Some(is) => Ok(RestrictedExpression::new_bool(is)),
                None => Err(other("yes or no")),
            },
            Self::Number => decimal(value)
                .map(RestrictedExpression::new_decimal)
                .ok_or_else(|| other("a number that a policy can weigh")),
            Self::List(item) => {
                let items = value.as_array().ok_or_else(|| other("a list"))?;
                let items: Result<Vec<_>, _> =
                    items.iter().map(|value| item.value(value, place)).collect();
                items.map(RestrictedExpression::new_set)
            }
            Self::Fields(fields) => {
                let object = value.as_object().ok_or_else(|| other("an object"))?;
                let mut record = Vec::new();
                for (name, field) in fields {
                    let place = format!("{place}/{name}");
                    match object.get(name) {
                        Some(Value::Null) | None if field.required => {
                            return Err(format!("`{place}` is missing"));
                        }
                        Some(Value::Null) | None => {}
                        Some(value) => {
                            record.push((name.clone(), field.kind.value(value, &place)?))
                        }
                    }
                }
                RestrictedExpression::new_record(record).map_err(|error| error.to_string())
            }
        }
    }
}

fn fields(schema: &Value, depth: usize) -> BTreeMap<String, Field> {
    let required: BTreeSet<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .filter_map(|(name, property)| {
            let kind = ArgType::of(property, depth + 1)?;
            let required = required.contains(name.as_str());
            Some((name.clone(), Field { kind, required }))
        })
        .collect()
}

/// Cedar's decimals have four places: what has more is rounded, and what does not fit is none.
fn decimal(value: &Value) -> Option<String> {
    const LARGEST: f64 = 900_000_000_000_000.0;
    let number = value.as_f64()?;
    (number.abs() < LARGEST).then(|| format!("{number:.4}"))
}

/// The groups that a tool's action belongs to: `read` or `write`, its connector, its role.
pub(crate) fn groups(tool: &ToolDefinition) -> Vec<String> {
    let access = match tool.access {
        Access::Read => "read",
        Access::Write => "write",
    };
    let mut groups = vec![
        access.to_owned(),
        format!("connector:{}", tool.tool.connector),
    ];
    groups.extend(tool.role.iter().map(|role| format!("role:{role}")));
    groups
}

/// Every action that the schema knows: tools, groups, and the answer.
pub(crate) fn known_actions(tools: &[ToolDefinition]) -> BTreeSet<String> {
    let mut known: BTreeSet<String> = ["read", "write", ANSWER]
        .map(str::to_owned)
        .into_iter()
        .collect();
    for tool in tools {
        known.insert(tool.tool.to_string());
        known.extend(groups(tool));
    }
    known
}

/// Cedar's JSON schema for these tools. `also` are groups that policies name and no tool has.
pub(crate) fn schema(tools: &[ToolDefinition], also: &BTreeSet<String>) -> Value {
    let mut actions = Map::new();
    for tool in tools {
        for group in groups(tool) {
            actions.entry(group).or_insert_with(|| json!({}));
        }
    }
    for group in also.iter().map(String::as_str).chain(["read", "write"]) {
        actions.entry(group).or_insert_with(|| json!({}));
    }
    for tool in tools {
        let members: Vec<Value> = groups(tool).iter().map(|id| json!({"id": id})).collect();
        let arguments = ArgType::of_tool(tool).as_cedar();
        actions.insert(
            tool.tool.to_string(),
            json!({"memberOf": members, "appliesTo": applies_to(Some(arguments))}),
        );
    }
    actions.insert(ANSWER.to_owned(), json!({"appliesTo": applies_to(None)}));
    json!({"": {
        "entityTypes": {"Requester": {}, "Workspace": {}},
        "actions": actions,
    }})
}

fn applies_to(arguments: Option<Map<String, Value>>) -> Value {
    let mut attributes = Map::new();
    for (name, kind) in [
        ("source", "String"),
        ("category", "String"),
        ("playbook", "String"),
        ("autonomy", "String"),
        ("environment", "String"),
        ("weekday", "String"),
        ("hour", "Long"),
        ("risk", "Long"),
        ("records", "Long"),
        ("verified", "Boolean"),
        ("steered_by_outsider", "Boolean"),
    ] {
        attributes.insert(name.to_owned(), json!({"type": kind}));
    }
    attributes.insert(
        "facts".to_owned(),
        json!({"type": "Set", "element": {"type": "String"}}),
    );
    if let Some(arguments) = arguments {
        attributes.insert("arguments".to_owned(), Value::Object(arguments));
    }
    json!({
        "principalTypes": ["Requester"],
        "resourceTypes": ["Workspace"],
        "context": {"type": "Record", "attributes": attributes},
    })
}
