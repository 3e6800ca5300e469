//! The arguments of a write: what each is for, where it came from, and whose the target is.

use gaby_model::{ArgumentOrigin, ArgumentRole, Integrity, Label, ToolDefinition};
use serde_json::Value;

use crate::context::{Context, Ownership};
use crate::decide::ProposedCall;
use crate::reason::Reason;

/// Adds every reason for which the arguments need a human.
pub(crate) fn arguments(
    call: &ProposedCall,
    tool: &ToolDefinition,
    arguments_hash: &str,
    context: &Context<'_>,
    reasons: &mut Vec<Reason>,
) {
    let mut targets = Vec::new();
    for (argument, label) in labelled(call) {
        match tool.arguments.get(&argument) {
            None => reasons.push(Reason::NoRole { argument }),
            Some(ArgumentRole::Target) => {
                if label.integrity < Integrity::System {
                    reasons.push(Reason::TargetNotTrusted {
                        argument: argument.clone(),
                    });
                }
                targets.push(argument);
            }
            Some(ArgumentRole::Parameter) => {
                let value = &call.arguments.value()[&argument];
                let bounded = is_bounded(value, &tool.input_schema["properties"][&argument]);
                if !bounded && label.integrity < Integrity::Playbook {
                    reasons.push(Reason::NotBounded { argument });
                }
            }
            Some(ArgumentRole::Content) => {}
        }
    }
    if targets.is_empty() {
        reasons.push(Reason::NoTarget);
        return;
    }
    match &context.ownership {
        Ownership::Proven(proof) if proof.covers(arguments_hash) => {
            for argument in targets {
                if !looks_at(tool, &argument) {
                    reasons.push(Reason::TargetNotChecked { argument });
                }
            }
        }
        Ownership::Proven(_) => reasons.push(Reason::NotOwned(
            "it was shown for other arguments".to_owned(),
        )),
        Ownership::NotProven { why } => reasons.push(Reason::NotOwned(why.clone())),
        Ownership::NotDeclared => reasons.push(Reason::NotOwned(format!(
            "`{}` declares no read that could show it",
            call.tool
        ))),
    }
}

/// What each argument is for, and where its value comes from: for the person who decides.
pub(crate) fn origins(call: &ProposedCall, tool: &ToolDefinition) -> Vec<ArgumentOrigin> {
    labelled(call)
        .map(|(argument, label)| ArgumentOrigin {
            role: tool.arguments.get(&argument).copied(),
            argument,
            integrity: label.integrity,
            origins: label.origins.into_iter().collect(),
        })
        .collect()
}

/// Whether the ownership read depends on this argument. A tool with two targets whose read looks at
/// one of them shows nothing about the other.
fn looks_at(tool: &ToolDefinition, argument: &str) -> bool {
    let Some(check) = &tool.owner_check else {
        return false;
    };
    check
        .arguments
        .values()
        .chain(&check.expect)
        .any(|template| names(template, argument))
}

/// Whether a template names `args.ARGUMENT` (or `args['ARGUMENT']`) as a whole word.
fn names(template: &str, argument: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    template.match_indices(argument).any(|(at, _)| {
        let before = template[..at].trim_end_matches(['\'', '"', '[']);
        let after = &template[at + argument.len()..];
        let from_args = before.strip_suffix('.').unwrap_or(before).ends_with("args");
        from_args && !after.starts_with(is_word)
    })
}

pub(crate) fn labelled(call: &ProposedCall) -> impl Iterator<Item = (String, Label)> + '_ {
    let names = call.arguments.value().as_object();
    names
        .into_iter()
        .flat_map(|fields| fields.keys())
        .filter_map(|name| {
            let argument = call.arguments.argument(name)?;
            Some((name.clone(), argument.label()))
        })
}

/// The least trust among the arguments that steer what happens, which free text does not.
pub(crate) fn steering_integrity(call: &ProposedCall, tool: &ToolDefinition) -> Integrity {
    labelled(call)
        .filter(|(name, _)| tool.arguments.get(name) != Some(&ArgumentRole::Content))
        .map(|(_, label)| label.integrity)
        .min()
        .unwrap_or(Integrity::Operator)
}

pub(crate) fn targets_named(call: &ProposedCall, tool: &ToolDefinition) -> u64 {
    let arguments = call.arguments.value();
    tool.arguments
        .iter()
        .filter(|(_, role)| **role == ArgumentRole::Target)
        .filter_map(|(name, _)| arguments.get(name))
        .map(|value| match value {
            // An empty filter is not nothing: it is everything.
            Value::Array(items) if items.is_empty() => u64::MAX,
            Value::Object(fields) if fields.is_empty() => u64::MAX,
            Value::Array(items) => items.len() as u64,
            Value::Object(fields) => fields.len() as u64,
            _ => 1,
        })
        .max()
        .unwrap_or(1)
}

/// Whether a value is one of the schema's closed list, or a number within both its bounds.
#[must_use]
pub fn is_bounded(value: &Value, schema: &Value) -> bool {
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
        return allowed.contains(value);
    }
    if let Some(only) = schema.get("const") {
        return only == value;
    }
    if value.is_boolean() {
        return schema["type"] == "boolean";
    }
    let bounds = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
    matches!((value.as_f64(), bounds), (Some(n), (Some(low), Some(high))) if low <= n && n <= high)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_template_names_an_argument_only_as_a_whole_word_of_args() {
        for (template, named) in [
            ("{{ args.keep_id }}", true),
            ("{{ args['keep_id'] }}", true),
            ("result.email == requester.email and args.keep_id", true),
            ("{{ args.keep_id2 }}", false),
            ("{{ args.merge_id }}", false),
            ("{{ result.keep_id }}", false),
            ("keep_id", false),
            ("{{ args.é_keep_id }}", false),
        ] {
            assert_eq!(names(template, "keep_id"), named, "{template}");
        }
    }
}
