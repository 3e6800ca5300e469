//! Tools: what a connector can be asked to do.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::label::Integrity;

/// Whether a tool only looks, or changes something.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Changes nothing.
    Read,
    /// Changes something, or may.
    Write,
}

/// What a write's argument is for; an argument without a role makes the call need a human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArgumentRole {
    /// Names the thing that is changed; must be shown to belong to the requester.
    Target,
    /// One of a closed list, or a bounded number.
    Parameter,
    /// Free text.
    Content,
}

/// Whether what a tool does can be taken back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reversibility {
    /// Another tool takes it back.
    Reversible,
    /// Nothing takes it back.
    #[default]
    Irreversible,
}

/// Kinds of change that need a human, whatever the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlwaysHuman {
    /// Money moves.
    Money,
    /// Something is deleted for good.
    Deletion,
    /// Somebody may do more than before, or gets a credential.
    Privilege,
    /// Multi-factor authentication changes.
    Mfa,
    /// The address that proves who somebody is changes.
    EmailAddress,
    /// Many records at once.
    Mass,
}

/// One callable of one connector.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct ToolRef {
    /// The connector's name.
    pub connector: String,
    /// The tool's name within it.
    pub tool: String,
}

impl fmt::Display for ToolRef {
    /// `connector__tool`, the name under which hosts and models know it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}__{}", self.connector, self.tool)
    }
}

/// What is known about a tool. For third parties, what they claim of themselves never lowers
/// `access`: only the operator does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ToolDefinition {
    /// Which tool.
    pub tool: ToolRef,
    /// What it does, in a sentence.
    pub description: String,
    /// The generic job it does (`customer.find`, `account.unlock`), for playbooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether it changes something.
    pub access: Access,
    /// Risk of one call by itself, 0 to 100.
    pub risk: u8,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
    /// What each argument of a write is for.
    #[serde(default)]
    pub arguments: BTreeMap<String, ArgumentRole>,
    /// Trust of each field of the result, by JSON pointer with `*` for any index; what is not
    /// listed was written by an outsider.
    #[serde(default)]
    pub output_integrity: BTreeMap<String, Integrity>,
    /// Whether it can be taken back.
    #[serde(default)]
    pub reversibility: Reversibility,
    /// Whether calling it twice with the same arguments is the same as once.
    #[serde(default)]
    pub idempotent: bool,
    /// Why it always needs a human, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub always_human: Option<AlwaysHuman>,
    /// Whether what it is called with leaves the operator's own systems: a search of the web, a fetch of
    /// any address, a post to one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open_world: bool,
    /// The tool of the same connector that takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<FollowUp>,
    /// The read of the same connector that tells whether it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<FollowUp>,
    /// The read of the same connector that shows what would change, and later whether it moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<FollowUp>,
    /// The read of the same connector that shows that a target belongs to the requester.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_check: Option<FollowUp>,
    /// SHA-256 over the canonical definition that was approved; a different one is suspended.
    pub definition_hash: String,
}

/// A call of a sibling tool, with arguments made from those of the first call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// The sibling's name.
    pub tool: String,
    /// Its arguments: templates over `args` (the first call's), `result`, `before` and `requester`.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    /// A condition over `result`, `args` and `requester` that must hold; empty: any non-empty
    /// result will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
}

/// A call that somebody wants to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ToolCall {
    /// Which tool.
    pub tool: ToolRef,
    /// With what: a JSON object.
    pub arguments: Value,
}

/// What a call gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ToolResult {
    /// The result as data; a text for tools that only give text.
    pub value: Value,
    /// Whether rows or bytes were cut off at a limit.
    #[serde(default)]
    pub truncated: bool,
    /// Whether the tool itself says that it failed.
    #[serde(default)]
    pub is_error: bool,
    /// How long it took.
    pub millis: u64,
}

/// What opens a connector: proof that the gate let this very call through.
///
/// The MCP host is generic over its key, and the agent builds it with the gate's, which only the
/// gate can make. So `gaby-connect` need not know the gate, and code that skips the gate has
/// nothing to call with. Only `gaby-gate` implements this trait outside tests.
pub trait CallKey: Send + Sync + 'static {
    /// The call that was let through.
    fn call(&self) -> &ToolCall;

    /// The key under which the vendor must see this call at most once; none for reads.
    fn idempotency_key(&self) -> Option<&str>;
}
