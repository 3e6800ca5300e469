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

#[tokio::test]
async fn who_granted_what_is_logged_and_what_is_taken_back_is_not_called_any_more() {
    let (world, admin) = with_connectors().await;
    let path = |verb: &str| format!("/api/connectors/larkfield_accounts/{verb}");
    let list = world.get(&admin, "/api/connectors").await;
    assert_eq!(list.json["items"][0]["grant"]["scope"], "read_write");
    for bad in [
        json!({"scope": "everything"}),
        json!({"scope": "custom", "tools": [{"tool": "no_such_tool"}]}),
        json!({"scope": "custom", "tools": [{"tool": "find_account", "when": {"x": {"about": 1}}}]}),
        json!({"scope": "read_only", "tools": [{"tool": "find_account"}]}),
    ] {
        let refused = world.post(&admin, &path("scope"), &bad).await;
        assert_eq!(refused.status, 400, "{bad}: {}", refused.text);
    }
    let tool = list.json["items"][0]["tools"][0]["name"].clone();
    let custom = json!({"scope": "custom", "environment": "production",
        "tools": [{"tool": tool, "when": {"email": {"ends_with": "@example.com"}}}]});
    let granted = world.post(&admin, &path("scope"), &custom).await;
    assert_eq!(granted.status, 200, "{}", granted.text);
    assert_eq!(granted.json["grant"]["scope"], "custom");
    assert_eq!(granted.json["grant"]["environment"], "production");
    assert_eq!(granted.json["grant"]["tools"][0]["tool"], tool);
    let dry = world
        .post(&admin, &path("scope"), &json!({"scope": "dry_run"}))
        .await;
    assert_eq!(dry.json["grant"]["environment"], "production", "as before");
    let taken_back = world
        .post(
            &admin,
            &path("revoke"),
            &json!({"reason": "contract ended"}),
        )
        .await;
    assert_eq!(taken_back.status, 200, "{}", taken_back.text);
    assert_eq!(taken_back.json["grant"]["revoked"], "contract ended");

    let log = world.get(&admin, &path("consents")).await;
    let kinds: Vec<_> = log.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            assert!(entry["by"].as_str().unwrap().contains("@example.com"));
            entry["kind"].as_str().unwrap()
        })
        .collect();
    let expected = ["revoked", "changed", "changed", "connected"];
    assert_eq!(kinds, expected, "{}", log.text);
    assert_eq!(log.json["items"][1]["before"]["scope"], "custom");
    let all = world.get(&admin, "/api/consents").await;
    // The demo's other connector was connected, too.
    assert_eq!(all.json["items"].as_array().unwrap().len(), 5);

    let workspace = world.workspace("larkfield").await;
    let tenant = world.tenants.open(&workspace).await.unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/tickets/02-locked-out.json");
    let ticket = std::fs::read_to_string(demo).unwrap();
    let ticket = serde_json::from_str(&ticket).unwrap();
    let taken = tenant.agent.intake(ticket, "helpdesk").await.unwrap();
    let state = world.looked_into(&workspace, taken.id()).await;
    assert_eq!(state, gaby_model::TicketState::Escalated);
    let again = world
        .post(&admin, &path("scope"), &json!({"scope": "read_only"}))
        .await;
    assert_eq!(again.json["grant"]["revoked"], serde_json::Value::Null);
    for verb in ["scope", "revoke"] {
        let path = format!("/api/connectors/nope/{verb}");
        let missing = world
            .post(&admin, &path, &json!({"scope": "dry_run"}))
            .await;
        assert!([400, 404].contains(&missing.status), "{}", missing.text);
    }
}

#[tokio::test]
async fn a_connector_in_dry_run_changes_nothing_and_reports_what_it_would_have() {
    let (world, admin) = with_connectors().await;
    let dry = json!({"scope": "dry_run"});
    let path = "/api/connectors/larkfield_accounts/scope";
    assert_eq!(world.post(&admin, path, &dry).await.status, 200);
    let workspace = world.workspace("larkfield").await;
    let tenant = world.tenants.open(&workspace).await.unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo/tickets/02-locked-out.json");
    let ticket = std::fs::read_to_string(demo).unwrap();
    let ticket = serde_json::from_str(&ticket).unwrap();
    let taken = tenant.agent.intake(ticket, "helpdesk").await.unwrap();
    world.looked_into(&workspace, taken.id()).await;
    let shadow = "/api/connectors/larkfield_accounts/shadow";
    let report = world.get(&admin, shadow).await;
    assert_eq!(report.status, 200, "{}", report.text);
    let rehearsals = report.json["rehearsals"].as_array().unwrap();
    assert_eq!(rehearsals.len(), 1, "{}", report.text);
    assert_eq!(rehearsals[0]["afterwards"], "as_it_was");
    assert!(!rehearsals[0]["changes"].as_array().unwrap().is_empty());
    assert_eq!(report.json["as_it_was"], 1);
    let database = rusqlite::Connection::open(world.folder.path().join("larkfield.db")).unwrap();
    let active = "UPDATE accounts SET status = 'active' WHERE id = 101 AND status = 'locked'";
    assert_eq!(database.execute(active, ()).unwrap(), 1, "nothing was done");
    for days in ["0", "91", "x"] {
        let refused = world.get(&admin, &format!("{shadow}?days={days}")).await;
        assert_eq!(refused.status, 400, "{days}: {}", refused.text);
    }
}
