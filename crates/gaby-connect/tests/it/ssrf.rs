//! Where an HTTP connector may not go: given as its address, and as the target of a redirect. (As the
//! answer of a name server: `net::guard`'s own tests.)

use gaby_connect::CallError;
use reqwest::header::HeaderValue;
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::world::{World, settings};

/// Hosts that are refused at the usual port.
const HOSTS: &[&str] = &[
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0",
    "0x7f000001",
    "0x7f.0.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "[::1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[2001:db8::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[ff02::1]",
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0xa9.0xfe.0xa9.0xfe",
    "100.64.0.1",
    "100.100.100.200",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "a.localhost",
    "metadata.google.internal",
    "metadata.google.internal.",
    "printer.local",
    "router.lan",
    "intranet",
    "\u{ff11}\u{ff12}\u{ff17}.\u{ff10}.\u{ff10}.\u{ff11}",
    "\u{2460}\u{2461}\u{2466}.\u{24ea}.\u{24ea}.\u{2460}",
    "\u{24db}\u{24de}\u{24d2}\u{24d0}\u{24db}\u{24d7}\u{24de}\u{24e2}\u{24e3}",
    "127\u{3002}0\u{3002}0\u{3002}1",
];

/// Whole addresses that are refused.
const ADDRESSES: &[&str] = &[
    "file:///etc/passwd",
    "gopher://example.com/_x",
    "ftp://example.com/x",
    "dict://example.com/d",
    "data:application/json,{}",
    "unix:/run/docker.sock",
    "ws://example.com/",
    "javascript:alert(1)",
    "http://example.com/",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com:22/",
    "https://example.com:6379/",
    "https://example.com:0/",
    "https:///",
    "//[::1",
];

fn all() -> Vec<String> {
    let hosts = HOSTS.iter().map(|host| format!("https://{host}/"));
    hosts
        .chain(ADDRESSES.iter().map(|address| (*address).to_owned()))
        .collect()
}

const MANIFEST: &str = r#"
name: api
title: API
description: An API.
driver: http
settings: [{ key: base, label: Base }, { key: allow, label: Allow, required: false }]
connection: { base_url: "{{ settings.base }}", allow: ["{{ settings.allow }}"] }
tools:
  - { name: get, description: Gets., access: read, params: { n: { type: integer, required: false } }, request: { method: GET, path: "/{{ args.n or 0 }}" } }
"#;

#[tokio::test]
async fn no_address_of_the_list_can_be_connected() {
    let world = World::with(&[MANIFEST]).await;
    let all = all();
    assert!(all.len() >= 45);
    for address in &all {
        let connected = world
            .host
            .connect_manifest("api", "api", settings([("base", address)]), settings([]))
            .await;
        let error = connected.expect_err(address).to_string();
        assert!(
            error.contains("may not be reached") || error.contains("is not a URL"),
            "{address}: {error}"
        );
    }
}

#[tokio::test]
async fn no_address_of_the_list_can_be_redirected_to() {
    let all = all();
    let targets = all.clone();
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(move |request: &Request| {
            let number: usize = request.url.path().trim_matches('/').parse().unwrap();
            let location = HeaderValue::from_bytes(targets[number].as_bytes()).unwrap();
            ResponseTemplate::new(302).insert_header("location", location)
        })
        .mount(&server)
        .await;
    let uri = server.uri();
    let world = World::with(&[MANIFEST]).await;
    world
        .host
        .connect_manifest(
            "api",
            "api",
            settings([("base", &uri), ("allow", uri.trim_start_matches("http://"))]),
            settings([]),
        )
        .await
        .unwrap();
    for (number, address) in all.iter().enumerate() {
        match world.call("api", "get", json!({"n": number})).await {
            Err(CallError::Refused { reason, .. }) => {
                assert!(reason.contains("may not be reached"), "{address}: {reason}");
            }
            // A location that cannot be read is an error of the server's.
            Ok(result) => assert!(result.is_error, "{address}: {result:?}"),
            Err(other) => panic!("{address}: {other}"),
        }
    }
    assert_eq!(server.received_requests().await.unwrap().len(), all.len());
}

#[tokio::test]
async fn an_exception_is_for_one_host_and_one_port() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
        .mount(&server)
        .await;
    let uri = server.uri();
    let own = uri.trim_start_matches("http://");
    let (host, _) = own.rsplit_once(':').unwrap();
    let world = World::with(&[MANIFEST]).await;
    for allow in [
        format!("{host}:1"),
        host.to_owned(),
        format!("localhost:{}", server.address().port()),
    ] {
        let refused = world
            .host
            .connect_manifest(
                "api",
                "api",
                settings([("base", &uri), ("allow", &allow)]),
                settings([]),
            )
            .await;
        assert!(refused.is_err(), "{allow}");
    }
    world
        .host
        .connect_manifest(
            "api",
            "api",
            settings([("base", &uri), ("allow", own)]),
            settings([]),
        )
        .await
        .unwrap();
    world.call("api", "get", json!({})).await.unwrap();
}
