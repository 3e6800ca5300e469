//! What stands around single decisions: consent, standing approvals, links by mail, edited calls,
//! and rehearsals; in a real store.

use std::time::Duration;

use gaby_gate::dry_run::{self, Diff};
use gaby_gate::execute::About;
use gaby_gate::{
    Condition, Decided, GateError, Labelled, OwnershipProof, Pattern, Proposed, Scope, Standing,
    approvals, consent, links, patterns, redact,
};
use gaby_model::{
    Action, ActionState, Autonomy, EvidenceId, Integrity, Label, PatternId, Timestamp, UserId,
};
use gaby_store::audit::Actor;
use gaby_store::consents::ConsentKind;
use gaby_store::{Store, StoreConfig, Workspace};
use serde_json::json;

use crate::fixtures;
use crate::scene::Scene;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

async fn workspace(folder: &tempfile::TempDir) -> Workspace {
    let store = Store::open(StoreConfig::in_folder(folder.path().join("data")))
        .await
        .unwrap();
    store.create_workspace("acme", "Acme").await.unwrap()
}

/// A ticket with its investigation, for actions to be about.
async fn about(workspace: &Workspace) -> About {
    let (ticket, investigation) = crate::approvals::stored_case(workspace).await;
    About {
        investigation,
        ticket,
        summary: "Unlock account 7".to_owned(),
        reason: "It is locked.".to_owned(),
        state_before: json!({"status": "locked"}),
        undoes: None,
    }
}

async fn proposed(workspace: &Workspace, about: About) -> Action {
    let mut scene = Scene::allowed();
    scene.policy.autonomy.workspace = Autonomy::Propose;
    match Proposed::new(scene.call.clone()).decide(&scene.context()) {
        Decided::NeedsApproval(pending) => pending
            .propose(workspace, about, at(0), 600_000)
            .await
            .unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn consent_is_logged_and_taken_back_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = workspace(&folder).await;
    let user = UserId::generate();
    assert_eq!(
        consent::standing(&workspace, "crm").await.unwrap(),
        Standing::default()
    );
    let mut granted = Standing {
        scope: Scope::DryRun,
        environment: "production".to_owned(),
        may_tell: vec!["billing".to_owned()],
        revoked: None,
    };
    consent::grant(&workspace, "crm", &granted, Some(&user), at(1))
        .await
        .unwrap();
    assert_eq!(consent::standing(&workspace, "crm").await.unwrap(), granted);
    granted.scope = Scope::ReadOnly;
    consent::grant(&workspace, "crm", &granted, Some(&user), at(2))
        .await
        .unwrap();
    consent::revoke(&workspace, "crm", "the contract ended", None, at(3))
        .await
        .unwrap();
    let now = consent::standing(&workspace, "crm").await.unwrap();
    assert_eq!(now.revoked.as_deref(), Some("the contract ended"));
    let log = workspace.consents(10).await.unwrap();
    let kinds: Vec<ConsentKind> = log.iter().map(|entry| entry.kind).collect();
    assert_eq!(
        kinds,
        [
            ConsentKind::Revoked,
            ConsentKind::Changed,
            ConsentKind::Connected
        ]
    );
    assert_eq!(log[1].by.as_ref(), Some(&user));
    assert_eq!(log[1].before["scope"], "dry_run");
    assert_eq!(log[1].after["scope"], "read_only");
}

#[tokio::test]
async fn a_write_that_was_approved_does_not_leave_after_its_connector_was_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = workspace(&folder).await;
    let scene = Scene::allowed();
    let Decided::Write(permit) = Proposed::new(scene.call.clone()).decide(&scene.context()) else {
        panic!("not allowed");
    };
    let intended = permit
        .intend(&workspace, about(&workspace).await, at(0))
        .await
        .unwrap();
    let id = intended.action().id.clone();
    consent::revoke(&workspace, "crm", "stop", None, at(1))
        .await
        .unwrap();
    let error = intended.send(&workspace, at(2)).await.unwrap_err();
    assert!(
        matches!(&error, GateError::Void { why, .. } if why.contains("stop")),
        "{error}"
    );
    let stored = workspace.actions().get(&id).await.unwrap();
    assert_eq!(stored.state, ActionState::Void);
}

