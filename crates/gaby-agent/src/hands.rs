//! Reads through the gate: the only way in which an investigation looks into another system.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gaby_gate::{
    Asker, AutonomyLevels, Context, Decided, Labelled, Moment, Ownership, Pattern, Policy,
    Proposed, ProposedCall, Reason, Rules, Situation, Standing, consent, egress, patterns,
};
use gaby_model::{
    Access, Autonomy, CallKey as _, Clock, Requester, ToolCall, ToolDefinition, ToolRef, ToolResult,
};
use gaby_store::Workspace;
use serde_json::Value;
use tracing::Instrument as _;

use crate::agent::Agent;
use crate::budget::Meter;
use crate::error::AgentError;
use crate::investigate::values;
use crate::reach::{CallFailure, Toolbox};
use crate::settings::AgentSettings;
use crate::tools;
use crate::trace;

/// The longest that one read may take.
const LONGEST_READ: Duration = Duration::from_secs(30);

/// The tools at hand in one investigation, and what the operator has settled about them.
pub(crate) struct Hands {
    agent: Agent,
    workspace: Workspace,
    toolbox: Arc<dyn Toolbox>,
    pub(crate) tools: Vec<ToolDefinition>,
    /// The connectors that were there when this began.
    connectors: BTreeSet<String>,
    settings: AgentSettings,
    source: String,
    clock: Arc<dyn Clock>,
    pub(crate) requester: Option<Requester>,
    pub(crate) playbook: Option<Autonomy>,
    /// Whether what is told to a connector is held to who may be told it. Without it, the playbook
    /// that is followed says what goes where.
    pub(crate) flows_are_checked: bool,
    pub(crate) about: CaseFacts,
    /// Hosts that a reply may always link to.
    pub(crate) link_hosts: BTreeSet<String>,
}

/// What is known about the case, for the operator's rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct CaseFacts {
    pub(crate) category: String,
    pub(crate) playbook: String,
    /// What the gate's own look-up says about the requester, once it was made.
    pub(crate) facts: Option<BTreeSet<String>>,
}

