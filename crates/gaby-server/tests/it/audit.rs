//! The audit log over the API: read, verified, and anchored outside.

use gaby_store::audit::{Actor, AuditRecord};
use serde_json::{Value, json};

use crate::world::World;

async fn write(world: &World, count: u64) {
    let workspace = world.workspace("default").await;
    let mut tx = workspace.begin().await.unwrap();
    for number in 0..count {
        tx.audit(AuditRecord {
            actor: Actor::gaby(),
            action: format!("test.{number}"),
            object: "x".to_owned(),
            decision: Value::Null,
            content: json!({"secret": "Zanzibar"}),
            at: world.now(),
        });
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn the_log_is_read_page_by_page_and_found_whole() {
    let world = World::start().await;
    let admin = world.admin().await;
    write(&world, 7).await;
    let (mut seen, mut path) = (Vec::new(), "/api/audit?limit=3".to_owned());
    loop {
        let page = world.get(&admin, &path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(!page.text.contains("Zanzibar"));
        for item in page.json["items"].as_array().unwrap() {
            seen.push(item["seq"].as_u64().unwrap());
            assert_eq!(item["hash"].as_str().unwrap().len(), 64);
        }
        match page.json["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/audit?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    let verified = world.post(&admin, "/api/audit/verify", &json!({})).await;
    assert_eq!(
        verified.json,
        json!({"ok": true, "entries": 7, "problem": null})
    );
    for bad in [
        "limit=0",
        "limit=201",
        "cursor=x",
        "cursor=-1",
        "nonsense=1",
    ] {
        assert_eq!(
            world.get(&admin, &format!("/api/audit?{bad}")).await.status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn an_entry_that_somebody_changed_is_named() {
    let world = World::start().await;
    let admin = world.admin().await;
    write(&world, 5).await;
    world.meddle(
        "UPDATE audit_entries SET entry = replace(entry, 'test.2', 'test.9') WHERE seq = 3",
    );
    let verified = world.post(&admin, "/api/audit/verify", &json!({})).await;
    assert_eq!(verified.json["ok"], false);
    assert_eq!(verified.json["entries"], 2);
    let problem = verified.json["problem"].as_str().unwrap();
    assert!(
        problem.contains("entry 3") && problem.contains("does not match its hash"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_checkpoint_that_is_kept_elsewhere_shows_a_log_that_was_set_back() {
    let world = World::start().await;
    let admin = world.admin().await;
    write(&world, 5).await;
    let kept = world.get(&admin, "/api/audit/checkpoint").await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    assert_eq!(kept.json["entries"], 5);
    let note = kept.json["checkpoint"].as_str().unwrap().to_owned();
    assert!(
        note.starts_with("gaby/") && note.lines().nth(1) == Some("5"),
        "{note}"
    );
    assert!(
        kept.json["key"].as_str().unwrap().contains('+'),
        "{}",
        kept.text
    );
    let workspace = world.workspace("default").await;
    let before = workspace
        .audit()
        .verify(std::slice::from_ref(&note))
        .await
        .unwrap();
    assert_eq!(before.unwrap().entries, 5);
    world.meddle("DELETE FROM audit_entries WHERE seq = 5");
    let after = workspace.audit().verify(&[note]).await.unwrap();
    assert_eq!(after.unwrap_err().seq, 5);
}
