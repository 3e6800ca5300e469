//! Tickets over the API: taking in, listing, reading, answering, and whatever is no ticket.

use std::collections::BTreeSet;

use gaby_agent::SourceSettings;
use gaby_store::accounts::Role;
use serde_json::{Value, json};

use crate::world::{Seat, World, answer};

/// A server and a program that may hand tickets in and read them.
async fn with_program() -> (World, Seat) {
    let world = World::start().await;
    let workspace = world.workspace("default").await;
    let program = world.program(&workspace, &["tickets:write", "read"]).await;
    (world, program)
}

#[tokio::test]
async fn a_program_hands_a_ticket_in_and_reads_what_became_of_it() {
    let (world, program) = with_program().await;
    let ticket = json!({
        "subject": "Helicopters",
        "body": "Do you sell helicopters to penguins?",
        "requester": {"name": "Pen", "email": "pen@example.com", "verified": true},
        "external_id": "A-1",
        "priority": "urgent",
        "sla_deadline": "2031-05-06T07:08:09Z",
    });
    let taken = world.post(&program, "/api/tickets", &ticket).await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    let id = taken.json["id"].as_str().unwrap().to_owned();
    let workspace = world.workspace("default").await;
    world.looked_into(&workspace, &id.parse().unwrap()).await;

    let read = world.get(&program, &format!("/api/tickets/{id}")).await;
    assert_eq!(read.status, 200, "{}", read.text);
    let (ticket, messages) = (&read.json["ticket"], &read.json["messages"]);
    assert_eq!(ticket["source"], "api");
    assert_eq!(ticket["priority"], "urgent");
    assert_eq!(ticket["sla_deadline"], "2031-05-06T07:08:09.000Z");
    // Nobody has said that this source may vouch for anybody.
    assert_eq!(ticket["requester"]["verified"], false);
    assert_eq!(ticket["state"], "escalated");
    assert_eq!(messages[0]["body"], "Do you sell helicopters to penguins?");
    assert_eq!(messages[1]["author"], "note");
    assert_eq!(read.json["investigation"]["verdict"], "escalated");
    assert!(
        read.json["investigation"]["steps"]
            .as_array()
            .unwrap()
            .len()
            >= 2
    );

    let inbox = world.get(&program, "/api/tickets").await;
    assert_eq!(inbox.json["items"][0]["id"], id);
    assert_eq!(inbox.json["counts"]["escalated"], 1);
    assert_eq!(
        inbox.json["items"][0]["preview"],
        "Do you sell helicopters to penguins?"
    );
}

/// A help desk whose word vouches for requesters, as the operator settled it.
async fn with_a_help_desk_that_vouches(world: &World) {
    let workspace = world.workspace("default").await;
    let tenant = world.tenants.open(&workspace).await.unwrap();
    let mut settings = tenant.agent.settings();
    let vouches = SourceSettings {
        vouches: true,
        ..SourceSettings::default()
    };
    settings.sources.insert("helpdesk".to_owned(), vouches);
    tenant.settle(settings).await.unwrap();
}

#[tokio::test]
async fn a_token_speaks_for_a_source_that_vouches_only_if_it_was_granted_that() {
    let (world, any) = with_program().await;
    with_a_help_desk_that_vouches(&world).await;
    let admin = world.admin().await;
    let order =
        json!({"name": "desk", "scopes": ["read", "tickets:write"], "sources": ["helpdesk"]});
    let made = world.post(&admin, "/api/tokens", &order).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json["sources"], json!(["helpdesk"]));
    assert_eq!(made.json["scopes"], json!(["read", "tickets:write"]));
    let desk = Seat {
        bearer: Some(made.json["token"].as_str().unwrap().to_owned()),
        ..Seat::default()
    };
    let ticket = |source: &str| {
        json!({
            "body": "hello",
            "source": source,
            "requester": {"email": "pen@example.com", "verified": true},
        })
    };
    let verified = async |seat: &Seat, source: &str| {
        let taken = world.post(seat, "/api/tickets", &ticket(source)).await;
        assert_eq!(taken.status, 202, "{source}: {}", taken.text);
        let path = format!("/api/tickets/{}", taken.json["id"].as_str().unwrap());
        let read = world.get(&desk, &path).await;
        read.json["ticket"]["requester"]["verified"] == true
    };
    let refused = world.post(&any, "/api/tickets", &ticket("helpdesk")).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(
        refused.message().contains("--source helpdesk"),
        "{}",
        refused.text
    );
    assert!(verified(&desk, "helpdesk").await);
    // Any other name says nothing about anybody, whoever writes it.
    for source in ["api", "Helpdesk", "helpdesk ", "source:helpdesk"] {
        assert!(!verified(&any, source).await, "{source}");
        assert!(!verified(&desk, source).await, "{source}");
    }
    // Nobody but this machine's own command line speaks for it, granted or not.
    let order = json!({"name": "cli", "scopes": ["tickets:write"], "sources": ["cli"]});
    let made = world.post(&admin, "/api/tokens", &order).await;
    let cli = Seat {
        bearer: Some(made.json["token"].as_str().unwrap().to_owned()),
        ..Seat::default()
    };
    let refused = world.post(&cli, "/api/tickets", &ticket("cli")).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
}

