//! The gate: may this call happen?
//!
//! [`decide()`] is pure and total. Around it, types make the way through the gate the only way:
//! a proposed call becomes a permit, a permit becomes a stored intent, and only an intent (or a
//! permit to read) becomes the [`Key`](call::Key) that opens a connector.

pub mod always;
pub mod approvals;
pub mod call;
pub mod consent;
pub mod context;
pub mod decide;
pub mod decision_hash;
pub mod display;
pub mod dry_run;
pub mod egress;
pub mod error;
pub mod execute;
mod ledger;
pub mod links;
pub mod patterns;
pub mod policy;
pub mod provenance;
pub mod reason;
pub mod recover;
pub mod redact;
pub mod reference;
pub mod risk;
pub mod rules;
pub mod scope;
pub mod situation;
mod undo;
mod weigh;

#[cfg(test)]
mod fixtures;

pub use approvals::{Approver, Present, approve, expire_due, reject, replace, withdraw};
pub use call::{Decided, Key, Pending, Proposed, ReadPermit, Rehearsed, WritePermit};
pub use consent::Standing;
pub use context::{Asker, BudgetLeft, Context, Ownership, OwnershipProof};
pub use decide::{Decision, ProposedCall, decide, decide_answer};
pub use decision_hash::DecisionHash;
pub use error::GateError;
pub use execute::{About, InFlight, Intended, Outcome, Resumed, resume};
pub use patterns::Pattern;
pub use policy::{AutonomyLevels, Denial, Policy};
pub use provenance::{Labelled, label_result};
pub use reason::Reason;
pub use recover::{Resume, Verified, recover};
pub use reference::{Recorded, ReferenceError, resolve};
pub use risk::{Risk, RiskPart};
pub use rules::{PolicyFile, Rules};
pub use scope::{Condition, Grant, Scope};
pub use situation::{Moment, Situation};
pub use weigh::is_bounded;
