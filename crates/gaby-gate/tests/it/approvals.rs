//! Approvals and execution on a real store.

use std::collections::BTreeSet;

use gaby_gate::{
    About, Approver, Decided, GateError, Outcome, Policy, Present, Proposed, Resumed, Verified,
    approvals, approve, expire_due, reject, resume, withdraw,
};
use gaby_model::{
    Action, ActionState, Autonomy, CallKey, Depth, Investigation, InvestigationId,
    InvestigationState, Priority, Ticket, TicketId, TicketState, Timestamp, ToolDefinition, Usage,
    UserId, canonical,
};
use gaby_store::{Store, StoreConfig, Workspace};
use serde_json::{Value, json};

use crate::fixtures;
use crate::scene::Scene;

/// A store with a ticket and its investigation.
struct House {
    _folder: tempfile::TempDir,
    workspace: Workspace,
    about: About,
    scene: Scene,
    user: UserId,
    audience: BTreeSet<String>,
    state: Value,
}

const START: i64 = 1_800_000_000_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

/// Stores a ticket and its investigation, for actions to be about.
pub(crate) async fn stored_case(workspace: &Workspace) -> (TicketId, InvestigationId) {
    let ticket = Ticket {
        id: TicketId::generate(),
        workspace: workspace.id().clone(),
        source: "api".to_owned(),
        external_id: None,
        subject: "locked".to_owned(),
        requester: None,
        state: TicketState::Investigating,
        priority: Priority::Normal,
        sla_deadline: None,
        created_at: at(0),
        updated_at: at(0),
    };
    let investigation = Investigation {
        id: InvestigationId::generate(),
        ticket: ticket.id.clone(),
        state: InvestigationState::SafetyCheck,
        brain: "builtin".to_owned(),
        playbook: None,
        category: None,
        verdict: None,
        confidence: None,
        reply: None,
        citations: Vec::new(),
        escalation: None,
        depth: Depth::Standard,
        usage: Usage::default(),
        started_at: at(0),
        ended_at: None,
    };
    let mut tx = workspace.begin().await.unwrap();
    tx.tickets().insert(&ticket).await.unwrap();
    tx.investigations().put(&investigation).await.unwrap();
    tx.commit().await.unwrap();
    (ticket.id, investigation.id)
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(StoreConfig::in_folder(folder.path()))
            .await
            .unwrap();
        let workspace = store.create_workspace("acme", "Acme").await.unwrap();
        let (ticket, investigation) = stored_case(&workspace).await;
        let mut scene = Scene::allowed();
        scene.policy.autonomy.connector = Autonomy::Propose;
        Self {
            _folder: folder,
            workspace,
            about: About {
                investigation,
                ticket,
                summary: "Unlock account 7".to_owned(),
                reason: "It is locked.".to_owned(),
                state_before: json!({"status": "locked"}),
                undoes: None,
            },
            scene,
            user: UserId::generate(),
            audience: BTreeSet::new(),
            state: json!({"status": "locked"}),
        }
    }

    async fn propose(&self) -> Action {
        let Decided::NeedsApproval(pending) =
            Proposed::new(self.scene.call.clone()).decide(&self.scene.context())
        else {
            panic!("a human should be asked");
        };
        pending
            .propose(
                &self.workspace,
                self.about.clone(),
                at(0),
                approvals::DEFAULT_LIFE_MILLIS,
            )
            .await
            .unwrap()
    }

    fn approver(&self) -> Approver<'_> {
        Approver {
            user: &self.user,
            email: "agent@example.org",
        }
    }

    fn present(&self) -> Present<'_> {
        Present {
            tool: self.scene.tool.as_ref(),
            policy: &self.scene.policy,
            audience: &self.audience,
            state: &self.state,
            requester: Some("ada@example.com"),
            now: at(1_000),
        }
    }

    async fn approve(
        &self,
        action: &Action,
        present: &Present<'_>,
    ) -> Result<gaby_gate::Intended, GateError> {
        approve(
            &self.workspace,
            &action.id,
            &action.decision_hash,
            self.approver(),
            present,
        )
        .await
    }

    async fn stored(&self, action: &Action) -> Action {
        self.workspace.actions().get(&action.id).await.unwrap()
    }

    async fn audit_words(&self) -> Vec<String> {
        let mut entries = self.workspace.audit().list(None, 100).await.unwrap();
        entries.sort_by_key(|(entry, _)| entry.seq);
        entries
            .into_iter()
            .map(|(entry, _)| entry.action)
            .filter(|a| a.starts_with("action."))
            .collect()
    }
}

