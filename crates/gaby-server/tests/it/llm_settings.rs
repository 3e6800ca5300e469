//! How models are set over the API: a workspace's own, within what the operator allows.

use gaby_llm::stub::{Journal, Script, Stub};
use gaby_store::accounts::Role;
use serde_json::{Value, json};

use crate::world::{Answer, Seat, Setting, World, answer};

const PATH: &str = "/api/settings/llm";
const KEY: &str = "canary-key-4711";

/// A stub model that answers, and what it was asked.
async fn model() -> (String, Journal) {
    let script: Script =
        serde_json::from_value(json!({"rules": [{"answer": {"text": "Yes."}}]})).unwrap();
    let stub = Stub::bind(script, ([127, 0, 0, 1], 0).into())
        .await
        .unwrap();
    let (url, journal) = (stub.url.clone(), stub.journal());
    tokio::spawn(stub.run());
    (url, journal)
}

fn operator(settings: Value) -> Setting {
    Setting {
        llm: serde_json::from_value(settings).unwrap(),
        ..Setting::default()
    }
}

fn at(url: &str) -> Value {
    json!({"kind": "openai-compatible", "model": "small", "base_url": url, "api_key": KEY})
}

async fn put(world: &World, seat: &Seat, body: &Value) -> Answer {
    answer(world.request(seat, "PUT", PATH).json(body)).await
}

async fn refused(world: &World, seat: &Seat, body: &Value, says: &str) {
    let refused = put(world, seat, body).await;
    assert_eq!(refused.status, 400, "{body}: {}", refused.text);
    assert!(refused.message().contains(says), "{body}: {}", refused.text);
    assert!(!refused.text.contains(KEY), "{}", refused.text);
}

#[tokio::test]
async fn a_model_that_is_set_is_asked_from_the_next_ticket_on_and_its_key_is_never_shown() {
    let world = World::start().await;
    let admin = world.admin().await;
    let (url, journal) = model().await;
    let before = world.get(&admin, PATH).await;
    assert_eq!(before.json["set_by"], "nobody");
    assert_eq!(before.json["configured"], false);

    let set = put(&world, &admin, &json!({"providers": [at(&url)], "purposes": {"answer": {"temperature": 0.5}}, "tokens_per_day": 100_000})).await;
    assert_eq!(set.status, 200, "{}", set.text);
    assert_eq!(set.json["set_by"], "workspace");
    assert_eq!(set.json["providers"][0]["has_key"], true);
    assert_eq!(set.json["own"]["purposes"]["answer"]["temperature"], 0.5);
    assert_eq!(set.json["tokens_per_day"], 100_000);
    assert_eq!(
        set.json["purposes"][1]["models"],
        json!(["openai-compatible small"])
    );

    let ticket = json!({"subject": "Sign-in", "body": "For how long is an account locked?"});
    assert_eq!(
        world.post(&admin, "/api/tickets", &ticket).await.status,
        202
    );
    for _ in 0..100 {
        if !journal.asked().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(journal.asked()[0]["model"], "small");

    // What was set is in the audit log, without any text that somebody wrote.
    let audit = world.get(&admin, "/api/audit").await;
    assert!(audit.text.contains("models.settled"), "{}", audit.text);
    let log = world.workspace("default").await;
    let log = log.audit().list(None, 50).await.unwrap();
    let entry = log
        .iter()
        .find(|(entry, _)| entry.action == "models.settled");
    let entry = serde_json::to_string(&entry.unwrap().0).unwrap();
    assert!(
        entry.contains("openai-compatible") && !entry.contains(&url) && !entry.contains(KEY),
        "{entry}"
    );
    for shown in [&before.text, &set.text, &audit.text] {
        assert!(!shown.contains(KEY), "{shown}");
    }
    // Nor does it lie in the store in the clear.
    let file = std::fs::read(world.folder.path().join("data/gaby.db")).unwrap();
    let log = std::fs::read(world.folder.path().join("data/gaby.db-wal")).unwrap_or_default();
    for bytes in [file, log] {
        assert!(!bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes()));
    }

    let reset = answer(world.request(&admin, "DELETE", PATH)).await;
    assert_eq!(
        (reset.status, &reset.json["set_by"]),
        (200, &json!("nobody"))
    );
    assert_eq!(reset.json["own"]["is_set"], false);
    let status = world.get(&admin, "/api/status").await;
    assert!(!status.text.contains("small"), "{}", status.text);
    assert!(
        world
            .get(&admin, "/api/audit")
            .await
            .text
            .contains("models.reset")
    );
}