#[tokio::test]
async fn the_same_external_id_makes_one_ticket_however_often_it_comes() {
    let (world, program) = with_program().await;
    let ticket = json!({"body": "hello", "external_id": "A-1", "source": "desk"});
    let mut hands = tokio::task::JoinSet::new();
    let world = std::sync::Arc::new(world);
    for _ in 0..20 {
        let (world, program, ticket) = (world.clone(), program.clone(), ticket.clone());
        hands.spawn(async move {
            let taken = world.post(&program, "/api/tickets", &ticket).await;
            assert_eq!(taken.status, 202, "{}", taken.text);
            taken.json["id"].as_str().unwrap().to_owned()
        });
    }
    let ids: BTreeSet<String> = hands.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 1);
    for other in [
        json!({"body": "hello", "external_id": "A-2", "source": "desk"}),
        json!({"body": "hello", "external_id": "A-1", "source": "mail"}),
        json!({"body": "hello"}),
        json!({"body": "hello"}),
    ] {
        let taken = world.post(&program, "/api/tickets", &other).await;
        assert!(!ids.contains(taken.json["id"].as_str().unwrap()));
    }
    let all = world.get(&program, "/api/tickets").await;
    assert_eq!(all.json["items"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn what_is_no_ticket_is_refused_with_what_and_where_and_nothing_is_stored() {
    let (world, program) = with_program().await;
    for (ticket, status, says) in [
        (json!({}), 400, "body"),
        (json!({"body": ""}), 400, "empty"),
        (json!({"body": " \n\t", "subject": ""}), 400, "empty"),
        (json!({"body": 5}), 400, "body"),
        (json!({"body": null}), 400, "body"),
        (json!({"body": ["x"]}), 400, "body"),
        (json!({"body": "x", "subject": {"a": 1}}), 400, "subject"),
        (json!({"body": "x", "requester": 7}), 400, "requester"),
        (
            json!({"body": "x", "requester": {"email": 7}}),
            400,
            "requester",
        ),
        (json!({"body": "x", "priority": "asap"}), 400, "asap"),
        (
            json!({"body": "x", "sla_deadline": "tomorrow"}),
            400,
            "sla_deadline",
        ),
        (json!({"body": "x", "colour": "red"}), 400, "colour"),
        (json!({"body": "x", "source": "cli"}), 400, "source"),
        (
            json!({"body": "x", "source": "y".repeat(65)}),
            400,
            "source",
        ),
        (
            json!({"body": "x", "external_id": "y".repeat(201)}),
            400,
            "external_id",
        ),
        (
            json!({"body": "x", "subject": "y".repeat(1_001)}),
            400,
            "subject",
        ),
        (
            json!({"body": "x", "requester": "y".repeat(321)}),
            400,
            "requester.email",
        ),
        (json!({"body": "y".repeat(256 * 1024 + 1)}), 400, "262144"),
        (json!([]), 400, ""),
        (json!("ticket"), 400, ""),
        (json!(null), 400, ""),
        (json!({"body": "y".repeat(10_000_000)}), 413, ""),
    ] {
        let refused = world.post(&program, "/api/tickets", &ticket).await;
        let shown: String = ticket.to_string().chars().take(80).collect();
        assert_eq!(refused.status, status, "{shown}: {}", refused.text);
        assert!(
            refused.message().contains(says),
            "{shown}: {}",
            refused.text
        );
        assert!(
            !refused.code().is_empty() && refused.text.len() < 2_000,
            "{shown}"
        );
    }
    let all = world.get(&program, "/api/tickets").await;
    assert_eq!(all.json["items"], json!([]));
    assert_eq!(world.store.queue().depth().await.unwrap().ready, 0);
}

#[tokio::test]
async fn bytes_that_are_no_json_of_ours_are_refused() {
    let (world, program) = with_program().await;
    let deep = |open: &str, close: &str| [open.repeat(100_000), close.repeat(100_000)].concat();
    let bodies: Vec<(&str, Vec<u8>, u16)> = vec![
        ("application/json", b"".to_vec(), 400),
        ("application/json", b"{".to_vec(), 400),
        (
            "application/json",
            b"{\"body\": \"\xff\xfe\"}".to_vec(),
            400,
        ),
        (
            "application/json",
            b"\xef\xbb\xbf{\"body\": \"x\"}".to_vec(),
            400,
        ),
        ("application/json", vec![0; 1_000], 400),
        (
            "application/json",
            b"{\"body\": \"x\", \"body\": \"y\"}".to_vec(),
            400,
        ),
        ("application/json", b"{\"body\": \"\\ud800\"}".to_vec(), 400),
        ("application/json", b"{\"body\": \"x\"} {}".to_vec(), 400),
        ("application/json", deep("[", "]").into_bytes(), 400),
        (
            "application/json",
            deep("{\"body\":", "}").into_bytes(),
            400,
        ),
        (
            "application/json",
            deep("{\"requester\":[", "]}").into_bytes(),
            413,
        ),
        ("text/plain", b"{\"body\": \"x\"}".to_vec(), 415),
        ("application/xml", b"<ticket/>".to_vec(), 415),
        ("", b"{\"body\": \"x\"}".to_vec(), 415),
    ];
    for (kind, body, status) in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let mut request = world.request(&program, "POST", "/api/tickets").body(body);
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let refused = answer(request).await;
        assert_eq!(refused.status, status, "{kind} {shown}: {}", refused.text);
        assert!(!refused.message().is_empty(), "{kind} {shown}");
    }
    let all = world.get(&program, "/api/tickets").await;
    assert_eq!(all.json["items"], json!([]));
}

#[tokio::test]
async fn any_text_is_taken_in_as_it_is() {
    let (world, program) = with_program().await;
    for body in [
        "\u{0}\u{1}\u{7f}",
        "<script>alert(1)</script>",
        "{{ requester.email }} {% raw %}",
        "\u{202e}gnihtemos\u{2066} \u{e0041}\u{e0042}",
        "🦀 e\u{301} ﷽",
        "'; DROP TABLE tickets; --",
    ] {
        let taken = world
            .post(&program, "/api/tickets", &json!({"body": body}))
            .await;
        assert_eq!(taken.status, 202, "{body:?}: {}", taken.text);
        let id = taken.json["id"].as_str().unwrap().to_owned();
        let workspace = world.workspace("default").await;
        world.looked_into(&workspace, &id.parse().unwrap()).await;
        let read = world.get(&program, &format!("/api/tickets/{id}")).await;
        assert_eq!(read.json["messages"][0]["body"], body);
    }
}

#[tokio::test]
async fn a_list_is_paged_filtered_and_searched() {
    let (world, program) = with_program().await;
    for number in 0..5 {
        let ticket =
            json!({"subject": format!("Ticket {number}"), "body": "Do you sell helicopters?"});
        let taken = world.post(&program, "/api/tickets", &ticket).await;
        let id = taken.json["id"].as_str().unwrap().parse().unwrap();
        let workspace = world.workspace("default").await;
        world.looked_into(&workspace, &id).await;
    }
    let subjects = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["subject"].as_str().unwrap().to_owned())
            .collect()
    };
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let query = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let page = world
            .get(&program, &format!("/api/tickets?limit=2{query}"))
            .await;
        assert_eq!(page.status, 200, "{}", page.text);
        seen.extend(subjects(&page.json));
        cursor = page.json["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(
        seen,
        ["Ticket 4", "Ticket 3", "Ticket 2", "Ticket 1", "Ticket 0"]
    );
    let found = world.get(&program, "/api/tickets?q=tickEt%203").await;
    assert_eq!(subjects(&found.json), ["Ticket 3"]);
    let state = world.get(&program, "/api/tickets?state=escalated").await;
    assert_eq!(subjects(&state.json).len(), 5);
    let none = world.get(&program, "/api/tickets?state=resolved").await;
    assert_eq!(none.json["items"], json!([]));
    for bad in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=x",
        "cursor=x",
        "cursor=%00",
        "state=done",
        "nonsense=1",
        "limit=1&limit=2",
    ] {
        let refused = world.get(&program, &format!("/api/tickets?{bad}")).await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "invalid_request"),
            "{bad}: {}",
            refused.text
        );
    }
}

