//! What the operator settles, as it shows in the life of a ticket.

use gaby_agent::Approver;
use gaby_gate::{PolicyFile, Scope, Standing, consent, dry_run};
use gaby_model::{ActionState, Autonomy, Timestamp, Verdict};
use serde_json::json;

use crate::world::{World, locked_out};

fn now() -> Timestamp {
    Timestamp::from_millis(0)
}

fn own(text: &str) -> Vec<PolicyFile> {
    vec![PolicyFile {
        name: "own".to_owned(),
        text: text.to_owned(),
        origin: gaby_gate::rules::Origin::Operator,
    }]
}

#[tokio::test]
async fn in_dry_run_a_person_is_told_what_gaby_would_have_done_and_nothing_is_done() {
    let world = World::new(Autonomy::Act).await;
    let workspace = world.agent.workspace();
    let dry = Standing {
        scope: Scope::DryRun,
        ..Standing::default()
    };
    consent::grant(workspace, "crm", &dry, None, now())
        .await
        .unwrap();
    let result = world.investigate("helpdesk", locked_out()).await;
    assert_eq!(result.verdict, Verdict::Escalated);
    let reason = result.escalation.unwrap().reason;
    assert!(
        reason.contains("Gaby would have done this")
            && reason.contains("/status from \"locked\" to \"active\""),
        "{reason}"
    );
    assert_eq!(world.vendor.writes(), [""; 0]);
    let shadow = world.agent.shadow_report("crm", now()).await.unwrap();
    assert_eq!(
        (shadow.as_it_was, shadow.as_gaby_would_have),
        (1, 0),
        "nobody did anything yet"
    );
    world.vendor.set_status(1, "active");
    let shadow = world.agent.shadow_report("crm", now()).await.unwrap();
    assert_eq!((shadow.as_it_was, shadow.as_gaby_would_have), (0, 1));
    world.vendor.set_status(1, "closed");
    let shadow = world.agent.shadow_report("crm", now()).await.unwrap();
    assert_eq!(shadow.otherwise, 1);
    let report = shadow.report;
    assert_eq!(report.would_have_acted, 1);
    let rehearsal = &report.rehearsals[0];
    world.vendor.set_status(1, "active");
    let after = json!({"status": "active"});
    assert_eq!(
        rehearsal.afterwards(Some(&after)),
        dry_run::Afterwards::AsGabyWouldHave
    );
}

#[tokio::test]
async fn what_is_disconnected_is_not_even_looked_at_and_what_waits_cannot_be_approved() {
    let world = World::new(Autonomy::Propose).await;
    let result = world.investigate("helpdesk", locked_out()).await;
    consent::revoke(world.agent.workspace(), "crm", "moved away", None, now())
        .await
        .unwrap();
    let approver = Approver {
        user: &world.user,
        email: "agent@example.org",
    };
    let action = &result.actions[0];
    let error = world
        .agent
        .approve(&action.id, &action.decision_hash, approver)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("void"), "{error}");
    let later = world
        .investigate(
            "helpdesk",
            json!({
                "subject": "Locked out",
                "body": "my account is locked, please unlock it.",
                "requester": {"email": "ann@example.com", "verified": true},
            }),
        )
        .await;
    assert_eq!(later.verdict, Verdict::Escalated);
    assert!(
        later
            .steps
            .iter()
            .any(|step| step.summary.contains("was disconnected")),
        "{later:#?}"
    );
    assert_eq!(world.vendor.writes(), [""; 0]);
}

#[tokio::test]
async fn the_operators_rules_hold_from_the_next_ticket_on() {
    let world = World::new(Autonomy::Act).await;
    world
        .agent
        .take_policies(own(r#"@id("no-unlocking") @why("Call the office.")
           forbid(principal, action in Action::"role:account.unlock", resource);"#));
    let result = world.investigate("helpdesk", locked_out()).await;
    assert_eq!(result.verdict, Verdict::Escalated);
    let reason = result.escalation.unwrap().reason;
    assert!(
        reason.contains("`no-unlocking` in `own`") && reason.contains("Call the office"),
        "{reason}"
    );
    assert_eq!(world.vendor.writes(), [""; 0]);
}

#[tokio::test]
async fn a_rule_about_who_asks_rests_on_the_gates_own_look_up() {
    let world = World::new(Autonomy::Act).await;
    let mut tx = world.agent.workspace().begin().await.unwrap();
    let rule = r#"@id("locked-people") @escalate("The locked are for a human.")
        forbid(principal, action in [Action::"write", Action::"answer"], resource)
        when { context.facts.contains("status=locked") || context.facts.contains("facts=unknown") };"#;
    tx.put_policy_file("people", rule, now()).await.unwrap();
    tx.commit().await.unwrap();
    let result = world.investigate("helpdesk", locked_out()).await;
    assert_eq!(result.verdict, Verdict::NeedsApproval, "{result:#?}");
    assert!(result.actions[0].needs_human_because[0].contains("`locked-people`"));
    let question = json!({"body": "how do I export a report?"});
    let unknown = world.investigate("helpdesk", question).await;
    assert_eq!(unknown.verdict, Verdict::Escalated);
}

#[tokio::test]
async fn with_rules_that_do_not_hold_together_nothing_is_permitted() {
    let world = World::new(Autonomy::Act).await;
    world.agent.take_policies(own("permit(principal, action"));
    let result = world.investigate("helpdesk", locked_out()).await;
    assert_ne!(result.verdict, Verdict::Resolved);
    assert_eq!(world.vendor.writes(), [""; 0]);
}

#[tokio::test]
async fn edited_arguments_are_weighed_anew_and_approved_anew() {
    let world = World::new(Autonomy::Propose).await;
    let result = world.investigate("helpdesk", locked_out()).await;
    let approver = Approver {
        user: &world.user,
        email: "agent@example.org",
    };
    let old = &result.actions[0];
    let edited = world
        .agent
        .edit(
            &old.id,
            &old.decision_hash,
            json!({"customer_id": 2}),
            approver,
        )
        .await
        .unwrap();
    assert_eq!(edited.state, ActionState::Proposed);
    assert!(
        edited
            .needs_human_because
            .iter()
            .any(|why| why.contains("belongs to the requester")),
        "{edited:?}"
    );
    let stale = world
        .agent
        .approve(&old.id, &old.decision_hash, approver)
        .await;
    assert!(stale.is_err());
    assert_eq!(
        world.ticket_state(&result.ticket).await,
        gaby_model::TicketState::WaitingForApproval,
        "the ticket waits for the action in its place"
    );
    let done = world
        .agent
        .approve(&edited.id, &edited.decision_hash, approver)
        .await
        .unwrap();
    assert_eq!(done.state, ActionState::Done);
    assert_eq!(
        world.vendor.writes(),
        [r#"unlock_account {"customer_id":2}"#]
    );
    // The reply was written for the other arguments: a person tells the requester.
    assert_eq!(edited.replaces.as_ref(), Some(&old.id));
    assert_eq!(
        world.ticket_state(&result.ticket).await,
        gaby_model::TicketState::Escalated
    );
}