#[tokio::test]
async fn an_approved_write_is_intended_sent_and_recorded_in_this_order() {
    let house = House::new().await;
    let action = house.propose().await;
    assert_eq!(action.state, ActionState::Proposed);
    assert!(action.needs_human_because[0].contains("the connector is set to `propose`"));

    let intended = house.approve(&action, &house.present()).await.unwrap();
    let stored = house.stored(&action).await;
    assert_eq!(stored.state, ActionState::Intended);
    assert_eq!(stored.decided_by.as_ref(), Some(&house.user));

    let (key, in_flight) = intended.send(&house.workspace, at(1_001)).await.unwrap();
    assert_eq!(house.stored(&action).await.state, ActionState::Sent);
    assert_eq!(key.call(), &action.call);
    assert_eq!(key.idempotency_key(), Some(action.id.as_str()));

    let outcome = Outcome::Done(json!({"affected": 1}));
    in_flight
        .record(&house.workspace, outcome, at(1_002))
        .await
        .unwrap();
    let done = house.stored(&action).await;
    assert_eq!(
        (done.state, done.outcome),
        (ActionState::Done, json!({"affected": 1}))
    );
    assert_eq!(
        house.audit_words().await,
        [
            "action.proposed",
            "action.approved",
            "action.intended",
            "action.sent",
            "action.done"
        ]
    );
    assert!(house.workspace.audit().verify(&[]).await.unwrap().is_ok());
}

#[tokio::test]
async fn of_fifty_approvals_at_once_exactly_one_counts() {
    let house = std::sync::Arc::new(House::new().await);
    let action = house.propose().await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (house, action) = (house.clone(), action.clone());
        tries.spawn(async move { house.approve(&action, &house.present()).await.map(drop) });
    }
    let results = tries.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for error in results.into_iter().filter_map(Result::err) {
        assert!(matches!(error, GateError::Settled { .. }), "{error}");
    }
    let approvals = house.audit_words().await;
    assert_eq!(
        approvals
            .iter()
            .filter(|word| *word == "action.approved")
            .count(),
        1
    );
}

#[tokio::test]
async fn an_intent_is_sent_once_even_when_two_take_it_up() {
    let house = House::new().await;
    let action = house.propose().await;
    drop(house.approve(&action, &house.present()).await.unwrap());
    let tool = house.scene.tool.as_ref();
    let mut taken = Vec::new();
    for _ in 0..2 {
        let resumed = resume(
            &house.workspace,
            &action.id,
            tool,
            Verified::NotAsked,
            at(2_000),
        );
        match resumed.await.unwrap() {
            Resumed::Send(intended) => taken.push(intended),
            other => panic!("{other:?}"),
        }
    }
    let second = taken.pop().unwrap();
    taken
        .pop()
        .unwrap()
        .send(&house.workspace, at(2_001))
        .await
        .unwrap();
    let error = second.send(&house.workspace, at(2_002)).await.unwrap_err();
    assert!(
        matches!(error, GateError::Settled { state: "sent", .. }),
        "{error}"
    );
}

