//! A write on its way to its connector: stored as intended, marked as sent, its outcome recorded.
//!
//! Each state is stored before its side effect. The key of a write comes into being only after the
//! store holds that it was sent, so a crash at any place leaves a state from which
//! [`recover`](crate::recover::recover) knows how to go on.

use gaby_model::{
    Action, ActionId, ActionState, InvestigationId, TicketId, Timestamp, ToolCall, ToolDefinition,
    Weighing,
};
use gaby_store::{Workspace, failpoint};
use serde_json::{Value, json};

use crate::call::{Bound, Key, WritePermit};
use crate::decision_hash::DecisionHash;
use crate::dry_run::Diff;
use crate::error::GateError;
use crate::ledger;
use crate::reason::Reason;
use crate::recover::{Resume, Verified, recover};
use crate::risk::Risk;
use crate::undo;

/// Until when a write that needed no approval must have been sent.
const OWN_DECISION_MILLIS: i64 = 5 * 60 * 1_000;

/// What a write is for, beside the call itself.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// The investigation that wants it.
    pub investigation: InvestigationId,
    /// The ticket it is for.
    pub ticket: TicketId,
    /// What it does, for the person who decides.
    pub summary: String,
    /// Why Gaby wants it.
    pub reason: String,
    /// What the preview read showed; null where the tool has none.
    pub state_before: Value,
    /// The action that it takes back, if it does.
    pub undoes: Option<ActionId>,
}

impl WritePermit {
    /// Stores the write as intended, with its audit entry, before anything is sent.
    ///
    /// # Errors
    /// When it cannot be stored or hashed; nothing happened then.
    pub async fn intend(
        self,
        workspace: &Workspace,
        about: About,
        now: Timestamp,
    ) -> Result<Intended, GateError> {
        let mut action = new_action(
            workspace,
            self.call,
            &self.risk,
            &[],
            &self.bound,
            about,
            now,
            OWN_DECISION_MILLIS,
        )?;
        action.state = ActionState::Intended;
        action.decided_at = Some(now);
        let mut tx = workspace.begin().await?;
        if let Some(pattern) = &self.under
            && !tx.take_from_pattern(pattern, now).await?
        {
            return Err(GateError::PatternSpent(pattern.clone()));
        }
        undo::claim(&mut tx, &action, now).await?;
        ledger::insert(&mut tx, &action).await?;
        ledger::record(
            &mut tx,
            None,
            "action.intended",
            &action,
            json!({"risk": self.risk, "under": self.under}),
            now,
        );
        tx.commit().await?;
        failpoint("action:intended");
        Ok(Intended { action })
    }
}

/// A write that is stored as about to be sent.
#[derive(Debug)]
pub struct Intended {
    pub(crate) action: Action,
}

impl Intended {
    /// The action as it is stored.
    #[must_use]
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Marks the write as sent, and only then gives the key that sends it. The action's id is the
    /// key under which the vendor must see the write at most once.
    ///
    /// # Errors
    /// When the mark cannot be stored, somebody else sent it meanwhile, or the connector was
    /// disconnected meanwhile; nothing was sent then.
    pub async fn send(
        mut self,
        workspace: &Workspace,
        now: Timestamp,
    ) -> Result<(Key, InFlight), GateError> {
        let from = self.action.state;
        let mut tx = workspace.begin().await?;
        // In the same change as the mark, so that no write leaves after its connector was revoked.
        let grant = tx.grant(&self.action.call.tool.connector).await?;
        if let Some(why) = grant.and_then(|grant| grant.revoked) {
            let why = format!(
                "`{}` was disconnected: {why}",
                self.action.call.tool.connector
            );
            self.action.state = ActionState::Void;
            self.action.outcome = json!({"error": why});
            ledger::advance(&mut tx, &self.action, from, now).await?;
            let outcome = self.action.outcome.clone();
            ledger::record(&mut tx, None, "action.void", &self.action, outcome, now);
            tx.commit().await?;
            let action = self.action.id;
            return Err(GateError::Void { action, why });
        }
        self.action.state = ActionState::Sent;
        ledger::advance(&mut tx, &self.action, from, now).await?;
        ledger::record(&mut tx, None, "action.sent", &self.action, Value::Null, now);
        tx.commit().await?;
        failpoint("action:sent");
        let key = Key::of_write(self.action.call.clone(), self.action.id.to_string());
        Ok((
            key,
            InFlight {
                action: self.action,
            },
        ))
    }
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It happened; what the connector answered.
    Done(Value),
    /// It did not happen, and the connector said so.
    Failed(String),
    /// It may or may not have happened: a time-out, a lost connection.
    Unknown(String),
}

