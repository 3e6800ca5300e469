//! The HTTP driver against servers of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gaby_connect::{CallError, ConnectorState};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::world::{World, settings};

/// A manifest over a server on this machine, with the tools given.
fn api(auth: &str, tools: &str) -> String {
    format!(
        r#"
name: api
title: API
description: An API.
driver: http
settings:
  - {{ key: base, label: Base }}
  - {{ key: allow, label: Allow, required: false }}
  - {{ key: key, label: Key, secret: true, required: false }}
connection: {{ base_url: "{{{{ settings.base }}}}", allow: ["{{{{ settings.allow }}}}"] }}
auth: {auth}
limits: {{ rows: 3, bytes: 4000, seconds: 2 }}
tools:
{tools}
"#
    )
}

const TOOLS: &str = r#"
  - name: find
    description: Finds.
    access: read
    params:
      id: { type: string }
      q: { type: string, required: false }
    request:
      method: GET
      path: /things/{{ args.id }}/parts
      query: { q: "{{ args.q }}", fixed: "a b" }
      headers: { X-Version: "2" }
  - name: search
    description: Searches.
    access: read
    params: { text: { type: string } }
    request: { method: POST, path: /search, safe: true, json: { text: "{{ args.text }}" } }
  - name: note
    description: Notes.
    access: write
    params:
      id: { type: string }
      text: { type: string }
      stars: { type: integer, required: false }
    arguments: { id: target, text: content }
    request:
      method: POST
      path: /things/{{ args.id }}/notes
      json: { text: "{{ args.text }}", said: "It says: {{ args.text }}", stars: "{{ args.stars }}", tags: [a, "{{ args.id }}"] }
  - name: pay
    description: Pays.
    access: write
    params: { amount: { type: integer } }
    arguments: { amount: parameter }
    request:
      method: POST
      path: /payments
      headers: { Idempotency-Key: "{{ idempotency_key }}" }
      form: { amount: "{{ args.amount }}", empty: "" }
    output: '{ paid: .id }'
"#;

const PAGES: &str = r#"
  - name: by_url
    description: Pages by URL.
    access: read
    request: { method: GET, path: /by-url, paging: { items: .data, next: .next } }
  - name: by_cursor
    description: Pages by cursor.
    access: read
    request: { method: GET, path: /by-cursor, query: { size: "1" }, paging: { items: .data, cursor: .next, param: after, pages: 2 } }
  - name: by_link
    description: Pages by link.
    access: read
    request: { method: GET, path: /by-link, paging: { items: ., link: true } }
    output: '{ ids: [.items[].id] }'
"#;

const BEARER: &str = r#"{ type: bearer, token: "{{ secrets.key }}" }"#;

async fn connected(auth: &str, tools: &str, server: &str) -> World {
    let world = World::with(&[&api(auth, tools)]).await;
    world
        .host
        .connect_manifest(
            "api",
            "api",
            settings([
                ("base", server),
                ("allow", server.trim_start_matches("http://")),
            ]),
            settings([("key", "s3cret")]),
        )
        .await
        .unwrap();
    world
}

async fn answering(status: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(status).mount(&server).await;
    server
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request
        .headers
        .get(name)
        .and_then(|value| value.to_str().ok())
}

#[tokio::test]
async fn a_read_sends_what_its_template_says() {
    let server =
        answering(ResponseTemplate::new(200).set_body_json(json!({"n": 9007199254740993_i64})))
            .await;
    let world = connected(BEARER, TOOLS, &server.uri()).await;
    let found = world
        .call(
            "api",
            "find",
            json!({"id": "../a b?c#d/é", "q": "x&fixed=y"}),
        )
        .await
        .unwrap();
    assert_eq!(found.value, json!({"n": "9007199254740993"}));
    world.call("api", "find", json!({"id": "7"})).await.unwrap();

    let sent = requests(&server).await;
    assert_eq!(
        sent[0].url.path(),
        "/things/..%2Fa%20b%3Fc%23d%2F%C3%A9/parts"
    );
    assert_eq!(sent[0].url.query(), Some("fixed=a+b&q=x%26fixed%3Dy"));
    assert_eq!(header(&sent[0], "authorization"), Some("Bearer s3cret"));
    assert_eq!(header(&sent[0], "x-version"), Some("2"));
    assert_eq!(header(&sent[0], "accept"), Some("application/json"));
    assert!(header(&sent[0], "user-agent").unwrap().starts_with("gaby/"));
    assert_eq!(sent[1].url.query(), Some("fixed=a+b"));
}

