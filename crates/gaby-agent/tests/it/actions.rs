//! Writes that a human decides on.

use gaby_agent::Approver;
use gaby_model::{ActionState, Author, Autonomy, TicketState, Verdict};

use crate::world::{World, locked_out};

fn human(world: &World) -> Approver<'_> {
    Approver {
        user: &world.user,
        email: "agent@example.org",
    }
}

#[tokio::test]
async fn what_a_human_approves_is_done_once_and_told() {
    let world = World::new(Autonomy::Propose).await;
    let result = world.investigate("helpdesk", locked_out()).await;
    assert_eq!(result.verdict, Verdict::NeedsApproval, "{result:#?}");
    assert_eq!(
        world.ticket_state(&result.ticket).await,
        TicketState::WaitingForApproval
    );
    assert_eq!(
        world.messages(&result.ticket).await.len(),
        1,
        "the draft must not be sent"
    );
    assert_eq!(world.vendor.writes(), [""; 0]);
    let action = &result.actions[0];
    assert!(!action.needs_human_because.is_empty() && action.undoable);

    let other = world
        .agent
        .approve(&action.id, "another hash", human(&world))
        .await;
    assert!(other.is_err() && world.vendor.writes().is_empty());
    let done = world
        .agent
        .approve(&action.id, &action.decision_hash, human(&world))
        .await
        .unwrap();
    assert_eq!(done.state, ActionState::Done);
    assert!(
        world
            .agent
            .approve(&action.id, &action.decision_hash, human(&world))
            .await
            .is_err()
    );
    assert_eq!(
        world.vendor.writes(),
        [r#"unlock_account {"customer_id":1}"#]
    );
    assert_eq!(
        world.ticket_state(&result.ticket).await,
        TicketState::Resolved
    );
    let messages = world.messages(&result.ticket).await;
    assert_eq!(messages.len(), 2);
    assert!(
        messages[1].body.contains("Your account is unlocked"),
        "{}",
        messages[1].body
    );
}

#[tokio::test]
async fn what_a_human_rejects_is_never_done_and_goes_to_a_human() {
    let world = World::new(Autonomy::Propose).await;
    let result = world.investigate("helpdesk", locked_out()).await;
    world
        .agent
        .reject(&result.actions[0].id, human(&world), "she must call us")
        .await
        .unwrap();
    assert_eq!(world.vendor.writes(), [""; 0]);
    assert_eq!(
        world.ticket_state(&result.ticket).await,
        TicketState::Escalated
    );
    let messages = world.messages(&result.ticket).await;
    assert_eq!(messages[1].author, Author::Note);
    assert!(messages[1].body.contains("she must call us"));
}

#[tokio::test]
async fn an_approval_is_void_when_what_it_would_change_has_moved() {
    let world = World::new(Autonomy::Propose).await;
    let result = world.investigate("helpdesk", locked_out()).await;
    world.vendor.set_status(1, "disabled");
    let action = &result.actions[0];
    let error = world
        .agent
        .approve(&action.id, &action.decision_hash, human(&world))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("void"), "{error}");
    assert_eq!(world.vendor.writes(), [""; 0]);
    assert_eq!(
        world.ticket_state(&result.ticket).await,
        TicketState::Escalated
    );
}

#[tokio::test]
async fn what_was_done_can_be_taken_back_once() {
    let world = World::new(Autonomy::Act).await;
    let result = world.investigate("helpdesk", locked_out()).await;
    let action = &result.actions[0];
    let undone = world.agent.undo(&action.id, human(&world)).await.unwrap();
    assert_eq!(undone.state, ActionState::Done);
    assert_eq!(
        world.vendor.writes().last().unwrap(),
        r#"lock_account {"customer_id":1}"#
    );
    assert!(world.agent.undo(&action.id, human(&world)).await.is_err());
    assert_eq!(world.vendor.writes().len(), 2);
}
