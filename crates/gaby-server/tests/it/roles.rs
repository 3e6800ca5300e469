//! The walk over every route as every kind of caller.
//!
//! The table below says by hand who may do what. A route that it does not name fails the test, and
//! so does one that it names and that is gone.

use std::collections::{BTreeMap, BTreeSet};

use gaby_model::IncomingTicket;
use gaby_server::listed;
use gaby_store::Workspace;
use gaby_store::accounts::Role;
use serde_json::json;

use crate::action::propose;
use crate::world::{Answer, Seat, World, answer};

/// Written into everything that belongs to the workspace `acme`, and into nothing else.
const MARKER: &str = "Zanzibar-4711";

/// Who may use a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum For {
    /// Anybody.
    Anyone,
    /// Whoever is signed in.
    SignedIn,
    /// Viewers, and tokens that read.
    Readers,
    /// Agents, and tokens that hand tickets in.
    Writers,
    /// Agents in person.
    Deciders,
    /// Administrators, and tokens that administer.
    Administrators,
    /// Administrators in person.
    AdministratorsInPerson,
    /// Administrators of every workspace in person.
    AdministratorsOfAll,
}

/// `{id}` stands for the ticket, action, document or token that the route is about.
const TABLE: &[(&str, &str, For)] = &[
    ("GET", "/healthz", For::Anyone),
    ("GET", "/metrics", For::Anyone),
    ("GET", "/api/openapi.json", For::Anyone),
    ("GET", "/api/setup", For::Anyone),
    ("POST", "/api/setup", For::Anyone),
    ("POST", "/api/session", For::Anyone),
    ("GET", "/api/session", For::SignedIn),
    ("DELETE", "/api/session", For::SignedIn),
    ("GET", "/api/tickets", For::Readers),
    ("POST", "/api/tickets", For::Writers),
    ("GET", "/api/tickets/{id}", For::Readers),
    ("POST", "/api/tickets/{id}/messages", For::Writers),
    ("POST", "/api/tickets/{id}/state", For::Writers),
    ("POST", "/api/tickets/{id}/investigate", For::Writers),
    ("GET", "/api/tickets/{id}/investigation", For::Readers),
    ("GET", "/api/investigations/{id}/llm-calls", For::Readers),
    ("GET", "/api/llm-calls/{id}", For::Readers),
    ("GET", "/api/settings/llm", For::Administrators),
    ("PUT", "/api/settings/llm", For::Administrators),
    ("DELETE", "/api/settings/llm", For::Administrators),
    ("POST", "/api/settings/llm/try", For::Administrators),
    ("GET", "/api/actions", For::Readers),
    ("GET", "/api/actions/{id}", For::Readers),
    ("POST", "/api/actions/{id}/approve", For::Deciders),
    ("POST", "/api/actions/{id}/reject", For::Deciders),
    ("POST", "/api/actions/{id}/undo", For::Deciders),
    ("POST", "/api/actions/{id}/edit", For::Deciders),
    ("POST", "/api/actions/{id}/patterns", For::Deciders),
    ("POST", "/api/actions/{id}/link", For::Deciders),
    ("POST", "/api/links/follow", For::Deciders),
    ("GET", "/api/patterns", For::Readers),
    ("DELETE", "/api/patterns/{id}", For::Deciders),
    ("GET", "/api/knowledge/search", For::Readers),
    ("GET", "/api/knowledge/sources", For::Readers),
    ("GET", "/api/knowledge/documents", For::Readers),
    ("GET", "/api/knowledge/documents/{id}", For::Readers),
    ("GET", "/api/connectors", For::Readers),
    (
        "POST",
        "/api/connectors/{name}/autonomy",
        For::Administrators,
    ),
    ("POST", "/api/connectors/{name}/test", For::Administrators),
    ("POST", "/api/connectors/{name}/scope", For::Administrators),
    ("POST", "/api/connectors/{name}/revoke", For::Administrators),
    ("GET", "/api/connectors/{name}/consents", For::Readers),
    ("GET", "/api/connectors/{name}/shadow", For::Readers),
    ("GET", "/api/consents", For::Readers),
    ("GET", "/api/playbooks", For::Readers),
    ("GET", "/api/policies", For::Readers),
    ("PUT", "/api/policies/{name}", For::Administrators),
    ("DELETE", "/api/policies/{name}", For::Administrators),
    ("POST", "/api/policies/check", For::Readers),
    ("GET", "/api/settings/redaction", For::Readers),
    ("POST", "/api/settings/redaction", For::Administrators),
    ("POST", "/api/settings/redaction/try", For::Administrators),
    ("GET", "/api/audit", For::Readers),
    ("GET", "/api/audit/checkpoint", For::Readers),
    ("POST", "/api/audit/verify", For::Readers),
    ("GET", "/api/users", For::AdministratorsOfAll),
    ("POST", "/api/users", For::AdministratorsOfAll),
    ("GET", "/api/tokens", For::AdministratorsInPerson),
    ("POST", "/api/tokens", For::AdministratorsInPerson),
    ("DELETE", "/api/tokens/{id}", For::AdministratorsInPerson),
    ("GET", "/api/status", For::Readers),
    ("GET", "/api/events", For::Readers),
];

