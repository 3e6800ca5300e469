//! Why the gate decides as it does: which rules apply, and what they were told. What
//! `gaby policy check CALL.json` prints.

use std::collections::{BTreeMap, BTreeSet};

use gaby_model::{ArgumentRole, EvidenceId, Integrity, Label, ToolDefinition, ToolRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Rule, Rules, Ruling};
use crate::context::{Asker, BudgetLeft, Context, Ownership, OwnershipProof};
use crate::decide::{self, Decision, ProposedCall, decide};
use crate::policy::Policy;
use crate::provenance::Labelled;
use crate::situation::Situation;

/// A decision, and everything it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// What the gate says.
    #[serde(flatten)]
    pub decision: Decision,
    /// The operator's rules that apply, and what each does.
    pub rules: Vec<Rule>,
    /// What the rules were told.
    pub facts: Value,
    /// What is known about each argument.
    pub arguments: BTreeMap<String, ArgumentFacts>,
}

/// What is known about an argument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArgumentFacts {
    /// What it is for; none when nothing declares it.
    pub role: Option<ArgumentRole>,
    /// How far its value can be trusted.
    pub integrity: Integrity,
}

/// Decides about a call, and says why.
#[must_use]
pub fn explain(call: &ProposedCall, context: &Context<'_>) -> Explanation {
    let decision = decide(call, context);
    let question = decide::question(call, context);
    let rules = match context.rules.map(|rules| rules.ask(&question)) {
        Some(Ruling::Permitted { by, escalated }) => {
            by.into_iter().chain(escalated).cloned().collect()
        }
        Some(Ruling::Forbidden(by)) => by.into_iter().cloned().collect(),
        Some(Ruling::NotPermitted | Ruling::Failed(_)) | None => Vec::new(),
    };
    let arguments = crate::weigh::labelled(call)
        .map(|(name, label)| {
            let role = context
                .tool
                .and_then(|tool| tool.arguments.get(&name).copied());
            let integrity = label.integrity;
            (name, ArgumentFacts { role, integrity })
        })
        .collect();
    Explanation {
        decision,
        rules,
        facts: question.facts(),
        arguments,
    }
}

/// A call to be checked, as an operator writes it down.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckCall {
    /// The tool, as `connector__tool`.
    pub tool: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Value,
    /// The requester's address.
    #[serde(default)]
    pub requester: Option<String>,
    /// Whether a source vouches for the requester.
    #[serde(default)]
    pub verified: bool,
    /// Arguments whose values a connected system gave; the others count as anybody's text.
    #[serde(default)]
    pub trusted: BTreeSet<String>,
    /// Whether the ownership read shows that the target is the requester's.
    #[serde(default)]
    pub owned: bool,
    /// How many records it changes.
    #[serde(default)]
    pub records: Option<u64>,
    /// What surrounds it.
    #[serde(default)]
    pub situation: Situation,
}

impl CheckCall {
    /// Decides about the call as if it were made now under this policy and these rules. `revoked` is
    /// why its connector may no longer be used, if what it was granted was taken back.
    #[must_use]
    pub fn explain(
        &self,
        tools: &[ToolDefinition],
        policy: &Policy,
        rules: &Rules,
        revoked: Option<&str>,
    ) -> Explanation {
        let arguments = match &self.arguments {
            Value::Null => Value::Object(serde_json::Map::new()),
            other => other.clone(),
        };
        let labelled = match &arguments {
            Value::Object(fields) => Labelled::object(fields.iter().map(|(name, value)| {
                let integrity = match self.trusted.contains(name) {
                    true => Integrity::System,
                    false => Integrity::Outsider,
                };
                let value = Labelled::whole(value.clone(), Label::of(integrity));
                (name.clone(), value)
            })),
            other => Labelled::outsider(other.clone()),
        };
        let tool = self.tool_ref();
        let mut policy = policy.clone();
        policy.rules = rules.hash().to_owned();
        let mut context = Context::new(&policy);
        context.tool = tools.iter().find(|known| known.tool == tool);
        context.rules = Some(rules);
        context.revoked = revoked;
        context.budget = BudgetLeft::unlimited();
        context.records = self.records;
        context.situation = self.situation.clone();
        if let (true, Some(email)) = (self.verified, &self.requester) {
            context.asker = Asker::VerifiedRequester {
                email: email.trim().to_lowercase(),
            };
        }
        context.ownership = match OwnershipProof::new(EvidenceId::generate(), &arguments) {
            Ok(proof) if self.owned => Ownership::Proven(proof),
            _ => Ownership::NotProven {
                why: "the check does not say that it is".to_owned(),
            },
        };
        let call = ProposedCall {
            tool,
            arguments: labelled,
        };
        explain(&call, &context)
    }

    /// The tool that it is a call of.
    #[must_use]
    pub fn tool_ref(&self) -> ToolRef {
        let (connector, tool) = self.tool.split_once("__").unwrap_or((&self.tool, ""));
        ToolRef {
            connector: connector.to_owned(),
            tool: tool.to_owned(),
        }
    }
}

impl std::fmt::Display for Explanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.decision {
            Decision::Allow { risk, .. } => writeln!(f, "allow (risk {})", risk.score)?,
            Decision::DryRun { reasons, risk } => {
                writeln!(f, "dry run (risk {})", risk.score)?;
                list(f, "a human would be asked because", reasons)?;
            }
            Decision::NeedsApproval { reasons, risk } => {
                writeln!(f, "needs approval (risk {})", risk.score)?;
                list(f, "because", reasons)?;
            }
            Decision::Deny { reason } => writeln!(f, "deny: {reason}")?,
        }
        if let Decision::Allow { risk, .. }
        | Decision::DryRun { risk, .. }
        | Decision::NeedsApproval { risk, .. } = &self.decision
        {
            let parts = risk
                .parts
                .iter()
                .map(|part| format!("{:>3}  {}", part.points, part.name));
            list(f, "risk", &parts.collect::<Vec<_>>())?;
        }
        let rules = self.rules.iter().map(|rule| {
            let effect = match rule.effect {
                super::RuleEffect::Permit => "permits",
                super::RuleEffect::Forbid => "forbids",
                super::RuleEffect::Escalate => "leaves it to a human",
            };
            format!("`{}` in `{}` {effect}: {}", rule.name, rule.file, rule.why)
        });
        list(f, "rules that apply", &rules.collect::<Vec<_>>())?;
        let facts = serde_json::to_string_pretty(&self.facts).map_err(|_| std::fmt::Error)?;
        writeln!(f, "facts\n{}", crate::display::escape(&facts))
    }
}

fn list<T: std::fmt::Display>(
    f: &mut std::fmt::Formatter<'_>,
    title: &str,
    items: &[T],
) -> std::fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}")?;
    items.iter().try_for_each(|item| writeln!(f, "  - {item}"))
}
