//! The states of a call, as types: what skips the gate does not compile.
//!
//! [`Proposed`] → [`Decided`] → [`ReadPermit`] or [`WritePermit`] → (writes: stored as
//! `Intended`, then marked as sent) → [`Key`]. Each is taken by value
//! and cannot be made or copied outside this crate, so a permit opens its connector once.

use std::collections::BTreeSet;

use gaby_model::{ArgumentOrigin, CallKey, PatternId, ToolCall, ToolDefinition};

use crate::context::Context;
use crate::decide::{Decision, ProposedCall, decide};
use crate::reason::Reason;
use crate::risk::Risk;
use crate::weigh;

/// A call that somebody wants to make, before the gate.
#[derive(Debug)]
pub struct Proposed(ProposedCall);

impl Proposed {
    /// Puts a call before the gate.
    #[must_use]
    pub fn new(call: ProposedCall) -> Self {
        Self(call)
    }

    /// Asks the gate.
    #[must_use]
    pub fn decide(self, context: &Context<'_>) -> Decided {
        let decision = decide(&self.0, context);
        let bound = |tool: &ToolDefinition| Bound::new(&self.0, tool, context);
        let call = ToolCall {
            tool: self.0.tool.clone(),
            arguments: self.0.arguments.value().clone(),
        };
        match (decision, context.tool) {
            (Decision::Deny { reason }, _) => Decided::Denied(reason),
            // `decide` denies what nobody offers; said again here so that the match is total.
            (_, None) => Decided::Denied(Reason::UnknownTool(call.tool)),
            (Decision::Allow { risk, .. }, Some(tool))
                if tool.access == gaby_model::Access::Read =>
            {
                Decided::Read(ReadPermit { call, risk })
            }
            (Decision::Allow { risk, under }, Some(tool)) => match bound(tool) {
                Ok(bound) => Decided::Write(WritePermit {
                    call,
                    risk,
                    bound,
                    under,
                }),
                Err(reason) => Decided::Denied(reason),
            },
            (Decision::DryRun { reasons, risk }, Some(_)) => Decided::DryRun(Rehearsed {
                call,
                risk,
                reasons,
            }),
            (Decision::NeedsApproval { reasons, risk }, Some(tool)) => match bound(tool) {
                Ok(bound) => Decided::NeedsApproval(Pending {
                    call,
                    risk,
                    reasons,
                    bound,
                }),
                Err(reason) => Decided::Denied(reason),
            },
        }
    }
}

/// What the gate made of a call.
#[derive(Debug)]
pub enum Decided {
    /// A read that may happen.
    Read(ReadPermit),
    /// A write that may happen without asking.
    Write(WritePermit),
    /// A write that is only shown as it would be.
    DryRun(Rehearsed),
    /// A write that a human must approve.
    NeedsApproval(Pending),
    /// It may not happen.
    Denied(Reason),
}

impl Decided {
    /// The decision as plain data, for the timeline and the audit log.
    #[must_use]
    pub fn decision(&self) -> Decision {
        match self {
            Self::Read(permit) => Decision::Allow {
                risk: permit.risk.clone(),
                under: None,
            },
            Self::Write(permit) => Decision::Allow {
                risk: permit.risk.clone(),
                under: permit.under.clone(),
            },
            Self::DryRun(rehearsed) => Decision::DryRun {
                reasons: rehearsed.reasons.clone(),
                risk: rehearsed.risk.clone(),
            },
            Self::NeedsApproval(pending) => Decision::NeedsApproval {
                reasons: pending.reasons.clone(),
                risk: pending.risk.clone(),
            },
            Self::Denied(reason) => Decision::Deny {
                reason: reason.clone(),
            },
        }
    }
}

/// What a decision was made on beside the call, as it goes into the decision's hash.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) definition_hash: String,
    pub(crate) policy_hash: String,
    pub(crate) audience: BTreeSet<String>,
    pub(crate) tool: ToolDefinition,
    pub(crate) arguments: Vec<ArgumentOrigin>,
    pub(crate) records: u64,
    pub(crate) environment: String,
}

impl Bound {
    fn new(
        call: &ProposedCall,
        tool: &ToolDefinition,
        context: &Context<'_>,
    ) -> Result<Self, Reason> {
        Ok(Self {
            definition_hash: tool.definition_hash.clone(),
            arguments: weigh::origins(call, tool),
            records: crate::decide::records(call, tool, context),
            environment: context.situation.environment.clone(),
            policy_hash: context
                .policy
                .hash()
                .map_err(|error| Reason::Policy(error.to_string()))?,
            audience: context.audience.clone(),
            tool: tool.clone(),
        })
    }
}

/// A read that the gate let through. Opens its connector once.
#[derive(Debug)]
pub struct ReadPermit {
    call: ToolCall,
    risk: Risk,
}

impl ReadPermit {
    /// The call that was let through.
    #[must_use]
    pub fn call(&self) -> &ToolCall {
        &self.call
    }

    /// Turns the permit into the key of its connector.
    #[must_use]
    pub fn key(self) -> Key {
        Key {
            call: self.call,
            idempotency_key: None,
        }
    }
}

/// A write that the gate let through without asking. Must be stored as intended before it opens
/// anything.
#[derive(Debug)]
pub struct WritePermit {
    pub(crate) call: ToolCall,
    pub(crate) risk: Risk,
    pub(crate) bound: Bound,
    pub(crate) under: Option<PatternId>,
}

impl WritePermit {
    /// The call that was let through.
    #[must_use]
    pub fn call(&self) -> &ToolCall {
        &self.call
    }

    /// Its risk.
    #[must_use]
    pub fn risk(&self) -> &Risk {
        &self.risk
    }
}

/// A write that is only shown as it would be. Nothing makes a key out of it.
#[derive(Debug)]
pub struct Rehearsed {
    pub(crate) call: ToolCall,
    pub(crate) risk: Risk,
    pub(crate) reasons: Vec<Reason>,
}

/// A write that waits for a human.
#[derive(Debug)]
pub struct Pending {
    pub(crate) call: ToolCall,
    pub(crate) risk: Risk,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) bound: Bound,
}

impl Pending {
    /// The call that is asked for.
    #[must_use]
    pub fn call(&self) -> &ToolCall {
        &self.call
    }

    /// Why a human is asked.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// Its risk.
    #[must_use]
    pub fn risk(&self) -> &Risk {
        &self.risk
    }
}

/// What opens a connector, for one call. Only the gate makes it.
#[derive(Debug)]
pub struct Key {
    call: ToolCall,
    idempotency_key: Option<String>,
}

impl Key {
    pub(crate) fn of_write(call: ToolCall, idempotency_key: String) -> Self {
        Self {
            call,
            idempotency_key: Some(idempotency_key),
        }
    }
}

impl CallKey for Key {
    fn call(&self) -> &ToolCall {
        &self.call
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }
}
