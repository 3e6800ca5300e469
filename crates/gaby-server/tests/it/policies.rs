//! The rules of a workspace over the API.

use serde_json::{Value, json};

use crate::demo::folder;
use crate::world::{Answer, Seat, Setting, World, answer};

const PATH: &str = "/api/policies";
const NO_UNLOCKING: &str = r#"@id("no-unlocking") @why("Call the office.")
forbid(principal, action == Action::"larkfield_accounts__unlock_account", resource);"#;

/// A server with the demo company's CRM, in `demo`.
async fn demo() -> (World, Seat) {
    let world = World::with(Setting {
        demo: Some(folder()),
        ..Setting::default()
    })
    .await;
    let admin = world.admin().await;
    (world, admin)
}

async fn put(world: &World, seat: &Seat, name: &str, text: &str) -> Answer {
    let request = world.request(seat, "PUT", &format!("{PATH}/{name}"));
    answer(request.json(&json!({"text": text}))).await
}

async fn check(world: &World, seat: &Seat, call: &Value) -> Value {
    let checked = world.post(seat, &format!("{PATH}/check"), call).await;
    assert_eq!(checked.status, 200, "{}", checked.text);
    checked.json
}

fn unlock() -> Value {
    json!({
        "tool": "larkfield_accounts__unlock_account", "arguments": {"customer_id": 7},
        "requester": "ann@example.com", "verified": true, "owned": true, "trusted": ["customer_id"],
        "situation": {"source": "helpdesk"},
    })
}

fn of_workspace(list: &Value) -> Vec<&Value> {
    let items = list["items"].as_array().unwrap().iter();
    items.filter(|file| file["origin"] == "workspace").collect()
}

#[tokio::test]
async fn a_policy_holds_at_once_explains_itself_and_can_be_taken_away() {
    let (world, admin) = demo().await;
    let before = world.get(&admin, PATH).await.json;
    assert_eq!(before["items"][0]["origin"], "built_in");
    let words: Vec<_> = before["items"][0]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["words"].as_str().unwrap())
        .collect();
    assert_eq!(
        words,
        [
            "Lets through replies.",
            "Lets through all reads.",
            "Lets through all changes."
        ]
    );
    let tool = before["tools"]
        .as_array()
        .unwrap()
        .iter()
        .find(|tool| tool["name"] == "larkfield_accounts__unlock_account")
        .unwrap()
        .clone();
    assert_eq!(
        tool["arguments"],
        json!([{"name": "customer_id", "kind": "integer", "required": true, "values": []}])
    );
    assert_ne!(check(&world, &admin, &unlock()).await["decision"], "deny");

    // A draft is tried before it is stored.
    let mut drafted = unlock();
    drafted["draft"] = json!({"name": "office", "text": NO_UNLOCKING});
    let denied = check(&world, &admin, &drafted).await;
    assert_eq!(denied["decision"], "deny", "{denied:#}");
    assert_ne!(check(&world, &admin, &unlock()).await["decision"], "deny");

    let stored = put(&world, &admin, "office", NO_UNLOCKING).await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    let own = of_workspace(&stored.json);
    assert_eq!(
        own[0]["rules"][0]["words"],
        "Forbids unlock_account of larkfield_accounts."
    );
    let denied = check(&world, &admin, &unlock()).await;
    assert_eq!(denied["decision"], "deny");
    assert_eq!(denied["rules"][0]["name"], "no-unlocking");
    assert_eq!(denied["rules"][0]["origin"], "workspace");
    assert!(
        denied["reasons"][0]
            .as_str()
            .unwrap()
            .contains("Call the office."),
        "{denied:#}"
    );
    assert_eq!(denied["facts"]["context"]["arguments"]["customer_id"], 7);

    let path = format!("{PATH}/office");
    assert_eq!(
        answer(world.request(&admin, "DELETE", &path)).await.status,
        204
    );
    assert_eq!(
        answer(world.request(&admin, "DELETE", &path)).await.status,
        404
    );
    assert_ne!(check(&world, &admin, &unlock()).await["decision"], "deny");
    let audit = world.get(&admin, "/api/audit").await;
    assert!(audit.text.contains("policy.put") && audit.text.contains("policy.removed"));
    assert!(!audit.text.contains("Call the office"), "{}", audit.text);
}

