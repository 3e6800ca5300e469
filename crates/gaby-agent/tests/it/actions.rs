//! Writes that a human decides on.

use gaby_agent::{Approver, Like, shown};
use gaby_model::{ActionState, ArgumentRole, Author, Autonomy, Integrity, TicketState, Verdict};
use serde_json::json;

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
    let original = world.agent.workspace().actions().get(&action.id).await;
    let original = original.unwrap();
    assert_eq!(original.state, ActionState::Undone);
    assert_eq!(original.undone_by.as_ref(), Some(&undone.id));
    assert_eq!(undone.undoes.as_ref(), Some(&action.id));
}

#[tokio::test]
async fn who_decides_is_told_what_would_change_where_each_value_comes_from_and_what_the_risk_is() {
    let world = World::new(Autonomy::Propose).await;
    let result = world.investigate("helpdesk", locked_out()).await;
    let action = &result.actions[0];
    let weighing = &action.weighing;
    let changes: Vec<String> = weighing
        .changes
        .iter()
        .map(|change| format!("{} {} {}", change.field, change.before, change.after))
        .collect();
    assert_eq!(changes, [r#"/status "locked" "active""#]);
    let sum: u32 = weighing
        .risk_parts
        .iter()
        .map(|p| u32::from(p.points))
        .sum();
    assert_eq!(sum, u32::from(action.risk), "{weighing:?}");
    assert!(weighing.risk_parts.len() > 1, "{weighing:?}");
    assert_eq!(shown::reach(action), "1 record, named by `customer_id`");
    let arguments = shown::arguments(world.agent.workspace(), action)
        .await
        .unwrap();
    assert_eq!(arguments.len(), 1);
    let account = &arguments[0];
    assert_eq!(
        (account.argument.as_str(), account.role, account.integrity),
        ("customer_id", Some(ArgumentRole::Target), Integrity::System)
    );
    assert!(
        account.from[0].contains("what `crm__find_customer` answered"),
        "{account:?}"
    );
}

#[tokio::test]
async fn a_yes_in_advance_stands_in_for_as_many_calls_as_were_named_and_no_more() {
    let world = World::new(Autonomy::Propose).await;
    let again = |number: u32| {
        let mut ticket = locked_out();
        ticket["external_id"] = json!(format!("A-{number}"));
        ticket
    };
    let first = world.investigate("helpdesk", again(1)).await;
    assert_eq!(first.verdict, Verdict::NeedsApproval);
    let action = &first.actions[0];
    let like = Like {
        arguments: [].into(),
        calls: 1,
        hours: 24,
    };
    let considered = world
        .agent
        .consider_like(&action.id, &like, human(&world))
        .await
        .unwrap();
    assert_eq!(considered.would_have_covered.len(), 1);
    assert!(
        world.agent.standing_approvals().await.unwrap().is_empty(),
        "considering allows nothing"
    );
    let ann = Approver {
        user: &world.user,
        email: "Ann@example.com",
    };
    assert!(
        world
            .agent
            .allow_like(&action.id, &like, ann)
            .await
            .is_err()
    );
    for (calls, hours) in [(0, 24), (501, 24), (1, 0), (1, 337)] {
        let unbounded = Like {
            calls,
            hours,
            ..like.clone()
        };
        let refused = world
            .agent
            .allow_like(&action.id, &unbounded, human(&world))
            .await;
        assert!(refused.is_err(), "{calls} calls, {hours} hours");
    }
    world
        .agent
        .allow_like(&action.id, &like, human(&world))
        .await
        .unwrap();
    let second = world.investigate("helpdesk", again(2)).await;
    assert_eq!(second.verdict, Verdict::Resolved, "{second:#?}");
    assert_eq!(world.vendor.writes().len(), 1);
    world.vendor.set_status(1, "locked");
    let third = world.investigate("helpdesk", again(3)).await;
    assert_eq!(third.verdict, Verdict::NeedsApproval);
    assert_eq!(world.vendor.writes().len(), 1);
}

#[tokio::test]
async fn a_yes_in_advance_can_be_taken_back() {
    let world = World::new(Autonomy::Propose).await;
    let first = world.investigate("helpdesk", locked_out()).await;
    let like = Like {
        arguments: [].into(),
        calls: 9,
        hours: 1,
    };
    let given = world
        .agent
        .allow_like(&first.actions[0].id, &like, human(&world))
        .await
        .unwrap();
    let id = given.pattern.id;
    let end = async || world.agent.end_standing_approval(&id, human(&world)).await;
    assert!(end().await.unwrap());
    let mut later = locked_out();
    later["external_id"] = json!("later");
    let second = world.investigate("helpdesk", later).await;
    assert_eq!(second.verdict, Verdict::NeedsApproval);
    assert_eq!(world.vendor.writes(), [""; 0]);
}
