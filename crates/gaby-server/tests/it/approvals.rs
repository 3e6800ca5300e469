//! Approvals over the API, against a real database behind a connector: what is approved happens
//! once, what is not does not happen.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gaby_model::TicketState;
use gaby_store::accounts::Role;
use serde_json::{Value, json};

use crate::world::{Seat, Setting, World};

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../demo")
}

/// The demo's company with an agent of its team, and no ticket yet.
struct Desk {
    world: World,
    agent: Seat,
}

impl Desk {
    async fn open() -> Self {
        let world = World::with(Setting {
            demo: Some(demo()),
            ..Setting::default()
        })
        .await;
        let agent = Seat {
            workspace: Some("larkfield".to_owned()),
            ..world.person(Role::Agent, None).await
        };
        Self { world, agent }
    }

    /// Hands a ticket of the demo in, and waits until it was looked into.
    async fn ticket(&self, file: &str) -> (String, TicketState) {
        let text = std::fs::read_to_string(demo().join("tickets").join(file)).unwrap();
        let workspace = self.world.workspace("larkfield").await;
        let tenant = self.world.tenants.open(&workspace).await.unwrap();
        let ticket = serde_json::from_str(&text).unwrap();
        let taken = tenant.agent.intake(ticket, "helpdesk").await.unwrap();
        let state = self.world.looked_into(&workspace, taken.id()).await;
        (taken.id().to_string(), state)
    }

    /// The refund that waits for a human.
    async fn refund(&self) -> (String, Value) {
        let (ticket, state) = self.ticket("04-charged-twice.json").await;
        assert_eq!(state, TicketState::WaitingForApproval);
        let waiting = self
            .world
            .get(&self.agent, "/api/actions?state=proposed")
            .await;
        assert_eq!(waiting.status, 200, "{}", waiting.text);
        let items = waiting.json["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{}", waiting.text);
        (ticket, items[0].clone())
    }

    async fn state(&self, ticket: &str) -> String {
        let read = self
            .world
            .get(&self.agent, &format!("/api/tickets/{ticket}"))
            .await;
        read.json["ticket"]["state"].as_str().unwrap().to_owned()
    }

    fn count(&self, sql: &str) -> i64 {
        let file = self.world.folder.path().join("larkfield.db");
        let connection = rusqlite::Connection::open(file).unwrap();
        connection.query_row(sql, (), |row| row.get(0)).unwrap()
    }

    fn refunds(&self) -> i64 {
        self.count("SELECT count(*) FROM refunds")
    }
}

fn path(action: &Value, verb: &str) -> String {
    format!("/api/actions/{}/{verb}", action["id"].as_str().unwrap())
}

