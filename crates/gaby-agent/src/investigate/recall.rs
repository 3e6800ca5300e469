//! An investigation as it was left: its transcript, made anew from what is stored.

use gaby_gate::Recorded;
use gaby_model::{
    Author, Evidence, IncomingTicket, Investigation, Label, Message, Step, StepKind, Ticket,
    ToolDefinition,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::values;
use crate::brain::{Case, Outcome, Plan, Transcript, Turn, Want, Work};
use crate::budget::Budget;
use crate::error::AgentError;

/// What a step stores beside its summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "one of them lives at a time, for one step"
)]
pub(crate) enum Detail {
    /// A plan was made.
    Plan {
        /// The plan.
        plan: Plan,
    },
    /// Something was wanted, and came to something.
    Turn {
        /// What was wanted.
        want: Want,
        /// What came of it.
        outcome: Outcome,
        /// What the gate said, where it was asked.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        decision: Value,
        /// The label under which the answer is kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<Label>,
    },
    /// The brain came to an end.
    End {
        /// Ask or conclude.
        want: Want,
    },
    /// The gate was asked about a write, or a write was carried out.
    Action {
        /// What it was.
        summary: String,
        /// What the gate said.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        decision: Value,
        /// The reads that the gate made for it, and what it came to.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        result: Value,
    },
}

/// The case as the brain sees it: the ticket, and in its body all that the requester has written.
#[must_use]
pub(crate) fn case(
    ticket: &Ticket,
    messages: &[Message],
    tools: Vec<ToolDefinition>,
    investigation: &Investigation,
    budget: Budget,
) -> Case {
    let body = messages
        .iter()
        .filter(|message| {
            message.author == Author::Requester && message.created_at <= investigation.started_at
        })
        .map(|message| message.body.as_str())
        .collect::<Vec<_>>()
        .join("\n\n");
    Case {
        ticket: IncomingTicket {
            subject: ticket.subject.clone(),
            body,
            requester: ticket.requester.clone(),
            source: Some(ticket.source.clone()),
            external_id: ticket.external_id.clone(),
            priority: ticket.priority,
            sla_deadline: ticket.sla_deadline,
        },
        tools,
        now: investigation.started_at,
        work: Work {
            investigation: Some(investigation.id.clone()),
            budget,
            audience: None,
        },
    }
}

/// What steps say about how far an investigation came.
pub(crate) struct Recalled {
    pub(crate) plan: Option<Plan>,
    pub(crate) turns: Vec<Turn>,
    pub(crate) end: Option<Want>,
}

/// Reads the steps of an investigation.
///
/// # Errors
/// When a step does not read back.
pub(crate) fn recall(steps: &[Step]) -> Result<Recalled, AgentError> {
    let mut recalled = Recalled {
        plan: None,
        turns: Vec::new(),
        end: None,
    };
    for step in steps {
        let detail: Detail =
            serde_json::from_value(step.detail.clone()).map_err(|error| AgentError::Record {
                what: format!("step {}", step.id),
                why: error.to_string(),
            })?;
        match detail {
            Detail::Plan { plan } => recalled.plan = Some(plan),
            Detail::Turn {
                want,
                outcome,
                label,
                ..
            } => {
                recalled.turns.push(Turn {
                    step: step.number,
                    want,
                    outcome,
                    label,
                });
            }
            Detail::End { want } => recalled.end = Some(want),
            Detail::Action { .. } => {}
        }
    }
    Ok(recalled)
}

/// The values that calls may name, as far as the investigation came.
#[must_use]
pub(crate) fn recorded(case: &Case, plan: &Plan, turns: &[Turn]) -> Recorded {
    let mut recorded = values::at_start(case, plan);
    for turn in turns {
        if let Some(label) = &turn.label
            && let Some((name, value)) = values::labelled(&case.tools, turn, label)
        {
            recorded.insert(name, value);
        }
    }
    recorded
}

/// What kind of step a turn is.
#[must_use]
pub(crate) fn kind_of(want: &Want) -> StepKind {
    match want {
        Want::Search(_) => StepKind::Retrieve,
        Want::Call(_) | Want::Several { .. } => StepKind::Call,
        Want::Ask { .. } | Want::Conclude(_) => StepKind::Conclude,
    }
}

/// The transcript for the brain.
#[must_use]
pub(crate) fn transcript(
    case: Case,
    plan: Plan,
    turns: Vec<Turn>,
    evidence: Vec<Evidence>,
) -> Transcript {
    Transcript {
        case,
        plan,
        turns,
        evidence,
    }
}