#[tokio::test]
async fn a_key_stays_with_the_address_that_it_was_given_for() {
    let world = World::start().await;
    let admin = world.admin().await;
    let ((first, asked_first), (second, asked_second)) = (model().await, model().await);
    put(&world, &admin, &json!({"providers": [at(&first)]})).await;
    // Another model at the same place keeps it.
    let mut provider = json!({"kind": "openai-compatible", "model": "large", "base_url": first});
    let set = put(&world, &admin, &json!({"providers": [provider]})).await;
    assert_eq!(set.json["providers"][0]["has_key"], true, "{}", set.text);
    let tried = world.post(&admin, &format!("{PATH}/try"), &provider).await;
    assert_eq!(tried.json["works"], true, "{}", tried.text);
    assert_eq!(asked_first.asked().len(), 1);
    // Another place does not get it, neither to keep nor to try.
    provider["base_url"] = json!(second);
    let moved = put(&world, &admin, &json!({"providers": [provider]})).await;
    assert_eq!(
        moved.json["providers"][0]["has_key"], false,
        "{}",
        moved.text
    );
    assert!(asked_second.asked().is_empty());
    // An empty one takes it away.
    put(&world, &admin, &json!({"providers": [at(&second)]})).await;
    provider["api_key"] = json!("");
    let without = put(&world, &admin, &json!({"providers": [provider]})).await;
    assert_eq!(without.json["providers"][0]["has_key"], false);
}

