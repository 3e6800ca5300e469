//! Writes that wait for a human: proposed, and then approved once, rejected, expired or void.
//!
//! An approval says yes to one hash over everything that was decided on. When it comes, the hash is
//! made anew from what holds now; if the tool, the policy or the state moved meanwhile, the action
//! is void and must be asked for again.

use std::collections::BTreeSet;

use gaby_model::{Action, ActionId, ActionState, Timestamp, ToolDefinition, UserId, canonical};
use gaby_store::{Workspace, failpoint};
use serde_json::{Value, json};

use crate::call::{Pending, WritePermit};
use crate::decision_hash::DecisionHash;
use crate::error::GateError;
use crate::execute::{About, Intended, new_action};
use crate::ledger;
use crate::policy::Policy;
use crate::undo;

/// How long a proposal stands unless the operator says otherwise: 30 minutes.
pub const DEFAULT_LIFE_MILLIS: i64 = 30 * 60 * 1_000;
/// The longest that a proposal may stand: a day.
pub const MAX_LIFE_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// What the summary of an action says once its arguments are no longer those that it was written
/// for.
const EDITED: &str = "with arguments that a person changed";

impl Pending {
    /// Stores the write as proposed, for a human to decide within `life_millis`, which is kept
    /// between one minute and [`MAX_LIFE_MILLIS`].
    ///
    /// # Errors
    /// When it cannot be stored or hashed.
    pub async fn propose(
        self,
        workspace: &Workspace,
        about: About,
        now: Timestamp,
        life_millis: i64,
    ) -> Result<Action, GateError> {
        let action = new_action(
            workspace,
            self.call,
            &self.risk,
            &self.reasons,
            &self.bound,
            about,
            now,
            life_millis.clamp(60_000, MAX_LIFE_MILLIS),
        )?;
        let content = json!({"risk": self.risk, "reasons": self.reasons});
        let mut tx = workspace.begin().await?;
        ledger::insert(&mut tx, &action).await?;
        ledger::record(&mut tx, None, "action.proposed", &action, content, now);
        tx.commit().await?;
        failpoint("action:proposed");
        Ok(action)
    }
}

impl WritePermit {
    /// Has a human asked all the same, because a person wants to see it first.
    #[must_use]
    pub fn ask(self) -> Pending {
        Pending {
            call: self.call,
            risk: self.risk,
            reasons: Vec::new(),
            bound: self.bound,
        }
    }
}

/// Puts a call with other arguments in the place of one that waits: a new decision, with a hash of
/// its own, that must be approved like any other. The one before is void.
///
/// # Errors
/// When the one before was decided already, or the store failed.
pub async fn replace(
    workspace: &Workspace,
    before: &ActionId,
    edited: Pending,
    state_before: Value,
    editor: &UserId,
    now: Timestamp,
    life_millis: i64,
) -> Result<Action, GateError> {
    let mut old = ledger::action(workspace, before).await?;
    if old.state != ActionState::Proposed {
        return Err(GateError::settled(&old.id, old.state));
    }
    let about = About {
        investigation: old.investigation.clone(),
        ticket: old.ticket.clone(),
        summary: match old.replaces {
            Some(_) => old.summary.clone(),
            None => format!("{} ({EDITED})", old.summary),
        },
        reason: old.reason.clone(),
        state_before,
        undoes: old.undoes.clone(),
    };
    let content = json!({"risk": edited.risk, "reasons": edited.reasons, "before": before});
    let mut new = new_action(
        workspace,
        edited.call,
        &edited.risk,
        &edited.reasons,
        &edited.bound,
        about,
        now,
        life_millis.clamp(60_000, MAX_LIFE_MILLIS),
    )?;
    new.replaces = Some(old.id.clone());
    old.state = ActionState::Void;
    old.outcome =
        json!({"error": format!("its arguments were edited: {} takes its place", new.id)});
    let mut tx = workspace.begin().await?;
    ledger::advance(&mut tx, &old, ActionState::Proposed, now).await?;
    ledger::record(
        &mut tx,
        Some(editor),
        "action.edited",
        &old,
        old.outcome.clone(),
        now,
    );
    ledger::insert(&mut tx, &new).await?;
    ledger::record(&mut tx, Some(editor), "action.proposed", &new, content, now);
    tx.commit().await?;
    Ok(new)
}

/// Who decides.
#[derive(Debug, Clone, Copy)]
pub struct Approver<'a> {
    /// The person's account.
    pub user: &'a UserId,
    /// The person's address, which may not be the requester's.
    pub email: &'a str,
}

/// What holds at the moment of the approval, to be compared with what was decided on.
#[derive(Debug, Clone)]
pub struct Present<'a> {
    /// The tool as its connector offers it now; none when it does not, or it is suspended.
    pub tool: Option<&'a ToolDefinition>,
    /// What the operator has settled now.
    pub policy: &'a Policy,
    /// Who will see the arguments.
    pub audience: &'a BTreeSet<String>,
    /// What the preview read shows now; null where the tool has none.
    pub state: &'a Value,
    /// The address of who asks, if it is known.
    pub requester: Option<&'a str>,
    /// The present moment.
    pub now: Timestamp,
}

