//! A write that everything speaks for, to be spoiled in one way at a time.

use std::sync::{Arc, LazyLock};

use gaby_gate::rules::files;
use gaby_gate::{
    Asker, AutonomyLevels, BudgetLeft, Context, Decision, Labelled, Ownership, OwnershipProof,
    Pattern, Policy, PolicyFile, ProposedCall, Reason, Rules, Situation, decide,
};
use gaby_model::{Access, Autonomy, EvidenceId, Integrity, Label, Timestamp, ToolDefinition};
use serde_json::json;

use crate::fixtures;

/// The built-in rules, checked against the tools that scenes use.
static BUILT_IN: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(compiled("").unwrap()));

/// The built-in rules and these, checked against the tools that scenes use.
pub(crate) fn compiled(text: &str) -> Result<Rules, gaby_gate::rules::RulesError> {
    let own = PolicyFile {
        name: "own".to_owned(),
        text: text.to_owned(),
        origin: gaby_gate::rules::Origin::Operator,
    };
    let find = fixtures::tool("crm", "find", Access::Read);
    Rules::compile(
        &files::layered([files::built_in(), vec![own]]),
        &[fixtures::unlock(), find],
    )
}

/// Everything that a decision is made from, owned.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) tool: Option<ToolDefinition>,
    pub(crate) suspended: Option<String>,
    pub(crate) revoked: Option<String>,
    pub(crate) policy: Policy,
    pub(crate) rules: Option<Arc<Rules>>,
    pub(crate) situation: Situation,
    pub(crate) patterns: Vec<Pattern>,
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
            revoked: None,
            policy: Policy {
                autonomy: AutonomyLevels::all(Autonomy::Act),
                rules: BUILT_IN.hash().to_owned(),
                ..Policy::default()
            },
            rules: Some(Arc::clone(&BUILT_IN)),
            situation: Situation {
                workspace: "acme".to_owned(),
                done_before: Some(9),
                ..Situation::default()
            },
            patterns: Vec::new(),
            asker: Asker::VerifiedRequester {
                email: "ada@example.com".to_owned(),
            },
            ownership: Ownership::Proven(proof),
            budget: BudgetLeft::unlimited(),
            records: None,
            audience: Vec::new(),
        }
    }

    /// The same under the built-in rules and these.
    pub(crate) fn under(mut self, text: &str) -> Self {
        let rules = Arc::new(compiled(text).unwrap());
        self.policy.rules = rules.hash().to_owned();
        self.rules = Some(rules);
        self
    }

    /// The same with the rules checked against its tool as it is now.
    pub(crate) fn recompiled(mut self) -> Self {
        let tools: Vec<ToolDefinition> = self.tool.iter().cloned().collect();
        let rules = Rules::compile(&files::built_in(), &tools).unwrap();
        self.policy.rules = rules.hash().to_owned();
        self.rules = Some(Arc::new(rules));
        self
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            tool: self.tool.as_ref(),
            suspended: self.suspended.as_deref(),
            revoked: self.revoked.as_deref(),
            policy: &self.policy,
            rules: self.rules.as_deref(),
            situation: self.situation.clone(),
            patterns: &self.patterns,
            now: Some(Timestamp::from_millis(0)),
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
            Decision::DryRun { .. } => panic!("only a dry run"),
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
