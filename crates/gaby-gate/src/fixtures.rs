//! Small tools for tests.

use gaby_model::tool::FollowUp;
use gaby_model::{
    Access, Action, ActionId, ActionState, ArgumentRole, Integrity, InvestigationId, Reversibility,
    TicketId, Timestamp, ToolCall, ToolDefinition, ToolRef,
};
use serde_json::json;

pub(crate) fn tool(connector: &str, name: &str, access: Access) -> ToolDefinition {
    ToolDefinition {
        tool: ToolRef {
            connector: connector.to_owned(),
            tool: name.to_owned(),
        },
        description: "A tool.".to_owned(),
        role: None,
        access,
        risk: 10,
        input_schema: json!({"type": "object"}),
        arguments: [].into(),
        output_integrity: [].into(),
        reversibility: Reversibility::Reversible,
        idempotent: true,
        always_human: None,
        open_world: false,
        undo: None,
        verify: None,
        preview: None,
        owner_check: None,
        definition_hash: "0".repeat(64),
    }
}

/// `crm__unlock(account, notify, note)`: a write that may be let through at `act`.
pub(crate) fn unlock() -> ToolDefinition {
    let mut unlock = tool("crm", "unlock", Access::Write);
    unlock.input_schema = json!({"type": "object", "properties": {
        "account": {"type": "integer"},
        "notify": {"enum": ["mail", "none"]},
        "note": {"type": "string"},
    }});
    unlock.arguments = [
        ("account".to_owned(), ArgumentRole::Target),
        ("notify".to_owned(), ArgumentRole::Parameter),
        ("note".to_owned(), ArgumentRole::Content),
    ]
    .into();
    unlock.output_integrity = [("/id".to_owned(), Integrity::System)].into();
    unlock.owner_check = Some(FollowUp {
        tool: "state".to_owned(),
        arguments: [("account".to_owned(), "{{ args.account }}".to_owned())].into(),
        expect: Some("result.email == requester.email".to_owned()),
    });
    unlock
}

pub(crate) fn action(state: ActionState) -> Action {
    Action {
        id: ActionId::generate(),
        investigation: InvestigationId::generate(),
        ticket: TicketId::generate(),
        call: ToolCall {
            tool: unlock().tool,
            arguments: json!({"account": 7}),
        },
        summary: "Unlock account 7".to_owned(),
        reason: "It is locked.".to_owned(),
        needs_human_because: Vec::new(),
        risk: 10,
        state_before: serde_json::Value::Null,
        decision_hash: String::new(),
        state,
        expires_at: Timestamp::from_millis(2_000_000),
        created_at: Timestamp::from_millis(1_000_000),
        decided_by: None,
        decided_at: None,
        rejection: None,
        outcome: serde_json::Value::Null,
        undoable: false,
        weighing: gaby_model::Weighing::default(),
        replaces: None,
        undoes: None,
        undone_by: None,
    }
}
