//! One investigation, from PLANNING to DONE.
//!
//! The loop asks the brain what it wants, and does it: searches, reads through the gate, and at the
//! end weighs what was concluded, acts if it may, and writes back. Each transition is stored before
//! its side effect and each step with what it found, so that a killed process goes on where it was:
//! reads are made again, replies and writes are not.

mod look;
pub(crate) mod recall;
pub(crate) mod record;
pub mod result;
mod speech;
pub(crate) mod values;
mod verdict;

use std::time::Instant;

use gaby_gate::provenance::may_read;
use gaby_gate::{Labelled, Recorded, resolve};
use gaby_model::{
    Depth, Evidence, Integrity, Investigation, InvestigationId, InvestigationState, Label, Step,
    StepId, StepKind, Ticket, TicketId, ToolRef, Usage,
};
use serde_json::Value;
use tracing::Instrument as _;

pub use result::{CitationView, InvestigationResult};

use crate::agent::Agent;
use crate::brain::{
    Brain, CallWish, Conclusion, Ending, Look, Outcome, Transcript, Turn, Want, out_of_budget,
};
use crate::budget::Meter;
use crate::error::AgentError;
use crate::hands::Hands;
use crate::trace;
use recall::Detail;
use values::Spoken;

/// How often a brain that nobody vouches for may pick among words that tell nothing by themselves, for a
/// connector that may not be told what it has seen: which words it picks, and in which order, can tell.
const FREE_PICKS: usize = 3;

/// An investigation that is running.
pub(crate) struct Run<'a> {
    pub(crate) agent: &'a Agent,
    pub(crate) hands: Hands,
    pub(crate) ticket: Ticket,
    pub(crate) investigation: Investigation,
    pub(crate) steps: Vec<Step>,
    pub(crate) transcript: Transcript,
    pub(crate) recorded: Recorded,
    pub(crate) meter: Meter,
    planned: bool,
    end: Option<Want>,
}

/// Investigates a ticket, or goes on with the investigation of it that was interrupted.
pub(crate) async fn investigate(
    agent: &Agent,
    ticket: &TicketId,
    depth: Depth,
) -> Result<InvestigationResult, AgentError> {
    let began = Instant::now();
    let run = Run::open(agent, ticket, depth).await?;
    let id = run.investigation.id.clone();
    let span = trace::investigation(agent.workspace(), &run.investigation);
    let result = run.run_to_end().instrument(span.clone()).await;
    agent.brain().forget(&id);
    trace::ended(&span, &result);
    let result = result?;
    metrics::histogram!("gaby_investigation_seconds").record(began.elapsed().as_secs_f64());
    metrics::counter!("gaby_investigations_total", "verdict" => result.verdict.as_str())
        .increment(1);
    Ok(result)
}

impl<'a> Run<'a> {
    /// Opens the investigation that a ticket has running, or begins one.
    async fn open(agent: &'a Agent, id: &TicketId, depth: Depth) -> Result<Run<'a>, AgentError> {
        let workspace = agent.workspace();
        let ticket = agent.ticket(id).await?;
        let latest = workspace.investigations().latest(id).await?;
        let running = latest.filter(|latest| latest.state != InvestigationState::Done);
        let investigation = match running {
            Some(investigation) => {
                tracing::info!(ticket = %id, investigation = %investigation.id, state = investigation.state.as_str(), "goes on");
                investigation
            }
            None => {
                let new = new_investigation(agent, id, depth);
                record::begin(workspace, &new).await?;
                new
            }
        };
        Self::with(agent, ticket, investigation).await
    }

    /// Opens an investigation as it is recorded.
    pub(crate) async fn with(
        agent: &'a Agent,
        ticket: Ticket,
        investigation: Investigation,
    ) -> Result<Run<'a>, AgentError> {
        let workspace = agent.workspace();
        agent.brain().forget(&investigation.id);
        let steps = workspace.investigations().steps(&investigation.id).await?;
        let evidence = workspace
            .investigations()
            .evidence(&investigation.id)
            .await?;
        let messages = workspace.tickets().messages(&ticket.id).await?;
        let mut hands = Hands::open(agent, &ticket.source, ticket.requester.clone()).await?;
        let recalled = recall::recall(&steps)?;
        let budget = agent.budget().at_depth(investigation.depth);
        let case = recall::case(
            &ticket,
            &messages,
            hands.tools.clone(),
            &investigation,
            budget,
        );
        let planned = recalled.plan.is_some();
        let plan = recalled.plan.unwrap_or_default();
        hands.playbook = plan
            .playbook
            .as_deref()
            .and_then(|name| agent.playbooks().get(name))
            .map(|playbook| playbook.autonomy);
        hands.flows_are_checked |= investigation.brain != crate::brain::builtin::NAME;
        hands.about.category = plan.category.clone();
        hands.about.playbook = plan.playbook.clone().unwrap_or_default();
        let recorded = recall::recorded(&case, &plan, &recalled.turns);
        let mut run = Self {
            agent,
            hands,
            ticket,
            meter: Meter::resume(budget, investigation.usage),
            investigation,
            steps,
            transcript: recall::transcript(case, plan, recalled.turns, evidence),
            recorded,
            planned,
            end: recalled.end,
        };
        run.transcript.case.work.audience = Some(run.audience());
        Ok(run)
    }