/// A kind of caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Caller {
    Anonymous,
    Viewer,
    Agent,
    Admin,
    AdminOfAcmeOnly,
    StaleSession,
    TokenThatReads,
    TokenThatHandsIn,
    TokenThatAdministers,
    TokenWithoutScope,
    RevokedToken,
}

const CALLERS: [Caller; 11] = [
    Caller::Anonymous,
    Caller::Viewer,
    Caller::Agent,
    Caller::Admin,
    Caller::AdminOfAcmeOnly,
    Caller::StaleSession,
    Caller::TokenThatReads,
    Caller::TokenThatHandsIn,
    Caller::TokenThatAdministers,
    Caller::TokenWithoutScope,
    Caller::RevokedToken,
];

/// 0 where the caller may, else the status of the refusal.
fn refusal(caller: Caller, whom: For) -> u16 {
    use Caller::{
        Admin, AdminOfAcmeOnly, Agent, Anonymous, RevokedToken, StaleSession, TokenThatAdministers,
        TokenThatHandsIn, TokenThatReads, Viewer,
    };
    if whom == For::Anyone {
        return 0;
    }
    if matches!(caller, Anonymous | StaleSession | RevokedToken) {
        return 401;
    }
    let may: &[Caller] = match whom {
        For::Anyone => &CALLERS,
        For::SignedIn => &[Viewer, Agent, Admin, AdminOfAcmeOnly],
        For::Readers => &[Viewer, Agent, Admin, AdminOfAcmeOnly, TokenThatReads],
        For::Writers => &[Agent, Admin, AdminOfAcmeOnly, TokenThatHandsIn],
        For::Deciders => &[Agent, Admin, AdminOfAcmeOnly],
        For::Administrators => &[Admin, AdminOfAcmeOnly, TokenThatAdministers],
        For::AdministratorsInPerson => &[Admin, AdminOfAcmeOnly],
        For::AdministratorsOfAll => &[Admin],
    };
    if may.contains(&caller) { 0 } else { 403 }
}

/// A workspace with one of everything that a route names by id.
struct Acme {
    workspace: Workspace,
    ids: BTreeMap<&'static str, String>,
}

async fn acme(world: &World) -> Acme {
    let workspace = world.workspace("acme").await;
    let tenant = world.tenants.open(&workspace).await.unwrap();
    let ticket: IncomingTicket = serde_json::from_value(json!({
        "subject": format!("{MARKER} subject"),
        "body": format!("{MARKER} body: do you sell helicopters?"),
        "requester": {"email": format!("{MARKER}@example.com")},
    }))
    .unwrap();
    let taken = tenant.agent.intake(ticket, "api").await.unwrap();
    let docs = tempfile::tempdir().unwrap();
    std::fs::write(
        docs.path().join("manual.md"),
        format!("# Manual\n\n{MARKER} manual"),
    )
    .unwrap();
    let request = gaby_knowledge::IngestRequest {
        paths: vec![docs.path().display().to_string()],
        source_name: Some(MARKER.to_owned()),
    };
    tenant
        .knowledge
        .ingest(request, &gaby_knowledge::Silent)
        .await
        .unwrap();
    let document = tenant.knowledge.documents("").await.unwrap()[0].id.clone();
    world.looked_into(&workspace, taken.id()).await;
    let action = propose(&workspace, taken.id(), MARKER).await;
    let latest = workspace.investigations().latest(taken.id()).await.unwrap();
    let looked = latest.unwrap().id;
    let call = world.model_call(&workspace, &looked, MARKER).await;
    let granted = gaby_gate::Standing::default();
    gaby_gate::consent::grant(&workspace, "crm", &granted, None, world.now())
        .await
        .unwrap();
    let program = world.program(&workspace, &["read"]).await;
    let token = world.store.accounts().tokens(&workspace).await.unwrap()[0]
        .id
        .clone();
    assert!(program.bearer.is_some());
    Acme {
        ids: BTreeMap::from([
            ("/api/tickets/", taken.id().to_string()),
            ("/api/actions/", action.to_string()),
            ("/api/investigations/", looked.to_string()),
            ("/api/llm-calls/", call.to_string()),
            ("/api/knowledge/documents/", document.to_string()),
            ("/api/tokens/", token.to_string()),
            (
                "/api/patterns/",
                gaby_model::PatternId::generate().to_string(),
            ),
        ]),
        workspace,
    }
}

