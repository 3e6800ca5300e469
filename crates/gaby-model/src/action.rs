//! Actions: writes that Gaby wants, and what became of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::id::{ActionId, EvidenceId, InvestigationId, TicketId, UserId};
use crate::label::Integrity;
use crate::time::Timestamp;
use crate::tool::{ArgumentRole, ToolCall};

/// Where an action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    /// Waits for a human.
    Proposed,
    /// A human said yes, or the gate let it through; not yet begun.
    Approved,
    /// Recorded as about to be sent.
    Intended,
    /// Handed to the connector; the outcome is not yet known.
    Sent,
    /// It happened.
    Done,
    /// It did not happen, and the connector said so.
    Failed,
    /// It may or may not have happened; a human must look.
    Unknown,
    /// A human said no.
    Rejected,
    /// Nobody decided in time.
    Expired,
    /// What it was decided on changed; it must be asked anew.
    Void,
    /// It happened and was taken back.
    Undone,
}

impl ActionState {
    /// The word used in the store, the API and on screens.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Intended => "intended",
            Self::Sent => "sent",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Void => "void",
            Self::Undone => "undone",
        }
    }
}

/// One contribution to a call's risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RiskPart {
    /// What it is, for people.
    pub name: String,
    /// How much it adds.
    pub points: u8,
}

/// One field that a write would change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// JSON pointer to it.
    pub field: String,
    /// Its value before; null where it has none.
    pub before: Value,
    /// Its value after; null where it has none.
    pub after: Value,
}

/// What an argument is for, and how far its value can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArgumentOrigin {
    /// The argument's name.
    pub argument: String,
    /// What it is for; none where nothing declares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<ArgumentRole>,
    /// How far its value can be trusted.
    pub integrity: Integrity,
    /// The evidence that its value was made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<EvidenceId>,
}

/// What the gate saw when it weighed a write, for the person who decides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Weighing {
    /// What adds up to its risk, before it is capped at 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub risk_parts: Vec<RiskPart>,
    /// What it would change, as far as the tool's preview and definition tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What each argument is for and where its value comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<ArgumentOrigin>,
    /// How many records it changes, as far as anybody looked.
    #[serde(default)]
    pub records: u64,
    /// The environment that its connector stands for; empty when not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub environment: String,
}

/// A write that Gaby wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Action {
    /// Its id; also the idempotency key where the vendor takes one.
    pub id: ActionId,
    /// The investigation that wants it.
    pub investigation: InvestigationId,
    /// The ticket it is for.
    pub ticket: TicketId,
    /// The exact call.
    pub call: ToolCall,
    /// What it does, for the person who decides.
    pub summary: String,
    /// Why Gaby wants it.
    pub reason: String,
    /// Why a human is asked; empty when none is.
    #[serde(default)]
    pub needs_human_because: Vec<String>,
    /// Risk of this call, 0 to 100.
    pub risk: u8,
    /// What the preview read showed before, if the tool has one.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub state_before: Value,
    /// SHA-256 over everything that was decided on (`ARCHITECTURE.md`, *Approvals*).
    pub decision_hash: String,
    /// Where it stands.
    pub state: ActionState,
    /// After this moment an undecided action is void.
    pub expires_at: Timestamp,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// Who decided; none while undecided, and none when the gate let it through by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<UserId>,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// What the human wrote when rejecting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<String>,
    /// What the connector answered, or why it failed.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub outcome: Value,
    /// Whether a tool that takes it back is declared.
    #[serde(default)]
    pub undoable: bool,
    /// What the gate saw when it weighed it.
    #[serde(default)]
    pub weighing: Weighing,
    /// The action whose place it takes with other arguments, which a person wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ActionId>,
    /// The action that it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<ActionId>,
    /// The action that takes it back, or last tried to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<ActionId>,
}