    #[tracing::instrument(skip_all, fields(ticket = %self.ticket.id, investigation = %self.investigation.id))]
    async fn run_to_end(mut self) -> Result<InvestigationResult, AgentError> {
        if !self.planned {
            self.plan().instrument(trace::step(StepKind::Plan)).await?;
        }
        let end = match self.end.take() {
            Some(end) => end,
            None => self.think().await?,
        };
        self.enter(InvestigationState::Verdict).await?;
        let ended = self.weigh(end).await?;
        self.enter(InvestigationState::WritingBack).await?;
        self.write_back(ended).await
    }

    pub(crate) async fn enter(&mut self, state: InvestigationState) -> Result<(), AgentError> {
        record::enter(self.agent.workspace(), &mut self.investigation, state).await
    }

    async fn plan(&mut self) -> Result<(), AgentError> {
        self.enter(InvestigationState::Planning).await?;
        let began = Instant::now();
        let brain = self.agent.brain();
        let plan = brain.plan(&self.transcript.case).await?;
        self.count_model_calls(brain.as_ref()).await?;
        self.investigation.category = Some(plan.category.clone());
        self.investigation.playbook.clone_from(&plan.playbook);
        self.hands.playbook = plan
            .playbook
            .as_deref()
            .and_then(|name| self.agent.playbooks().get(name))
            .map(|playbook| playbook.autonomy);
        self.hands.about.category = plan.category.clone();
        self.hands.about.playbook = plan.playbook.clone().unwrap_or_default();
        let summary = plan.summary.clone();
        let reason = plan.reason.clone();
        self.recorded = values::at_start(&self.transcript.case, &plan);
        self.transcript.plan = plan.clone();
        self.record(
            StepKind::Plan,
            summary,
            reason,
            &Detail::Plan { plan },
            Vec::new(),
            began,
        )
        .await
    }

    /// Lets the brain go on until it comes to an end, and records that end.
    async fn think(&mut self) -> Result<Want, AgentError> {
        let mut number = 1;
        loop {
            let turn = self.turn().instrument(trace::turn(number)).await?;
            if let Some(end) = turn {
                return Ok(end);
            }
            number += 1;
        }
    }

