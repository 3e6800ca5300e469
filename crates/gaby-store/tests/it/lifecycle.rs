//! Tickets, queue, actions and audit through a workspace's life.

use gaby_model::*;
use gaby_store::audit::{Actor, AuditRecord};
use gaby_store::tickets::{Inserted, TicketFilter};
use gaby_store::{Store, Workspace};
use serde_json::json;

use crate::stores::every_engine;

pub(crate) fn ticket(workspace: &Workspace, external_id: Option<&str>) -> Ticket {
    let now = SystemClock.now();
    Ticket {
        id: TicketId::generate(),
        workspace: workspace.id().clone(),
        source: "test".into(),
        external_id: external_id.map(str::to_owned),
        subject: "Zanzibar subject".into(),
        requester: None,
        state: TicketState::New,
        priority: Priority::High,
        sla_deadline: Some(now.plus_millis(1000)),
        created_at: now,
        updated_at: now,
    }
}

pub(crate) fn record(action: &str) -> AuditRecord {
    AuditRecord {
        actor: Actor::gaby(),
        action: action.into(),
        object: "x".into(),
        decision: json!({"risk": 3}),
        content: json!({"secret": "Zanzibar"}),
        at: SystemClock.now(),
    }
}

pub(crate) fn message(ticket: &TicketId, author: Author, body: &str) -> Message {
    Message {
        id: MessageId::generate(),
        ticket: ticket.clone(),
        author,
        body: body.into(),
        citations: Vec::new(),
        created_at: SystemClock.now(),
    }
}

pub(crate) fn investigation(ticket: &TicketId) -> Investigation {
    Investigation {
        id: InvestigationId::generate(),
        ticket: ticket.clone(),
        state: InvestigationState::Planning,
        brain: "builtin".into(),
        playbook: None,
        category: Some("Zanzibar".into()),
        verdict: None,
        confidence: Some(Confidence::new(0.7)),
        reply: Some("Zanzibar".into()),
        citations: Vec::new(),
        escalation: None,
        depth: Depth::Standard,
        usage: Usage::default(),
        started_at: SystemClock.now(),
        ended_at: None,
    }
}

pub(crate) fn action(ticket: &TicketId, investigation: &InvestigationId) -> Action {
    let now = SystemClock.now();
    Action {
        id: ActionId::generate(),
        investigation: investigation.clone(),
        ticket: ticket.clone(),
        call: ToolCall {
            tool: ToolRef {
                connector: "crm".into(),
                tool: "unlock".into(),
            },
            arguments: json!({"name": "Zanzibar"}),
        },
        summary: "Zanzibar".into(),
        reason: "Zanzibar".into(),
        needs_human_because: vec!["Zanzibar".into()],
        risk: 40,
        state_before: json!({"locked": "Zanzibar"}),
        decision_hash: "ab".repeat(32),
        state: ActionState::Proposed,
        expires_at: now.plus_millis(60_000),
        created_at: now,
        decided_by: None,
        decided_at: None,
        rejection: None,
        outcome: serde_json::Value::Null,
        undoable: true,
        weighing: gaby_model::Weighing::default(),
        replaces: None,
        undoes: None,
        undone_by: None,
    }
}

