//! What the operator has settled: how far Gaby may go, and what she may never do.

use gaby_model::Autonomy;
use gaby_model::canonical::{self, CanonicalError};
use serde::{Deserialize, Serialize};

use crate::scope::Scope;

/// The autonomy that each part of the configuration grants. The least wins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutonomyLevels {
    /// Of the connector that would be called.
    pub connector: Autonomy,
    /// Of the source that the ticket came from.
    pub source: Autonomy,
    /// Of the workspace.
    pub workspace: Autonomy,
    /// Of the playbook that is followed, if one is.
    pub playbook: Option<Autonomy>,
}

impl AutonomyLevels {
    /// The same level everywhere.
    #[must_use]
    pub fn all(level: Autonomy) -> Self {
        Self {
            connector: level,
            source: level,
            workspace: level,
            playbook: None,
        }
    }

    /// The least of all, and the part of the configuration that holds it down.
    #[must_use]
    pub fn least(&self) -> (Autonomy, &'static str) {
        let mut least = (self.connector, "connector");
        let others = [
            (self.source, "source"),
            (self.workspace, "workspace"),
            (self.playbook.unwrap_or(Autonomy::Act), "playbook"),
        ];
        for (level, holder) in others {
            if level < least.0 {
                least = (level, holder);
            }
        }
        least
    }
}

/// A call that the operator has forbidden, whatever else holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denial {
    /// The connector's name.
    pub connector: String,
    /// The tool's name; all of the connector's when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Why, for people.
    pub reason: String,
}

/// Everything settled by the operator that a decision rests on. Its hash is part of what an
/// approval is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// How far Gaby may go.
    pub autonomy: AutonomyLevels,
    /// A write with this risk or more needs a human.
    pub risk_threshold: u8,
    /// A write on more records than this needs a human.
    pub mass_limit: u32,
    /// What is forbidden.
    #[serde(default)]
    pub denied: Vec<Denial>,
    /// What the connector may be used for.
    #[serde(default)]
    pub scope: Scope,
    /// The hash of the [`Rules`](crate::rules::Rules) that hold.
    #[serde(default)]
    pub rules: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            autonomy: AutonomyLevels::default(),
            risk_threshold: 40,
            mass_limit: 1,
            denied: Vec::new(),
            scope: Scope::default(),
            rules: String::new(),
        }
    }
}

impl Policy {
    /// SHA-256 over the canonical policy, in hex.
    ///
    /// # Errors
    /// When a limit is too large to be written exactly.
    pub fn hash(&self) -> Result<String, CanonicalError> {
        canonical::hash(self)
    }
}