#[tokio::test]
async fn every_changed_byte_of_the_arguments_voids_the_approval() {
    let house = House::new().await;
    let action = house.propose().await;
    let bytes = canonical::to_bytes(&action.call.arguments).unwrap();
    let mut tried = 0;
    for index in 0..bytes.len() {
        let mut mutated = bytes.clone();
        mutated[index] ^= 1;
        let Ok(arguments) = serde_json::from_slice::<Value>(&mutated) else {
            continue;
        };
        tried += 1;
        let mut swapped = action.clone();
        swapped.id = gaby_model::ActionId::generate();
        swapped.call.arguments = arguments;
        let mut tx = house.workspace.begin().await.unwrap();
        tx.actions().insert(&swapped, at(0)).await.unwrap();
        tx.commit().await.unwrap();
        let error = house.approve(&swapped, &house.present()).await.unwrap_err();
        assert!(matches!(error, GateError::Void { .. }), "{error}");
        assert_eq!(house.stored(&swapped).await.state, ActionState::Void);
    }
    assert!(tried > 20, "only {tried} mutations were still JSON");
}

async fn voided(change: impl FnOnce(&mut House)) -> String {
    let mut house = House::new().await;
    let action = house.propose().await;
    change(&mut house);
    let error = house.approve(&action, &house.present()).await.unwrap_err();
    assert_eq!(house.stored(&action).await.state, ActionState::Void);
    error.to_string()
}

#[tokio::test]
async fn what_moved_since_it_was_proposed_voids_the_approval() {
    let said = voided(|house| house.state = json!({"status": "active"})).await;
    assert!(said.contains("has changed meanwhile"), "{said}");
    let said = voided(|house| {
        house.scene.tool.as_mut().unwrap().definition_hash = "1".repeat(64);
    })
    .await;
    assert!(said.contains("definition of `crm__unlock`"), "{said}");
    voided(|house| house.scene.policy = Policy::default()).await;
    voided(|house| house.audience = ["requester:eve@example.com".to_owned()].into()).await;
    let said = voided(|house| house.scene.tool = None).await;
    assert!(said.contains("no longer offered"), "{said}");
}

#[tokio::test]
async fn another_hash_than_the_one_shown_approves_nothing_and_leaves_the_offer() {
    let house = House::new().await;
    let action = house.propose().await;
    for hash in ["", &"0".repeat(64), &action.decision_hash[1..]] {
        let error = approve(
            &house.workspace,
            &action.id,
            hash,
            house.approver(),
            &house.present(),
        )
        .await
        .unwrap_err();
        assert!(matches!(error, GateError::OtherDecision { .. }), "{error}");
    }
    assert_eq!(house.stored(&action).await.state, ActionState::Proposed);
    assert!(house.approve(&action, &house.present()).await.is_ok());
}

#[tokio::test]
async fn nobody_approves_what_they_asked_for() {
    let house = House::new().await;
    let action = house.propose().await;
    let own = Present {
        requester: Some(" Agent@Example.org"),
        ..house.present()
    };
    let error = house.approve(&action, &own).await.unwrap_err();
    assert!(matches!(error, GateError::OwnRequest { .. }), "{error}");
}

#[tokio::test]
async fn an_offer_ends_at_its_time_and_the_clock_going_back_does_not_revive_it() {
    let house = House::new().await;
    let (first, second) = (house.propose().await, house.propose().await);
    let late = Present {
        now: first.expires_at,
        ..house.present()
    };
    let error = house.approve(&first, &late).await.unwrap_err();
    assert!(matches!(error, GateError::Expired { .. }), "{error}");
    let error = house.approve(&first, &house.present()).await.unwrap_err();
    assert!(
        matches!(
            error,
            GateError::Settled {
                state: "expired",
                ..
            }
        ),
        "{error}"
    );

    assert!(
        expire_due(&house.workspace, at(1))
            .await
            .unwrap()
            .is_empty()
    );
    let expired = expire_due(&house.workspace, second.expires_at)
        .await
        .unwrap();
    assert_eq!(expired.len(), 1);
    assert_eq!(house.stored(&second).await.state, ActionState::Expired);
}