#[tokio::test]
async fn what_is_approved_is_carried_out_once_and_the_requester_told() {
    let desk = Desk::open().await;
    let (ticket, action) = desk.refund().await;
    let before = desk.refunds();
    assert!(!action["needs_human_because"].as_array().unwrap().is_empty());
    assert_eq!(action["ticket_subject"], "charged twice this month");
    assert_eq!(action["display"]["arguments"], action["call"]["arguments"]);
    assert_eq!(action["display"]["warnings"], json!([]));

    let other = json!({"decision_hash": "0".repeat(64)});
    let refused = desk
        .world
        .post(&desk.agent, &path(&action, "approve"), &other)
        .await;
    assert_eq!((refused.status, refused.code()), (409, "conflict"));
    assert_eq!(desk.refunds(), before);

    let yes = json!({"decision_hash": action["decision_hash"]});
    let done = desk
        .world
        .post(&desk.agent, &path(&action, "approve"), &yes)
        .await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(done.json["state"], "done");
    assert_eq!(desk.refunds(), before + 1);
    let again = desk
        .world
        .post(&desk.agent, &path(&action, "approve"), &yes)
        .await;
    assert_eq!((again.status, again.code()), (409, "conflict"));
    assert_eq!(desk.refunds(), before + 1);

    assert_eq!(desk.state(&ticket).await, "resolved");
    let read = desk
        .world
        .get(&desk.agent, &format!("/api/tickets/{ticket}"))
        .await;
    let messages = read.json["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2, "{}", read.text);
    assert_eq!(messages[1]["author"], "gaby");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_who_approve_at_once_make_it_happen_once() {
    let desk = Desk::open().await;
    let (ticket, action) = desk.refund().await;
    let before = desk.refunds();
    let yes = json!({"decision_hash": action["decision_hash"]});
    let desk = Arc::new(desk);
    let mut people = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (desk, action, yes) = (desk.clone(), action.clone(), yes.clone());
        people.spawn(async move {
            let answer = desk
                .world
                .post(&desk.agent, &path(&action, "approve"), &yes)
                .await;
            (answer.status, answer.code().to_owned())
        });
    }
    let answers = people.join_all().await;
    let done = answers.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(done, 1, "{answers:?}");
    for (status, code) in &answers {
        assert!(
            *status == 200 || (*status, code.as_str()) == (409, "conflict"),
            "{answers:?}"
        );
    }
    assert_eq!(desk.refunds(), before + 1);
    assert_eq!(desk.state(&ticket).await, "resolved");
    let read = desk
        .world
        .get(&desk.agent, &format!("/api/tickets/{ticket}"))
        .await;
    assert_eq!(
        read.json["messages"].as_array().unwrap().len(),
        2,
        "told once"
    );
}

#[tokio::test]
async fn what_is_rejected_never_happens_and_its_reason_is_kept() {
    let desk = Desk::open().await;
    let (ticket, action) = desk.refund().await;
    let before = desk.refunds();
    let no = json!({"reason": "She must send the statement first."});
    let rejected = desk
        .world
        .post(&desk.agent, &path(&action, "reject"), &no)
        .await;
    assert_eq!(rejected.status, 200, "{}", rejected.text);
    assert_eq!(rejected.json["state"], "rejected");
    assert_eq!(rejected.json["rejection"], no["reason"]);
    let yes = json!({"decision_hash": action["decision_hash"]});
    let late = desk
        .world
        .post(&desk.agent, &path(&action, "approve"), &yes)
        .await;
    assert_eq!(late.status, 409);
    assert_eq!(desk.refunds(), before);
    assert_eq!(desk.state(&ticket).await, "escalated");
    let read = desk
        .world
        .get(&desk.agent, &format!("/api/tickets/{ticket}"))
        .await;
    assert!(read.text.contains("She must send the statement first."));
}

#[tokio::test]
async fn an_approval_is_void_when_what_it_would_change_has_moved() {
    let desk = Desk::open().await;
    let (ticket, action) = desk.refund().await;
    let before = desk.refunds();
    let payment = &action["call"]["arguments"]["payment_id"];
    let file = desk.world.folder.path().join("larkfield.db");
    let connection = rusqlite::Connection::open(file).unwrap();
    let moved = format!("UPDATE payments SET status = 'failed' WHERE id = {payment}");
    assert_eq!(connection.execute(&moved, ()).unwrap(), 1);
    let yes = json!({"decision_hash": action["decision_hash"]});
    let void = desk
        .world
        .post(&desk.agent, &path(&action, "approve"), &yes)
        .await;
    assert_eq!((void.status, void.code()), (409, "conflict"));
    assert!(void.message().contains("void"), "{}", void.text);
    let read = desk
        .world
        .get(
            &desk.agent,
            &format!("/api/actions/{}", action["id"].as_str().unwrap()),
        )
        .await;
    assert_eq!(read.json["state"], "void");
    assert_eq!(desk.refunds(), before);
    assert_eq!(desk.state(&ticket).await, "escalated");
}

#[tokio::test]
async fn neither_a_viewer_nor_a_program_nor_the_requester_decides() {
    let desk = Desk::open().await;
    let (_, action) = desk.refund().await;
    let before = desk.refunds();
    let workspace = desk.world.workspace("larkfield").await;
    let yes = json!({"decision_hash": action["decision_hash"]});
    let viewer = Seat {
        workspace: desk.agent.workspace.clone(),
        ..desk.world.person(Role::Viewer, None).await
    };
    let program = desk
        .world
        .program(&workspace, &["read", "tickets:write", "admin"])
        .await;
    for seat in [viewer, program] {
        for (verb, form) in [
            ("approve", &yes),
            ("reject", &json!({})),
            ("undo", &json!({})),
        ] {
            let refused = desk.world.post(&seat, &path(&action, verb), form).await;
            assert_eq!((refused.status, refused.code()), (403, "forbidden"));
        }
    }
    // Whoever asked for it is not the one who says yes.
    let mut femke = desk.world.store.accounts().users().await.unwrap().remove(0);
    femke.id = gaby_model::UserId::generate();
    femke.email = "Femke@verdant.example.com".to_owned();
    femke.role = Role::Admin;
    desk.world.store.accounts().add_user(&femke).await.unwrap();
    let seat = Seat {
        workspace: desk.agent.workspace.clone(),
        ..desk.world.session(&femke).await
    };
    let refused = desk
        .world
        .post(&seat, &path(&action, "approve"), &yes)
        .await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_eq!(desk.refunds(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_done_is_taken_back_once_however_many_ask() {
    let desk = Desk::open().await;
    let (ticket, state) = desk.ticket("02-locked-out.json").await;
    assert_eq!(state, TicketState::Resolved);
    let status = "SELECT count(*) FROM accounts WHERE id = 101 AND status = 'active'";
    assert_eq!(desk.count(status), 1);
    let read = desk
        .world
        .get(&desk.agent, &format!("/api/tickets/{ticket}"))
        .await;
    let action = read.json["actions"][0].clone();
    assert_eq!(
        (&action["state"], &action["undoable"]),
        (&json!("done"), &json!(true))
    );
    let desk = Arc::new(desk);
    let mut people = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (desk, action) = (desk.clone(), action.clone());
        people.spawn(async move {
            let answer = desk
                .world
                .post(&desk.agent, &path(&action, "undo"), &json!({}))
                .await;
            answer.status
        });
    }
    let mut answers = people.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers[0], 200, "{answers:?}");
    assert!(
        answers[1..].iter().all(|status| *status == 409),
        "{answers:?}"
    );
    assert_eq!(desk.count(status), 0);
    let read = desk
        .world
        .get(&desk.agent, &format!("/api/tickets/{ticket}"))
        .await;
    let states: Vec<_> = read.json["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["undone", "done"]);
}

#[tokio::test]
async fn an_action_that_cannot_be_taken_back_says_so() {
    let desk = Desk::open().await;
    let (_, action) = desk.refund().await;
    let early = desk
        .world
        .post(&desk.agent, &path(&action, "undo"), &json!({}))
        .await;
    assert_eq!(early.status, 409, "{}", early.text);
    let yes = json!({"decision_hash": action["decision_hash"]});
    desk.world
        .post(&desk.agent, &path(&action, "approve"), &yes)
        .await;
    let never = desk
        .world
        .post(&desk.agent, &path(&action, "undo"), &json!({}))
        .await;
    assert_eq!(never.status, 409, "{}", never.text);
    assert!(
        never.message().contains("cannot be undone"),
        "{}",
        never.text
    );
}

#[tokio::test]
async fn decisions_in_a_form_that_is_none_change_nothing() {
    let desk = Desk::open().await;
    let (_, action) = desk.refund().await;
    for form in [
        json!({}),
        json!({"decision_hash": 5}),
        json!({"decision_hash": null}),
        json!([]),
        json!({"decision_hash": action["decision_hash"], "arguments": {"payment_id": 1}}),
    ] {
        let refused = desk
            .world
            .post(&desk.agent, &path(&action, "approve"), &form)
            .await;
        assert_eq!(refused.status, 400, "{form}: {}", refused.text);
    }
    let long = json!({"reason": "x".repeat(900_000)});
    let refused = desk
        .world
        .post(&desk.agent, &path(&action, "reject"), &long)
        .await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let read = desk
        .world
        .get(&desk.agent, "/api/actions?state=proposed")
        .await;
    assert_eq!(read.json["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_action_is_shown_with_its_risk_its_reach_and_where_each_value_comes_from() {
    let desk = Desk::open().await;
    let (_, action) = desk.refund().await;
    let path = format!("/api/actions/{}", action["id"].as_str().unwrap());
    let read = desk.world.get(&desk.agent, &path).await;
    assert_eq!(read.status, 200, "{}", read.text);
    let parts = read.json["weighing"]["risk_parts"].as_array().unwrap();
    let sum: u64 = parts.iter().map(|p| p["points"].as_u64().unwrap()).sum();
    assert_eq!(sum.min(100), read.json["risk"].as_u64().unwrap());
    let sources = read.json["sources"].as_array().unwrap();
    let arguments = read.json["call"]["arguments"].as_object().unwrap();
    assert_eq!(sources.len(), arguments.len(), "{}", read.text);
    for source in sources {
        assert!(!source["from"].as_array().unwrap().is_empty(), "{source}");
    }
    assert!(
        read.json["reach"].as_str().unwrap().contains("payment_id"),
        "{}",
        read.text
    );
}

#[tokio::test]
async fn edited_arguments_are_a_new_action_and_the_old_one_is_void() {
    let desk = Desk::open().await;
    let (ticket, action) = desk.refund().await;
    let before = desk.refunds();
    let mut arguments = action["call"]["arguments"].clone();
    let reason = match arguments["reason"].as_str() {
        Some("goodwill") => "duplicate",
        _ => "goodwill",
    };
    arguments["reason"] = json!(reason);
    let stale = json!({"decision_hash": "0".repeat(64), "arguments": arguments});
    let refused = desk
        .world
        .post(&desk.agent, &path(&action, "edit"), &stale)
        .await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    let form = json!({"decision_hash": action["decision_hash"], "arguments": arguments});
    let edited = desk
        .world
        .post(&desk.agent, &path(&action, "edit"), &form)
        .await;
    assert_eq!(edited.status, 200, "{}", edited.text);
    assert_eq!(edited.json["state"], "proposed");
    assert_eq!(edited.json["replaces"], action["id"]);
    assert_ne!(edited.json["decision_hash"], action["decision_hash"]);
    assert_eq!(edited.json["sources"][0]["integrity"], "operator");
    let yes = json!({"decision_hash": action["decision_hash"]});
    let void = desk
        .world
        .post(&desk.agent, &path(&action, "approve"), &yes)
        .await;
    assert_eq!(void.status, 409, "{}", void.text);
    assert_eq!(desk.refunds(), before);
    assert_eq!(desk.state(&ticket).await, "waiting_for_approval");
    let yes = json!({"decision_hash": edited.json["decision_hash"]});
    let done = desk
        .world
        .post(&desk.agent, &path(&edited.json, "approve"), &yes)
        .await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(done.json["state"], "done");
    assert_eq!(desk.refunds(), before + 1);
    // The reply spoke of the arguments before: it is not sent.
    assert_eq!(desk.state(&ticket).await, "escalated");
}

#[tokio::test]
async fn money_is_never_allowed_in_advance() {
    let desk = Desk::open().await;
    let (_, action) = desk.refund().await;
    for form in [
        json!({"calls": 5, "hours": 24}),
        json!({"calls": 5, "hours": 24, "only_consider": true}),
        json!({"calls": 5, "hours": 24, "arguments": {"amount": {"about": 5}}}),
    ] {
        let refused = desk
            .world
            .post(&desk.agent, &path(&action, "patterns"), &form)
            .await;
        assert_eq!(refused.status, 400, "{form}: {}", refused.text);
    }
    let none = desk.world.get(&desk.agent, "/api/patterns").await;
    assert_eq!(none.json["items"], json!([]));
}

#[tokio::test]
async fn a_link_leads_the_person_it_was_made_for_to_the_action_once_and_decides_nothing() {
    let desk = Desk::open().await;
    let (_, action) = desk.refund().await;
    let session = desk.world.get(&desk.agent, "/api/session").await;
    let email = session.json["user"]["email"].clone();
    let nobody = json!({"email": "nobody@example.com"});
    let refused = desk
        .world
        .post(&desk.agent, &path(&action, "link"), &nobody)
        .await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let made = desk
        .world
        .post(
            &desk.agent,
            &path(&action, "link"),
            &json!({"email": email}),
        )
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    let url = made.json["url"].as_str().unwrap();
    assert!(url.starts_with(&desk.world.url), "{url}");
    let token = url.split_once("#token=").unwrap().1;
    let follow = json!({"token": token});
    let somebody_else = Seat {
        workspace: desk.agent.workspace.clone(),
        ..desk.world.person(Role::Admin, None).await
    };
    let mut forged = token.to_owned();
    let last = if forged.ends_with('0') { "1" } else { "0" };
    forged.replace_range(forged.len() - 1.., last);
    for (seat, form) in [
        (&somebody_else, &follow),
        (&desk.agent, &json!({"token": forged})),
        (&desk.agent, &json!({"token": ""})),
    ] {
        let refused = desk.world.post(seat, "/api/links/follow", form).await;
        assert_eq!(refused.status, 409, "{}", refused.text);
    }
    let anonymous = Seat {
        workspace: desk.agent.workspace.clone(),
        ..Seat::default()
    };
    let refused = desk
        .world
        .post(&anonymous, "/api/links/follow", &follow)
        .await;
    assert_eq!(refused.status, 401, "{}", refused.text);
    let led = desk
        .world
        .post(&desk.agent, "/api/links/follow", &follow)
        .await;
    assert_eq!((led.status, &led.json["action"]), (200, &action["id"]));
    let twice = desk
        .world
        .post(&desk.agent, "/api/links/follow", &follow)
        .await;
    assert_eq!(twice.status, 409, "{}", twice.text);
    let still = desk
        .world
        .get(&desk.agent, "/api/actions?state=proposed")
        .await;
    assert_eq!(still.json["items"].as_array().unwrap().len(), 1);
}
