//! Reads through the gate: the only way in which an investigation looks into another system.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gaby_gate::{
    Asker, AutonomyLevels, Context, Decided, Labelled, Ownership, Policy, Proposed, ProposedCall,
};
use gaby_model::{Autonomy, Requester, ToolCall, ToolDefinition, ToolRef, ToolResult};
use gaby_store::Workspace;
use serde_json::Value;

use crate::budget::Meter;
use crate::error::AgentError;
use crate::reach::{CallFailure, Toolbox};
use crate::settings::AgentSettings;
use crate::tools;

/// The longest that one read may take.
const LONGEST_READ: Duration = Duration::from_secs(30);

/// The tools at hand in one investigation, and what the operator has settled about them.
pub(crate) struct Hands {
    toolbox: Arc<dyn Toolbox>,
    pub(crate) tools: Vec<ToolDefinition>,
    connectors: BTreeMap<String, Autonomy>,
    settings: AgentSettings,
    source: String,
    pub(crate) requester: Option<Requester>,
    pub(crate) playbook: Option<Autonomy>,
}

/// What a read came to.
pub(crate) struct Read {
    /// What the gate said, for the timeline.
    pub(crate) decision: Value,
    /// The result, or why there is none.
    pub(crate) result: Result<ToolResult, NoResult>,
}

/// Why a read gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoResult {
    /// The gate said no.
    #[error("{0}")]
    Denied(String),
    /// It did not work.
    #[error("{0}")]
    Failed(String),
}

impl Hands {
    pub(crate) async fn open(
        workspace: &Workspace,
        toolbox: Arc<dyn Toolbox>,
        settings: AgentSettings,
        source: &str,
        requester: Option<Requester>,
    ) -> Result<Self, AgentError> {
        let connectors = workspace
            .connectors()
            .list()
            .await?
            .into_iter()
            .map(|connector| (connector.name, connector.autonomy))
            .collect();
        Ok(Self {
            tools: toolbox.catalog().await,
            toolbox,
            connectors,
            settings,
            source: source.to_owned(),
            requester,
            playbook: None,
        })
    }

    /// What the operator has settled about calls of this connector's tools.
    pub(crate) fn policy(&self, connector: &str) -> Policy {
        let source = self.settings.source(&self.source);
        Policy {
            autonomy: AutonomyLevels {
                connector: self.connectors.get(connector).copied().unwrap_or_default(),
                source: source.autonomy.unwrap_or(self.settings.autonomy),
                workspace: self.settings.autonomy,
                playbook: self.playbook,
            },
            risk_threshold: self.settings.risk_threshold,
            mass_limit: self.settings.mass_limit,
            denied: self.settings.denied.clone(),
        }
    }

    /// Who asks, as far as somebody vouches for it.
    pub(crate) fn asker(&self) -> Asker {
        match &self.requester {
            Some(Requester {
                email: Some(email),
                verified: true,
                ..
            }) => Asker::VerifiedRequester {
                email: email.trim().to_lowercase(),
            },
            _ => Asker::Unverified,
        }
    }

    pub(crate) fn tool(&self, tool: &ToolRef) -> Option<&ToolDefinition> {
        tools::named(&self.tools, tool)
    }

    /// Asks the gate about a call.
    pub(crate) fn decide(
        &self,
        tool: &ToolRef,
        arguments: Labelled,
        ownership: Ownership,
        meter: &Meter,
    ) -> Decided {
        let policy = self.policy(&tool.connector);
        let mut context = Context::new(&policy);
        context.tool = self.tool(tool);
        context.asker = self.asker();
        context.ownership = ownership;
        context.budget = meter.left();
        Proposed::new(ProposedCall {
            tool: tool.clone(),
            arguments,
        })
        .decide(&context)
    }

    /// Makes a read, if the gate lets it through and the budget lasts. Whatever is not a read is
    /// not made here.
    pub(crate) async fn read(
        &self,
        tool: &ToolRef,
        arguments: Labelled,
        meter: &mut Meter,
    ) -> Read {
        let decided = self.decide(tool, arguments, Ownership::NotDeclared, meter);
        let decision = serde_json::to_value(decided.decision()).unwrap_or(Value::Null);
        let result = match decided {
            Decided::Read(permit) => match meter.take_call() {
                Ok(()) => self.call(permit.key(), meter).await,
                Err(spent) => Err(NoResult::Denied(spent.to_string())),
            },
            Decided::Denied(reason) => Err(NoResult::Denied(reason.to_string())),
            Decided::Write(_) | Decided::NeedsApproval(_) => Err(NoResult::Denied(format!(
                "`{tool}` may change something, and only reads are made while looking"
            ))),
        };
        Read { decision, result }
    }

    async fn call(&self, key: gaby_gate::Key, meter: &Meter) -> Result<ToolResult, NoResult> {
        let limit = meter.time_left().min(LONGEST_READ);
        let answered = tokio::time::timeout(limit, self.toolbox.call(key)).await;
        match answered {
            Err(_) => Err(NoResult::Failed(format!(
                "it gave no answer within {} s",
                limit.as_secs()
            ))),
            Ok(Err(CallFailure::NotMade(why) | CallFailure::Unclear(why))) => {
                Err(NoResult::Failed(why))
            }
            Ok(Ok(result)) if result.is_error => Err(NoResult::Failed(
                super::investigate::values::shown(&result.value),
            )),
            Ok(Ok(result)) => Ok(result),
        }
    }

    /// Hands over a write whose intent is stored. The gate's key is the proof of that.
    pub(crate) async fn write(&self, key: gaby_gate::Key) -> gaby_gate::execute::Outcome {
        use gaby_gate::execute::Outcome;
        match self.toolbox.call(key).await {
            Ok(result) if result.is_error => {
                Outcome::Failed(super::investigate::values::shown(&result.value))
            }
            Ok(result) => Outcome::Done(result.value),
            Err(CallFailure::NotMade(why)) => Outcome::Failed(why),
            Err(CallFailure::Unclear(why)) => Outcome::Unknown(why),
        }
    }

    /// A read that a write's definition declares, made with the gate's own authority: its arguments
    /// come from the call that is being weighed.
    pub(crate) async fn follow(
        &self,
        call: &ToolCall,
        label: gaby_model::Label,
        meter: &mut Meter,
    ) -> Result<Value, NoResult> {
        let arguments = Labelled::whole(call.arguments.clone(), label);
        self.read(&call.tool, arguments, meter)
            .await
            .result
            .map(|result| result.value)
    }
}
