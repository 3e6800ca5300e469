//! Connectors over the API: their health, and how far Gaby may go with them.

use std::path::Path;

use gaby_store::accounts::Role;
use serde_json::json;

use crate::world::{Seat, Setting, World};

async fn with_connectors() -> (World, Seat) {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo");
    let world = World::with(Setting {
        demo: Some(demo),
        ..Setting::default()
    })
    .await;
    let admin = Seat {
        workspace: Some("larkfield".to_owned()),
        ..world.person(Role::Admin, None).await
    };
    (world, admin)
}

#[tokio::test]
async fn an_administrator_sees_health_and_tools_and_says_how_far_gaby_may_go() {
    let (world, admin) = with_connectors().await;
    let list = world.get(&admin, "/api/connectors").await;
    assert_eq!(list.status, 200, "{}", list.text);
    let names: Vec<_> = list.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["larkfield_accounts", "larkfield_billing"]);
    let tool = &list.json["items"][0]["tools"][0];
    assert!(
        tool["access"].is_string() && tool["risk"].is_u64(),
        "{tool}"
    );

    let path = "/api/connectors/larkfield_billing/autonomy";
    let raised = world.post(&admin, path, &json!({"autonomy": "act"})).await;
    assert_eq!(raised.status, 200, "{}", raised.text);
    assert_eq!(raised.json["autonomy"], "act");
    let log = world.get(&admin, "/api/audit?limit=5").await;
    let who = log.json["items"].as_array().unwrap().iter().find(|entry| {
        entry["action"].as_str().unwrap().starts_with("connector.")
            && entry["actor"].as_str().unwrap().starts_with("user:")
    });
    assert!(who.is_some(), "{}", log.text);
    for bad in [
        json!({"autonomy": "godlike"}),
        json!({}),
        json!({"autonomy": 3}),
    ] {
        assert_eq!(world.post(&admin, path, &bad).await.status, 400);
    }
    let missing = world
        .post(
            &admin,
            "/api/connectors/nope/autonomy",
            &json!({"autonomy": "act"}),
        )
        .await;
    assert_eq!((missing.status, missing.code()), (404, "not_found"));
}

#[tokio::test]
async fn a_connector_that_does_not_answer_is_shown_with_what_went_wrong() {
    let (world, admin) = with_connectors().await;
    let path = "/api/connectors/larkfield_accounts/test";
    let up = world.post(&admin, path, &json!({})).await;
    assert_eq!(
        (up.status, &up.json["state"]),
        (200, &json!("up")),
        "{}",
        up.text
    );
    std::fs::write(
        world.folder.path().join("larkfield.db"),
        "no database at all",
    )
    .unwrap();
    let down = world.post(&admin, path, &json!({})).await;
    assert_eq!(
        (down.status, &down.json["state"]),
        (200, &json!("down")),
        "{}",
        down.text
    );
    assert!(down.json["last_error"].as_str().unwrap().len() > 10);
    assert_eq!(
        world
            .post(&admin, "/api/connectors/nope/test", &json!({}))
            .await
            .status,
        404
    );
}
