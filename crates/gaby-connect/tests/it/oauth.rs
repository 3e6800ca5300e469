//! APIs that give out tokens against a client's id and secret, as RFC 6749 has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gaby_connect::CallError;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::world::{World, settings};

/// The client's id and secret need encoding, as real ones do.
const ID: &str = "gaby app";
const SECRET: &str = "s3c:ret/+&=ü";

fn manifest(client_auth: &str) -> String {
    format!(
        r#"
name: api
title: API
description: An API.
driver: http
settings:
  - {{ key: base, label: Base }}
  - {{ key: allow, label: Allow }}
  - {{ key: id, label: Client }}
  - {{ key: secret, label: Secret, secret: true }}
connection: {{ base_url: "{{{{ settings.base }}}}/v1", allow: ["{{{{ settings.allow }}}}"] }}
auth:
  type: oauth2_client_credentials
  token_url: "{{{{ settings.base }}}}/oauth/token"
  client_id: "{{{{ settings.id }}}}"
  client_secret: "{{{{ secrets.secret }}}}"
  scope: "tickets:read tickets:write"
  client_auth: {client_auth}
limits: {{ seconds: 2 }}
tools:
  - name: find
    description: Finds.
    access: read
    params: {{ id: {{ type: string }} }}
    request: {{ method: GET, path: "/things/{{{{ args.id }}}}" }}
  - name: note
    description: Notes.
    access: write
    params: {{ id: {{ type: string }} }}
    arguments: {{ id: target }}
    request: {{ method: POST, path: "/things/{{{{ args.id }}}}/notes", json: {{ text: hello }} }}
"#
    )
}

async fn connected(server: &MockServer, client_auth: &str) -> World {
    let world = World::with(&[&manifest(client_auth)]).await;
    let base = server.uri();
    let given = settings([
        ("base", base.as_str()),
        ("allow", base.trim_start_matches("http://")),
        ("id", ID),
    ]);
    let secrets = settings([("secret", SECRET)]);
    world
        .host
        .connect_manifest("api", "api", given, secrets)
        .await
        .unwrap();
    world
}

/// How a token endpoint answers a request, which is the so-manieth.
type Grant = fn(&Request, usize) -> ResponseTemplate;

/// A server that lets in whoever has the newest token, and counts what it is asked for.
#[derive(Default)]
struct Vendor {
    granted: AtomicUsize,
    served: AtomicUsize,
}

impl Vendor {
    async fn serve(self: &Arc<Self>, grant: Grant) -> MockServer {
        let server = MockServer::start().await;
        let vendor = Arc::clone(self);
        Mock::given(method("POST"))
            .and(path("/oauth/token"))
            .respond_with(move |request: &Request| {
                let number = vendor.granted.fetch_add(1, Ordering::SeqCst) + 1;
                grant(request, number)
            })
            .mount(&server)
            .await;
        let vendor = Arc::clone(self);
        Mock::given(wiremock::matchers::any())
            .respond_with(move |request: &Request| {
                let newest = format!("Bearer token-{}", vendor.granted.load(Ordering::SeqCst));
                match header(request, "authorization") == newest {
                    true => {
                        vendor.served.fetch_add(1, Ordering::SeqCst);
                        ResponseTemplate::new(200).set_body_json(json!({"ok": true}))
                    }
                    false => ResponseTemplate::new(401),
                }
            })
            .mount(&server)
            .await;
        server
    }

    fn counts(&self) -> (usize, usize) {
        (
            self.granted.load(Ordering::SeqCst),
            self.served.load(Ordering::SeqCst),
        )
    }
}

fn header(request: &Request, name: &str) -> String {
    let value = request.headers.get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

fn token(number: usize, expires_in: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "access_token": format!("token-{number}"), "token_type": "bearer", "expires_in": expires_in,
    }))
}

/// As a token endpoint checks it: the grant, the scope, and the client in the header alone.
fn in_the_header(request: &Request, number: usize) -> ResponseTemplate {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    // "gaby+app:s3c%3Aret%2F%2B%26%3D%C3%BC" in base64.
    let basic = "Basic Z2FieSthcHA6czNjJTNBcmV0JTJGJTJCJTI2JTNEJUMzJUJD";
    let good = body == "grant_type=client_credentials&scope=tickets%3Aread+tickets%3Awrite"
        && header(request, "content-type") == "application/x-www-form-urlencoded"
        && header(request, "authorization") == basic;
    match good {
        true => token(number, json!(3600)),
        false => refused(),
    }
}

