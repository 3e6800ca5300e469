//! What an investigation writes down, and when: each transition before what it stands for, each step
//! with its evidence in one change.
//!
//! States and steps do not wait for the disk. What they led to so far are searches, reads and questions
//! to a model, which are made again when a loss of power took the last of them. What has an effect that
//! is not (a write, by the gate; a reply, here at the end) waits, and takes everything before it along.

use gaby_model::{
    Evidence, Investigation, InvestigationState, Message, Step, TicketState, Timestamp,
};
use gaby_store::audit::{Actor, AuditRecord};
use gaby_store::{Tx, Workspace, failpoint};
use serde_json::{Value, json};

use crate::error::AgentError;

/// Stores a new investigation, and that its ticket is being looked into.
pub(crate) async fn begin(
    workspace: &Workspace,
    investigation: &Investigation,
) -> Result<(), AgentError> {
    let mut tx = workspace.begin_unhurried().await?;
    tx.investigations().put(investigation).await?;
    tx.tickets()
        .set_state(
            &investigation.ticket,
            TicketState::Investigating,
            investigation.started_at,
        )
        .await?;
    audit(
        &mut tx,
        "investigation.started",
        &investigation.id,
        &json!({"ticket": investigation.ticket, "brain": investigation.brain}),
        investigation.started_at,
    );
    tx.commit().await?;
    Ok(())
}

/// Stores that the investigation is in this state, before what the state is for is done.
pub(crate) async fn enter(
    workspace: &Workspace,
    investigation: &mut Investigation,
    state: InvestigationState,
) -> Result<(), AgentError> {
    at(state, "before");
    if investigation.state != state {
        investigation.state = state;
        let mut tx = workspace.begin_unhurried().await?;
        tx.investigations().put(investigation).await?;
        tx.commit().await?;
    }
    at(state, "after");
    Ok(())
}

/// Takes the investigation through a state in which nothing happens that is not stored with what
/// follows at once.
pub(crate) fn pass(investigation: &mut Investigation, state: InvestigationState) {
    at(state, "before");
    investigation.state = state;
    at(state, "after");
}

/// Stores a step with the evidence that it found, and what the investigation has used so far.
pub(crate) async fn step(
    workspace: &Workspace,
    investigation: &Investigation,
    step: &Step,
    evidence: &[Evidence],
) -> Result<(), AgentError> {
    let mut tx = workspace.begin_unhurried().await?;
    tx.investigations().put(investigation).await?;
    tx.investigations()
        .add_step(&investigation.ticket, step)
        .await?;
    for evidence in evidence {
        tx.investigations().add_evidence(evidence).await?;
    }
    let word = match step.kind {
        gaby_model::StepKind::Plan => "step.planned",
        gaby_model::StepKind::Retrieve => "step.retrieved",
        gaby_model::StepKind::Call => "step.called",
        gaby_model::StepKind::Observe => "step.observed",
        gaby_model::StepKind::Conclude => "step.concluded",
    };
    audit(&mut tx, word, &step.id, &step.detail, step.created_at);
    tx.commit().await?;
    Ok(())
}

/// Stores the end of an investigation: what is written back, where the ticket stands, and that the
/// investigation is done, in one change, so that nothing is written twice.
pub(crate) async fn finish(
    workspace: &Workspace,
    investigation: &mut Investigation,
    message: Option<&Message>,
    ticket_state: TicketState,
    now: Timestamp,
) -> Result<(), AgentError> {
    at(InvestigationState::Done, "before");
    investigation.state = InvestigationState::Done;
    investigation.ended_at = Some(now);
    let mut tx = workspace.begin().await?;
    tx.investigations().put(investigation).await?;
    if let Some(message) = message {
        tx.tickets().add_reply(&investigation.id, message).await?;
    }
    tx.tickets()
        .set_state(&investigation.ticket, ticket_state, now)
        .await?;
    audit(
        &mut tx,
        "investigation.done",
        &investigation.id,
        &json!({
            "verdict": investigation.verdict,
            "confidence": investigation.confidence,
            "reply": investigation.reply,
        }),
        now,
    );
    tx.commit().await?;
    at(InvestigationState::Done, "after");
    Ok(())
}

/// An entry in the audit log, in the same change as what it tells.
pub(crate) fn audit(
    tx: &mut Tx,
    word: &str,
    object: &impl std::fmt::Display,
    content: &Value,
    at: Timestamp,
) {
    tx.audit(AuditRecord {
        actor: Actor::gaby(),
        action: word.to_owned(),
        object: object.to_string(),
        decision: Value::Null,
        content: content.clone(),
        at,
    });
}

/// Where tests let the process die.
fn at(state: InvestigationState, place: &str) {
    failpoint(&format!("{}:{place}", state.as_str()));
}
