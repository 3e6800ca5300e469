//! What protects a browser: requests of other sites, other names of this machine, headers.

use gaby_store::accounts::Role;
use serde_json::json;

use crate::world::{Answer, Seat, Setting, World, answer};

/// A change that any administrator may make, with these headers.
async fn change(world: &World, seat: &Seat, headers: &[(&str, &str)]) -> Answer {
    let mut request = world
        .request(seat, "POST", "/api/tokens")
        .json(&json!({"name": "forged", "scopes": ["read"]}));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request).await
}

#[tokio::test]
async fn a_change_that_another_sites_page_asks_for_is_not_made() {
    let world = World::start().await;
    let admin = world.admin().await;
    let own = world.url.clone();
    for (headers, status) in [
        (vec![], 201),
        (vec![("sec-fetch-site", "same-origin")], 201),
        (vec![("sec-fetch-site", "none")], 201),
        (vec![("origin", own.as_str())], 201),
        (vec![("sec-fetch-site", "cross-site")], 403),
        (vec![("sec-fetch-site", "same-site")], 403),
        (vec![("origin", "https://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (
            vec![("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
            403,
        ),
    ] {
        let answered = change(&world, &admin, &headers).await;
        assert_eq!(answered.status, status, "{headers:?}: {}", answered.text);
    }
    let made = world.get(&admin, "/api/tokens").await;
    assert_eq!(made.json["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_change_without_its_sessions_guard_token_is_not_made() {
    let world = World::start().await;
    let admin = world.admin().await;
    let other = world.person(Role::Admin, None).await;
    for csrf in [None, Some("x".to_owned()), other.csrf.clone()] {
        let seat = Seat {
            csrf,
            ..admin.clone()
        };
        let refused = change(&world, &seat, &[]).await;
        assert_eq!((refused.status, refused.code()), (403, "forbidden"));
        assert!(
            refused.message().contains("X-Gaby-CSRF"),
            "{}",
            refused.text
        );
        let out = answer(world.request(&seat, "DELETE", "/api/session")).await;
        assert_eq!(out.status, 403);
    }
    assert_eq!(world.get(&admin, "/api/session").await.status, 200);
    assert_eq!(change(&world, &admin, &[]).await.status, 201);
}

#[tokio::test]
async fn a_form_or_a_script_of_another_site_cannot_sign_anybody_in() {
    let world = World::start().await;
    let form = answer(
        world
            .request(&Seat::default(), "POST", "/api/session")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("email=a@example.com&password=x"),
    )
    .await;
    assert_eq!((form.status, form.code()), (415, "unsupported_media_type"));
    let cross = answer(
        world
            .request(&Seat::default(), "POST", "/api/session")
            .header("sec-fetch-site", "cross-site")
            .json(&json!({"email": "a@example.com", "password": "x"})),
    )
    .await;
    assert_eq!(cross.status, 403);
    // Nobody else's script may read what we answer, or ask before.
    let asked = answer(
        world
            .request(&Seat::default(), "OPTIONS", "/api/session")
            .header("origin", "https://evil.example")
            .header("access-control-request-method", "POST"),
    )
    .await;
    for header in [
        "access-control-allow-origin",
        "access-control-allow-credentials",
    ] {
        assert_eq!(asked.header(header), "");
        assert_eq!(cross.header(header), "");
    }
}

#[tokio::test]
async fn a_request_that_names_another_host_is_not_answered() {
    let world = World::start().await;
    let admin = world.admin().await;
    let port = world.url.rsplit_once(':').unwrap().1.to_owned();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        (format!("rebound.example:{port}"), 421),
        ("127.0.0.1.evil.example".to_owned(), 421),
        ("localhost.evil.example".to_owned(), 421),
    ] {
        let request = world
            .request(&admin, "GET", "/api/session")
            .header("host", &host);
        let answered = answer(request).await;
        assert_eq!(answered.status, status, "{host}: {}", answered.text);
    }
    let page = answer(
        world
            .request(&Seat::default(), "GET", "/")
            .header("host", "rebound.example"),
    )
    .await;
    assert_eq!((page.status, page.code()), (421, "unknown_host"));
}

#[tokio::test]
async fn every_answer_keeps_browsers_strict() {
    for public_url in [None, Some("https://gaby.example")] {
        let world = World::with(Setting {
            public_url,
            ..Setting::default()
        })
        .await;
        for path in [
            "/",
            "/inbox",
            "/api/session",
            "/api/nothing",
            "/healthz",
            "/none.js",
        ] {
            let answered = world.get(&Seat::default(), path).await;
            let policy = answered.header("content-security-policy");
            for part in [
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self' data:",
                "connect-src 'self'",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
            ] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(
                !policy.contains("unsafe") && !policy.contains('*'),
                "{policy}"
            );
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(answered.header(name), value, "{path}");
            }
            let kept = answered.header("strict-transport-security");
            assert_eq!(kept.is_empty(), public_url.is_none(), "{path}: {kept}");
        }
        // What the API answers is nobody's to keep.
        let session = world.get(&Seat::default(), "/api/session").await;
        assert_eq!(session.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_answered_in_the_apis_own_form() {
    let world = World::start().await;
    let nobody = Seat::default();
    let missing = world.get(&nobody, "/api/nothing").await;
    assert_eq!((missing.status, missing.code()), (404, "not_found"));
    assert!(missing.message().contains("/api/openapi.json"));
    let method = answer(world.request(&nobody, "PUT", "/api/tickets")).await;
    assert_eq!((method.status, method.code()), (405, "method_not_allowed"));
    assert!(
        method.header("allow").contains("POST"),
        "{:?}",
        method.headers
    );
    let posted = answer(world.request(&nobody, "POST", "/inbox")).await;
    assert_eq!((posted.status, posted.code()), (405, "method_not_allowed"));
    for path in [
        "/api/tickets/%00",
        "/api/tickets/%ff",
        "/api/../healthz%2f",
        "/%2e%2e/%2e%2e/etc/passwd",
    ] {
        let answered = world.get(&nobody, path).await;
        assert!(
            (400..500).contains(&answered.status) || answered.status == 200,
            "{path}"
        );
        assert!(!answered.text.contains("root:"), "{path}");
    }
}

#[tokio::test]
async fn a_console_that_is_not_built_says_how_to_build_it() {
    let world = World::start().await;
    let page = world.get(&Seat::default(), "/").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    let built = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist/index.html");
    if !built.exists() {
        assert!(
            page.text.contains("make web") || page.text.contains("npm"),
            "{}",
            page.text
        );
    }
    let missing = world.get(&Seat::default(), "/assets/none.js").await;
    assert_eq!(missing.status, 404);
}
