//! The first start: one administrator, made through a link that works once.

use serde_json::json;

use crate::world::{HOUR, Seat, World};

fn ada(token: &str) -> serde_json::Value {
    json!({
        "token": token,
        "email": "ada@example.com",
        "name": "Ada",
        "password": "correct horse battery",
    })
}

#[tokio::test]
async fn the_link_on_the_terminal_makes_the_first_administrator_and_signs_in_once() {
    let world = World::start().await;
    let nobody = Seat::default();
    let link = world.link.clone().unwrap();
    assert!(
        link.starts_with(&format!("{}/setup#token=", world.url)),
        "{link}"
    );
    // What stands behind `#` never reaches a server or its logs.
    assert!(world.link_token().len() >= 43, "128 bits and more");
    let state = world.get(&nobody, "/api/setup").await;
    assert_eq!(state.json, json!({"needed": true, "demo": false}));

    let wrong = world.post(&nobody, "/api/setup", &ada("wrong")).await;
    assert_eq!((wrong.status, wrong.code()), (401, "unauthenticated"));
    assert!(wrong.message().contains("gaby serve"), "{}", wrong.text);
    assert!(world.store.accounts().users().await.unwrap().is_empty());

    let made = world
        .post(&nobody, "/api/setup", &ada(&world.link_token()))
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(made.json["user"]["role"], "admin");
    let seat = Seat {
        cookie: made.cookie(),
        ..Seat::default()
    };
    let session = world.get(&seat, "/api/session").await;
    assert_eq!(session.json["user"]["email"], "ada@example.com");
    assert_eq!(session.json["csrf"], made.json["csrf"]);

    let again = world
        .post(&nobody, "/api/setup", &ada(&world.link_token()))
        .await;
    assert_eq!(again.status, 401, "{}", again.text);
    let state = world.get(&nobody, "/api/setup").await;
    assert_eq!(state.json["needed"], false);
    assert_eq!(world.store.accounts().users().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_form_with_a_fault_does_not_use_the_link_up() {
    let world = World::start().await;
    let nobody = Seat::default();
    for (field, value) in [
        ("password", json!("short")),
        ("email", json!("nobody")),
        ("name", json!("  ")),
        ("email", json!(null)),
    ] {
        let mut form = ada(&world.link_token());
        form[field] = value;
        let answer = world.post(&nobody, "/api/setup", &form).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert!(answer.message().contains(field), "{}", answer.text);
    }
    let made = world
        .post(&nobody, "/api/setup", &ada(&world.link_token()))
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
}

#[tokio::test]
async fn a_link_that_is_too_old_makes_nobody() {
    let world = World::start().await;
    let token = world.link_token();
    let past = world.now().plus_millis(-HOUR);
    world
        .store
        .accounts()
        .set_setup_link(&token, past)
        .await
        .unwrap();
    let late = world
        .post(&Seat::default(), "/api/setup", &ada(&token))
        .await;
    assert_eq!(late.status, 401, "{}", late.text);
    assert!(world.store.accounts().users().await.unwrap().is_empty());
}

#[tokio::test]
async fn two_who_use_the_link_at_once_make_one_administrator() {
    let world = World::start().await;
    let nobody = Seat::default();
    let mut other = ada(&world.link_token());
    other["email"] = json!("eve@example.com");
    let first = ada(&world.link_token());
    let (a, b) = tokio::join!(
        world.post(&nobody, "/api/setup", &first),
        world.post(&nobody, "/api/setup", &other)
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    assert_eq!(world.store.accounts().users().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_with_an_administrator_prints_no_link_and_takes_none() {
    let world = World::start().await;
    let old = world.link_token();
    let form = ada(&old);
    assert_eq!(
        world
            .post(&Seat::default(), "/api/setup", &form)
            .await
            .status,
        200
    );
    let folder = world.stop().await;
    let world = World::with(crate::world::Setting {
        folder,
        ..Default::default()
    })
    .await;
    assert_eq!(world.link, None);
    let state = world.get(&Seat::default(), "/api/setup").await;
    assert_eq!(state.json["needed"], false);
    for token in ["", "x", old.as_str()] {
        let answer = world
            .post(&Seat::default(), "/api/setup", &ada(token))
            .await;
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
}

#[tokio::test]
async fn the_operators_own_account_does_not_stand_for_an_administrator() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::world::store_in(folder.path()).await;
    gaby_server::operator(&store).await.unwrap();
    gaby_server::operator(&store).await.unwrap();
    store.close().await;
    let world = World::with(crate::world::Setting {
        folder,
        ..Default::default()
    })
    .await;
    assert!(world.link.is_some());
    assert_eq!(world.store.accounts().users().await.unwrap().len(), 1);
    let form = json!({"email": "operator@localhost", "password": "!"});
    let answer = world.post(&Seat::default(), "/api/session", &form).await;
    assert_eq!(answer.status, 401, "{}", answer.text);
}
