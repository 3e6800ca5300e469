//! What can go wrong between the host and a connector.

use std::time::Duration;

use crate::manifest::ManifestErrors;

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No such connector or tool.
    #[error("there is no tool `{0}`: see `gaby connectors`")]
    Unknown(String),
    /// The tool may not be called as asked; nothing was sent.
    #[error("{tool} refused the call: {reason}")]
    Refused {
        /// The tool.
        tool: String,
        /// Why.
        reason: String,
    },
    /// The tool's definition is not the approved one; nothing was sent.
    #[error("{tool} is suspended: {reason}. Look at it and accept it, or leave it")]
    Suspended {
        /// The tool.
        tool: String,
        /// Why.
        reason: String,
    },
    /// The connector cannot be reached; nothing was sent.
    #[error("connector `{connector}` is down: {reason}")]
    Unavailable {
        /// The connector.
        connector: String,
        /// Why.
        reason: String,
    },
    /// No answer in time; a write may or may not have happened.
    #[error("{tool} gave no answer within {} seconds", after.as_secs())]
    Timeout {
        /// The tool.
        tool: String,
        /// How long was waited.
        after: Duration,
    },
    /// The connection broke during the call; a write may or may not have happened.
    #[error("{tool} broke off during the call: {reason}")]
    Lost {
        /// The tool.
        tool: String,
        /// Why.
        reason: String,
    },
}

impl CallError {
    /// Whether a write may have happened all the same.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Lost { .. })
    }
}

/// Why a connector could not be set up or changed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No manifest of this name.
    #[error("there is no connector `{name}`: known are {}", known.join(", "))]
    UnknownManifest {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Nothing of this name is connected.
    #[error("`{0}` is not connected: `gaby connectors` lists what is")]
    NotConnected(String),
    /// Something of this name is connected already.
    #[error("`{0}` is already connected: remove it first, or give the new one another name")]
    Exists(String),
    /// The name cannot be used.
    #[error(
        "`{0}` is not a connector's name: use lower case letters, digits and single underscores, at most 32"
    )]
    Name(String),
    /// A setting is missing or wrong.
    #[error("{0}")]
    Settings(String),
    /// The system does not answer, or refuses.
    #[error("`{name}` cannot be reached: {reason}")]
    Unreachable {
        /// The connector.
        name: String,
        /// Why.
        reason: String,
    },
    /// The connector has no such tool.
    #[error("`{connector}` has no tool `{tool}`: it has {}", known.join(", "))]
    UnknownTool {
        /// The connector.
        connector: String,
        /// What was asked for.
        tool: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestErrors),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] gaby_store::StoreError),
}