#[tokio::test]
async fn a_human_answers_notes_and_moves_a_ticket_on_and_the_log_says_who() {
    let (world, program) = with_program().await;
    let agent = world.person(Role::Agent, None).await;
    let taken = world
        .post(
            &program,
            "/api/tickets",
            &json!({"body": "Do you sell helicopters?"}),
        )
        .await;
    let id = taken.json["id"].as_str().unwrap().to_owned();
    let workspace = world.workspace("default").await;
    world.looked_into(&workspace, &id.parse().unwrap()).await;
    let ticket = format!("/api/tickets/{id}");

    for (author, status) in [
        ("agent", 201),
        ("note", 201),
        ("gaby", 400),
        ("requester", 400),
        ("x", 400),
    ] {
        let form = json!({"body": "We do not.", "author": author});
        let said = world
            .post(&agent, &format!("{ticket}/messages"), &form)
            .await;
        assert_eq!(said.status, status, "{author}: {}", said.text);
    }
    for body in ["", " \n", &"x".repeat(300_000)] {
        let form = json!({"body": body, "author": "note"});
        let refused = world
            .post(&agent, &format!("{ticket}/messages"), &form)
            .await;
        assert_eq!(refused.status, 400);
    }
    for (state, status) in [
        ("resolved", 200),
        ("new", 400),
        ("investigating", 400),
        ("waiting_for_approval", 400),
    ] {
        let moved = world
            .post(&agent, &format!("{ticket}/state"), &json!({"state": state}))
            .await;
        assert_eq!(moved.status, status, "{state}: {}", moved.text);
    }
    let read = world.get(&agent, &ticket).await;
    assert_eq!(read.json["ticket"]["state"], "resolved");
    assert_eq!(read.json["messages"].as_array().unwrap().len(), 4);
    let log = world.get(&agent, "/api/audit?limit=3").await;
    let who: Vec<_> = log.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["action"].as_str().unwrap().to_owned(),
                entry["actor"].as_str().unwrap().starts_with("user:"),
            )
        })
        .collect();
    assert_eq!(
        who,
        [
            ("ticket.state".to_owned(), true),
            ("ticket.note".to_owned(), true),
            ("ticket.reply".to_owned(), true)
        ]
    );

    let again = world
        .post(&agent, &format!("{ticket}/investigate"), &json!({}))
        .await;
    assert_eq!(again.status, 202, "{}", again.text);
    let state = world.looked_into(&workspace, &id.parse().unwrap()).await;
    assert_eq!(state.as_str(), "escalated");
}

