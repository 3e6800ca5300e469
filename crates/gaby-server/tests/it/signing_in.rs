//! Signing in and out, and how long a session lasts.

use gaby_store::accounts::Role;
use serde_json::{Value, json};

use crate::world::{Answer, HOUR, Seat, Setting, World, answer};

const PASSWORD: &str = "correct horse battery";

/// A server with Ada, who can sign in.
async fn with_ada(setting: Setting) -> World {
    let world = World::with(setting).await;
    let form = json!({
        "token": world.link_token(),
        "email": "ada@example.com",
        "name": "Ada",
        "password": PASSWORD,
    });
    let made = world.post(&Seat::default(), "/api/setup", &form).await;
    assert_eq!(made.status, 200, "{}", made.text);
    world
}

async fn sign_in(world: &World, email: &str, password: &str) -> Answer {
    let form = json!({"email": email, "password": password});
    world.post(&Seat::default(), "/api/session", &form).await
}

fn seat(signed_in: &Answer) -> Seat {
    Seat {
        cookie: signed_in.cookie(),
        csrf: signed_in.json["csrf"].as_str().map(str::to_owned),
        ..Seat::default()
    }
}

#[tokio::test]
async fn the_right_password_gives_a_session_that_ends_with_signing_out() {
    let world = with_ada(Setting::default()).await;
    let signed_in = sign_in(&world, " ADA@example.com", PASSWORD).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
    let seat = seat(&signed_in);
    let token = seat
        .cookie
        .as_deref()
        .unwrap()
        .strip_prefix("gaby=")
        .unwrap();
    assert!(token.len() >= 43, "256 bits: {token}");
    assert!(!signed_in.text.contains(token), "only the cookie holds it");

    let session = world.get(&seat, "/api/session").await;
    assert_eq!(session.json["user"]["name"], "Ada");
    assert_eq!(session.json["workspace"], "default");

    let out = answer(world.request(&seat, "DELETE", "/api/session")).await;
    assert_eq!(out.status, 204);
    assert!(
        out.header("set-cookie").contains("Max-Age=0"),
        "{:?}",
        out.headers
    );
    let after = world.get(&seat, "/api/session").await;
    assert_eq!((after.status, after.code()), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_get_the_same_answer() {
    let world = with_ada(Setting::default()).await;
    let wrong = sign_in(&world, "ada@example.com", "incorrect horse").await;
    let unknown = sign_in(&world, "bob@example.com", "incorrect horse").await;
    assert_eq!(wrong.status, 401);
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
    assert!(wrong.cookie().is_none() && unknown.cookie().is_none());
}

#[tokio::test]
async fn too_many_wrong_passwords_wait_and_nobody_is_locked_out_for_ever() {
    let world = with_ada(Setting::default()).await;
    let mut refused = None;
    for attempt in 0..8 {
        let wrong = sign_in(
            &world,
            "ada@example.com",
            &format!("wrong password {attempt}"),
        )
        .await;
        if wrong.status == 429 {
            refused = Some((attempt, wrong));
            break;
        }
        assert_eq!(wrong.status, 401, "{}", wrong.text);
    }
    let (attempt, refused) = refused.unwrap();
    assert!((3..=6).contains(&attempt), "after {attempt}");
    assert_eq!(refused.code(), "too_many_attempts");
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(refused.message().contains("seconds"), "{}", refused.text);
    // Also the right password waits, or guessing would go on.
    let right = sign_in(&world, "ada@example.com", PASSWORD).await;
    assert_eq!(right.status, 429);
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    let right = sign_in(&world, "ada@example.com", PASSWORD).await;
    assert_eq!(right.status, 200, "{}", right.text);
}

#[tokio::test]
async fn whoever_signs_in_rightly_is_not_counted() {
    let world = with_ada(Setting::default()).await;
    for _ in 0..12 {
        let right = sign_in(&world, "ada@example.com", PASSWORD).await;
        assert_eq!(right.status, 200, "{}", right.text);
    }
}

#[tokio::test]
async fn behind_a_proxy_one_visitors_failures_are_not_the_others() {
    let world = with_ada(Setting {
        public_url: Some("https://gaby.example"),
        ..Setting::default()
    })
    .await;
    let attempt = |email: &'static str, from: &'static str, password: &'static str| {
        let form = json!({"email": email, "password": password});
        answer(
            world
                .request(&Seat::default(), "POST", "/api/session")
                .header("host", "gaby.example")
                // What the visitor wrote himself stands first; what the proxy saw stands last.
                .header("x-forwarded-for", format!("198.51.100.77, {from}"))
                .json(&form),
        )
    };
    let mut last = 0;
    for _ in 0..8 {
        last = attempt("nobody@example.com", "192.0.2.1", "wrong password")
            .await
            .status;
    }
    assert_eq!(last, 429);
    let other = attempt("ada@example.com", "192.0.2.2", PASSWORD).await;
    assert_eq!(other.status, 200, "{}", other.text);
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites() {
    let world = with_ada(Setting::default()).await;
    let plain = sign_in(&world, "ada@example.com", PASSWORD).await;
    let set = plain.header("set-cookie");
    for part in ["gaby=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    // http on this machine: a browser would drop a cookie that says Secure.
    assert!(!set.contains("Secure") && !set.contains("Domain"), "{set}");
    assert_eq!(plain.header("strict-transport-security"), "");
}

#[tokio::test]
async fn behind_tls_the_cookie_is_bound_to_the_host_and_goes_over_tls_only() {
    let world = with_ada_behind_tls().await;
    let form = json!({"email": "ada@example.com", "password": PASSWORD});
    let request = world
        .request(&Seat::default(), "POST", "/api/session")
        .header("host", "gaby.example")
        .json(&form);
    let signed_in = answer(request).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
    let set = signed_in.header("set-cookie");
    for part in [
        "__Host-gaby=",
        "Secure",
        "HttpOnly",
        "SameSite=Lax",
        "Path=/",
    ] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Domain"), "{set}");
    assert!(
        signed_in
            .header("strict-transport-security")
            .contains("max-age=")
    );
    // The name without the prefix, which a neighbour's page could set, signs nobody in.
    let token = signed_in.cookie().unwrap().replace("__Host-gaby=", "gaby=");
    let planted = Seat {
        cookie: Some(token),
        ..Seat::default()
    };
    assert_eq!(world.get(&planted, "/api/session").await.status, 401);
    assert_eq!(
        world.get(&seat(&signed_in), "/api/session").await.status,
        200
    );
}

async fn with_ada_behind_tls() -> World {
    with_ada(Setting {
        public_url: Some("https://gaby.example"),
        ..Setting::default()
    })
    .await
}

#[tokio::test]
async fn a_session_that_was_there_before_is_not_the_one_after_signing_in() {
    let world = with_ada(Setting::default()).await;
    // Planted: a name of the attacker's own choice.
    let planted = Seat {
        cookie: Some("gaby=chosen-by-somebody-else".to_owned()),
        ..Seat::default()
    };
    let form = json!({"email": "ada@example.com", "password": PASSWORD});
    let first = world.post(&planted, "/api/session", &form).await;
    assert_eq!(first.status, 200);
    assert_ne!(first.cookie(), planted.cookie);
    assert_eq!(world.get(&planted, "/api/session").await.status, 401);
    // Signing in again ends the session that the browser had.
    let old = seat(&first);
    let second = world.post(&old, "/api/session", &form).await;
    assert_ne!(second.cookie(), first.cookie());
    assert_eq!(world.get(&old, "/api/session").await.status, 401);
    assert_eq!(world.get(&seat(&second), "/api/session").await.status, 200);
}

#[tokio::test]
async fn a_session_that_nobody_used_and_one_that_is_too_old_are_over() {
    let world = World::start().await;
    let idle = world.admin().await;
    assert_eq!(world.get(&idle, "/api/session").await.status, 200);
    let away = 8 * HOUR + 1_000;
    assert_eq!(
        world.meddle(&format!("UPDATE sessions SET seen_at = seen_at - {away}")),
        1
    );
    let over = world.get(&idle, "/api/session").await;
    assert_eq!(over.status, 401, "{}", over.text);
    // It does not come back when the clock does.
    world.meddle(&format!("UPDATE sessions SET seen_at = seen_at + {away}"));
    assert_eq!(world.get(&idle, "/api/session").await.status, 401);

    let old = world.person(Role::Viewer, None).await;
    world.meddle(&format!(
        "UPDATE sessions SET expires_at = {}",
        world.now().as_millis()
    ));
    assert_eq!(world.get(&old, "/api/session").await.status, 401);
}

#[tokio::test]
async fn a_session_is_used_and_so_goes_on() {
    let world = World::start().await;
    let busy = world.admin().await;
    for _ in 0..3 {
        world.meddle(&format!(
            "UPDATE sessions SET seen_at = seen_at - {}",
            7 * HOUR
        ));
        assert_eq!(world.get(&busy, "/api/session").await.status, 200);
    }
}

#[tokio::test]
async fn only_a_fingerprint_of_a_session_is_stored() {
    let world = with_ada(Setting::default()).await;
    let signed_in = sign_in(&world, "ada@example.com", PASSWORD).await;
    let cookie = signed_in.cookie().unwrap();
    let token = cookie.strip_prefix("gaby=").unwrap().to_owned();
    let csrf = signed_in.json["csrf"].as_str().unwrap().to_owned();
    let folder = world.stop().await;
    for entry in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        for secret in [&token, &csrf, PASSWORD] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
    }
}

#[tokio::test]
async fn garbage_at_the_door_is_answered_and_nothing_else() {
    let world = with_ada(Setting::default()).await;
    let long = "x".repeat(900_000);
    for (cookie, bearer) in [
        (Some("gaby="), None),
        (Some("gaby=\u{fffd};;;=;"), None),
        (Some("=;gaby"), None),
        (None, Some("gaby_")),
        (None, Some("Basic x")),
        (
            None,
            Some("gaby_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00000000"),
        ),
    ] {
        let seat = Seat {
            cookie: cookie.map(str::to_owned),
            bearer: bearer.map(str::to_owned),
            ..Seat::default()
        };
        let refused = world.get(&seat, "/api/session").await;
        assert_eq!((refused.status, refused.code()), (401, "unauthenticated"));
    }
    for form in [
        json!({}),
        json!([]),
        json!("x"),
        json!({"email": 1, "password": true}),
        json!({"email": "ada@example.com", "password": null}),
        json!({"email": "ada@example.com", "password": PASSWORD, "role": "admin"}),
    ] {
        let refused = world.post(&Seat::default(), "/api/session", &form).await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "invalid_request"),
            "{form}"
        );
    }
    for form in [
        json!({"email": long, "password": "x"}),
        json!({"email": "ada@example.com", "password": long}),
        json!({"email": "ada\u{0}@example.com", "password": "\u{0}"}),
    ] {
        let refused = world.post(&Seat::default(), "/api/session", &form).await;
        assert_eq!(refused.status, 401, "{}", refused.text);
        assert_eq!(refused.json["user"], Value::Null);
    }
}