/// What the operator has settled about a connector now.
pub(crate) struct Settled {
    pub(crate) policy: Policy,
    /// The rules; none when they do not hold together, and then nothing is permitted.
    pub(crate) rules: Option<Arc<Rules>>,
    pub(crate) standing: Standing,
    pub(crate) patterns: Vec<Pattern>,
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
        agent: &Agent,
        source: &str,
        requester: Option<Requester>,
    ) -> Result<Self, AgentError> {
        let workspace = agent.workspace().clone();
        let connectors = workspace.connectors().list().await?;
        let tools = agent.toolbox().catalog().await;
        let settings = agent.settings();
        Ok(Self {
            agent: agent.clone(),
            workspace,
            toolbox: Arc::clone(agent.toolbox()),
            tools,
            connectors: connectors.into_iter().map(|one| one.name).collect(),
            link_hosts: settings.link_hosts.clone(),
            settings,
            source: source.to_owned(),
            clock: agent.clock(),
            requester,
            playbook: None,
            flows_are_checked: agent.brain().name() != crate::brain::builtin::NAME,
            about: CaseFacts::default(),
        })
    }

    /// What the operator has settled about calls of this connector's tools, as it is now: what was
    /// taken back a moment ago holds no longer.
    pub(crate) async fn settled(&self, connector: &str) -> Result<Settled, AgentError> {
        let source = self.settings.source(&self.source);
        let rules = self.rules().await?;
        let record = self.workspace.connectors().get(connector).await?;
        let mut standing = consent::standing(&self.workspace, connector).await?;
        if record.is_none() && self.connectors.contains(connector) {
            standing.revoked = Some("it was removed".to_owned());
        }
        let policy = Policy {
            autonomy: AutonomyLevels {
                connector: record.map(|record| record.autonomy).unwrap_or_default(),
                source: source.autonomy.unwrap_or(self.settings.autonomy),
                workspace: self.settings.autonomy,
                playbook: self.playbook,
            },
            risk_threshold: self.settings.risk_threshold,
            mass_limit: self.settings.mass_limit,
            denied: self.settings.denied.clone(),
            scope: standing.scope.clone(),
            rules: rules
                .as_ref()
                .map(|rules| rules.hash().to_owned())
                .unwrap_or_default(),
        };
        Ok(Settled {
            policy,
            rules,
            standing,
            patterns: patterns::standing(&self.workspace, self.clock.now()).await?,
        })
    }

    /// The rules as they are now: one that was stored a moment ago holds already.
    async fn rules(&self) -> Result<Option<Arc<Rules>>, AgentError> {
        self.agent.rules(&self.tools).await
    }

    fn situation(&self, environment: &str, done_before: Option<u32>) -> Situation {
        Situation {
            workspace: self.workspace.slug().to_owned(),
            source: self.source.clone(),
            category: self.about.category.clone(),
            playbook: self.about.playbook.clone(),
            environment: environment.to_owned(),
            facts: self.about.facts.clone().unwrap_or_default(),
            moment: Some(Moment::at(
                self.clock.now(),
                self.settings.utc_offset_minutes,
            )),
            done_before,
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

    /// Asks the gate about a call. `records` is how many records a preview showed.
    pub(crate) async fn decide(
        &self,
        tool: &ToolRef,
        arguments: Labelled,
        ownership: Ownership,
        records: Option<u64>,
        meter: &Meter,
    ) -> Result<Decided, AgentError> {
        let settled = self.settled(&tool.connector).await?;
        self.decide_as(&settled, tool, arguments, ownership, records, meter)
            .await
    }

    /// Asks the gate about a call, as things are settled.
    async fn decide_as(
        &self,
        settled: &Settled,
        tool: &ToolRef,
        arguments: Labelled,
        ownership: Ownership,
        records: Option<u64>,
        meter: &Meter,
    ) -> Result<Decided, AgentError> {
        let span = trace::gate(tool);
        let deciding = self.weighed(settled, tool, arguments, ownership, records, meter);
        let decided = deciding.instrument(span.clone()).await?;
        trace::decided(&span, &decided.decision());
        Ok(decided)
    }

    async fn weighed(
        &self,
        settled: &Settled,
        tool: &ToolRef,
        arguments: Labelled,
        ownership: Ownership,
        records: Option<u64>,
        meter: &Meter,
    ) -> Result<Decided, AgentError> {
        let definition = self.tool(tool);
        let done_before = match definition {
            Some(definition) if definition.access == Access::Write => {
                Some(self.workspace.actions().done_with(tool).await?)
            }
            _ => None,
        };
        let mut context = Context::new(&settled.policy);
        context.tool = definition;
        context.revoked = settled.standing.revoked.as_deref();
        context.rules = settled.rules.as_deref();
        context.situation = self.situation(&settled.standing.environment, done_before);
        context.patterns = &settled.patterns;
        context.now = Some(self.clock.now());
        context.asker = self.asker();
        context.ownership = ownership;
        context.records = records;
        context.budget = meter.left();
        context.audience = self.audience(tool);
        Ok(Proposed::new(ProposedCall {
            tool: tool.clone(),
            arguments,
        })
        .decide(&context))
    }

    /// Who sees the arguments of a call.
    pub(crate) fn audience(&self, tool: &ToolRef) -> BTreeSet<String> {
        match self.flows_are_checked {
            true => [egress::audience_of(tool, self.tool(tool))].into(),
            false => BTreeSet::new(),
        }
    }

    /// Whether the operator's rules let a reply go out without a human.
    pub(crate) async fn may_answer(&self) -> Result<Result<(), Reason>, AgentError> {
        let rules = self.rules().await?;
        let policy = Policy {
            autonomy: AutonomyLevels::all(self.settings.autonomy),
            ..Policy::default()
        };
        let mut context = Context::new(&policy);
        context.rules = rules.as_deref();
        context.situation = self.situation("", None);
        context.asker = self.asker();
        Ok(gaby_gate::decide_answer(&context))
    }

    /// Looks up what connected systems say about the verified requester, where a rule asks for it:
    /// by the gate's own read, so that nobody decides by not looking.
    pub(crate) async fn learn_facts(&mut self, meter: &mut Meter) -> Result<(), AgentError> {
        let rules = self.rules().await?;
        let asked_for = rules
            .as_ref()
            .is_some_and(|rules| rules.iter().any(|rule| rule.text.contains("context.facts")));
        if !asked_for || self.about.facts.is_some() {
            return Ok(());
        }
        let facts = match (self.asker(), tools::with_role(&self.tools, "customer.find")) {
            (Asker::VerifiedRequester { email }, Some(find)) => {
                match values::by_address(find, &email) {
                    None => unknown(),
                    Some(arguments) => {
                        let (tool, find) = (find.tool.clone(), find.clone());
                        let read = self.read(&tool, arguments, meter).await?;
                        read.map_or_else(
                            |_| unknown(),
                            |result| values::facts(&find, &result.value),
                        )
                    }
                }
            }
            _ => unknown(),
        };
        self.about.facts = Some(facts);
        Ok(())
    }

    /// Makes a read, if the gate lets it through and the budget lasts. Whatever is not a read is
    /// not made here.
    pub(crate) async fn read(
        &self,
        tool: &ToolRef,
        arguments: Labelled,
        meter: &mut Meter,
    ) -> Result<Result<ToolResult, NoResult>, AgentError> {
        let settled = self.settled(&tool.connector).await?;
        let (_, permit) = self.permit(tool, arguments, &settled, meter).await?;
        Ok(match permit {
            Ok(key) => self.call(key, meter.time_left()).await,
            Err(no) => Err(no),
        })
    }

    /// Asks the gate about a read and takes it out of the budget: what the gate said, for the
    /// timeline, and the key to make it with.
    pub(crate) async fn permit(
        &self,
        tool: &ToolRef,
        arguments: Labelled,
        settled: &Settled,
        meter: &mut Meter,
    ) -> Result<(Value, Result<gaby_gate::Key, NoResult>), AgentError> {
        let ownership = Ownership::NotDeclared;
        let decided = self
            .decide_as(settled, tool, arguments, ownership, None, meter)
            .await?;
        let decision = serde_json::to_value(decided.decision()).unwrap_or(Value::Null);
        let permit = match decided {
            Decided::Read(permit) => match meter.take_call() {
                Ok(()) => Ok(permit.key()),
                Err(spent) => Err(NoResult::Denied(spent.to_string())),
            },
            Decided::Denied(reason) => Err(NoResult::Denied(reason.to_string())),
            Decided::Write(_) | Decided::NeedsApproval(_) | Decided::DryRun(_) => {
                Err(NoResult::Denied(format!(
                    "`{tool}` may change something, and only reads are made while looking"
                )))
            }
        };
        Ok((decision, permit))
    }

    /// Makes a read that the gate let through, within the time that is left.
    pub(crate) async fn call(
        &self,
        key: gaby_gate::Key,
        time_left: Duration,
    ) -> Result<ToolResult, NoResult> {
        let span = trace::tool(&key, Access::Read);
        let arguments = &key.call().arguments;
        trace::content(&span, &self.workspace, trace::ARGUMENTS, arguments).await;
        let result = self.made(key, time_left).instrument(span.clone()).await;
        trace::read(&span, &self.workspace, &result).await;
        result
    }

    async fn made(&self, key: gaby_gate::Key, time_left: Duration) -> Result<ToolResult, NoResult> {
        let limit = time_left.min(LONGEST_READ);
        let answered = tokio::time::timeout(limit, self.toolbox.call(key)).await;
        match answered {
            Err(_) => Err(NoResult::Failed(format!(
                "it gave no answer within {} s",
                limit.as_secs()
            ))),
            Ok(Err(CallFailure::NotMade(why) | CallFailure::Unclear(why))) => {
                Err(NoResult::Failed(why))
            }
            Ok(Ok(result)) if result.is_error => {
                Err(NoResult::Failed(values::shown(&result.value)))
            }
            Ok(Ok(result)) => Ok(result),
        }
    }

    /// Hands over a write whose intent is stored. The gate's key is the proof of that.
    pub(crate) async fn write(&self, key: gaby_gate::Key) -> gaby_gate::execute::Outcome {
        use gaby_gate::execute::Outcome;
        let span = trace::tool(&key, Access::Write);
        let arguments = &key.call().arguments;
        trace::content(&span, &self.workspace, trace::ARGUMENTS, arguments).await;
        let outcome = match self.toolbox.call(key).instrument(span.clone()).await {
            Ok(result) if result.is_error => Outcome::Failed(values::shown(&result.value)),
            Ok(result) => Outcome::Done(result.value),
            Err(CallFailure::NotMade(why)) => Outcome::Failed(why),
            Err(CallFailure::Unclear(why)) => Outcome::Unknown(why),
        };
        match &outcome {
            Outcome::Done(value) => {
                trace::content(&span, &self.workspace, trace::RESULT, value).await;
            }
            Outcome::Failed(_) => trace::failed(&span, "tool_failed"),
            Outcome::Unknown(_) => trace::failed(&span, "outcome_unknown"),
        }
        outcome
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
        match self.read(&call.tool, arguments, meter).await {
            Ok(read) => read.map(|result| result.value),
            Err(error) => Err(NoResult::Failed(error.to_string())),
        }
    }
}

/// What the rules are told where the facts about the requester could not be had.
fn unknown() -> BTreeSet<String> {
    BTreeSet::from(["facts=unknown".to_owned()])
}