#[tokio::test]
async fn a_ticket_that_two_want_looked_into_again_is_looked_into_by_one_at_a_time() {
    let (world, program) = with_program().await;
    let taken = world
        .post(
            &program,
            "/api/tickets",
            &json!({"body": "Do you sell helicopters?"}),
        )
        .await;
    let id = taken.json["id"].as_str().unwrap().to_owned();
    let workspace = world.workspace("default").await;
    world.looked_into(&workspace, &id.parse().unwrap()).await;
    for round in 0..4 {
        let depth = if round % 2 == 0 { "standard" } else { "deep" };
        let again = world
            .post(
                &program,
                &format!("/api/tickets/{id}/investigate"),
                &json!({"depth": depth}),
            )
            .await;
        assert_eq!(again.status, 202, "{}", again.text);
    }
    loop {
        world.looked_into(&workspace, &id.parse().unwrap()).await;
        let depth = world.store.queue().depth().await.unwrap();
        assert_eq!(depth.dead, 0);
        if depth.ready == 0 && depth.leased == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let read = world.get(&program, &format!("/api/tickets/{id}")).await;
    let steps = read.json["investigation"]["steps"].as_array().unwrap();
    let numbers: Vec<u64> = steps
        .iter()
        .map(|step| step["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(read.json["investigation"]["state"], "done");
}

#[tokio::test]
async fn ids_that_are_none_are_answered_as_such() {
    let (world, program) = with_program().await;
    for (id, status) in [
        ("tkt_00000000000000000000000000", 400),
        ("x", 400),
        ("%00", 400),
        ("..%2f..%2fetc", 400),
        (&"9".repeat(5_000), 400),
    ] {
        for what in ["tickets", "actions", "knowledge/documents"] {
            let missing = world.get(&program, &format!("/api/{what}/{id}")).await;
            assert!(
                [status, 404].contains(&missing.status),
                "{what} {id}: {}",
                missing.text
            );
            assert!(missing.text.len() < 12_000);
        }
    }
    let other = gaby_model::TicketId::generate();
    let missing = world.get(&program, &format!("/api/tickets/{other}")).await;
    assert_eq!((missing.status, missing.code()), (404, "not_found"));
    assert!(
        missing.message().contains(other.as_str()),
        "{}",
        missing.text
    );
}