#[tokio::test]
async fn a_rejected_or_withdrawn_write_is_never_sent() {
    let house = House::new().await;
    let action = house.propose().await;
    let rejected = reject(
        &house.workspace,
        &action.id,
        house.approver(),
        "call them first",
        at(5),
    )
    .await
    .unwrap();
    assert_eq!(rejected.rejection.as_deref(), Some("call them first"));
    let error = house.approve(&action, &house.present()).await.unwrap_err();
    assert!(
        matches!(
            error,
            GateError::Settled {
                state: "rejected",
                ..
            }
        ),
        "{error}"
    );
    let again = reject(&house.workspace, &action.id, house.approver(), "", at(6)).await;
    assert!(again.is_err());

    let action = house.propose().await;
    withdraw(
        &house.workspace,
        &action.id,
        "the requester wrote again",
        at(5),
    )
    .await
    .unwrap();
    assert!(house.approve(&action, &house.present()).await.is_err());
    let tool = house.scene.tool.as_ref();
    let resumed = resume(
        &house.workspace,
        &action.id,
        tool,
        Verified::NotAsked,
        at(9),
    )
    .await;
    assert!(matches!(resumed.unwrap(), Resumed::Settled(_)));
}

async fn sent(tool: &ToolDefinition) -> (House, Action) {
    let mut house = House::new().await;
    house.scene.tool = Some(tool.clone());
    let action = house.propose().await;
    let intended = house.approve(&action, &house.present()).await.unwrap();
    let (_key, in_flight) = intended.send(&house.workspace, at(1_001)).await.unwrap();
    // The process dies here: the outcome is never recorded.
    drop(in_flight);
    (house, action)
}

#[tokio::test]
async fn a_write_whose_outcome_nobody_saw_is_sent_again_only_if_twice_is_as_once() {
    let mut tool = fixtures::unlock();
    let (house, action) = sent(&tool).await;
    let resumed = resume(
        &house.workspace,
        &action.id,
        Some(&tool),
        Verified::NotAsked,
        at(2_000),
    );
    let Resumed::Send(intended) = resumed.await.unwrap() else {
        panic!("an idempotent write may be sent again");
    };
    let (key, _) = intended.send(&house.workspace, at(2_001)).await.unwrap();
    assert_eq!(key.idempotency_key(), Some(action.id.as_str()));

    tool.idempotent = false;
    let (house, action) = sent(&tool).await;
    let resumed = resume(
        &house.workspace,
        &action.id,
        Some(&tool),
        Verified::NotAsked,
        at(2_000),
    );
    let Resumed::Settled(unknown) = resumed.await.unwrap() else {
        panic!("it must not be sent again");
    };
    assert_eq!(unknown.state, ActionState::Unknown);
    assert_eq!(house.stored(&action).await.state, ActionState::Unknown);
}

#[tokio::test]
async fn what_the_gate_allows_by_itself_is_stored_before_it_is_sent() {
    let mut house = House::new().await;
    house.scene = Scene::allowed();
    let proposed = Proposed::new(house.scene.call.clone());
    let Decided::Write(permit) = proposed.decide(&house.scene.context()) else {
        panic!("it is allowed");
    };
    let intended = permit
        .intend(&house.workspace, house.about.clone(), at(0))
        .await
        .unwrap();
    let stored = house.stored(intended.action()).await;
    assert_eq!(stored.state, ActionState::Intended);
    assert_eq!((stored.decided_by, stored.decided_at), (None, Some(at(0))));
    assert_eq!(house.audit_words().await, ["action.intended"]);
    let (_, in_flight) = intended.send(&house.workspace, at(1)).await.unwrap();
    let lost = Outcome::Unknown("no answer within 10 s".to_owned());
    let unknown = in_flight
        .record(&house.workspace, lost, at(2))
        .await
        .unwrap();
    assert_eq!(unknown.state, ActionState::Unknown);
}

#[tokio::test]
async fn what_cannot_be_hashed_is_not_proposed() {
    let mut house = House::new().await;
    house.about.state_before = json!({"id": u64::MAX});
    let Decided::NeedsApproval(pending) =
        Proposed::new(house.scene.call.clone()).decide(&house.scene.context())
    else {
        panic!("a human should be asked");
    };
    let error = pending
        .propose(&house.workspace, house.about.clone(), at(0), 60_000)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("as a string"), "{error}");
}