impl Acme {
    /// The route's address with the ids of what belongs to this workspace.
    fn address(&self, path: &str) -> String {
        let path = path.replace("{name}", "crm");
        if path == "/api/knowledge/search" {
            return format!("{path}?q={MARKER}");
        }
        let Some((before, _)) = path.split_once("{id}") else {
            return path;
        };
        path.replace("{id}", &self.ids[before])
    }
}

fn body(method: &str, path: &str) -> serde_json::Value {
    match (method, path) {
        ("POST", "/api/tickets") => json!({"subject": "x", "body": "y"}),
        ("POST", "/api/tickets/{id}/messages") => json!({"body": "x", "author": "note"}),
        ("POST", "/api/tickets/{id}/state") => json!({"state": "escalated"}),
        ("POST", "/api/actions/{id}/approve") => json!({"decision_hash": "another"}),
        ("POST", "/api/actions/{id}/edit") => json!({"decision_hash": "another", "arguments": {}}),
        ("POST", "/api/actions/{id}/patterns") => json!({"calls": 1, "hours": 1}),
        ("POST", "/api/actions/{id}/link") => json!({"email": "nobody@example.com"}),
        ("POST", "/api/links/follow") => json!({"token": "none"}),
        ("POST", "/api/connectors/{name}/scope") => json!({"scope": "read_only"}),
        ("POST", "/api/connectors/{name}/autonomy") => json!({"autonomy": "investigate"}),
        ("POST", "/api/settings/redaction") => json!({"kinds": [], "threshold": 50}),
        ("POST", "/api/settings/redaction/try") => json!({"text": "x"}),
        ("PUT", "/api/policies/{name}") => json!({"text": "forbid(principal, action, resource);"}),
        ("POST", "/api/policies/check") => json!({"tool": "crm__unlock"}),
        ("POST", "/api/settings/llm/try") => {
            json!({"kind": "vllm", "model": "m", "base_url": "http://127.0.0.1:9/v1"})
        }
        ("POST", "/api/tokens") => json!({"name": "walk", "scopes": ["read"]}),
        _ => json!({}),
    }
}

/// Calls a route. A stream that stays open is not read to its end.
async fn call(world: &World, seat: &Seat, method: &str, path: &str, address: &str) -> Answer {
    if path == "/api/events" {
        let response = world.request(seat, method, address).send().await.unwrap();
        let status = response.status().as_u16();
        if status == 200 {
            return Answer {
                status,
                headers: response.headers().clone(),
                text: String::new(),
                json: serde_json::Value::Null,
            };
        }
        return answer(world.request(seat, method, address)).await;
    }
    let mut request = world.request(seat, method, address);
    if method == "POST" || method == "PUT" {
        request = request.json(&body(method, path));
    }
    answer(request).await
}

async fn seat(world: &World, acme: &Acme, caller: Caller) -> Seat {
    let workspace = &acme.workspace;
    let mut seat = match caller {
        Caller::Anonymous => Seat::default(),
        Caller::Viewer => world.person(Role::Viewer, None).await,
        Caller::Agent => world.person(Role::Agent, None).await,
        Caller::Admin => world.person(Role::Admin, None).await,
        Caller::AdminOfAcmeOnly => world.person(Role::Admin, Some(&["acme"])).await,
        Caller::StaleSession => {
            let seat = world.person(Role::Admin, None).await;
            let out = answer(world.request(&seat, "DELETE", "/api/session")).await;
            assert_eq!(out.status, 204);
            seat
        }
        Caller::TokenThatReads => world.program(workspace, &["read"]).await,
        Caller::TokenThatHandsIn => world.program(workspace, &["tickets:write"]).await,
        Caller::TokenThatAdministers => world.program(workspace, &["admin"]).await,
        Caller::TokenWithoutScope => world.program(workspace, &[]).await,
        Caller::RevokedToken => {
            let seat = world
                .program(workspace, &["read", "tickets:write", "admin"])
                .await;
            let id = world.store.accounts().tokens(workspace).await.unwrap()[0]
                .id
                .clone();
            assert!(
                world
                    .store
                    .accounts()
                    .remove_token(workspace, &id)
                    .await
                    .unwrap()
            );
            seat
        }
    };
    if caller != Caller::Anonymous {
        seat.workspace = Some("acme".to_owned());
    }
    seat
}

#[test]
fn the_table_names_every_route_and_no_other() {
    let served: BTreeSet<(String, String)> = listed()
        .into_iter()
        .map(|route| (route.method.to_owned(), route.path))
        .collect();
    let expected: BTreeSet<(String, String)> = TABLE
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert_eq!(served, expected);
}

