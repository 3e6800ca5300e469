//! What the gate must know beside the call: plain data, gathered by the agent.

use std::collections::BTreeSet;

use gaby_model::canonical::{self, CanonicalError};
use gaby_model::{EvidenceId, Timestamp, ToolDefinition};
use serde_json::Value;

use crate::patterns::Pattern;
use crate::policy::Policy;
use crate::rules::Rules;
use crate::situation::Situation;

/// Who asks, and whether somebody vouches for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Asker {
    /// Nobody vouches.
    #[default]
    Unverified,
    /// A source vouches for this person.
    VerifiedRequester {
        /// The address under which systems know the person.
        email: String,
    },
    /// An alert whose signature was checked.
    SignedAlert {
        /// The source.
        source: String,
    },
}

impl Asker {
    /// Whether somebody vouches.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        !matches!(self, Self::Unverified)
    }
}

/// What the gate's own read said about who owns the target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ownership {
    /// The tool declares no read that could show it.
    #[default]
    NotDeclared,
    /// The read was made and did not show it.
    NotProven {
        /// What it said, for people.
        why: String,
    },
    /// The read showed it, for exactly these arguments.
    Proven(OwnershipProof),
}

/// Evidence that the targets of one exact call belong to who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnershipProof {
    evidence: EvidenceId,
    arguments_hash: String,
}

impl OwnershipProof {
    /// From the evidence of the read, for the call with these arguments and no other.
    ///
    /// # Errors
    /// When the arguments have no canonical form.
    pub fn new(evidence: EvidenceId, arguments: &Value) -> Result<Self, CanonicalError> {
        Ok(Self {
            evidence,
            arguments_hash: canonical::hash(arguments)?,
        })
    }

    /// The evidence of the read.
    #[must_use]
    pub fn evidence(&self) -> &EvidenceId {
        &self.evidence
    }

    pub(crate) fn covers(&self, arguments_hash: &str) -> bool {
        self.arguments_hash == arguments_hash
    }
}

/// What the investigation may still use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLeft {
    /// Tool calls.
    pub tool_calls: u32,
    /// Wall time in milliseconds.
    pub millis: u64,
}

impl BudgetLeft {
    /// No limit that a call could meet; for calls that a person makes.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            tool_calls: u32::MAX,
            millis: u64::MAX,
        }
    }
}

/// Everything a decision rests on beside the call itself.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The tool's definition as its connector offers it now; none when nobody offers it.
    pub tool: Option<&'a ToolDefinition>,
    /// Why the tool's definition is suspended, if it is.
    pub suspended: Option<&'a str>,
    /// Why the connector may no longer be used, if its grant was taken back.
    pub revoked: Option<&'a str>,
    /// What the operator has settled.
    pub policy: &'a Policy,
    /// The operator's rules; without rules nothing is permitted.
    pub rules: Option<&'a Rules>,
    /// What surrounds the call.
    pub situation: Situation,
    /// Standing approvals of bounded patterns.
    pub patterns: &'a [Pattern],
    /// The present moment; without it no standing approval holds.
    pub now: Option<Timestamp>,
    /// Who asks.
    pub asker: Asker,
    /// Who owns the target.
    pub ownership: Ownership,
    /// What the investigation may still use.
    pub budget: BudgetLeft,
    /// How many records the call would change, where a preview told; the arguments are counted
    /// as well.
    pub records: Option<u64>,
    /// Who will see the arguments; empty when they stay within the workspace's own systems.
    pub audience: BTreeSet<String>,
}

impl<'a> Context<'a> {
    /// A context in which nothing is known but the policy, so that everything is denied.
    #[must_use]
    pub fn new(policy: &'a Policy) -> Self {
        Self {
            tool: None,
            suspended: None,
            revoked: None,
            policy,
            rules: None,
            situation: Situation::default(),
            patterns: &[],
            now: None,
            asker: Asker::Unverified,
            ownership: Ownership::NotDeclared,
            budget: BudgetLeft {
                tool_calls: 0,
                millis: 0,
            },
            records: None,
            audience: BTreeSet::new(),
        }
    }
}