#[tokio::test]
async fn trying_says_plainly_whether_it_works_and_sets_nothing() {
    let world = World::start().await;
    let admin = world.admin().await;
    let (url, journal) = model().await;
    let path = format!("{PATH}/try");
    let tried = world.post(&admin, &path, &at(&url)).await;
    assert_eq!(tried.json["works"], true, "{}", tried.text);
    assert!(tried.json["says"].as_str().unwrap().starts_with("answers"));
    assert_eq!(journal.asked().len(), 1);
    assert_eq!(world.get(&admin, PATH).await.json["set_by"], "nobody");
    let nobody = world
        .post(&admin, &path, &at("http://127.0.0.1:9/v1"))
        .await;
    assert_eq!(nobody.json["works"], false);
    assert!(
        nobody.json["says"]
            .as_str()
            .unwrap()
            .contains("Is it running")
    );
    for bad in [
        json!({"kind": "chatgpt", "model": "m"}),
        json!({"kind": "openai", "model": "m"}),
        json!({"kind": "vllm", "model": "m", "base_url": "ftp://x"}),
        json!({"kind": "vllm"}),
        json!({"kind": "vllm", "model": "m", "colour": "red"}),
    ] {
        assert_eq!(world.post(&admin, &path, &bad).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn what_the_operator_narrows_no_workspace_widens() {
    let world = World::with(operator(json!({
        "provider": "ollama", "model": "house", "allowed": ["ollama", "openai-compatible"],
        "local_only": true, "per_day": {"tokens": 1_000},
    })))
    .await;
    let admin = world.admin().await;
    let shown = world.get(&admin, PATH).await.json;
    assert_eq!(
        (&shown["set_by"], &shown["operator"]["local_only"]),
        (&json!("operator"), &json!(true))
    );
    let provider = |kind: &str, name: &str, url: &str| json!({"kind": kind, "name": name, "model": "m", "base_url": url, "api_key": "k"});
    refused(
        &world,
        &admin,
        &json!({"providers": [provider("anthropic", "ollama", "http://127.0.0.1:1")]}),
        "does not allow `anthropic`",
    )
    .await;
    refused(
        &world,
        &admin,
        &json!({"providers": [provider("openai-compatible", "", "http://8.8.8.8/v1")]}),
        "local_only",
    )
    .await;
    let generous = json!({"providers": [at("http://127.0.0.1:9/v1")], "tokens_per_day": 9_000, "local_only": false});
    let set = put(&world, &admin, &generous).await;
    assert_eq!(set.json["tokens_per_day"], 1_000, "{}", set.text);
    assert_eq!(set.json["local_only"], true);
    for garbage in [
        json!({"providers": vec![at("http://127.0.0.1:9/v1"); 9]}),
        json!({"providers": [at("http://127.0.0.1:9/v1"), at("http://127.0.0.1:9/v1")]}),
        json!({"purposes": {"redact": {}}}),
        json!({"purposes": {"answer": {"temperature": 7}}}),
        json!({"tokens_per_day": -1}),
        json!({"providers": "all"}),
        json!({"api_key": "k"}),
    ] {
        assert_eq!(put(&world, &admin, &garbage).await.status, 400, "{garbage}");
    }
    assert_eq!(
        world.get(&admin, PATH).await.json["providers"][0]["model"],
        "small"
    );
}

#[tokio::test]
async fn who_administers_one_workspace_reaches_no_private_address() {
    let world = World::start().await;
    world.workspace("acme").await;
    let of_acme = Seat {
        workspace: Some("acme".to_owned()),
        ..world.person(Role::Admin, Some(&["acme"])).await
    };
    let owner = Seat {
        workspace: Some("acme".to_owned()),
        ..world.admin().await
    };
    let acme = world.workspace("acme").await;
    let program = world.program(&acme, &["admin"]).await;
    let (url, journal) = model().await;
    let path = format!("{PATH}/try");
    for seat in [&of_acme, &program] {
        assert_eq!(
            world.get(seat, PATH).await.json["operator"]["you_may_set_private"],
            false
        );
        refused(
            &world,
            seat,
            &json!({"providers": [at(&url)]}),
            "within this network",
        )
        .await;
        let tried = world.post(seat, &path, &at(&url)).await;
        assert_eq!(tried.json["works"], false, "{}", tried.text);
        assert!(tried.text.contains("within this network"), "{}", tried.text);
        let usual = json!({"providers": [{"kind": "ollama", "model": "m"}]});
        refused(&world, seat, &usual, "within this network").await;
    }
    // Cloud metadata is out of reach for everybody.
    for seat in [&of_acme, &owner] {
        for host in [
            "169.254.169.254",
            "[::ffff:169.254.169.254]",
            "100.100.100.200",
        ] {
            refused(
                &world,
                seat,
                &json!({"providers": [at(&format!("http://{host}/v1"))]}),
                "metadata",
            )
            .await;
        }
    }
    assert!(journal.asked().is_empty());
    // The owner may, and then the workspace's own administrator may change what is not the address.
    assert_eq!(
        put(&world, &owner, &json!({"providers": [at(&url)]}))
            .await
            .status,
        200
    );
    let mut same = json!({"kind": "openai-compatible", "model": "other", "base_url": url});
    let changed = put(&world, &of_acme, &json!({"providers": [same]})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    same["base_url"] = json!("http://127.0.0.1:9/v1");
    refused(
        &world,
        &of_acme,
        &json!({"providers": [same]}),
        "within this network",
    )
    .await;
}

#[tokio::test]
async fn the_operator_says_whether_private_addresses_may_be_set() {
    let (url, _journal) = model().await;
    let open = World::with(operator(json!({"private_addresses": true}))).await;
    let program = open
        .program(&open.workspace("default").await, &["admin"])
        .await;
    assert_eq!(
        put(&open, &program, &json!({"providers": [at(&url)]}))
            .await
            .status,
        200
    );
    let closed = World::with(operator(json!({"private_addresses": false}))).await;
    let admin = closed.admin().await;
    refused(
        &closed,
        &admin,
        &json!({"providers": [at(&url)]}),
        "within this network",
    )
    .await;
}
