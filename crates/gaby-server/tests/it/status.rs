//! Whether everything works, for people and for probes.

use serde_json::json;

use crate::world::{Seat, World};

#[tokio::test]
async fn a_probe_is_answered_and_figures_name_no_person_and_no_id() {
    let world = World::start().await;
    let nobody = Seat::default();
    let health = world.get(&nobody, "/healthz").await;
    assert_eq!((health.status, health.json), (200, json!({"status": "ok"})));
    let admin = world.admin().await;
    let taken = world
        .post(
            &admin,
            "/api/tickets",
            &json!({"body": "Zanzibar?", "requester": "zan@example.com"}),
        )
        .await;
    let id = taken.json["id"].as_str().unwrap().to_owned();
    world.get(&admin, &format!("/api/tickets/{id}")).await;
    world.get(&admin, "/api/tickets?q=Zanzibar").await;
    let figures = world.get(&nobody, "/metrics").await;
    assert_eq!(figures.status, 200);
    assert!(
        figures
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    for name in [
        "gaby_http_requests_total",
        "gaby_http_request_seconds",
        "gaby_queue_jobs",
        "gaby_tickets_total",
        r#"route="/api/tickets/{id}""#,
    ] {
        assert!(figures.text.contains(name), "{name} in {}", figures.text);
    }
    for secret in ["Zanzibar", "zan@example.com", id.as_str()] {
        assert!(!figures.text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn people_see_version_database_queue_and_brain() {
    let world = World::start().await;
    let admin = world.admin().await;
    let status = world.get(&admin, "/api/status").await;
    assert_eq!(status.status, 200, "{}", status.text);
    assert_eq!(status.json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status.json["database"], "sqlite");
    assert_eq!(status.json["queue"]["ready"], 0);
    assert_eq!(status.json["brain"], "builtin");
    assert_eq!(status.json["embedding"]["model"], "letters");
    let playbooks = world.get(&admin, "/api/playbooks").await;
    assert!(playbooks.json["items"].as_array().unwrap().len() >= 10);
}

#[tokio::test]
async fn the_document_that_is_served_describes_every_route_and_who_may_use_it() {
    let world = World::start().await;
    let document = world.get(&Seat::default(), "/api/openapi.json").await;
    assert_eq!(document.status, 200);
    let there = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/openapi.json"),
    )
    .unwrap();
    let there: serde_json::Value = serde_json::from_str(&there).unwrap();
    assert!(document.json == there, "web/openapi.json is another one");
    for route in gaby_server::listed() {
        let operation = &document.json["paths"][&route.path][route.method.to_lowercase()];
        assert_eq!(
            operation["x-permission"], route.permission,
            "{}",
            route.path
        );
    }
}
