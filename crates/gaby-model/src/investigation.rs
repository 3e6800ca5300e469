//! Investigations: one run of the agent on one ticket, made of steps.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::id::{InvestigationId, StepId, TicketId};
use crate::time::Timestamp;

/// Where an investigation stands. Each transition is stored before its side effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvestigationState {
    /// What is asked, and how to find out.
    #[default]
    Planning,
    /// Reading the knowledge base.
    Retrieving,
    /// The gate looks at the next call.
    SafetyCheck,
    /// A call is being made.
    Acting,
    /// Its result is being recorded.
    Observing,
    /// What was found is being weighed.
    Verdict,
    /// The reply or the hand-over is being written back.
    WritingBack,
    /// Ended.
    Done,
}

impl InvestigationState {
    /// Every state in the order of a plain run.
    pub const ALL: [Self; 8] = [
        Self::Planning,
        Self::Retrieving,
        Self::SafetyCheck,
        Self::Acting,
        Self::Observing,
        Self::Verdict,
        Self::WritingBack,
        Self::Done,
    ];

    /// The word used in the store, the API and on screens.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Retrieving => "retrieving",
            Self::SafetyCheck => "safety_check",
            Self::Acting => "acting",
            Self::Observing => "observing",
            Self::Verdict => "verdict",
            Self::WritingBack => "writing_back",
            Self::Done => "done",
        }
    }
}

/// How an investigation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Answered, with citations.
    Resolved,
    /// A proposed action waits for a human.
    NeedsApproval,
    /// Handed to a human with the evidence.
    Escalated,
    /// Something broke; nothing was sent.
    Failed,
}

impl Verdict {
    /// The word used in the store, the API and on screens.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::NeedsApproval => "needs_approval",
            Self::Escalated => "escalated",
            Self::Failed => "failed",
        }
    }
}

/// How sure Gaby is that the reply is right, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Confidence(f64);

impl Confidence {
    /// From a number; clamped to 0..=1, and 0 for what is not a number.
    #[must_use]
    pub fn new(value: f64) -> Self {
        Self(if value.is_nan() {
            0.0
        } else {
            value.clamp(0.0, 1.0)
        })
    }

    /// The number, 0 to 1.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }
}

/// How thorough to be; trades time and cost for care.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// One look.
    Quick,
    /// The usual.
    #[default]
    Standard,
    /// Every stone turned.
    Deep,
}

/// What an investigation used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Searches of the knowledge base.
    pub searches: u32,
    /// Calls of tools.
    pub tool_calls: u32,
    /// Calls of a language model.
    pub model_calls: u32,
    /// Tokens sent to a model.
    pub input_tokens: u64,
    /// Tokens a model wrote.
    pub output_tokens: u64,
    /// Cost in millionths of a US dollar.
    pub micro_usd: u64,
    /// Wall time.
    pub millis: u64,
}

/// One run of the agent on one ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Investigation {
    /// Its id.
    pub id: InvestigationId,
    /// Its ticket.
    pub ticket: TicketId,
    /// Where it stands.
    pub state: InvestigationState,
    /// Which brain ran it: `builtin`, or a model's name.
    pub brain: String,
    /// The playbook that it followed, if one matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playbook: Option<String>,
    /// What kind of request it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// How sure it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// The reply to the requester, or the note to the human who takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// What the reply's sentences rest on.
    #[serde(default)]
    pub citations: Vec<crate::evidence::Citation>,
    /// Why it was handed over, for people; none unless escalated or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<String>,
    /// How thorough it was to be.
    #[serde(default)]
    pub depth: Depth,
    /// What it used.
    pub usage: Usage,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Decided what to do.
    Plan,
    /// Searched the knowledge base.
    Retrieve,
    /// Asked the gate and called a tool.
    Call,
    /// Looked at a result.
    Observe,
    /// Came to a conclusion.
    Conclude,
}

/// One line of an investigation's timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// Its id.
    pub id: StepId,
    /// Its investigation.
    pub investigation: InvestigationId,
    /// Its place, from 1.
    pub number: u32,
    /// What it did.
    pub kind: StepKind,
    /// What happened, in a sentence for people.
    pub summary: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The query, the call, the gate's decision, the result: whatever the step has to show.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub detail: Value,
    /// Numbers of the evidence it recorded.
    #[serde(default)]
    pub evidence: Vec<u32>,
    /// How long it took.
    pub millis: u64,
    /// When it ended.
    pub created_at: Timestamp,
}
