//! Several processes on one data folder.

use std::process::Stdio;

use crate::gaby::{Gaby, wait_for};

#[test]
fn commands_work_beside_a_running_server_and_both_see_the_same() {
    let gaby = Gaby::new();
    gaby.file(
        "docs/a.md",
        "# Locks\n\nAn account stays locked for 30 minutes.\n",
    );
    gaby.ok(&["ingest", "docs", "--words-only"]);
    let token = gaby.ticket_token();
    let token = token["token"].as_str().unwrap().to_owned();
    let serving = gaby.serve(&[]);
    gaby.file(
        "docs/b.md",
        "# Refunds\n\nA refund goes back to the card within five working days.\n",
    );
    gaby.ok(&["ingest", "docs"]);
    serving
        .post_ticket(
            &token,
            r#"{"body": "How many working days does a refund to my card take?"}"#,
        )
        .unwrap();
    wait_for(
        "the server to answer from what the other process ingested",
        || {
            let listed = gaby.json(&["tickets", "list", "--state", "resolved", "--json"]);
            listed.as_array().unwrap().len() == 1
        },
    );
    assert_eq!(serving.end(), Some(0));
    assert_eq!(gaby.run(&["audit", "verify"]).code, Some(0));
    assert_eq!(gaby.run(&["doctor"]).code, Some(0));
}

#[test]
fn a_running_server_goes_by_what_is_decided_on_the_command_line() {
    let gaby = Gaby::new();
    let database = gaby.path("shop.db");
    rusqlite::Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE orders (id INTEGER)")
        .unwrap();
    let token = gaby.json(&["token", "create", "look", "--scope", "read", "--json"]);
    let token = token["token"].as_str().unwrap().to_owned();
    let serving = gaby.serve(&[]);
    let shown = || {
        let body = serving.get_with(&token, "/api/connectors").unwrap();
        serde_json::from_str::<serde_json::Value>(&body).unwrap()["items"].clone()
    };
    assert_eq!(shown(), serde_json::json!([]));
    let path = format!("path={}", database.display());
    gaby.ok(&["connect", "sqlite", "--as", "shop", "--set", &path]);
    wait_for("the new connector to be reached", || {
        shown()[0]["state"] == "up"
    });
    for autonomy in ["act", "investigate"] {
        gaby.ok(&["connector", "shop", "--autonomy", autonomy]);
        assert_eq!(shown()[0]["autonomy"], autonomy);
    }
    gaby.ok(&["connector", "shop", "--remove", "--yes"]);
    assert_eq!(shown(), serde_json::json!([]));
}

#[test]
fn several_ingests_at_once_lose_nothing() {
    let gaby = Gaby::new();
    gaby.ok(&["workspace", "create", "acme"]);
    let folders = ["one", "two", "three"];
    for folder in folders {
        for number in 0..20 {
            let text = format!(
                "# {folder} {number}\n\nThe answer of {folder} number {number} is marmalade.\n"
            );
            gaby.file(&format!("{folder}/{number}.md"), text);
        }
    }
    let running: Vec<_> = folders
        .map(|folder| {
            let mut command = gaby.command(&["ingest", folder, "--json"]);
            command.stderr(Stdio::piped()).spawn().unwrap()
        })
        .into_iter()
        .collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    // All is stored and found, and nothing lacks a vector.
    let doctor = gaby.ok(&["doctor"]);
    assert!(doctor.contains("60 documents, 60 chunks\n"), "{doctor}");
    let hits = gaby.json(&["search", "marmalade of three number 7", "--json"]);
    assert!(hits.to_string().contains("three"), "{hits}");
}

#[test]
fn an_ingest_that_is_killed_is_finished_by_the_next() {
    let gaby = Gaby::new();
    gaby.ok(&["workspace", "create", "acme"]);
    for number in 0..150 {
        let text =
            format!("# Number {number}\n\nThe answer of number {number} is marmalade.\n").repeat(8);
        gaby.file(&format!("docs/{number}.md"), text);
    }
    for millis in [150, 300, 600, 1200] {
        let mut child = gaby.command(&["ingest", "docs"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(millis));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let report = gaby.json(&["ingest", "docs", "--json"]);
    assert_eq!(report["documents"], 150, "{report}");
    assert_eq!(gaby.run(&["doctor"]).code, Some(0));
    let left: Vec<_> = crate::gaby::files_below(&gaby.data())
        .into_iter()
        .filter(|file| file.file_name().unwrap().to_string_lossy().contains("tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
