//! How far Gaby may go by herself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What Gaby may do with a connector, a source, a workspace or a playbook. The least wins.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Autonomy {
    /// Read only: no write is even proposed.
    #[default]
    Investigate,
    /// Writes are drafted, and a human applies them.
    Propose,
    /// Writes that the gate allows are applied, with undo.
    Act,
}

impl Autonomy {
    /// The word used in configuration and on screens.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Investigate => "investigate",
            Self::Propose => "propose",
            Self::Act => "act",
        }
    }
}

impl std::str::FromStr for Autonomy {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "investigate" => Ok(Self::Investigate),
            "propose" => Ok(Self::Propose),
            "act" => Ok(Self::Act),
            other => Err(format!(
                "`{other}` is not an autonomy: use investigate, propose or act"
            )),
        }
    }
}

impl std::fmt::Display for Autonomy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
