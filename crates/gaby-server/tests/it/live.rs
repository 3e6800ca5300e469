//! Live views: what happens is told as it happens, to those who may see it.

use std::time::Duration;

use gaby_model::Event;
use gaby_store::accounts::Role;
use serde_json::{Value, json};

use crate::world::{Seat, World, answer};

/// A stream of events, read as a browser reads it.
struct Live {
    response: reqwest::Response,
    text: String,
}

impl Live {
    async fn open(world: &World, seat: &Seat, query: &str) -> Self {
        let path = format!("/api/events{query}");
        let response = world.request(seat, "GET", &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next event; none when the stream ended.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                match data {
                    Some(data) => return Some(serde_json::from_str(data).unwrap()),
                    None => continue,
                }
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.response.chunk());
            match chunk.await.expect("no event in time") {
                Ok(Some(bytes)) => self.text.push_str(std::str::from_utf8(&bytes).unwrap()),
                Ok(None) | Err(_) => return None,
            }
        }
    }
}

#[tokio::test]
async fn a_ticket_is_followed_from_its_arrival_to_its_end() {
    let world = World::start().await;
    let viewer = world.person(Role::Viewer, None).await;
    let workspace = world.workspace("default").await;
    let program = world.program(&workspace, &["tickets:write"]).await;
    let mut live = Live::open(&world, &viewer, "").await;
    let taken = world
        .post(
            &program,
            "/api/tickets",
            &json!({"body": "Do you sell helicopters?"}),
        )
        .await;
    let id = taken.json["id"].clone();
    assert_eq!(
        live.next().await.unwrap(),
        json!({"type": "ticket_changed", "ticket": id})
    );
    let (mut kinds, mut steps) = (Vec::new(), Vec::new());
    loop {
        let event = live.next().await.unwrap();
        assert_eq!(event["ticket"], id);
        kinds.push(event["type"].as_str().unwrap().to_owned());
        steps.extend(event["number"].as_u64());
        // An event names what changed; what it is now is asked for, with the caller's own rights.
        assert!(!event.to_string().contains("helicopters"));
        let path = format!("/api/tickets/{}", id.as_str().unwrap());
        let ticket = world.get(&viewer, &path).await;
        // It may be over before the first of its events is read: they are told all the same.
        let told = kinds.iter().any(|kind| kind == "investigation_changed");
        if told && ticket.json["ticket"]["state"] == "escalated" {
            break;
        }
    }
    assert!(
        kinds.iter().any(|kind| kind == "investigation_changed"),
        "{kinds:?}"
    );
    assert_eq!(steps, (1..=steps.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn nobody_is_told_what_happens_in_a_workspace_they_may_not_see() {
    let world = World::start().await;
    let other = world.workspace("other").await;
    let mine = world.workspace("mine").await;
    let watcher = world.person(Role::Admin, Some(&["mine"])).await;
    let mut live = Live::open(&world, &watcher, "?workspace=mine").await;
    let events = world.store.events();
    events.publish(other.id(), Event::KnowledgeChanged);
    events.publish(
        mine.id(),
        Event::ConnectorChanged {
            connector: "mine".to_owned(),
        },
    );
    let told = live.next().await.unwrap();
    assert_eq!(
        told,
        json!({"type": "connector_changed", "connector": "mine"})
    );
    let refused = world.get(&watcher, "/api/events?workspace=other").await;
    assert_eq!(refused.status, 404);
}

#[tokio::test]
async fn a_live_view_ends_with_its_session_and_with_the_server() {
    let world = World::start().await;
    let leaving = world.person(Role::Viewer, None).await;
    let staying = world.person(Role::Viewer, None).await;
    let mut left = Live::open(&world, &leaving, "").await;
    let mut stayed = Live::open(&world, &staying, "").await;
    let out = answer(world.request(&leaving, "DELETE", "/api/session")).await;
    assert_eq!(out.status, 204);
    assert_eq!(left.next().await, None);
    let workspace = world.workspace("default").await;
    world
        .store
        .events()
        .publish(workspace.id(), Event::KnowledgeChanged);
    assert_eq!(
        stayed.next().await.unwrap(),
        json!({"type": "knowledge_changed"})
    );
    let ended = tokio::spawn(async move { stayed.next().await });
    tokio::time::timeout(Duration::from_secs(8), world.stop())
        .await
        .expect("a live view kept the server up");
    assert_eq!(ended.await.unwrap(), None);
}

#[tokio::test]
async fn who_missed_events_is_told_to_look_again() {
    let world = World::start().await;
    let slow = world.person(Role::Viewer, None).await;
    let workspace = world.workspace("default").await;
    let mut live = Live::open(&world, &slow, "").await;
    // More than is kept for a watcher, and than the connection holds.
    for number in 0..200_000 {
        let event = Event::ConnectorChanged {
            connector: format!("{number:0>200}"),
        };
        world.store.events().publish(workspace.id(), event);
    }
    let mut told = 0_u32;
    loop {
        told += 1;
        if live.next().await.unwrap() == json!({"type": "resync"}) {
            break;
        }
    }
    assert!(told < 200_000);
}