/// A write that was handed to its connector.
#[derive(Debug)]
pub struct InFlight {
    action: Action,
}

impl InFlight {
    /// The action as it is stored.
    #[must_use]
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Records what became of it.
    ///
    /// # Errors
    /// When the outcome cannot be stored; the action then stays *sent*, and the next start asks
    /// [`resume`].
    pub async fn record(
        self,
        workspace: &Workspace,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Action, GateError> {
        settle(workspace, self.action, outcome, now).await
    }
}

/// How to go on with a write that a crash or a time-out interrupted.
#[derive(Debug)]
pub enum Resumed {
    /// Send it, under the same key as before.
    Send(Intended),
    /// Make the tool's `verify` read, and ask again with what it said.
    Verify(Action),
    /// Its state is settled; a human looks where it is *unknown*.
    Settled(Action),
}

/// Takes up a write again, by the rules of [`recover`].
///
/// # Errors
/// When the action is not there or its state cannot be stored.
pub async fn resume(
    workspace: &Workspace,
    action: &ActionId,
    tool: Option<&ToolDefinition>,
    verified: Verified,
    now: Timestamp,
) -> Result<Resumed, GateError> {
    let action = ledger::action(workspace, action).await?;
    match recover(&action, tool, verified, now) {
        Resume::MaySend => Ok(Resumed::Send(Intended { action })),
        Resume::Verify => Ok(Resumed::Verify(action)),
        Resume::Settled => Ok(Resumed::Settled(action)),
        Resume::Unknown if action.state == ActionState::Unknown => Ok(Resumed::Settled(action)),
        Resume::Done => {
            let outcome = Outcome::Done(json!({"verified": true}));
            settle(workspace, action, outcome, now)
                .await
                .map(Resumed::Settled)
        }
        Resume::Unknown => {
            let why = "Gaby stopped before the connector answered".to_owned();
            settle(workspace, action, Outcome::Unknown(why), now)
                .await
                .map(Resumed::Settled)
        }
    }
}

async fn settle(
    workspace: &Workspace,
    mut action: Action,
    outcome: Outcome,
    now: Timestamp,
) -> Result<Action, GateError> {
    let from = action.state;
    let (state, word, value) = match outcome {
        Outcome::Done(value) => (ActionState::Done, "action.done", value),
        Outcome::Failed(why) => (ActionState::Failed, "action.failed", json!({"error": why})),
        Outcome::Unknown(why) => (
            ActionState::Unknown,
            "action.unknown",
            json!({"error": why}),
        ),
    };
    action.state = state;
    action.outcome = value;
    failpoint("action:answered");
    let mut tx = workspace.begin().await?;
    ledger::advance(&mut tx, &action, from, now).await?;
    ledger::record(&mut tx, None, word, &action, action.outcome.clone(), now);
    if state == ActionState::Done {
        undo::mark(&mut tx, &action, now).await?;
    }
    tx.commit().await?;
    failpoint("action:recorded");
    Ok(action)
}

#[allow(clippy::too_many_arguments)]
pub(crate) fn new_action(
    workspace: &Workspace,
    call: ToolCall,
    risk: &Risk,
    reasons: &[Reason],
    bound: &Bound,
    about: About,
    now: Timestamp,
    life_millis: i64,
) -> Result<Action, GateError> {
    let expires_at = now.plus_millis(life_millis);
    let decision_hash = DecisionHash {
        workspace: workspace.id(),
        investigation: &about.investigation,
        call: &call,
        definition_hash: &bound.definition_hash,
        state_before: &about.state_before,
        policy_hash: &bound.policy_hash,
        audience: &bound.audience,
        expires_at,
    }
    .compute()?;
    let weighing = Weighing {
        risk_parts: risk.parts.clone(),
        changes: Diff::simulated(&bound.tool, &about.state_before, &call.arguments).changes,
        arguments: bound.arguments.clone(),
        records: bound.records,
        environment: bound.environment.clone(),
    };
    Ok(Action {
        id: ActionId::generate(),
        investigation: about.investigation,
        ticket: about.ticket,
        call,
        summary: about.summary,
        reason: about.reason,
        needs_human_because: reasons.iter().map(ToString::to_string).collect(),
        risk: risk.score,
        state_before: about.state_before,
        decision_hash,
        state: ActionState::Proposed,
        expires_at,
        created_at: now,
        decided_by: None,
        decided_at: None,
        rejection: None,
        outcome: Value::Null,
        undoable: bound.tool.undo.is_some(),
        weighing,
        replaces: None,
        undoes: about.undoes,
        undone_by: None,
    })
}
