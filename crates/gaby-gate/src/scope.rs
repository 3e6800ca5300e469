//! What a connector may be used for: everything it offers, only its reads, only rehearsals of its
//! writes, or a list of tools under conditions.

use std::collections::BTreeMap;

use gaby_model::{Access, ToolDefinition};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The scope that a connector was granted. It only ever takes away: autonomy, rules and provenance
/// decide within it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Its reads and no write.
    ReadOnly,
    /// Its reads and writes.
    #[default]
    ReadWrite,
    /// Its reads; its writes are shown as they would be and change nothing.
    DryRun,
    /// The named tools and nothing else.
    Custom(Vec<Grant>),
}

/// One tool that a custom scope names, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The tool's name within its connector.
    pub tool: String,
    /// What must hold of its arguments, by name; an argument that is absent meets no condition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, Condition>,
    /// Whether it is only rehearsed.
    #[serde(default)]
    pub dry_run: bool,
}

/// What must hold of one argument.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It is this value.
    Equals(Value),
    /// It is one of these values.
    OneOf(Vec<Value>),
    /// It is none of these values.
    NoneOf(Vec<Value>),
    /// It is a number, and at most this.
    AtMost(f64),
    /// It is a number, and at least this.
    AtLeast(f64),
    /// It is a text that begins so.
    StartsWith(String),
    /// It is a text that ends so.
    EndsWith(String),
}

impl Condition {
    /// Whether it holds of a value.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Equals(wanted) => value == wanted,
            Self::OneOf(allowed) => allowed.contains(value),
            // A list could hide a forbidden value among others, and an object in a field.
            Self::NoneOf(forbidden) => {
                !value.is_array() && !value.is_object() && !forbidden.contains(value)
            }
            Self::AtMost(most) => value.as_f64().is_some_and(|n| n <= *most),
            Self::AtLeast(least) => value.as_f64().is_some_and(|n| n >= *least),
            Self::StartsWith(start) => value.as_str().is_some_and(|t| t.starts_with(start)),
            Self::EndsWith(end) => value.as_str().is_some_and(|t| t.ends_with(end)),
        }
    }

    /// Whether it leaves only values that the operator wrote down.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Equals(_) | Self::OneOf(_))
    }
}

/// What a scope says about one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Within {
    /// Outside of it.
    Refused,
    /// Only as a rehearsal.
    DryRun,
    /// Inside of it.
    Yes,
}

impl Scope {
    /// What it says about a call of this tool with these arguments.
    #[must_use]
    pub fn admits(&self, tool: &ToolDefinition, arguments: &Value) -> Within {
        let write = tool.access == Access::Write;
        match self {
            Self::ReadWrite => Within::Yes,
            Self::ReadOnly if write => Within::Refused,
            Self::DryRun if write => Within::DryRun,
            Self::ReadOnly | Self::DryRun => Within::Yes,
            Self::Custom(grants) => grants
                .iter()
                .filter(|grant| grant.tool == tool.tool.tool && meets(&grant.when, arguments))
                .map(|grant| match grant.dry_run && write {
                    true => Within::DryRun,
                    false => Within::Yes,
                })
                // Of several grants for one tool the narrowest counts, in whatever order they stand.
                .min()
                .unwrap_or(Within::Refused),
        }
    }

    /// The tools that it names and that its connector does not offer, which would be a slip.
    #[must_use]
    pub fn unknown<'a>(&'a self, offered: &[&str]) -> Vec<&'a str> {
        match self {
            Self::ReadOnly | Self::ReadWrite | Self::DryRun => Vec::new(),
            Self::Custom(grants) => grants
                .iter()
                .map(|grant| grant.tool.as_str())
                .filter(|named| !offered.contains(named))
                .collect(),
        }
    }

    /// The word on screens and in messages.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::ReadWrite => "read_write",
            Self::DryRun => "dry_run",
            Self::Custom(_) => "custom",
        }
    }
}

/// Whether every condition holds of the arguments.
#[must_use]
pub fn meets(conditions: &BTreeMap<String, Condition>, arguments: &Value) -> bool {
    conditions.iter().all(|(name, condition)| {
        arguments
            .get(name)
            .is_some_and(|value| condition.holds(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{tool, unlock};
    use serde_json::json;

    fn custom(when: Value) -> Scope {
        serde_json::from_value(json!({"custom": [{"tool": "unlock", "when": when}]})).unwrap()
    }

    #[test]
    fn each_scope_admits_what_it_says() {
        let (read, write) = (tool("crm", "find", Access::Read), unlock());
        let none = json!({});
        for (scope, of_read, of_write) in [
            (Scope::ReadWrite, Within::Yes, Within::Yes),
            (Scope::ReadOnly, Within::Yes, Within::Refused),
            (Scope::DryRun, Within::Yes, Within::DryRun),
            (Scope::Custom(Vec::new()), Within::Refused, Within::Refused),
            (custom(json!({})), Within::Refused, Within::Yes),
        ] {
            assert_eq!(scope.admits(&read, &none), of_read, "{scope:?}");
            assert_eq!(scope.admits(&write, &none), of_write, "{scope:?}");
        }
    }

    #[test]
    fn a_custom_scope_holds_arguments_to_its_conditions() {
        for (when, arguments, admitted) in [
            (
                json!({"account": {"equals": 7}}),
                json!({"account": 7}),
                true,
            ),
            (
                json!({"account": {"equals": 7}}),
                json!({"account": "7"}),
                false,
            ),
            (json!({"account": {"equals": 7}}), json!({}), false),
            (
                json!({"ns": {"one_of": ["staging"]}}),
                json!({"ns": "staging"}),
                true,
            ),
            (
                json!({"ns": {"none_of": ["prod"]}}),
                json!({"ns": "prod"}),
                false,
            ),
            (
                json!({"ns": {"none_of": ["prod"]}}),
                json!({"ns": ["prod"]}),
                false,
            ),
            (json!({"n": {"at_most": 3.0}}), json!({"n": 3}), true),
            (json!({"n": {"at_most": 3.0}}), json!({"n": "2"}), false),
            (json!({"n": {"at_least": 3.0}}), json!({"n": 2}), false),
            (
                json!({"to": {"ends_with": "@example.com"}}),
                json!({"to": "a@example.com"}),
                true,
            ),
            (
                json!({"to": {"starts_with": "a"}}),
                json!({"to": "b"}),
                false,
            ),
        ] {
            let within = custom(when.clone()).admits(&unlock(), &arguments);
            assert_eq!(within == Within::Yes, admitted, "{when} {arguments}");
        }
    }

    #[test]
    fn of_two_grants_for_one_tool_the_narrower_counts() {
        let grant = |dry_run| Grant {
            tool: "unlock".to_owned(),
            when: BTreeMap::new(),
            dry_run,
        };
        for grants in [[grant(true), grant(false)], [grant(false), grant(true)]] {
            assert_eq!(
                Scope::Custom(grants.to_vec()).admits(&unlock(), &json!({})),
                Within::DryRun
            );
        }
    }
}