    /// Asks the brain once and does what it wants; gives the end, when it has come to one.
    async fn turn(&mut self) -> Result<Option<Want>, AgentError> {
        let want = match self.meter.check_turn(self.transcript.turns.len()) {
            Ok(()) => self.next_want().await?,
            Err(spent) => Want::Conclude(out_of_budget(&spent.to_string())),
        };
        match want {
            Want::Search(wish) => self.look(vec![Look::Search(wish)]).await?,
            Want::Call(wish) => self.look(vec![Look::Call(wish)]).await?,
            Want::Several { looks } => self.look(looks).await?,
            end @ (Want::Ask { .. } | Want::Conclude(_)) => {
                self.enter(InvestigationState::Verdict).await?;
                let step = trace::step(StepKind::Conclude);
                self.record_end(&end).instrument(step).await?;
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    async fn record_end(&mut self, end: &Want) -> Result<(), AgentError> {
        let (summary, reason) = match end {
            Want::Ask { question, why } => (format!("Ask the requester: {question}"), why.clone()),
            Want::Conclude(conclusion) => (shown_end(conclusion), conclusion.because.clone()),
            _ => (String::new(), String::new()),
        };
        let detail = Detail::End { want: end.clone() };
        self.record(
            StepKind::Conclude,
            summary,
            reason,
            &detail,
            Vec::new(),
            Instant::now(),
        )
        .await
    }

    /// What the brain wants next. The time that is left is its time, too.
    async fn next_want(&mut self) -> Result<Want, AgentError> {
        let brain = self.agent.brain();
        let thought = tokio::time::timeout(self.meter.time_left(), brain.next(&self.transcript));
        let want = match thought.await {
            Ok(want) => want?,
            Err(_) => Want::Conclude(out_of_budget(&self.meter.time_is_over().to_string())),
        };
        self.count_model_calls(brain.as_ref()).await?;
        Ok(want)
    }

    /// Takes over what models have used, as it is on record.
    async fn count_model_calls(&mut self, brain: &dyn Brain) -> Result<(), AgentError> {
        if let Some(used) = brain.models_used(&self.investigation.id).await? {
            self.meter.models_used(used);
        }
        Ok(())
    }

    /// A call's arguments with every reference replaced by what it names.
    pub(crate) fn arguments(&mut self, wish: &CallWish) -> Result<Labelled, String> {
        self.recorded
            .insert("composed".to_owned(), values::composed(&wish.composed));
        // What is not a reference was written in the playbook, or by a brain that nobody vouches for.
        let vouched = !self.hands.flows_are_checked && self.transcript.plan.playbook.is_some();
        let spoken = Spoken {
            case: &self.transcript.case,
            requester: self
                .recorded
                .get("requester")
                .and_then(|known| known.at("/email")),
            schema: self
                .hands
                .tool(&wish.tool)
                .map(|tool| tool.input_schema.to_string()),
            seen: self.transcript.seen(),
            picks_freely: self.picks_made(&wish.tool) < FREE_PICKS,
        };
        let literal = |value: &Value| match vouched {
            true => Label::of(Integrity::Playbook),
            false => spoken.label(value),
        };
        resolve(&wish.arguments, &literal, &self.recorded).map_err(|error| error.to_string())
    }

    /// How many calls a connector had after more was seen than it may be told.
    fn picks_made(&self, tool: &ToolRef) -> usize {
        let audience = self.hands.audience(tool);
        let turns = self.transcript.turns.iter().enumerate();
        turns
            .filter(|(_, turn)| {
                matches!(&turn.want, Want::Call(wish) if wish.tool.connector == tool.connector)
            })
            .filter(|(place, _)| !may_read(&self.transcript.seen_in(*place).readers, &audience))
            .count()
    }

    fn next_evidence(&self) -> u32 {
        u32::try_from(self.transcript.evidence.len()).unwrap_or(u32::MAX - 1) + 1
    }

    #[allow(clippy::too_many_arguments)]
    async fn record_turn(
        &mut self,
        step: StepId,
        want: Want,
        outcome: Outcome,
        decision: Value,
        label: Option<Label>,
        evidence: Vec<Evidence>,
        (summary, reason): (String, String),
        began: Instant,
    ) -> Result<(), AgentError> {
        let kind = recall::kind_of(&want);
        let detail = Detail::Turn {
            want: want.clone(),
            outcome: outcome.clone(),
            decision,
            label: label.clone(),
        };
        self.record_as(step, kind, summary, reason, &detail, evidence, began)
            .await?;
        let turn = Turn {
            step: self.steps.last().map_or(0, |step| step.number),
            want,
            outcome,
            label,
        };
        if let Some(label) = &turn.label
            && let Some((name, value)) = values::labelled(&self.hands.tools, &turn, label)
        {
            self.recorded.insert(name, value);
        }
        self.transcript.turns.push(turn);
        Ok(())
    }

    pub(crate) async fn record(
        &mut self,
        kind: StepKind,
        summary: String,
        reason: String,
        detail: &Detail,
        evidence: Vec<Evidence>,
        began: Instant,
    ) -> Result<(), AgentError> {
        self.record_as(
            StepId::generate(),
            kind,
            summary,
            reason,
            detail,
            evidence,
            began,
        )
        .await
    }

    #[allow(clippy::too_many_arguments)]
    async fn record_as(
        &mut self,
        id: StepId,
        kind: StepKind,
        summary: String,
        reason: String,
        detail: &Detail,
        evidence: Vec<Evidence>,
        began: Instant,
    ) -> Result<(), AgentError> {
        let number = u32::try_from(self.steps.len()).unwrap_or(u32::MAX - 1) + 1;
        let step = Step {
            id,
            investigation: self.investigation.id.clone(),
            number,
            kind,
            summary,
            reason,
            detail: serde_json::to_value(detail).map_err(|error| AgentError::Record {
                what: format!("step {number}"),
                why: error.to_string(),
            })?,
            evidence: evidence.iter().map(|evidence| evidence.number).collect(),
            millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            created_at: self.agent.now(),
        };
        self.investigation.usage = self.meter.usage();
        record::step(
            self.agent.workspace(),
            &self.investigation,
            &step,
            &evidence,
        )
        .await?;
        trace::recorded(&step);
        self.steps.push(step);
        self.transcript.evidence.extend(evidence);
        Ok(())
    }
}

fn new_investigation(agent: &Agent, ticket: &TicketId, depth: Depth) -> Investigation {
    Investigation {
        id: InvestigationId::generate(),
        ticket: ticket.clone(),
        state: InvestigationState::Planning,
        brain: agent.brain().name().to_owned(),
        playbook: None,
        category: None,
        verdict: None,
        confidence: None,
        reply: None,
        citations: Vec::new(),
        escalation: None,
        depth,
        usage: Usage::default(),
        started_at: agent.now(),
        ended_at: None,
    }
}

fn shown_end(conclusion: &Conclusion) -> String {
    let percent = (conclusion.confidence * 100.0).round();
    match (conclusion.ending, &conclusion.action) {
        (Ending::Escalate, _) => "Hand over to a human".to_owned(),
        (Ending::Answer, Some(action)) => {
            format!("Answer, and: {} ({percent} % sure)", action.summary)
        }
        (Ending::Answer, None) => format!("Answer ({percent} % sure)"),
    }
}

fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 120 {
        return line;
    }
    line.chars().take(119).chain(['…']).collect()
}