/// A ticket with an investigation and a proposed action.
async fn proposed(workspace: &Workspace) -> Action {
    let ticket = ticket(workspace, None);
    let investigation = investigation(&ticket.id);
    let action = action(&ticket.id, &investigation.id);
    let mut tx = workspace.begin().await.unwrap();
    tx.tickets().insert(&ticket).await.unwrap();
    tx.investigations().put(&investigation).await.unwrap();
    tx.actions()
        .insert(&action, action.created_at)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    action
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_approvals_at_once_approve_once() {
    for test in every_engine().await {
        let workspace = test.store.create_workspace("acme", "Acme").await.unwrap();
        let action = proposed(&workspace).await;
        let mut people = Vec::new();
        for _ in 0..50 {
            let (workspace, id) = (workspace.clone(), action.id.clone());
            people.push(tokio::spawn(async move {
                let user = UserId::generate();
                let mut tx = workspace.begin().await.unwrap();
                let moved = tx
                    .actions()
                    .transition(
                        &id,
                        ActionState::Proposed,
                        ActionState::Approved,
                        SystemClock.now(),
                        |action| action.decided_by = Some(user.clone()),
                    )
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
                moved.map(|_| user)
            }));
        }
        let mut winners = Vec::new();
        for person in people {
            winners.extend(person.await.unwrap());
        }
        assert_eq!(winners.len(), 1);
        let stored = workspace.actions().get(&action.id).await.unwrap();
        assert_eq!(stored.decided_by.as_ref(), winners.first());
    }
}

#[tokio::test]
async fn an_action_whose_time_is_over_is_not_approved_and_can_expire() {
    for test in every_engine().await {
        let workspace = test.store.create_workspace("acme", "Acme").await.unwrap();
        let action = proposed(&workspace).await;
        let late = action.expires_at;
        assert_eq!(workspace.actions().overdue(late).await.unwrap().len(), 1);
        for to in [ActionState::Approved, ActionState::Intended] {
            let mut tx = workspace.begin().await.unwrap();
            let moved = tx
                .actions()
                .transition(&action.id, ActionState::Proposed, to, late, |action| {
                    action.expires_at = late.plus_millis(1_000);
                })
                .await
                .unwrap();
            assert_eq!(moved, None);
            tx.commit().await.unwrap();
        }
        let mut tx = workspace.begin().await.unwrap();
        let expired = tx
            .actions()
            .transition(
                &action.id,
                ActionState::Proposed,
                ActionState::Expired,
                late,
                |_| {},
            )
            .await
            .unwrap();
        assert_eq!(expired.unwrap().state, ActionState::Expired);
        tx.commit().await.unwrap();
        assert!(workspace.actions().overdue(late).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_investigation_is_answered_once() {
    for test in every_engine().await {
        let workspace = test.store.create_workspace("acme", "Acme").await.unwrap();
        let action = proposed(&workspace).await;
        for (text, new) in [("first", true), ("second", false)] {
            let mut tx = workspace.begin().await.unwrap();
            let reply = message(&action.ticket, Author::Gaby, text);
            let added = tx.tickets().add_reply(&action.investigation, &reply).await;
            assert_eq!(added.unwrap(), new);
            tx.commit().await.unwrap();
        }
        let messages = workspace.tickets().messages(&action.ticket).await.unwrap();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].body, "first");
    }
}

#[tokio::test]
async fn watchers_are_told_after_the_commit_and_not_of_what_was_dropped() {
    for test in every_engine().await {
        let workspace = test.store.create_workspace("acme", "Acme").await.unwrap();
        let other = test.store.create_workspace("other", "Other").await.unwrap();
        let mut events = test.store.events().subscribe(workspace.id());
        let mut elsewhere = test.store.events().subscribe(other.id());
        let mut tx = workspace.begin().await.unwrap();
        tx.publish(Event::KnowledgeChanged);
        drop(tx);
        let mut tx = workspace.begin().await.unwrap();
        let new = ticket(&workspace, None);
        tx.tickets().insert(&new).await.unwrap();
        assert!(events.try_recv().is_err());
        tx.commit().await.unwrap();
        let told = events.recv().await.unwrap();
        assert_eq!(told, Event::TicketChanged { ticket: new.id });
        assert!(elsewhere.try_recv().is_err());
    }
}

#[tokio::test]
async fn a_ticket_is_taken_in_once_queued_once_and_worked_on_once() {
    for test in every_engine().await {
        let workspace = test.store.create_workspace("acme", "Acme").await.unwrap();
        let first = ticket(&workspace, Some("42"));
        let mut tx = workspace.begin().await.unwrap();
        assert_eq!(tx.tickets().insert(&first).await.unwrap(), Inserted::New);
        let now = SystemClock.now();
        tx.enqueue("investigate", first.id.as_str(), now, Priority::Normal, now)
            .await
            .unwrap();
        tx.audit(record("ticket.received"));
        tx.commit().await.unwrap();

        let again = ticket(&workspace, Some("42"));
        let mut tx = workspace.begin().await.unwrap();
        assert_eq!(
            tx.tickets().insert(&again).await.unwrap(),
            Inserted::AlreadyThere(first.id.clone())
        );
        drop(tx);

        assert_eq!(workspace.tickets().get(&first.id).await.unwrap(), first);
        let filter = TicketFilter {
            limit: 10,
            ..TicketFilter::default()
        };
        assert_eq!(workspace.tickets().list(&filter).await.unwrap().len(), 1);

        let job = test.store.queue().claim(now, 1_000).await.unwrap().unwrap();
        assert_eq!(job.subject, first.id.as_str());
        assert_eq!(test.store.queue().claim(now, 1_000).await.unwrap(), None);
        let later = now.plus_millis(2_000);
        let taken_over = test.store.queue().claim(later, 1_000).await.unwrap();
        assert_eq!(taken_over.unwrap().attempts, 2);
        test.store.queue().complete(&job.id).await.unwrap();
        assert_eq!(test.store.queue().depth().await.unwrap().leased, 0);

        let report = workspace.audit().verify(&[]).await.unwrap().unwrap();
        assert_eq!(report.entries, 1);
    }
}

#[tokio::test]
async fn a_store_opens_again_with_its_key_and_with_no_other() {
    for test in every_engine().await {
        let workspace = test.store.create_workspace("acme", "Acme").await.unwrap();
        let kept = ticket(&workspace, None);
        let mut tx = workspace.begin().await.unwrap();
        tx.tickets().insert(&kept).await.unwrap();
        tx.commit().await.unwrap();
        test.store.close().await;

        let mut other = test.config.clone();
        other.master_key =
            gaby_store::MasterKeySource::Text(zeroize::Zeroizing::new("ab".repeat(32)));
        let error = Store::open(other).await.err().unwrap().to_string();
        assert!(error.contains("nothing was changed"), "{error}");

        let again = Store::open(test.config.clone()).await.unwrap();
        let workspace = again.workspace("acme").await.unwrap();
        assert_eq!(workspace.tickets().get(&kept.id).await.unwrap(), kept);
        let error = again.workspace("acne").await.unwrap_err().to_string();
        assert!(error.contains("there are acme"), "{error}");
    }
}
