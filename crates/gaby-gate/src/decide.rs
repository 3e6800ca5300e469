//! The one function that says whether a call may happen: pure and total.
//!
//! What is not allowed is denied, a denial beats everything, and less autonomy never gives more.

use gaby_model::{
    Access, ArgumentRole, Autonomy, Integrity, Reversibility, ToolDefinition, ToolRef, canonical,
};
use serde::Serialize;
use serde_json::Value;

use crate::context::{Context, Ownership};
use crate::provenance::{Labelled, may_read};
use crate::reason::Reason;
use crate::risk::{self, Exposure, Risk};

/// A call that somebody wants to make, with the provenance of its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedCall {
    /// Which tool.
    pub tool: ToolRef,
    /// With what: an object, labelled down to its leaves.
    pub arguments: Labelled,
}

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// It may happen.
    Allow {
        /// How risky it is.
        risk: Risk,
    },
    /// A human must say yes to exactly this.
    NeedsApproval {
        /// Why; never empty.
        reasons: Vec<Reason>,
        /// How risky it is.
        risk: Risk,
    },
    /// It may not happen.
    Deny {
        /// Why, and where it can be changed, how.
        reason: Reason,
    },
}

impl Decision {
    /// The word used in the audit log and on screens.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Allow { .. } => "allow",
            Self::NeedsApproval { .. } => "needs_approval",
            Self::Deny { .. } => "deny",
        }
    }
}

/// Decides about one call.
#[must_use]
pub fn decide(call: &ProposedCall, context: &Context<'_>) -> Decision {
    match denial(call, context) {
        Err(reason) => Decision::Deny { reason },
        Ok((tool, arguments_hash)) => match tool.access {
            Access::Read => Decision::Allow {
                risk: risk::of_read(tool),
            },
            Access::Write => decide_write(call, tool, &arguments_hash, context),
        },
    }
}

/// What forbids the call outright. When nothing does: the tool, and the hash of the arguments.
fn denial<'a>(
    call: &ProposedCall,
    context: &Context<'a>,
) -> Result<(&'a ToolDefinition, String), Reason> {
    let tool = context
        .tool
        .ok_or_else(|| Reason::UnknownTool(call.tool.clone()))?;
    if tool.tool != call.tool {
        return Err(Reason::WrongDefinition {
            called: call.tool.clone(),
            defined: tool.tool.clone(),
        });
    }
    if let Some(why) = context.suspended {
        return Err(Reason::Suspended {
            tool: call.tool.clone(),
            why: why.to_owned(),
        });
    }
    let forbidden = context.policy.denied.iter().find(|denied| {
        denied.connector == call.tool.connector
            && denied.tool.as_ref().is_none_or(|t| *t == call.tool.tool)
    });
    if let Some(denied) = forbidden {
        return Err(Reason::Forbidden {
            tool: call.tool.clone(),
            why: denied.reason.clone(),
        });
    }
    let unfit = |why: String| Reason::Arguments {
        tool: call.tool.clone(),
        why,
    };
    let arguments = call.arguments.value();
    if !arguments.is_object() {
        return Err(unfit("they are not a JSON object".to_owned()));
    }
    let hash = canonical::hash_value(arguments).map_err(|error| unfit(error.to_string()))?;
    if context.budget.tool_calls == 0 {
        return Err(Reason::Budget("no tool calls are left".to_owned()));
    }
    if context.budget.millis == 0 {
        return Err(Reason::Budget("no time is left".to_owned()));
    }
    for (name, label) in labelled_arguments(call) {
        if !may_read(&label.readers, &context.audience) {
            return Err(Reason::NotForAudience { argument: name });
        }
    }
    let (least, holder) = context.policy.autonomy.least();
    if tool.access == Access::Write && least == Autonomy::Investigate {
        return Err(Reason::ReadOnly {
            holder,
            connector: call.tool.connector.clone(),
        });
    }
    Ok((tool, hash))
}

fn decide_write(
    call: &ProposedCall,
    tool: &ToolDefinition,
    arguments_hash: &str,
    context: &Context<'_>,
) -> Decision {
    let mut reasons = Vec::new();
    let (least, holder) = context.policy.autonomy.least();
    if least < Autonomy::Act {
        reasons.push(Reason::Proposes {
            holder,
            autonomy: least,
        });
    }
    if let Some(kind) = tool.always_human {
        reasons.push(Reason::AlwaysHuman(kind));
    }
    if !context.asker.is_verified() {
        reasons.push(Reason::NotVerified);
    }
    weigh_arguments(call, tool, arguments_hash, context, &mut reasons);
    if tool.reversibility == Reversibility::Irreversible && !tool.idempotent {
        reasons.push(Reason::NoWayBack);
    }
    let records = context.records.unwrap_or(1).max(targets_named(call, tool));
    if records > u64::from(context.policy.mass_limit) {
        reasons.push(Reason::Mass {
            records,
            limit: u64::from(context.policy.mass_limit),
        });
    }
    let risk = risk::of_write(
        tool,
        Exposure {
            records,
            integrity: steering_integrity(call, tool),
            verified: context.asker.is_verified(),
        },
    );
    if risk.score >= context.policy.risk_threshold {
        reasons.push(Reason::Risky {
            score: risk.score,
            threshold: context.policy.risk_threshold,
        });
    }
    if reasons.is_empty() {
        Decision::Allow { risk }
    } else {
        Decision::NeedsApproval { reasons, risk }
    }
}

fn weigh_arguments(
    call: &ProposedCall,
    tool: &ToolDefinition,
    arguments_hash: &str,
    context: &Context<'_>,
    reasons: &mut Vec<Reason>,
) {
    let mut targets = 0;
    for (argument, label) in labelled_arguments(call) {
        match tool.arguments.get(&argument) {
            None => reasons.push(Reason::NoRole { argument }),
            Some(ArgumentRole::Target) => {
                targets += 1;
                if label.integrity < Integrity::System {
                    reasons.push(Reason::TargetNotTrusted { argument });
                }
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
    if targets == 0 {
        reasons.push(Reason::NoTarget);
        return;
    }
    match &context.ownership {
        Ownership::Proven(proof) if proof.covers(arguments_hash) => {}
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

fn labelled_arguments(
    call: &ProposedCall,
) -> impl Iterator<Item = (String, gaby_model::Label)> + '_ {
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
fn steering_integrity(call: &ProposedCall, tool: &ToolDefinition) -> Integrity {
    labelled_arguments(call)
        .filter(|(name, _)| tool.arguments.get(name) != Some(&ArgumentRole::Content))
        .map(|(_, label)| label.integrity)
        .min()
        .unwrap_or(Integrity::Operator)
}

fn targets_named(call: &ProposedCall, tool: &ToolDefinition) -> u64 {
    let arguments = call.arguments.value();
    tool.arguments
        .iter()
        .filter(|(_, role)| **role == ArgumentRole::Target)
        .filter_map(|(name, _)| arguments.get(name))
        .map(|value| match value {
            Value::Array(items) => items.len() as u64,
            Value::Object(fields) => fields.len() as u64,
            _ => 1,
        })
        .max()
        .unwrap_or(1)
}

/// Whether a value is one of the schema's closed list, or a number within both its bounds.
fn is_bounded(value: &Value, schema: &Value) -> bool {
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
