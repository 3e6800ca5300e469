//! A write that everything speaks for, to be spoiled in one way at a time.

use gaby_gate::{
    Asker, AutonomyLevels, BudgetLeft, Context, Decision, Labelled, Ownership, OwnershipProof,
    Policy, ProposedCall, Reason, decide,
};
use gaby_model::{Autonomy, EvidenceId, Integrity, Label, ToolDefinition};
use serde_json::json;

use crate::fixtures;

/// Everything that a decision is made from, owned.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) tool: Option<ToolDefinition>,
    pub(crate) suspended: Option<String>,
    pub(crate) policy: Policy,
    pub(crate) asker: Asker,
    pub(crate) ownership: Ownership,
    pub(crate) budget: BudgetLeft,
    pub(crate) records: Option<u64>,
    pub(crate) audience: Vec<String>,
    pub(crate) call: ProposedCall,
}

impl Scene {
    /// `crm__unlock` of the requester's own account, at `act`: allowed.
    pub(crate) fn allowed() -> Self {
        let tool = fixtures::unlock();
        let arguments = arguments(Integrity::System);
        let proof = OwnershipProof::new(EvidenceId::generate(), arguments.value()).unwrap();
        Self {
            call: ProposedCall {
                tool: tool.tool.clone(),
                arguments,
            },
            tool: Some(tool),
            suspended: None,
            policy: Policy {
                autonomy: AutonomyLevels::all(Autonomy::Act),
                ..Policy::default()
            },
            asker: Asker::VerifiedRequester {
                email: "ada@example.com".to_owned(),
            },
            ownership: Ownership::Proven(proof),
            budget: BudgetLeft::unlimited(),
            records: None,
            audience: Vec::new(),
        }
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            tool: self.tool.as_ref(),
            suspended: self.suspended.as_deref(),
            policy: &self.policy,
            asker: self.asker.clone(),
            ownership: self.ownership.clone(),
            budget: self.budget,
            records: self.records,
            audience: self.audience.iter().cloned().collect(),
        }
    }

    pub(crate) fn decide(&self) -> Decision {
        decide(&self.call, &self.context())
    }

    /// The codes of why a human is asked; empty when it is allowed.
    pub(crate) fn asks_because(&self) -> Vec<&'static str> {
        match self.decide() {
            Decision::Allow { .. } => Vec::new(),
            Decision::NeedsApproval { reasons, .. } => reasons.iter().map(Reason::code).collect(),
            Decision::Deny { reason } => panic!("denied: {reason}"),
        }
    }

    /// The code of why it is denied.
    pub(crate) fn denied_because(&self) -> &'static str {
        match self.decide() {
            Decision::Deny { reason } => reason.code(),
            other => panic!("not denied: {other:?}"),
        }
    }
}

/// `{account, notify, note}` with an account of this integrity.
pub(crate) fn arguments(account: Integrity) -> Labelled {
    Labelled::object([
        (
            "account".to_owned(),
            Labelled::whole(json!(7), Label::of(account)),
        ),
        ("notify".to_owned(), Labelled::outsider(json!("mail"))),
        ("note".to_owned(), Labelled::outsider(json!("as asked"))),
    ])
}
