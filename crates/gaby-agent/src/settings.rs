//! What the operator has settled for the agent of a workspace.

use std::collections::{BTreeMap, BTreeSet};

use gaby_gate::Denial;
use gaby_model::Autonomy;
use serde::{Deserialize, Serialize};

use crate::budget::Budget;

/// From this confidence on, an answer is given without a human.
pub const DEFAULT_THRESHOLD: f64 = 0.5;

/// How the agent of a workspace goes about its work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentSettings {
    /// How far Gaby may go in this workspace; connectors and sources hold it down further.
    pub autonomy: Autonomy,
    /// What is known about each source of tickets.
    pub sources: BTreeMap<String, SourceSettings>,
    /// From this confidence on, an answer is given without a human, 0 to 1.
    pub threshold: f64,
    /// What one investigation may use.
    pub budget: Budget,
    /// A write with this risk or more needs a human.
    pub risk_threshold: u8,
    /// A write on more records than this needs a human.
    pub mass_limit: u32,
    /// What is forbidden.
    pub denied: Vec<Denial>,
    /// How long a proposed action waits for a decision, in minutes.
    pub approval_minutes: u32,
    /// How far the workspace's clock is ahead of UTC, in minutes.
    pub utc_offset_minutes: i32,
    /// Hosts that a reply may always link to, with their subdomains.
    pub link_hosts: BTreeSet<String>,
}

/// What is known about a source of tickets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSettings {
    /// Whether it may vouch that the requester is who they say.
    pub vouches: bool,
    /// Whether a reply reaches nobody but the requester's own address (or the operator), so that
    /// what belongs to that address may be said even if nobody vouches for who wrote.
    pub reply_reaches_address: bool,
    /// How far Gaby may go with its tickets.
    pub autonomy: Option<Autonomy>,
}

impl Default for AgentSettings {
    fn default() -> Self {
        Self {
            autonomy: Autonomy::Act,
            sources: BTreeMap::new(),
            threshold: DEFAULT_THRESHOLD,
            budget: Budget::default(),
            risk_threshold: 40,
            mass_limit: 1,
            denied: Vec::new(),
            approval_minutes: 240,
            utc_offset_minutes: 0,
            link_hosts: BTreeSet::new(),
        }
    }
}

impl AgentSettings {
    /// What is known about a source. The command line is the operator's own hand: it may vouch,
    /// and its replies reach the operator.
    #[must_use]
    pub fn source(&self, name: &str) -> SourceSettings {
        self.sources.get(name).copied().unwrap_or(SourceSettings {
            vouches: name == "cli",
            reply_reaches_address: name == "cli",
            autonomy: None,
        })
    }
}
