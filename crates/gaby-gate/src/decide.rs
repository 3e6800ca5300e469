//! The one function that says whether a call may happen: pure and total.
//!
//! What is not allowed is denied, a denial beats everything, and less autonomy never gives more.

use gaby_model::{
    Access, Autonomy, Integrity, PatternId, Reversibility, ToolDefinition, ToolRef, canonical,
};
use serde::Serialize;
use serde_json::Value;

use crate::always;
use crate::context::{Asker, Context};
use crate::patterns::Pattern;
use crate::provenance::{Labelled, may_read};
use crate::reason::Reason;
use crate::redact;
use crate::risk::{self, Exposure, Risk};
use crate::rules::{Question, Rule, Ruling};
use crate::scope::Within;
use crate::weigh;

/// A call that somebody wants to make, with the provenance of its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedCall {
    /// Which tool.
    pub tool: ToolRef,
    /// With what: an object, labelled down to its leaves.
    pub arguments: Labelled,
}

/// What the gate says, from the least to the most that it lets happen: deny, dry run, needs
/// approval, allow.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// It may happen.
    Allow {
        /// How risky it is.
        risk: Risk,
        /// The standing approval that it happens under; none where it needs none.
        #[serde(skip_serializing_if = "Option::is_none")]
        under: Option<PatternId>,
    },
    /// It is shown as it would be, and changes nothing.
    DryRun {
        /// Why a human would be asked; empty when none would be.
        reasons: Vec<Reason>,
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
            Self::DryRun { .. } => "dry_run",
            Self::NeedsApproval { .. } => "needs_approval",
            Self::Deny { .. } => "deny",
        }
    }
}

/// Decides about one call.
#[must_use]
pub fn decide(call: &ProposedCall, context: &Context<'_>) -> Decision {
    match admit(call, context) {
        Err(reason) => Decision::Deny { reason },
        Ok(admitted) => match admitted.tool.access {
            Access::Read => Decision::Allow {
                risk: admitted.risk,
                under: None,
            },
            Access::Write => decide_write(call, admitted, context),
        },
    }
}

/// What nothing forbids outright.
struct Admitted<'a> {
    tool: &'a ToolDefinition,
    arguments_hash: String,
    records: u64,
    risk: Risk,
    within: Within,
    /// What the operator's rules leave to a human.
    escalated: Vec<Reason>,
}

fn admit<'a>(call: &ProposedCall, context: &Context<'a>) -> Result<Admitted<'a>, Reason> {
    let tool = context
        .tool
        .ok_or_else(|| Reason::UnknownTool(call.tool.clone()))?;
    standing(call, tool, context)?;
    let arguments_hash = sound_arguments(call)?;
    if context.budget.tool_calls == 0 {
        return Err(Reason::Budget("no tool calls are left".to_owned()));
    }
    if context.budget.millis == 0 {
        return Err(Reason::Budget("no time is left".to_owned()));
    }
    for (name, label) in weigh::labelled(call) {
        if !may_read(&label.readers, &context.audience) {
            return Err(Reason::NotForAudience { argument: name });
        }
        // What a person wrote themselves is theirs to pass on.
        let checked = !context.audience.is_empty() && label.integrity < Integrity::Operator;
        let value = call.arguments.value().get(&name).filter(|_| checked);
        if let Some(kind) = value.and_then(secret_within) {
            return Err(Reason::Secret {
                argument: name,
                kind,
            });
        }
    }
    let (least, holder) = context.policy.autonomy.least();
    if tool.access == Access::Write && least == Autonomy::Investigate {
        return Err(Reason::ReadOnly {
            holder,
            connector: call.tool.connector.clone(),
        });
    }
    let within = context.policy.scope.admits(tool, call.arguments.value());
    if within == Within::Refused {
        return Err(Reason::OutOfScope {
            tool: call.tool.clone(),
            scope: context.policy.scope.as_str(),
        });
    }
    let records = records(call, tool, context);
    let risk = weigh_risk(call, tool, records, context);
    let escalated = ruled(call, tool, context)?;
    Ok(Admitted {
        tool,
        arguments_hash,
        records,
        risk,
        within,
        escalated,
    })
}

