//! A proposed action, put into a workspace as the gate would have left it.

use gaby_model::{
    Action, ActionId, ActionState, Clock as _, SystemClock, TicketId, ToolCall, ToolRef,
};
use gaby_store::Workspace;
use serde_json::{Value, json};

/// Proposes a call of a tool that nobody offers, on the ticket's latest investigation.
pub(crate) async fn propose(workspace: &Workspace, ticket: &TicketId, words: &str) -> ActionId {
    let investigation = workspace
        .investigations()
        .latest(ticket)
        .await
        .unwrap()
        .unwrap();
    let now = SystemClock.now();
    let action = Action {
        id: ActionId::generate(),
        investigation: investigation.id,
        ticket: ticket.clone(),
        call: ToolCall {
            tool: ToolRef {
                connector: "crm".to_owned(),
                tool: "unlock".to_owned(),
            },
            arguments: json!({"who": words}),
        },
        summary: words.to_owned(),
        reason: words.to_owned(),
        needs_human_because: vec![words.to_owned()],
        risk: 40,
        state_before: Value::Null,
        decision_hash: "ab".repeat(32),
        state: ActionState::Proposed,
        expires_at: now.plus_millis(3_600_000),
        created_at: now,
        decided_by: None,
        decided_at: None,
        rejection: None,
        outcome: Value::Null,
        undoable: false,
        weighing: gaby_model::Weighing::default(),
        replaces: None,
        undoes: None,
        undone_by: None,
    };
    let mut tx = workspace.begin().await.unwrap();
    tx.actions().insert(&action, now).await.unwrap();
    tx.commit().await.unwrap();
    action.id
}
