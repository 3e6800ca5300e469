//! Accounts and API tokens.

use gaby_store::accounts::Role;
use serde_json::json;

use crate::world::{Seat, World, answer};

#[tokio::test]
async fn an_administrator_makes_accounts_that_can_sign_in_and_do_what_their_role_may() {
    let world = World::start().await;
    let admin = world.admin().await;
    world.workspace("other").await;
    let form = json!({
        "email": "vera@example.com", "name": "Vera", "role": "viewer",
        "password": "correct horse battery", "workspaces": ["default"],
    });
    let made = world.post(&admin, "/api/users", &form).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(!made.text.contains("argon2") && !made.text.contains("correct horse"));
    let listed = world.get(&admin, "/api/users").await;
    assert!(listed.text.contains("vera@example.com") && !listed.text.contains("argon2"));

    let again = world.post(&admin, "/api/users", &form).await;
    assert_eq!((again.status, again.code()), (409, "conflict"));
    let signed_in = world
        .post(
            &Seat::default(),
            "/api/session",
            &json!({"email": "vera@example.com", "password": "correct horse battery"}),
        )
        .await;
    let vera = Seat {
        cookie: signed_in.cookie(),
        csrf: signed_in.json["csrf"].as_str().map(str::to_owned),
        ..Seat::default()
    };
    let session = world.get(&vera, "/api/session").await;
    assert_eq!(session.json["workspaces"].as_array().unwrap().len(), 1);
    assert_eq!(world.get(&vera, "/api/tickets").await.status, 200);
    assert_eq!(
        world
            .post(&vera, "/api/tickets", &json!({"body": "x"}))
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn an_account_that_would_be_none_is_refused() {
    let world = World::start().await;
    let admin = world.admin().await;
    let good = json!({
        "email": "x@example.com", "name": "X", "role": "agent", "password": "correct horse battery",
    });
    for (field, value, says) in [
        ("email", json!("x"), "email"),
        ("email", json!("a b@example.com"), "email"),
        ("email", json!("a@b@c"), "email"),
        ("email", json!("x".repeat(400)), "email"),
        ("name", json!(""), "name"),
        ("name", json!("a\u{0}b"), "name"),
        ("role", json!("root"), "root"),
        ("password", json!("elevenchars"), "12 characters"),
        ("password", json!("x".repeat(1_025)), "1024"),
        ("workspaces", json!(["nope"]), "nope"),
        ("admin", json!(true), "admin"),
    ] {
        let mut form = good.clone();
        form[field] = value;
        let refused = world.post(&admin, "/api/users", &form).await;
        assert_eq!(refused.status, 400, "{field}: {}", refused.text);
        assert!(
            refused.message().contains(says),
            "{field}: {}",
            refused.text
        );
    }
    assert_eq!(world.store.accounts().users().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_is_shown_once_does_what_it_is_for_and_can_be_revoked() {
    let world = World::start().await;
    let admin = world.admin().await;
    let order = json!({"name": "intake", "scopes": ["tickets:write", "read", "read"], "days": 30});
    let made = world.post(&admin, "/api/tokens", &order).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let secret = made.json["token"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("gaby_") && secret.len() > 50);
    let program = Seat {
        bearer: Some(secret.clone()),
        ..Seat::default()
    };
    // A program sends no guard token, and needs none.
    let taken = world
        .post(&program, "/api/tickets", &json!({"body": "x"}))
        .await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    let listed = world.get(&admin, "/api/tokens").await;
    let item = &listed.json["items"][0];
    assert_eq!(item["scopes"], json!(["read", "tickets:write"]));
    assert!(item["last_used_at"].is_string() && item["expires_at"].is_string());
    assert!(!listed.text.contains(&secret));

    let path = format!("/api/tokens/{}", item["id"].as_str().unwrap());
    let gone = answer(world.request(&admin, "DELETE", &path)).await;
    assert_eq!(gone.status, 204);
    assert_eq!(world.get(&program, "/api/tickets").await.status, 401);
    let again = answer(world.request(&admin, "DELETE", &path)).await;
    assert_eq!(again.status, 404);

    let log = world.get(&admin, "/api/audit").await;
    let actions: Vec<&str> = log.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["action"].as_str())
        .filter(|action| action.starts_with("token."))
        .collect();
    assert_eq!(actions, ["token.revoked", "token.made"]);
    assert!(!log.text.contains(&secret));
}

#[tokio::test]
async fn a_token_that_is_too_old_or_asked_for_wrongly_is_none() {
    let world = World::start().await;
    let admin = world.admin().await;
    for (order, says) in [
        (json!({"name": "", "scopes": ["read"]}), "name"),
        (
            json!({"name": "a", "scopes": ["read"], "sources": ["helpdesk"]}),
            "tickets:write",
        ),
        (
            json!({"name": "a", "scopes": ["tickets:write"], "sources": [" "]}),
            "sources",
        ),
        (
            json!({"name": "a", "scopes": ["tickets:write"], "sources": vec!["a"; 21]}),
            "sources",
        ),
        (json!({"name": "x", "scopes": []}), "scopes"),
        (json!({"name": "x", "scopes": ["root"]}), "root"),
        (json!({"name": "x", "scopes": "read"}), "scopes"),
        (json!({"name": "x", "scopes": ["read"], "days": 0}), "days"),
        (
            json!({"name": "x", "scopes": ["read"], "days": 366}),
            "days",
        ),
        (json!({"name": "x".repeat(201), "scopes": ["read"]}), "name"),
        (json!({"scopes": ["read"]}), "name"),
    ] {
        let refused = world.post(&admin, "/api/tokens", &order).await;
        assert_eq!(refused.status, 400, "{order}: {}", refused.text);
        assert!(
            refused.message().contains(says),
            "{order}: {}",
            refused.text
        );
    }
    let workspace = world.workspace("default").await;
    let program = world.program(&workspace, &["read"]).await;
    assert_eq!(world.get(&program, "/api/tickets").await.status, 200);
    world.meddle("UPDATE api_tokens SET expires_at = 1000");
    let late = world.get(&program, "/api/tickets").await;
    assert_eq!(late.status, 401);
    assert!(late.message().contains("expired"), "{}", late.text);
}

#[tokio::test]
async fn an_administrator_of_one_workspace_makes_no_accounts() {
    let world = World::start().await;
    let limited = world.person(Role::Admin, Some(&["default"])).await;
    assert_eq!(world.get(&limited, "/api/users").await.status, 403);
    let form = json!({
        "email": "eve@example.com", "name": "Eve", "role": "admin",
        "password": "correct horse battery",
    });
    assert_eq!(world.post(&limited, "/api/users", &form).await.status, 403);
}