/// What a value holds of what looks like a secret, in the names of its fields too.
fn secret_within(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => redact::secret_in(text),
        Value::Array(items) => items.iter().find_map(secret_within),
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, field)| redact::secret_in(name).or_else(|| secret_within(field))),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Whether the tool is what it is said to be, and may be used at all.
fn standing(
    call: &ProposedCall,
    tool: &ToolDefinition,
    context: &Context<'_>,
) -> Result<(), Reason> {
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
    if let Some(why) = context.revoked {
        return Err(Reason::Revoked {
            connector: call.tool.connector.clone(),
            why: why.to_owned(),
        });
    }
    let forbidden = context.policy.denied.iter().find(|denied| {
        denied.connector == call.tool.connector
            && denied.tool.as_ref().is_none_or(|t| *t == call.tool.tool)
    });
    match forbidden {
        Some(denied) => Err(Reason::Forbidden {
            tool: call.tool.clone(),
            why: denied.reason.clone(),
        }),
        None => Ok(()),
    }
}

/// The hash of arguments that can be decided on.
fn sound_arguments(call: &ProposedCall) -> Result<String, Reason> {
    let unfit = |why: String| Reason::Arguments {
        tool: call.tool.clone(),
        why,
    };
    let arguments = call.arguments.value();
    if !arguments.is_object() {
        return Err(unfit("they are not a JSON object".to_owned()));
    }
    canonical::hash_value(arguments).map_err(|error| unfit(error.to_string()))
}

pub(crate) fn records(call: &ProposedCall, tool: &ToolDefinition, context: &Context<'_>) -> u64 {
    context
        .records
        .unwrap_or(1)
        .max(weigh::targets_named(call, tool))
}

fn weigh_risk(
    call: &ProposedCall,
    tool: &ToolDefinition,
    records: u64,
    context: &Context<'_>,
) -> Risk {
    match tool.access {
        Access::Read => risk::of_read(tool),
        Access::Write => risk::of_write(
            tool,
            Exposure {
                records,
                integrity: weigh::steering_integrity(call, tool),
                verified: context.asker.is_verified(),
                situation: &context.situation,
            },
        ),
    }
}

/// What the operator's rules say: an error when they deny, else what they leave to a human.
fn ruled(
    call: &ProposedCall,
    tool: &ToolDefinition,
    context: &Context<'_>,
) -> Result<Vec<Reason>, Reason> {
    let rules = context
        .rules
        .ok_or_else(|| Reason::Policy("no rules are loaded".to_owned()))?;
    if rules.hash() != context.policy.rules {
        return Err(Reason::Policy("the rules changed meanwhile".to_owned()));
    }
    let question = question(call, context);
    let escalated = reasons(rules.ask(&question), &question.action())?;
    match (tool.access, escalated.first()) {
        // A read is made now or not at all: there is nothing to put up for approval.
        (Access::Read, Some(reason)) => Err(reason.clone()),
        _ => Ok(escalated),
    }
}

/// What the rules are asked about a call.
pub(crate) fn question<'q>(call: &'q ProposedCall, context: &'q Context<'_>) -> Question<'q> {
    let mut question = context.question();
    question.call = Some((&call.tool, call.arguments.value()));
    if let Some(tool) = context.tool {
        question.records = records(call, tool, context);
        question.risk = weigh_risk(call, tool, question.records, context).score;
        question.steered_by_outsider = weigh::steering_integrity(call, tool) == Integrity::Outsider;
    }
    question
}