/// Says yes, once. The approval, its audit entry and the intent to send are stored together.
///
/// # Errors
/// When the action was decided already, expired, is void, is another than was shown, or was asked
/// for by the approver; nothing is sent then.
pub async fn approve(
    workspace: &Workspace,
    action: &ActionId,
    decision_hash: &str,
    approver: Approver<'_>,
    present: &Present<'_>,
) -> Result<Intended, GateError> {
    let mut action = ledger::action(workspace, action).await?;
    if action.state != ActionState::Proposed {
        return Err(GateError::settled(&action.id, action.state));
    }
    if present.now >= action.expires_at {
        let id = action.id.clone();
        close(workspace, action, ActionState::Expired, "", present.now).await?;
        return Err(GateError::Expired { action: id });
    }
    if same_person(approver.email, present.requester) {
        return Err(GateError::OwnRequest { action: action.id });
    }
    if decision_hash != action.decision_hash {
        return Err(GateError::OtherDecision { action: action.id });
    }
    if let Some(why) = moved(workspace, &action, present)? {
        let id = action.id.clone();
        close(workspace, action, ActionState::Void, &why, present.now).await?;
        return Err(GateError::Void { action: id, why });
    }
    action.state = ActionState::Approved;
    action.decided_by = Some(approver.user.clone());
    action.decided_at = Some(present.now);
    let by = Some(approver.user);
    let mut tx = workspace.begin().await?;
    undo::claim(&mut tx, &action, present.now).await?;
    ledger::advance(&mut tx, &action, ActionState::Proposed, present.now).await?;
    ledger::record(
        &mut tx,
        by,
        "action.approved",
        &action,
        Value::Null,
        present.now,
    );
    action.state = ActionState::Intended;
    ledger::advance(&mut tx, &action, ActionState::Approved, present.now).await?;
    ledger::record(
        &mut tx,
        None,
        "action.intended",
        &action,
        Value::Null,
        present.now,
    );
    tx.commit().await?;
    failpoint("action:approved");
    Ok(Intended { action })
}

/// Says no, with a reason. A rejected call is never sent.
///
/// # Errors
/// When the action was decided already, or the store failed.
pub async fn reject(
    workspace: &Workspace,
    action: &ActionId,
    approver: Approver<'_>,
    reason: &str,
    now: Timestamp,
) -> Result<Action, GateError> {
    let mut action = ledger::action(workspace, action).await?;
    if action.state != ActionState::Proposed {
        return Err(GateError::settled(&action.id, action.state));
    }
    action.state = ActionState::Rejected;
    action.decided_by = Some(approver.user.clone());
    action.decided_at = Some(now);
    action.rejection = Some(reason.to_owned());
    let mut tx = workspace.begin().await?;
    ledger::advance(&mut tx, &action, ActionState::Proposed, now).await?;
    let content = json!({"reason": reason});
    ledger::record(
        &mut tx,
        Some(approver.user),
        "action.rejected",
        &action,
        content,
        now,
    );
    tx.commit().await?;
    Ok(action)
}

/// Closes every proposal whose time is over, and gives them.
///
/// # Errors
/// When the store failed.
pub async fn expire_due(workspace: &Workspace, now: Timestamp) -> Result<Vec<Action>, GateError> {
    let mut expired = Vec::new();
    for action in workspace.actions().overdue(now).await? {
        match close(workspace, action, ActionState::Expired, "", now).await {
            Ok(action) => expired.push(action),
            // Somebody decided in this very moment.
            Err(GateError::Settled { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(expired)
}

/// Withdraws a proposal, because the ticket or what it rests on changed.
///
/// # Errors
/// When the action was decided already, or the store failed.
pub async fn withdraw(
    workspace: &Workspace,
    action: &ActionId,
    why: &str,
    now: Timestamp,
) -> Result<Action, GateError> {
    let action = ledger::action(workspace, action).await?;
    if action.state != ActionState::Proposed {
        return Err(GateError::settled(&action.id, action.state));
    }
    close(workspace, action, ActionState::Void, why, now).await
}

async fn close(
    workspace: &Workspace,
    mut action: Action,
    state: ActionState,
    why: &str,
    now: Timestamp,
) -> Result<Action, GateError> {
    action.state = state;
    if !why.is_empty() {
        action.outcome = json!({"error": why});
    }
    let word = match state {
        ActionState::Expired => "action.expired",
        _ => "action.void",
    };
    let mut tx = workspace.begin().await?;
    ledger::advance(&mut tx, &action, ActionState::Proposed, now).await?;
    ledger::record(&mut tx, None, word, &action, action.outcome.clone(), now);
    tx.commit().await?;
    Ok(action)
}

/// What changed since the proposal; none when its hash still holds.
fn moved(
    workspace: &Workspace,
    action: &Action,
    present: &Present<'_>,
) -> Result<Option<String>, GateError> {
    let Some(tool) = present.tool else {
        return Ok(Some(format!("`{}` is no longer offered", action.call.tool)));
    };
    if canonical::to_bytes(present.state)? != canonical::to_bytes(&action.state_before)? {
        return Ok(Some(
            "what it would change has changed meanwhile".to_owned(),
        ));
    }
    let now = DecisionHash {
        workspace: workspace.id(),
        investigation: &action.investigation,
        call: &action.call,
        definition_hash: &tool.definition_hash,
        state_before: present.state,
        policy_hash: &present.policy.hash()?,
        audience: present.audience,
        expires_at: action.expires_at,
    }
    .compute()?;
    Ok((now != action.decision_hash).then(|| {
        format!(
            "the call, the definition of `{}`, or what the operator settled has changed meanwhile",
            action.call.tool
        )
    }))
}

/// Whether who decides is who asks, by their addresses.
#[must_use]
pub fn same_person(approver: &str, requester: Option<&str>) -> bool {
    let approver = approver.trim().to_lowercase();
    !approver.is_empty() && requester.is_some_and(|r| r.trim().to_lowercase() == approver)
}
