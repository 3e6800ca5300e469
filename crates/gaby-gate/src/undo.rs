//! Taking back what was done: by an action of its own that names the one it takes back.
//!
//! The original is claimed in the same change as the intent, so of several who take it back at once,
//! from whatever process, one does. It is marked as undone in the same change as the outcome, so a
//! crash in between leaves an undo that [`resume`](crate::execute::resume) finishes, mark and all.

use gaby_model::{Action, ActionState, Timestamp};
use gaby_store::Tx;
use serde_json::json;

use crate::error::GateError;
use crate::ledger;

/// Notes at the original that this action is about to take it back. Does nothing for an action that
/// takes nothing back.
pub(crate) async fn claim(tx: &mut Tx, undo: &Action, now: Timestamp) -> Result<(), GateError> {
    let Some(original) = &undo.undoes else {
        return Ok(());
    };
    let mut original = tx.actions().get(original).await?;
    if original.state != ActionState::Done {
        return Err(GateError::settled(&original.id, original.state));
    }
    if let Some(earlier) = original.undone_by.as_ref().filter(|id| **id != undo.id) {
        let earlier = tx.actions().get(earlier).await?;
        // Only what surely changed nothing leaves room for another try.
        let nothing_came_of_it = matches!(
            earlier.state,
            ActionState::Failed | ActionState::Rejected | ActionState::Expired | ActionState::Void
        );
        if !nothing_came_of_it {
            return Err(GateError::TakenBackAlready {
                action: original.id,
                by: earlier.id,
                state: earlier.state.as_str(),
            });
        }
    }
    original.undone_by = Some(undo.id.clone());
    ledger::advance(tx, &original, ActionState::Done, now).await
}

/// Marks the original as undone, now that this action has taken it back.
pub(crate) async fn mark(tx: &mut Tx, undo: &Action, now: Timestamp) -> Result<(), GateError> {
    let Some(original) = &undo.undoes else {
        return Ok(());
    };
    let mut original = tx.actions().get(original).await?;
    if original.state != ActionState::Done {
        return Ok(());
    }
    original.state = ActionState::Undone;
    original.undone_by = Some(undo.id.clone());
    ledger::advance(tx, &original, ActionState::Done, now).await?;
    let by = json!({"by": undo.id});
    ledger::record(tx, None, "action.undone", &original, by, now);
    Ok(())
}