#[tokio::test]
async fn each_route_is_for_those_that_the_table_names() {
    let world = World::start().await;
    let acme = acme(&world).await;
    let mut wrong = Vec::new();
    for caller in CALLERS {
        let mut seat = seat(&world, &acme, caller).await;
        for (method, path, whom) in TABLE {
            let address = acme.address(path);
            let answered = call(&world, &seat, method, path, &address).await;
            let expected = refusal(caller, *whom);
            let as_expected = match expected {
                // Signing in and setting up refuse for reasons of their own.
                0 if *whom == For::Anyone => ![403, 404, 500].contains(&answered.status),
                0 => ![401, 403].contains(&answered.status) && answered.status < 500,
                status => answered.status == status,
            };
            if !as_expected {
                wrong.push(format!(
                    "{caller:?} {method} {path}: {} {}",
                    answered.status, answered.text
                ));
            }
            if expected != 0 && answered.text.contains(MARKER) {
                wrong.push(format!("{caller:?} {method} {path} shows what it refuses"));
            }
            if *method == "DELETE" && *path == "/api/session" && answered.status == 204 {
                seat = self::seat(&world, &acme, caller).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn nobody_of_another_workspace_sees_or_touches_anything_of_this_one() {
    let world = World::start().await;
    let acme = acme(&world).await;
    let other = world.workspace("other").await;
    let outsiders = [
        world.person(Role::Admin, Some(&["other"])).await,
        world
            .program(&other, &["read", "tickets:write", "admin"])
            .await,
    ];
    let before = acme.workspace.audit().list(None, 1).await.unwrap();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for outsider in outsiders {
        for (method, path, whom) in TABLE {
            let own_session = path.starts_with("/api/session");
            if *whom == For::Anyone || own_session || *path == "/api/users" {
                continue;
            }
            // By the name of the workspace, by its id, and by the ids of what is in it.
            for workspace in [Some("acme"), Some(acme.workspace.id().as_str()), None] {
                let seat = Seat {
                    workspace: workspace.map(str::to_owned),
                    ..outsider.clone()
                };
                let answered = call(&world, &seat, method, path, &acme.address(path)).await;
                tried += 1;
                // A policy is its own workspace's, whatever its name.
                let names_something = path.contains('{') && *path != "/api/policies/{name}";
                let hidden = match answered.status {
                    // A token cannot do what only people can, wherever it is.
                    403 => true,
                    404 => true,
                    _ => workspace.is_none() && !names_something,
                };
                if !hidden || answered.text.contains(MARKER) {
                    wrong.push(format!(
                        "{method} {path} in {workspace:?}: {} {}",
                        answered.status, answered.text
                    ));
                }
            }
        }
    }
    assert!(tried > 150, "{tried}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let after = acme.workspace.audit().list(None, 1).await.unwrap();
    assert_eq!(before, after, "something was done in the workspace");
}

#[tokio::test]
async fn what_is_hidden_from_others_is_there_for_those_whose_it_is() {
    let world = World::start().await;
    let acme = acme(&world).await;
    let seat = Seat {
        workspace: Some("acme".to_owned()),
        ..world.person(Role::Viewer, Some(&["acme"])).await
    };
    for (method, path, whom) in TABLE {
        if *whom == For::Readers && *method == "GET" {
            let answered = call(&world, &seat, method, path, &acme.address(path)).await;
            assert_eq!(answered.status, 200, "{path}: {}", answered.text);
            let shows = ["tickets", "actions", "knowledge", "/llm-calls/"];
            if shows.iter().any(|word| path.contains(word)) {
                assert!(answered.text.contains(MARKER), "{path}: {}", answered.text);
            }
        }
    }
    let session = world
        .get(
            &Seat {
                workspace: None,
                ..seat
            },
            "/api/session",
        )
        .await;
    assert_eq!(
        session.json["workspaces"],
        json!([{"slug": "acme", "name": "acme"}])
    );
}

#[tokio::test]
async fn a_role_that_is_taken_away_is_gone_at_the_next_call() {
    let world = World::start().await;
    let seat = world.admin().await;
    assert_eq!(world.get(&seat, "/api/users").await.status, 200);
    let mut user = world.store.accounts().users().await.unwrap().remove(0);
    user.role = Role::Viewer;
    world.store.accounts().update_user(&user).await.unwrap();
    assert_eq!(world.get(&seat, "/api/users").await.status, 403);
    assert_eq!(world.get(&seat, "/api/tickets").await.status, 200);
    world.store.accounts().remove_user(&user.id).await.unwrap();
    assert_eq!(world.get(&seat, "/api/tickets").await.status, 401);
}
