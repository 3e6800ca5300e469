//! Killed at any state of an investigation: the next start finishes the work, once.

use std::path::Path;

use crate::gaby::{Gaby, Ran, demo_manifests, wait_for};

const TICKET: &str = r#"{"subject": "Locked out", "body": "My account is locked, please unlock it.",
    "requester": {"email": "ines@brightpipe.example.com", "verified": true}, "external_id": "T-1"}"#;

/// A company whose account is locked, and a connector that may unlock it. The database counts.
fn company() -> Gaby {
    let gaby = Gaby::new();
    let database = gaby.demo_database();
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE unlocks (id INTEGER); CREATE TRIGGER unlocked AFTER UPDATE OF status ON accounts \
             BEGIN INSERT INTO unlocks VALUES (new.id); END",
        )
        .unwrap();
    gaby.connect_accounts(&database);
    gaby.ok(&[
        "connector",
        "larkfield_accounts",
        "--connectors",
        &demo_manifests(),
        "--autonomy",
        "act",
    ]);
    gaby.file("ticket.json", TICKET);
    gaby
}

fn unlocks(gaby: &Gaby) -> i64 {
    rusqlite::Connection::open(gaby.path("larkfield.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM unlocks", [], |row| row.get(0))
        .unwrap()
}

fn investigate(gaby: &Gaby, dies_at: Option<&str>) -> Ran {
    let mut command = gaby.command(&["investigate", "ticket.json", "--json", "--connectors"]);
    command.arg(demo_manifests());
    if let Some(place) = dies_at {
        command.env("GABY_FAILPOINT", place);
    }
    Ran::of(command, b"")
}

/// Whether every ticket came to an end.
fn settled(gaby: &Gaby) -> bool {
    gaby.json(&["tickets", "list", "--json"])
        .as_array()
        .unwrap()
        .iter()
        .all(|ticket| {
            !matches!(
                ticket["state"].as_str(),
                Some("new" | "investigating" | "reopened")
            )
        })
}

/// The one ticket, with what was said to the requester.
fn told(gaby: &Gaby) -> (String, usize) {
    let tickets = gaby.json(&["tickets", "list", "--json"]);
    let tickets = tickets.as_array().unwrap();
    assert_eq!(tickets.len(), 1, "{tickets:?}");
    let shown = gaby.json(&[
        "tickets",
        "show",
        tickets[0]["id"].as_str().unwrap(),
        "--json",
    ]);
    let replies = shown["messages"].as_array().unwrap().iter();
    let replies = replies
        .filter(|message| message["author"] == "gaby")
        .count();
    (tickets[0]["state"].as_str().unwrap().to_owned(), replies)
}

#[test]
fn without_a_kill_the_account_is_unlocked_and_the_requester_told() {
    let gaby = company();
    let ran = investigate(&gaby, None);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(told(&gaby), ("resolved".to_owned(), 1));
    assert_eq!(unlocks(&gaby), 1);
}

#[test]
fn a_command_killed_at_any_state_leaves_work_that_the_next_server_finishes_once() {
    let states = gaby_model::InvestigationState::ALL.map(gaby_model::InvestigationState::as_str);
    let places = states
        .iter()
        .flat_map(|state| [format!("{state}:before"), format!("{state}:after")])
        .chain(
            [
                "intake:after",
                "action:intended",
                "action:sent",
                "action:answered",
                "action:recorded",
            ]
            .map(str::to_owned),
        );
    for place in places {
        let gaby = company();
        let ran = investigate(&gaby, Some(&place));
        assert_eq!(ran.code, None, "nothing died at {place}: {ran:?}");
        let serving = gaby.serve(&["--connectors", &demo_manifests()]);
        wait_for(&format!("the work that was left at {place}"), || {
            settled(&gaby)
        });
        assert_eq!(serving.end(), Some(0));
        let (state, replies) = told(&gaby);
        assert_eq!((state.as_str(), replies), ("resolved", 1), "{place}");
        assert_eq!(unlocks(&gaby), 1, "{place}");
        assert_eq!(gaby.run(&["audit", "verify"]).code, Some(0), "{place}");
    }
}

#[test]
fn a_ticket_is_not_there_or_whole() {
    let gaby = company();
    assert_eq!(investigate(&gaby, Some("intake:before")).code, None);
    assert_eq!(
        gaby.json(&["tickets", "list", "--json"]),
        serde_json::json!([])
    );
    assert_eq!(investigate(&gaby, None).code, Some(0));
    assert_eq!(told(&gaby).1, 1);
}

#[test]
fn a_server_killed_again_and_again_at_no_chosen_moment_loses_and_repeats_nothing() {
    let gaby = company();
    let token = gaby.ticket_token();
    let token = token["token"].as_str().unwrap();
    let mut given = 0;
    for round in 0..6u64 {
        let serving = gaby.serve(&["--connectors", &demo_manifests()]);
        for number in 0..3 {
            let ticket = format!(
                r#"{{"subject": "Locked out", "body": "My account is locked, number {round}-{number}.",
                    "requester": "ines@brightpipe.example.com", "external_id": "{round}-{number}"}}"#
            );
            given += usize::from(serving.post_ticket(token, &ticket).is_some());
        }
        std::thread::sleep(std::time::Duration::from_millis(40 + 90 * round));
        serving.kill();
    }
    let serving = gaby.serve(&["--connectors", &demo_manifests()]);
    wait_for("all that was taken in to be worked on", || settled(&gaby));
    serving.end();
    let tickets = gaby.json(&["tickets", "list", "--json"]);
    let tickets = tickets.as_array().unwrap();
    assert_eq!(tickets.len(), given);
    for ticket in tickets {
        let shown = gaby.json(&["tickets", "show", ticket["id"].as_str().unwrap(), "--json"]);
        let replies = shown["messages"].as_array().unwrap().iter();
        let replies = replies
            .filter(|message| message["author"] == "gaby")
            .count();
        assert!(replies <= 1, "{shown}");
        assert!(shown["actions"].as_array().unwrap().len() <= 1, "{shown}");
    }
    assert_eq!(gaby.run(&["audit", "verify"]).code, Some(0));
}

#[test]
fn a_workspace_whose_deletion_is_cut_off_is_gone_with_its_key() {
    let gaby = Gaby::new();
    gaby.ok(&["workspace", "create", "acme"]);
    gaby.ok(&["workspace", "create", "other"]);
    let keys = |gaby: &Gaby| files(&gaby.data().join("keys"));
    let before = keys(&gaby);
    let mut command = gaby.command(&["workspace", "delete", "acme", "--yes"]);
    command.env("GABY_FAILPOINT", "workspace:rows_deleted");
    assert_eq!(Ran::of(command, b"").code, None);
    let left = gaby.json(&["workspace", "list", "--json"]);
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(keys(&gaby), before - 1);
}

fn files(folder: &Path) -> usize {
    crate::gaby::files_below(folder).len()
}