#[tokio::test]
async fn a_policy_with_faults_says_where_and_leaves_the_good_one() {
    let (world, admin) = demo().await;
    assert_eq!(
        put(&world, &admin, "office", NO_UNLOCKING).await.status,
        200
    );
    for (text, says) in [
        ("@id(\"a\")\nforbid(principal, action", "line 2, column"),
        (
            "forbid(principal, action, resource)\nwhen { context.horoscope == \"bad\" };",
            "line 2, column",
        ),
        (
            "forbid(principal, action == Action::\"larkfield_accounts__unlock_account\", resource) when { context.arguments.customer_id == \"7\" };",
            "line 1, column",
        ),
        (
            "@id(\"a\") forbid(principal, action, resource); @id(\"a\") forbid(principal, action, resource);",
            "called `a`",
        ),
        (
            "permit(principal == ?principal, action, resource);",
            "template",
        ),
        (" ", "delete it"),
        (&"x".repeat(70_000), "more than the 65536"),
    ] {
        let refused = put(&world, &admin, "office", text).await;
        assert_eq!(refused.status, 400, "{text}: {}", refused.text);
        assert!(
            refused.message().contains(says),
            "{text}: {}",
            refused.message()
        );
    }
    for name in ["Office", "a.b", "a%20b", &"n".repeat(61)] {
        assert_eq!(
            put(&world, &admin, name, NO_UNLOCKING).await.status,
            400,
            "{name}"
        );
    }
    let kept = world.get(&admin, PATH).await.json;
    assert_eq!(of_workspace(&kept)[0]["text"], NO_UNLOCKING);
    assert_eq!(check(&world, &admin, &unlock()).await["decision"], "deny");
    for garbage in [
        json!({}),
        json!({"tool": 7}),
        json!({"tool": "x", "colour": "red"}),
        json!([]),
    ] {
        let refused = world.post(&admin, &format!("{PATH}/check"), &garbage).await;
        assert_eq!(refused.status, 400, "{garbage}: {}", refused.text);
    }
    let nobody = check(&world, &admin, &json!({"tool": "no_such__tool"})).await;
    assert_eq!(nobody["decision"], "deny");
}

#[tokio::test]
async fn a_rule_about_a_tool_that_nobody_offers_is_stored_and_said_to_do_nothing() {
    let (world, admin) = demo().await;
    let text = NO_UNLOCKING.replace("unlock_account", "unlok_account");
    let stored = put(&world, &admin, "typo", &text).await;
    assert_eq!(
        of_workspace(&stored.json)[0]["rules"][0]["unused"],
        true,
        "{}",
        stored.text
    );
}

#[tokio::test]
async fn no_workspace_lets_through_what_the_operator_does_not() {
    let policies = tempfile::tempdir().unwrap();
    std::fs::write(
        policies.path().join("default.cedar"),
        r#"@id("reads") permit(principal, action in Action::"read", resource);"#,
    )
    .unwrap();
    std::fs::write(
        policies.path().join("house.cedar"),
        r#"@id("no-guessing") forbid(principal, action == Action::"larkfield_accounts__find_customer", resource);"#,
    )
    .unwrap();
    let world = World::with(Setting {
        demo: Some(folder()),
        policies: Some(policies.path().to_owned()),
        ..Setting::default()
    })
    .await;
    let admin = world.admin().await;
    let everything = r#"@id("all") permit(principal, action, resource);"#;
    // Under any name, also those of the operator's and of Gaby's own.
    for name in ["default", "house", "mine"] {
        assert_eq!(put(&world, &admin, name, everything).await.status, 200);
    }
    let changed = check(&world, &admin, &unlock()).await;
    assert_eq!(changed["decision"], "deny", "{changed:#}");
    let find =
        json!({"tool": "larkfield_accounts__find_customer", "arguments": {"email": "a@b.c"}});
    let looked = check(&world, &admin, &find).await;
    assert_eq!(
        (&looked["decision"], &looked["rules"][0]["name"]),
        (&json!("deny"), &json!("no-guessing"))
    );
    // What it may narrow, it narrows.
    let list = r#"@id("none") forbid(principal, action, resource);"#;
    put(&world, &admin, "mine", list).await;
    let sign_ins = json!({"tool": "larkfield_accounts__sign_ins", "arguments": {"customer_id": 7}});
    assert_eq!(check(&world, &admin, &sign_ins).await["decision"], "deny");
}

#[tokio::test]
async fn what_always_needs_a_human_needs_one_whatever_a_workspace_permits() {
    let (world, admin) = demo().await;
    let everything = r#"@id("all") permit(principal, action, resource);"#;
    assert_eq!(put(&world, &admin, "mine", everything).await.status, 200);
    let merge = json!({
        "tool": "larkfield_accounts__merge_accounts", "arguments": {"keep_id": 7, "merge_id": 8},
        "requester": "ann@example.com", "verified": true, "owned": true,
        "trusted": ["keep_id", "merge_id"], "situation": {"source": "helpdesk"},
    });
    let asked = check(&world, &admin, &merge).await;
    assert_eq!(asked["decision"], "needs_approval", "{asked:#}");
    assert!(!asked["reasons"].as_array().unwrap().is_empty());
}