#[tokio::test]
async fn an_argument_never_leaves_its_place_in_the_path() {
    let server = answering(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let world = connected(BEARER, TOOLS, &server.uri()).await;
    for hostile in ["..", ".", ""] {
        let refused = world.call("api", "find", json!({"id": hostile})).await;
        assert!(
            matches!(refused, Err(CallError::Refused { .. })),
            "{hostile}: {refused:?}"
        );
    }
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn every_kind_of_credential_reaches_the_server() {
    for (auth, name, value) in [
        (BEARER, "authorization", Some("Bearer s3cret")),
        (
            r#"{ type: basic, username: me, password: "{{ secrets.key }}" }"#,
            "authorization",
            Some("Basic bWU6czNjcmV0"),
        ),
        (
            r#"{ type: header, name: X-Api-Key, value: "key {{ secrets.key }}" }"#,
            "x-api-key",
            Some("key s3cret"),
        ),
        ("{ type: none }", "authorization", None),
    ] {
        let server = answering(ResponseTemplate::new(200).set_body_json(json!({}))).await;
        let world = connected(auth, TOOLS, &server.uri()).await;
        world.call("api", "find", json!({"id": "1"})).await.unwrap();
        assert_eq!(header(&requests(&server).await[0], name), value, "{auth}");
    }
}

#[tokio::test]
async fn a_write_sends_json_or_a_form_and_its_idempotency_key() {
    let server = answering(ResponseTemplate::new(201).set_body_json(json!({"id": "p1"}))).await;
    let world = connected(BEARER, TOOLS, &server.uri()).await;
    let text = "\"}, {\"admin\": true, \"x\": \"";
    world
        .call("api", "note", json!({"id": "7", "text": text}))
        .await
        .unwrap();
    world
        .call("api", "note", json!({"id": "7", "text": "t", "stars": 3}))
        .await
        .unwrap();
    let paid = world
        .write("api", "pay", json!({"amount": 5}), "key-1")
        .await
        .unwrap();
    assert_eq!(paid.value, json!({"paid": "p1"}));

    let sent = requests(&server).await;
    let body: Value = sent[0].body_json().unwrap();
    assert_eq!(
        body,
        json!({"text": text, "said": format!("It says: {text}"), "tags": ["a", "7"]})
    );
    assert_eq!(sent[1].body_json::<Value>().unwrap()["stars"], 3);
    assert_eq!(sent[2].body, b"amount=5");
    assert_eq!(
        header(&sent[2], "content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(header(&sent[2], "idempotency-key"), Some("key-1"));
}

#[tokio::test]
async fn pages_are_followed_by_url_cursor_and_link_up_to_their_bounds() {
    let server = MockServer::start().await;
    let uri = server.uri();
    Mock::given(path("/by-url"))
        .respond_with(move |request: &Request| {
            let page: u64 = request
                .url
                .query_pairs()
                .find(|(name, _)| name == "page")
                .and_then(|(_, value)| value.parse().ok())
                .unwrap_or(1);
            let next = (page < 2).then(|| format!("/by-url?page={}", page + 1));
            ResponseTemplate::new(200).set_body_json(json!({"data": [page], "next": next}))
        })
        .mount(&server)
        .await;
    Mock::given(path("/by-cursor"))
        .respond_with(|request: &Request| {
            let after = request
                .url
                .query_pairs()
                .find(|(name, _)| name == "after")
                .map_or(0, |(_, value)| value.parse::<u64>().unwrap());
            ResponseTemplate::new(200).set_body_json(json!({"data": [after], "next": after + 1}))
        })
        .mount(&server)
        .await;
    Mock::given(path("/by-link"))
        .respond_with(move |request: &Request| {
            let page = request.url.query().unwrap_or("page=1").to_owned();
            let body = json!([{"id": format!("{page}a")}, {"id": format!("{page}b")}]);
            ResponseTemplate::new(200)
                .set_body_json(body)
                .insert_header(
                    "link",
                    format!("<{uri}/by-link?page=2>; rel=\"next\"").as_str(),
                )
        })
        .mount(&server)
        .await;
    let world = connected(BEARER, PAGES, &server.uri()).await;

    let by_url = world.call("api", "by_url", json!({})).await.unwrap();
    assert_eq!(
        (by_url.value, by_url.truncated),
        (json!({"items": [1, 2]}), false)
    );
    let by_cursor = world.call("api", "by_cursor", json!({})).await.unwrap();
    assert_eq!(
        (by_cursor.value, by_cursor.truncated),
        (json!({"items": [0, 1]}), true)
    );
    let sent = requests(&server).await;
    assert_eq!(sent.last().unwrap().url.query(), Some("size=1&after=1"));
    let by_link = world.call("api", "by_link", json!({})).await.unwrap();
    assert_eq!(
        (by_link.value, by_link.truncated),
        (json!({"ids": ["page=1a", "page=1b", "page=2a"]}), true)
    );
}

#[tokio::test]
async fn a_next_page_at_another_place_is_not_fetched() {
    let elsewhere =
        answering(ResponseTemplate::new(200).set_body_json(json!({"data": ["stolen"]}))).await;
    let next = format!("{}/by-url", elsewhere.uri());
    let server =
        answering(ResponseTemplate::new(200).set_body_json(json!({"data": [1], "next": next})))
            .await;
    let world = World::with(&[&api(BEARER, PAGES)]).await;
    world
        .host
        .connect_manifest(
            "api",
            "api",
            settings([
                ("base", &server.uri()),
                ("allow", server.uri().trim_start_matches("http://")),
            ]),
            settings([("key", "s3cret")]),
        )
        .await
        .unwrap();
    let refused = world.call("api", "by_url", json!({})).await;
    assert!(
        matches!(refused, Err(CallError::Refused { .. })),
        "{refused:?}"
    );
    assert!(requests(&elsewhere).await.is_empty());
}

#[tokio::test]
async fn a_redirect_is_followed_for_reads_without_credentials_elsewhere_and_never_for_writes() {
    let elsewhere =
        answering(ResponseTemplate::new(200).set_body_json(json!({"moved": true}))).await;
    let server = answering(
        ResponseTemplate::new(307)
            .insert_header("location", format!("{}/there", elsewhere.uri()).as_str()),
    )
    .await;
    let (here, there) = (server.uri(), elsewhere.uri());
    let two = api(BEARER, TOOLS).replace(
        r#"allow: ["{{ settings.allow }}"]"#,
        &format!(
            r#"allow: ["{}", "{}"]"#,
            here.trim_start_matches("http://"),
            there.trim_start_matches("http://")
        ),
    );
    let world = World::with(&[&two]).await;
    world
        .host
        .connect_manifest(
            "api",
            "api",
            settings([("base", &here)]),
            settings([("key", "s3cret")]),
        )
        .await
        .unwrap();
    let found = world.call("api", "find", json!({"id": "1"})).await.unwrap();
    assert_eq!(found.value, json!({"moved": true}));
    let followed = requests(&elsewhere).await;
    assert_eq!(header(&followed[0], "authorization"), None);
    assert_eq!(
        header(&requests(&server).await[0], "authorization"),
        Some("Bearer s3cret")
    );

    let write = world
        .call("api", "note", json!({"id": "1", "text": "t"}))
        .await;
    assert!(write.unwrap_err().may_have_happened());
    assert_eq!(requests(&elsewhere).await.len(), 1);
}

#[tokio::test]
async fn endless_redirects_end() {
    let server = answering(ResponseTemplate::new(302).insert_header("location", "/again")).await;
    let world = connected(BEARER, TOOLS, &server.uri()).await;
    let answer = world.call("api", "find", json!({"id": "1"})).await.unwrap();
    assert!(answer.is_error);
    assert!(answer.value.as_str().unwrap().contains("more than 3 times"));
    assert_eq!(requests(&server).await.len(), 4);
}

/// A server that answers its first calls with `first` and all later ones well.
async fn first_then_well(first: ResponseTemplate, times: u64) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(first)
        .up_to_n_times(times)
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"id": "ok"})))
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn a_wish_to_wait_is_heeded_once_and_not_when_it_is_long() {
    let busy = || ResponseTemplate::new(429).insert_header("retry-after", "1");
    let server = first_then_well(busy(), 1).await;
    let world = connected(BEARER, TOOLS, &server.uri()).await;
    let started = Instant::now();
    let found = world.call("api", "find", json!({"id": "1"})).await.unwrap();
    assert_eq!(found.value, json!({"id": "ok"}));
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(requests(&server).await.len(), 2);

    // The limit of this tool is two seconds, so an hour is not waited for, and nobody asks meanwhile.
    let server = first_then_well(
        ResponseTemplate::new(429)
            .insert_header("retry-after", "3600")
            .set_body_json(json!({"message": "slow down"})),
        9,
    )
    .await;
    let world = connected(BEARER, TOOLS, &server.uri()).await;
    let limited = world.call("api", "find", json!({"id": "1"})).await.unwrap();
    assert!(limited.is_error && limited.value.as_str().unwrap().contains("429: slow down"));
    let again = world
        .call("api", "find", json!({"id": "1"}))
        .await
        .unwrap_err();
    assert!(again.to_string().contains("try again in"), "{again}");
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn a_write_is_repeated_only_when_the_vendor_sees_it_once() {
    let busy = || ResponseTemplate::new(503).insert_header("retry-after", "0");
    let server = first_then_well(busy(), 1).await;
    let world = connected(BEARER, TOOLS, &server.uri()).await;
    let paid = world
        .write("api", "pay", json!({"amount": 5}), "key-1")
        .await
        .unwrap();
    assert_eq!(paid.value, json!({"paid": "ok"}));
    let keys: Vec<_> = requests(&server)
        .await
        .iter()
        .map(|request| header(request, "idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys, ["key-1", "key-1"]);

    let server = first_then_well(busy(), 1).await;
    let world = connected(BEARER, TOOLS, &server.uri()).await;
    let unknown = world
        .call("api", "note", json!({"id": "1", "text": "t"}))
        .await;
    assert!(unknown.unwrap_err().may_have_happened());
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn a_status_tells_whether_a_write_may_have_happened() {
    for (status, unknown) in [
        (400, false),
        (403, false),
        (404, false),
        (409, false),
        (422, false),
        (429, false),
        (408, true),
        (500, true),
        (502, true),
        (504, true),
    ] {
        let server = answering(
            ResponseTemplate::new(status)
                .set_body_json(json!({"error": {"message": "no such thing"}})),
        )
        .await;
        let world = connected(BEARER, TOOLS, &server.uri()).await;
        match world
            .call("api", "note", json!({"id": "1", "text": "t"}))
            .await
        {
            Ok(result) => {
                assert!(result.is_error && !unknown, "{status}");
                let said = result.value.as_str().unwrap();
                assert!(said.contains(&format!("{status}: no such thing")), "{said}");
            }
            Err(error) => assert!(error.may_have_happened() && unknown, "{status}: {error}"),
        }
        assert_eq!(requests(&server).await.len(), 1, "{status}");
    }
}

#[tokio::test]
async fn refused_credentials_take_the_connector_down_and_the_secret_is_in_no_message() {
    let server = answering(ResponseTemplate::new(401).set_body_string("nope")).await;
    let world = connected(BEARER, TOOLS, &server.uri()).await;
    let error = world
        .call("api", "find", json!({"id": "1"}))
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Unavailable { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("401: nope: check the credentials"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("s3cret"));
    let _ = ConnectorState::Down;
}

/// A server that does `behave` with each connection, once the request's head has come.
async fn raw<F, Fut>(behave: F) -> (String, Arc<AtomicUsize>)
where
    F: Fn(tokio::net::TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    let behave = Arc::new(behave);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (count, behave) = (count.clone(), behave.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                let mut buffer = [0; 4096];
                while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut buffer).await {
                        Ok(0) | Err(_) => return,
                        Ok(read) => head.extend_from_slice(&buffer[..read]),
                    }
                }
                count.fetch_add(1, Ordering::Relaxed);
                behave(stream).await;
            });
        }
    });
    (uri, seen)
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_a_write_unknown_and_a_read_unavailable() {
    let (uri, seen) = raw(|stream| async move { drop(stream) }).await;
    let world = connected(BEARER, TOOLS, &uri).await;
    let write = world
        .call("api", "note", json!({"id": "1", "text": "t"}))
        .await
        .unwrap_err();
    assert!(matches!(write, CallError::Lost { .. }), "{write}");
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_at_the_limit() {
    let (uri, _) = raw(|mut stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            .await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    let world = connected(BEARER, TOOLS, &uri).await;
    let started = Instant::now();
    let read = world
        .call("api", "find", json!({"id": "1"}))
        .await
        .unwrap_err();
    assert!(matches!(read, CallError::Timeout { .. }), "{read}");
    assert!(
        started.elapsed() < Duration::from_secs(4),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_write_that_happened_stays_so_whatever_its_answer_looks_like() {
    let (uri, _) = raw(|mut stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            .await;
    })
    .await;
    let world = connected(BEARER, TOOLS, &uri).await;
    let cut = world
        .write("api", "pay", json!({"amount": 5}), "k")
        .await
        .unwrap();
    assert!(!cut.is_error, "{}", cut.value);
    for body in ["<html>", "[1]", ""] {
        let server = answering(ResponseTemplate::new(200).set_body_string(body)).await;
        let world = connected(BEARER, TOOLS, &server.uri()).await;
        let paid = world
            .write("api", "pay", json!({"amount": 5}), "k")
            .await
            .unwrap();
        assert!(!paid.is_error, "{body}: {}", paid.value);
    }
}

#[tokio::test]
async fn answers_that_are_too_large_too_deep_or_no_json_are_errors_or_text() {
    let endless = r#"  - { name: find, description: d, access: read, params: { id: { type: string } }, request: { method: GET, path: "/{{ args.id }}" }, output: '{ n: length }' }"#;
    let (uri, _) = raw(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n[").await;
        while stream.write_all(&[b'1'; 65536]).await.is_ok() {}
    })
    .await;
    let world = connected(BEARER, endless, &uri).await;
    let large = world.call("api", "find", json!({"id": "1"})).await.unwrap();
    assert!(
        large.is_error && large.value.as_str().unwrap().contains("larger than"),
        "{}",
        large.value
    );

    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let server = answering(ResponseTemplate::new(200).set_body_string(deep)).await;
    let world = connected(BEARER, endless, &server.uri()).await;
    let deep = world.call("api", "find", json!({"id": "1"})).await.unwrap();
    assert_eq!(deep.value, json!({"n": 200_000}));

    let server = answering(ResponseTemplate::new(200).set_body_string("x".repeat(5_000))).await;
    let world = connected(BEARER, TOOLS, &server.uri()).await;
    let unmapped = world.call("api", "find", json!({"id": "1"})).await.unwrap();
    assert!(unmapped.is_error && unmapped.value.as_str().unwrap().contains("4000 bytes"));

    let server = answering(ResponseTemplate::new(200).set_body_string("plain")).await;
    let world = connected(BEARER, TOOLS, &server.uri()).await;
    let plain = world.call("api", "find", json!({"id": "1"})).await.unwrap();
    assert_eq!(plain.value, json!({"result": "plain"}));
}

#[tokio::test]
async fn calls_are_paced_by_the_manifest() {
    let server = answering(ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let paced = api(BEARER, TOOLS).replace("limits:", "rate: { calls: 2, seconds: 1 }\nlimits:");
    let world = World::with(&[&paced]).await;
    world
        .host
        .connect_manifest(
            "api",
            "api",
            settings([
                ("base", &server.uri()),
                ("allow", server.uri().trim_start_matches("http://")),
            ]),
            settings([]),
        )
        .await
        .unwrap();
    let started = Instant::now();
    for _ in 0..3 {
        world.call("api", "find", json!({"id": "1"})).await.unwrap();
    }
    assert!(
        started.elapsed() >= Duration::from_millis(900),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_connector_whose_health_check_fails_is_not_connected_and_says_why() {
    let server = MockServer::start().await;
    let healthy = Arc::new(Mutex::new(false));
    let state = healthy.clone();
    Mock::given(method("GET"))
        .and(path("/ping"))
        .respond_with(move |_: &Request| {
            let status = if *state.lock().unwrap() { 204 } else { 500 };
            ResponseTemplate::new(status)
        })
        .mount(&server)
        .await;
    let checked = api(BEARER, TOOLS).replace(
        "limits:",
        "health: { request: { method: GET, path: /ping } }\nlimits:",
    );
    let world = World::with(&[&checked]).await;
    let connect = async || {
        world
            .host
            .connect_manifest(
                "api",
                "api",
                settings([
                    ("base", &server.uri()),
                    ("allow", server.uri().trim_start_matches("http://")),
                ]),
                settings([]),
            )
            .await
    };
    let error = connect().await.unwrap_err().to_string();
    assert!(error.contains("/ping answered 500"), "{error}");
    assert!(world.host.status().await.is_empty());
    *healthy.lock().unwrap() = true;
    connect().await.unwrap();
}
