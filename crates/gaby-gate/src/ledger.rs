//! How the gate writes down what it does: actions with compare-and-set, and the audit log.

use gaby_model::{Action, ActionId, ActionState, Timestamp, UserId};
use gaby_store::audit::{Actor, AuditRecord};
use gaby_store::{Tx, Workspace};
use serde_json::{Value, json};

use crate::error::GateError;

pub(crate) async fn action(workspace: &Workspace, id: &ActionId) -> Result<Action, GateError> {
    Ok(workspace.actions().get(id).await?)
}

pub(crate) async fn insert(tx: &mut Tx, action: &Action) -> Result<(), GateError> {
    Ok(tx.actions().insert(action, action.created_at).await?)
}

/// Stores the action as it is given, if the stored one is still in state `from`.
pub(crate) async fn advance(
    tx: &mut Tx,
    action: &Action,
    from: ActionState,
    now: Timestamp,
) -> Result<(), GateError> {
    let moved = tx
        .actions()
        .transition(&action.id, from, action.state, now, |stored| {
            *stored = action.clone();
        })
        .await?;
    match moved {
        Some(_) => Ok(()),
        None => {
            let stored = tx.actions().get(&action.id).await?;
            Err(GateError::settled(&action.id, stored.state))
        }
    }
}

/// Writes an audit entry about an action, in the same transaction as what it records. `by` is none
/// where Gaby herself acted. The entry holds hashes and states; the content only as a commitment.
pub(crate) fn record(
    tx: &mut Tx,
    by: Option<&UserId>,
    word: &str,
    action: &Action,
    content: Value,
    at: Timestamp,
) {
    tx.audit(AuditRecord {
        actor: by.map_or_else(Actor::gaby, |user| Actor::new("user", user.as_str())),
        action: word.to_owned(),
        object: action.id.to_string(),
        decision: json!({
            "tool": action.call.tool.to_string(),
            "risk": action.risk,
            "decision_hash": action.decision_hash,
            "state": action.state,
        }),
        content: json!({"call": action.call, "detail": content}),
        at,
    });
}