fn in_the_form(request: &Request, number: usize) -> ResponseTemplate {
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let good = body.ends_with("&client_id=gaby+app&client_secret=s3c%3Aret%2F%2B%26%3D%C3%BC")
        && header(request, "authorization").is_empty();
    match good {
        true => token(number, json!("3600")),
        false => refused(),
    }
}

fn refused() -> ResponseTemplate {
    ResponseTemplate::new(401)
        .set_body_json(json!({"error": "invalid_client", "error_description": "no such client"}))
}

async fn find(world: &World) -> Result<Value, CallError> {
    let found = world.call("api", "find", json!({"id": "7"})).await;
    found.map(|found| found.value)
}

#[tokio::test]
async fn one_token_serves_many_calls_and_the_client_proves_itself_as_the_vendor_wants() {
    for (client_auth, grant) in [("basic", in_the_header as Grant), ("body", in_the_form)] {
        let vendor = Arc::new(Vendor::default());
        let server = vendor.serve(grant).await;
        let world = connected(&server, client_auth).await;
        let calls = (0..5).map(|_| find(&world));
        for found in futures_util::future::join_all(calls).await {
            assert_eq!(found.unwrap(), json!({"ok": true}), "{client_auth}");
        }
        assert_eq!(vendor.counts(), (1, 5), "{client_auth}");
    }
}

#[tokio::test]
async fn a_token_that_ends_is_fetched_anew_and_a_write_is_done_once() {
    // Ends at once, so that each call needs one of its own.
    let vendor = Arc::new(Vendor::default());
    let server = vendor.serve(|_, number| token(number, json!(0))).await;
    let world = connected(&server, "basic").await;
    find(&world).await.unwrap();
    find(&world).await.unwrap();
    assert_eq!(vendor.counts(), (2, 2));

    // Taken back by the vendor before its time: the call that finds out is let in with the next.
    let vendor = Arc::new(Vendor::default());
    let server = vendor.serve(|_, number| token(number, json!(3600))).await;
    let world = connected(&server, "basic").await;
    find(&world).await.unwrap();
    vendor.granted.fetch_add(1, Ordering::SeqCst);
    let noted = world.write("api", "note", json!({"id": "7"}), "once").await;
    noted.unwrap();
    assert_eq!(vendor.counts(), (3, 2));
}

#[tokio::test]
async fn a_new_token_that_is_refused_is_not_replaced_for_ever() {
    let vendor = Arc::new(Vendor::default());
    // Every token is an old one.
    let server = vendor.serve(|_, _| token(0, json!(3600))).await;
    let world = connected(&server, "basic").await;
    let failed = find(&world).await.unwrap_err().to_string();
    assert!(failed.contains("check the credentials"), "{failed}");
    assert_eq!(vendor.counts(), (1, 0));
}

#[tokio::test]
async fn what_is_no_token_is_said_plainly_and_never_with_the_secret() {
    let answers: [(Grant, &str); 7] = [
        (|_, _| refused(), "invalid_client: no such client"),
        (|_, _| ResponseTemplate::new(503), "503"),
        (
            |_, _| ResponseTemplate::new(200).set_body_string("<html>"),
            "auth.token_url",
        ),
        (
            |_, _| ResponseTemplate::new(200).set_body_json(json!({"access_token": 1})),
            "auth.token_url",
        ),
        (
            |_, _| {
                ResponseTemplate::new(200)
                    .set_body_json(json!({"access_token": "t", "token_type": "mac"}))
            },
            "`mac`",
        ),
        (
            |_, _| {
                ResponseTemplate::new(200)
                    .set_body_json(json!({"access_token": "a\nb", "token_type": "Bearer"}))
            },
            "cannot be sent in a header",
        ),
        (
            |_, _| ResponseTemplate::new(200).set_body_string("x".repeat(100_000)),
            "larger than",
        ),
    ];
    for (grant, said) in answers {
        let vendor = Arc::new(Vendor::default());
        let server = vendor.serve(grant).await;
        let world = connected(&server, "body").await;
        let failed = find(&world).await.unwrap_err().to_string();
        assert!(failed.contains(said), "{said}: {failed}");
        assert!(!failed.contains("s3c"), "{failed}");
        assert_eq!(vendor.served.load(Ordering::SeqCst), 0);
    }
}
