//! The reads that a write declares about itself: preview, verify, owner check; and its undo.

use std::collections::BTreeMap;

use gaby_model::tool::FollowUp;
use gaby_model::{Requester, ToolCall, ToolRef};
use serde_json::{Map, Value, json};

use crate::playbook::expression::{ExpressionError, Expressions};

/// What a follow-up's templates can name.
#[derive(Debug, Clone, Default)]
pub(crate) struct About<'a> {
    /// The first call's arguments.
    pub(crate) args: Option<&'a Value>,
    /// What it, or the follow-up's own read, gave.
    pub(crate) result: Option<&'a Value>,
    /// What the preview showed before.
    pub(crate) before: Option<&'a Value>,
    /// Who asks.
    pub(crate) requester: Option<&'a Requester>,
}

impl About<'_> {
    fn context(&self) -> Value {
        let email = self
            .requester
            .and_then(|requester| requester.email.as_deref())
            .map(str::trim);
        json!({
            "args": self.args,
            "result": self.result,
            "before": self.before,
            "requester": {
                "email": email,
                "verified": self.requester.is_some_and(|requester| requester.verified),
            },
        })
    }
}

/// The call of a sibling of `first`, with arguments made from those of the first call.
pub(crate) fn call(
    follow_up: &FollowUp,
    first: &ToolRef,
    about: &About<'_>,
) -> Result<ToolCall, ExpressionError> {
    Ok(ToolCall {
        tool: ToolRef {
            connector: first.connector.clone(),
            tool: follow_up.tool.clone(),
        },
        arguments: Value::Object(arguments(&follow_up.arguments, &about.context())?),
    })
}

fn arguments(
    templates: &BTreeMap<String, String>,
    context: &Value,
) -> Result<Map<String, Value>, ExpressionError> {
    let engine = Expressions::new(0);
    templates
        .iter()
        .map(|(name, template)| Ok((name.clone(), engine.value(template, context)?)))
        .collect()
}

/// Whether what the follow-up's read gave is what it expects; without an expectation any result
/// that holds something will do.
pub(crate) fn expected(follow_up: &FollowUp, about: &About<'_>) -> Result<bool, ExpressionError> {
    match &follow_up.expect {
        Some(condition) => Expressions::new(0).holds_json(condition, &about.context()),
        None => Ok(about.result.is_some_and(holds_something)),
    }
}

/// Whether a result holds anything: neither null nor empty, nor an object of nothing but empties.
pub(crate) fn holds_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => fields.values().any(holds_something),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow_up(expect: Option<&str>) -> FollowUp {
        FollowUp {
            tool: "state".to_owned(),
            arguments: [("id".to_owned(), "{{ args.customer_id }}".to_owned())].into(),
            expect: expect.map(str::to_owned),
        }
    }

    #[test]
    fn an_argument_keeps_its_type() {
        let first = ToolRef {
            connector: "crm".to_owned(),
            tool: "unlock".to_owned(),
        };
        let args = json!({"customer_id": 7});
        let about = About {
            args: Some(&args),
            ..About::default()
        };
        let made = call(&follow_up(None), &first, &about).unwrap();
        assert_eq!(made.tool.to_string(), "crm__state");
        assert_eq!(made.arguments, json!({"id": 7}));
    }

    #[test]
    fn an_expectation_is_weighed_over_the_result_and_the_requester() {
        let requester = Requester {
            email: Some("Ann@Example.com ".to_owned()),
            ..Requester::default()
        };
        let owner = follow_up(Some("result.email == requester.email|lower"));
        for (result, expect, expected_to_hold) in [
            (json!({"email": "ann@example.com"}), &owner, true),
            (json!({"email": "bob@example.com"}), &owner, false),
            (json!({}), &owner, false),
            (json!({"rows": []}), &follow_up(None), false),
            (json!({"rows": [1]}), &follow_up(None), true),
        ] {
            let about = About {
                result: Some(&result),
                requester: Some(&requester),
                ..About::default()
            };
            assert_eq!(
                expected(expect, &about).unwrap_or(false),
                expected_to_hold,
                "{result}"
            );
        }
    }

    #[test]
    fn nobody_is_not_the_owner_of_what_belongs_to_nobody() {
        let about = About {
            result: Some(&json!({"email": null})),
            ..About::default()
        };
        // `requester.email` is null as well; a null that equals a null must not prove ownership.
        let owner = follow_up(Some("result.email == requester.email|lower"));
        assert!(!expected(&owner, &about).unwrap_or(false));
    }
}