fn reasons(ruling: Ruling<'_>, action: &str) -> Result<Vec<Reason>, Reason> {
    let forbids = |rule: &Rule| Reason::RuleForbids {
        call: action.to_owned(),
        rule: rule.name.clone(),
        file: rule.file.clone(),
        why: rule.why.clone(),
    };
    match ruling {
        Ruling::Failed(why) => Err(Reason::Policy(why)),
        Ruling::NotPermitted => Err(Reason::NoRulePermits(action.to_owned())),
        Ruling::Forbidden(by) => Err(by.first().map_or_else(
            || Reason::NoRulePermits(action.to_owned()),
            |rule| forbids(rule),
        )),
        Ruling::Permitted { escalated, .. } => Ok(escalated
            .into_iter()
            .map(|rule| Reason::RuleEscalates {
                rule: rule.name.clone(),
                file: rule.file.clone(),
                why: rule.why.clone(),
            })
            .collect()),
    }
}

/// Whether a reply may be sent to the requester without a human. Its sentences are checked
/// elsewhere; here the operator's rules speak about the ticket as a whole.
///
/// # Errors
/// Why it may not: the first of what denies it or leaves it to a human.
pub fn decide_answer(context: &Context<'_>) -> Result<(), Reason> {
    let rules = context
        .rules
        .ok_or_else(|| Reason::Policy("no rules are loaded".to_owned()))?;
    let question = context.question();
    match reasons(rules.ask(&question), &question.action())?
        .into_iter()
        .next()
    {
        Some(reason) => Err(reason),
        None => Ok(()),
    }
}

impl Context<'_> {
    /// What the rules are asked about a reply; a call adds its own.
    pub(crate) fn question(&self) -> Question<'_> {
        let requester = match &self.asker {
            Asker::VerifiedRequester { email } => email,
            Asker::SignedAlert { .. } | Asker::Unverified => "",
        };
        Question {
            call: None,
            requester,
            verified: self.asker.is_verified(),
            situation: &self.situation,
            autonomy: self.policy.autonomy.least().0.as_str(),
            risk: 0,
            records: 0,
            steered_by_outsider: true,
        }
    }
}

fn decide_write(call: &ProposedCall, admitted: Admitted<'_>, context: &Context<'_>) -> Decision {
    let Admitted { tool, risk, .. } = admitted;
    let mut reasons = admitted.escalated;
    let (least, holder) = context.policy.autonomy.least();
    if least < Autonomy::Act {
        reasons.push(Reason::Proposes {
            holder,
            autonomy: least,
        });
    }
    let always = always::kinds(tool, call.arguments.value());
    reasons.extend(always.into_iter().map(Reason::AlwaysHuman));
    if !context.asker.is_verified() {
        reasons.push(Reason::NotVerified);
    }
    weigh::arguments(call, tool, &admitted.arguments_hash, context, &mut reasons);
    if tool.reversibility == Reversibility::Irreversible && !tool.idempotent {
        reasons.push(Reason::NoWayBack);
    }
    if admitted.records > u64::from(context.policy.mass_limit) {
        reasons.push(Reason::Mass {
            records: admitted.records,
            limit: u64::from(context.policy.mass_limit),
        });
    }
    if risk.score >= context.policy.risk_threshold {
        reasons.push(Reason::Risky {
            score: risk.score,
            threshold: context.policy.risk_threshold,
        });
    }
    if admitted.within == Within::DryRun {
        return Decision::DryRun { reasons, risk };
    }
    if reasons.is_empty() {
        return Decision::Allow { risk, under: None };
    }
    match standing_approval(call, tool, &reasons, context) {
        Some(pattern) => Decision::Allow {
            risk,
            under: Some(pattern.id.clone()),
        },
        None => Decision::NeedsApproval { reasons, risk },
    }
}

/// A standing approval that stands in for the human for each of these reasons.
fn standing_approval<'a>(
    call: &ProposedCall,
    tool: &ToolDefinition,
    reasons: &[Reason],
    context: &Context<'a>,
) -> Option<&'a Pattern> {
    let now = context.now?;
    context.patterns.iter().find(|pattern| {
        pattern.covers(tool, call.arguments.value(), now)
            && reasons.iter().all(|reason| pattern.answers(reason))
    })
}
