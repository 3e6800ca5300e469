//! What is hidden before a model sees it, over the API.

use gaby_gate::redact::Veil;
use serde_json::json;

use crate::world::World;

const PATH: &str = "/api/settings/redaction";

#[tokio::test]
async fn an_administrator_says_what_is_hidden_and_tries_it() {
    let world = World::start().await;
    let admin = world.admin().await;
    let usual = world.get(&admin, PATH).await;
    assert_eq!(usual.json["kinds"].as_array().unwrap().len(), 12);
    let text = "Ann Miller <ann@example.com> paid with 4111 1111 1111 1111.";
    let tried = world
        .post(&admin, &format!("{PATH}/try"), &json!({"text": text}))
        .await;
    assert_eq!(tried.status, 200, "{}", tried.text);
    let kinds: Vec<_> = tried.json["found"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["person", "email", "card"]);
    for hidden in ["Miller", "ann@", "4111"] {
        assert!(!tried.text.contains(hidden), "{}", tried.text);
    }
    for bad in [
        json!({"kinds": ["horoscope"], "threshold": 50}),
        json!({"kinds": [], "threshold": 101}),
        json!({"kinds": []}),
    ] {
        assert_eq!(world.post(&admin, PATH, &bad).await.status, 400, "{bad}");
    }
    let only_cards = json!({"kinds": ["card"], "threshold": 50});
    let set = world.post(&admin, PATH, &only_cards).await;
    assert_eq!((set.status, &set.json), (200, &only_cards));
    assert_eq!(world.get(&admin, PATH).await.json, only_cards);
    let tried = world
        .post(&admin, &format!("{PATH}/try"), &json!({"text": text}))
        .await;
    assert!(tried.text.contains("ann@example.com") && !tried.text.contains("4111"));
    // What goes to a model is hidden by the same profile, and what comes back is shown again.
    let workspace = world.workspace("default").await;
    let veil = Veil::of(&workspace).await.unwrap();
    let hidden = veil.hide(text).await.unwrap();
    assert!(
        hidden.contains("Ann Miller") && !hidden.contains("4111"),
        "{hidden}"
    );
    assert_eq!(veil.show(&hidden).await.unwrap(), text);
}