#[tokio::test]
async fn a_standing_approval_is_used_up_even_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = workspace(&folder).await;
    let tool = fixtures::unlock();
    let pattern = Pattern {
        id: PatternId::generate(),
        tool: tool.tool.clone(),
        definition_hash: tool.definition_hash.clone(),
        arguments: [
            ("account".to_owned(), Condition::Equals(json!(7))),
            ("notify".to_owned(), Condition::OneOf(vec![json!("mail")])),
            ("note".to_owned(), Condition::StartsWith(String::new())),
        ]
        .into(),
        remaining: 2,
        ends_at: at(60_000),
        by: UserId::generate(),
    };
    patterns::give(&workspace, &pattern, &tool, at(0))
        .await
        .unwrap();
    let about = about(&workspace).await;
    let (mut done, mut spent) = (0, 0);
    for _ in 0..4 {
        let mut scene = Scene::allowed();
        scene.policy.autonomy.workspace = Autonomy::Propose;
        // As each of four who looked at the same moment sees it.
        scene.patterns = vec![pattern.clone()];
        let Decided::Write(permit) = Proposed::new(scene.call.clone()).decide(&scene.context())
        else {
            panic!("not covered");
        };
        match permit.intend(&workspace, about.clone(), at(1)).await {
            Ok(_) => done += 1,
            Err(GateError::PatternSpent(id)) if id == pattern.id => spent += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((done, spent), (2, 2));
    assert!(
        patterns::standing(&workspace, at(1))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_standing_approval_can_be_ended_and_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = workspace(&folder).await;
    let tool = fixtures::unlock();
    let user = UserId::generate();
    let pattern = || Pattern {
        id: PatternId::generate(),
        tool: tool.tool.clone(),
        definition_hash: tool.definition_hash.clone(),
        arguments: [("account".to_owned(), Condition::Equals(json!(7)))].into(),
        remaining: 2,
        ends_at: at(60_000),
        by: user.clone(),
    };
    let (one, other) = (pattern(), pattern());
    patterns::give(&workspace, &one, &tool, at(0))
        .await
        .unwrap();
    patterns::give(&workspace, &other, &tool, at(0))
        .await
        .unwrap();
    assert!(
        patterns::end(&workspace, &one.id, &user, at(1))
            .await
            .unwrap()
    );
    assert_eq!(
        patterns::standing(&workspace, at(2)).await.unwrap(),
        [other]
    );
    assert!(
        patterns::standing(&workspace, at(60_000))
            .await
            .unwrap()
            .is_empty()
    );
    let mut endless = pattern();
    endless.ends_at = at(i64::MAX / 2);
    assert!(
        patterns::give(&workspace, &endless, &tool, at(0))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_link_leads_one_person_to_one_action_once() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = workspace(&folder).await;
    let action = proposed(&workspace, about(&workspace).await).await;
    let (ada, bob) = (UserId::generate(), UserId::generate());
    let token = links::make(&workspace, &action, &ada).await.unwrap();
    let mut forged = token.clone();
    forged.replace_range(5..6, "0");
    for (link, who) in [
        (token.as_str(), &bob),
        (forged.as_str(), &ada),
        ("", &ada),
        ("a.b", &ada),
    ] {
        let refused = links::follow(&workspace, link, who, at(1)).await;
        assert!(matches!(refused, Err(GateError::Link)), "{link}");
    }
    assert_eq!(
        links::follow(&workspace, &token, &ada, at(1))
            .await
            .unwrap(),
        action.id
    );
    assert!(
        links::follow(&workspace, &token, &ada, at(1))
            .await
            .is_err()
    );
    // Following it decided nothing.
    let stored = workspace.actions().get(&action.id).await.unwrap();
    assert_eq!(stored.state, ActionState::Proposed);
    let late = links::make(&workspace, &action, &ada).await.unwrap();
    assert!(
        links::follow(&workspace, &late, &ada, action.expires_at)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_edited_call_is_a_new_decision_and_the_old_one_is_void() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = workspace(&folder).await;
    let old = proposed(&workspace, about(&workspace).await).await;
    let mut scene = Scene::allowed();
    scene.policy.autonomy.workspace = Autonomy::Propose;
    scene.call.arguments = Labelled::whole(
        json!({"account": 7, "notify": "none", "note": "edited"}),
        Label::of(Integrity::Operator),
    );
    let proof = OwnershipProof::new(EvidenceId::generate(), scene.call.arguments.value());
    scene.ownership = gaby_gate::Ownership::Proven(proof.unwrap());
    let edited = || match Proposed::new(scene.call.clone()).decide(&scene.context()) {
        Decided::NeedsApproval(pending) => pending,
        other => panic!("{other:?}"),
    };
    let user = UserId::generate();
    let state = json!({"status": "locked"});
    let new = approvals::replace(
        &workspace,
        &old.id,
        edited(),
        state.clone(),
        &user,
        at(1),
        600_000,
    )
    .await
    .unwrap();
    assert_eq!(new.call.arguments["note"], "edited");
    assert_ne!(new.decision_hash, old.decision_hash);
    assert_eq!(new.state, ActionState::Proposed);
    let before = workspace.actions().get(&old.id).await.unwrap();
    assert_eq!(before.state, ActionState::Void);
    assert!(
        before.outcome["error"]
            .as_str()
            .unwrap()
            .contains(new.id.as_str())
    );
    let again =
        approvals::replace(&workspace, &old.id, edited(), state, &user, at(2), 600_000).await;
    assert!(again.is_err());
}

#[tokio::test]
async fn a_rehearsal_is_kept_for_the_report_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = workspace(&folder).await;
    let about = about(&workspace).await;
    for level in [Autonomy::Act, Autonomy::Propose] {
        let mut scene = Scene::allowed();
        scene.policy.scope = Scope::DryRun;
        scene.policy.autonomy.workspace = level;
        let Decided::DryRun(rehearsed) = Proposed::new(scene.call.clone()).decide(&scene.context())
        else {
            panic!("not a rehearsal");
        };
        let kept = rehearsed
            .record(&workspace, about.clone(), &fixtures::unlock(), at(5))
            .await
            .unwrap();
        assert_eq!(
            kept.diff,
            Diff::between(&about.state_before, &about.state_before)
        );
    }
    let report = dry_run::report(&workspace, "crm", at(0)).await.unwrap();
    assert_eq!((report.would_have_acted, report.would_have_asked), (1, 1));
    assert_eq!(report.by_tool, [("unlock".to_owned(), 2)].into());
    assert!(workspace.actions().list(None, 10).await.unwrap().is_empty());
    assert_eq!(
        dry_run::report(&workspace, "crm", at(6))
            .await
            .unwrap()
            .rehearsals,
        []
    );
}

#[tokio::test]
async fn what_was_hidden_before_is_neither_stored_nor_looked_through_again_and_comes_out_the_same()
{
    let folder = tempfile::tempdir().unwrap();
    let here = workspace(&folder).await;
    let text = "Write to ann@example.com or call +49 30 901820; the account is locked, and nobody answers.";
    let hide = async |lately: &redact::Lately, more: &str| {
        let mut texts = [text.to_owned(), more.to_owned()];
        let veil = redact::Veil::of(&here).await.unwrap();
        let hidden = veil.hide_again(texts.iter_mut(), lately).await.unwrap();
        let shown = texts.clone().map(|text| hidden.show(&text));
        (texts, shown)
    };
    let lately = redact::Lately::default();
    let (first, shown) = hide(&lately, "Again.").await;
    assert!(
        first[0].contains("[email_") && first[0].contains("[phone_"),
        "{first:?}"
    );
    assert_eq!(shown, [text, "Again."]);
    // Nobody else can write meanwhile, and nothing must be.
    let writing = here.begin().await.unwrap();
    for lately in [&lately, &redact::Lately::default()] {
        let again = tokio::time::timeout(Duration::from_secs(2), hide(lately, "ann@example.com"));
        let (again, shown) = again.await.expect("a write was waited for");
        assert_eq!(again[0], first[0]);
        assert_eq!(shown, [text, "ann@example.com"]);
    }
    drop(writing);
    let (new, _) = hide(&lately, "bob@example.com").await;
    assert_eq!(
        redact::show(&here, &new[1]).await.unwrap(),
        "bob@example.com"
    );
    // Another profile looks for other things, also in what was looked through.
    let emails = redact::Profile {
        kinds: [redact::Kind::Email].into(),
        ..redact::Profile::default()
    };
    let (by, now) = (Actor::gaby(), Timestamp::from_millis(0));
    redact::settle(&here, &emails, by, now).await.unwrap();
    let (less, _) = hide(&lately, "").await;
    assert!(
        less[0].contains("[email_") && less[0].contains("901820"),
        "{less:?}"
    );
}

#[tokio::test]
async fn what_is_hidden_is_shown_again_in_its_own_workspace_only() {
    let folder = tempfile::tempdir().unwrap();
    let here = workspace(&folder).await;
    let elsewhere = here
        .store()
        .create_workspace("other", "Other")
        .await
        .unwrap();
    let text = "Write to ann@example.com, and again to ANN@example.com.";
    let hidden = redact::hide(&here, text, &redact::Profile::default())
        .await
        .unwrap();
    assert!(!hidden.to_lowercase().contains("ann@"), "{hidden}");
    let shown = redact::show(&here, &hidden).await.unwrap();
    // One person has one pseudonym, which stands for the first way of writing it.
    assert!(
        shown.starts_with("Write to ann@example.com, and again to "),
        "{shown}"
    );
    assert_eq!(redact::show(&elsewhere, &hidden).await.unwrap(), hidden);
}
