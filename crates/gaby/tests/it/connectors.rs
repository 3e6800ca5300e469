//! Connecting, deciding, and offering a connector to others.

use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::{Value, json};

use crate::gaby::{Gaby, demo_manifests, repository};

fn with_database() -> Gaby {
    let gaby = Gaby::new();
    rusqlite::Connection::open(gaby.path("shop.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE orders (id INTEGER, state TEXT); INSERT INTO orders VALUES (1, 'sent')",
        )
        .unwrap();
    gaby
}

#[test]
fn a_database_is_connected_by_one_line_shown_decided_on_and_removed() {
    let gaby = with_database();
    let ran = gaby.run(&["connect", "sqlite"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("--set path="), "{ran:?}");
    let ran = gaby.run(&["connect", "sqlite", "--set", "path=missing.db"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("missing.db"), "{ran:?}");
    assert_eq!(gaby.json(&["connectors", "--json"]), json!([]));

    let path = format!("path={}", gaby.path("shop.db").display());
    gaby.ok(&["connect", "sqlite", "--as", "shop", "--set", &path]);
    let shown = gaby.json(&["connectors", "--json"]);
    assert_eq!(
        (&shown[0]["name"], &shown[0]["state"]),
        (&json!("shop"), &json!("up"))
    );
    assert_eq!(
        shown[0]["autonomy"], "investigate",
        "a connector starts without rights"
    );
    let ran = gaby.run(&["connect", "sqlite", "--as", "shop", "--set", &path]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("already connected"), "{ran:?}");

    gaby.ok(&[
        "connector",
        "shop",
        "--scope",
        "read_only",
        "--environment",
        "staging",
    ]);
    let shown = gaby.json(&["connectors", "--json"]);
    assert_eq!(shown[0]["grant"]["scope"], "read_only");
    assert_eq!(shown[0]["grant"]["environment"], "staging");
    let ran = gaby.run(&["connector", "shop", "--scope", "everything"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let scope = gaby.file("scope.json", r#"[{"tool": "no_such_tool"}]"#);
    let ran = gaby.run(&["connector", "shop", "--scope", &format!("@{scope}")]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("no_such_tool"), "{ran:?}");
    let ran = gaby.ok(&["connector", "shop", "--revoke", "moved away"]);
    assert!(ran.contains("moved away"), "{ran}");
    let ran = gaby.run(&["connector", "shop", "--environment", "production"]);
    assert_eq!(ran.code, Some(1), "only a scope grants it again: {ran:?}");
    gaby.ok(&["connector", "shop", "--scope", "dry_run"]);
    let log = gaby.json(&["consents", "shop", "--json"]);
    let kinds: Vec<&Value> = log.as_array().unwrap().iter().map(|c| &c["kind"]).collect();
    assert_eq!(kinds, ["connected", "revoked", "changed", "connected"]);
    assert!(gaby.ok(&["consents"]).contains("taken back: moved away"));
    let empty = gaby.json(&["shadow-report", "shop", "--json"]);
    assert_eq!(empty["rehearsals"], json!([]));

    gaby.ok(&["connector", "shop", "--autonomy", "propose"]);
    assert_eq!(
        gaby.json(&["connectors", "--json"])[0]["autonomy"],
        "propose"
    );
    let ran = gaby.run(&["connector", "shop", "--read", "drop_everything"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("drop_everything"), "{ran:?}");

    std::fs::rename(gaby.path("shop.db"), gaby.path("moved.db")).unwrap();
    let shown = gaby.ok(&["connectors"]);
    assert!(
        shown.contains("down") && shown.contains("shop.db"),
        "{shown}"
    );
    assert_eq!(gaby.run(&["doctor"]).code, Some(1));

    assert_eq!(gaby.run(&["connector", "shop", "--remove"]).code, Some(2));
    gaby.ok(&["connector", "shop", "--remove", "--yes"]);
    assert_eq!(gaby.json(&["connectors", "--json"]), json!([]));
}

#[test]
fn a_secret_never_stands_among_the_arguments() {
    let gaby = Gaby::new();
    let ran = gaby.run(&["connect", "postgres", "--secret", "password=hunter2"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("password=-") && !ran.err.contains("hunter2"),
        "{ran:?}"
    );
}

#[test]
fn an_mcp_server_that_is_none_is_told_and_not_kept() {
    let gaby = Gaby::new();
    for (command, named) in [
        (
            &["no-such-command-anywhere"] as &[&str],
            "no-such-command-anywhere",
        ),
        (&["false"], "tools"),
        (&["echo", "hello"], "tools"),
        (&["head", "-c", "200000000", "/dev/zero"], "tools"),
    ] {
        let mut arguments = vec!["connect", "mcp", "tools", "--"];
        arguments.extend(command);
        let ran = gaby.run(&arguments);
        assert_eq!(ran.code, Some(1), "{command:?}: {ran:?}");
        assert!(
            ran.err.contains(named) && !ran.err.contains("panicked"),
            "{command:?}: {ran:?}"
        );
    }
    assert_eq!(gaby.json(&["connectors", "--json"]), json!([]));
}

#[test]
fn one_connector_is_offered_to_another_host_with_its_reads_only() {
    let gaby = Gaby::new();
    gaby.connect_accounts(&gaby.demo_database());

    // Another Gaby is the other host: she reaches this one as any third party's server.
    let other = Gaby::new();
    let data = gaby.data().display().to_string();
    let binary = env!("CARGO_BIN_EXE_gaby");
    let text = other.ok(&[
        "connect",
        "mcp",
        "theirs",
        "--",
        binary,
        "--data",
        &data,
        "--connectors",
        &demo_manifests(),
        "mcp",
        "serve",
        "larkfield_accounts",
    ]);
    assert!(
        text.contains("find_customer") && !text.contains("unlock_account"),
        "{text}"
    );
    let shown = other.json(&["connectors", "--json"]);
    let accesses: Vec<&Value> = shown[0]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["access"])
        .collect();
    assert!(
        accesses.iter().all(|access| *access == "write"),
        "nothing of a third party's is a read by itself"
    );
    other.ok(&["connector", "theirs", "--read", "find_customer"]);
    let shown = other.json(&["connectors", "--json"]);
    let tool = shown[0]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .find(|tool| tool["name"] == "find_customer")
        .unwrap();
    assert_eq!(tool["access"], "read");
}

#[test]
fn garbage_on_stdin_does_not_break_the_mcp_server() {
    let gaby = with_database();
    let path = format!("path={}", gaby.path("shop.db").display());
    gaby.ok(&["connect", "sqlite", "--set", &path]);
    let mut command = gaby.command(&["mcp", "serve", "sqlite"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdin.write_all(b"not json\n{\"jsonrpc\": 3}\n").unwrap();
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    stdin.write_all(format!("{hello}\n").as_bytes()).unwrap();
    let mut answer = String::new();
    while !answer.contains("gaby-sqlite") {
        answer.clear();
        assert_ne!(
            stdout.read_line(&mut answer).unwrap(),
            0,
            "the server ended"
        );
        // Only the protocol is on stdout.
        serde_json::from_str::<Value>(&answer).unwrap();
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    let ran = gaby.run(&["mcp", "serve", "nothing"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("nothing"), "{ran:?}");
}

#[test]
fn a_change_is_shown_with_what_it_reaches_and_taken_back_once() {
    let gaby = Gaby::new();
    let database = gaby.demo_database();
    gaby.connect_accounts(&database);
    let manifests = demo_manifests();
    let with = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--connectors", &manifests]);
        gaby.run(&all)
    };
    with(&["connector", "larkfield_accounts", "--autonomy", "act"]);
    let ticket = repository().join("demo/tickets/02-locked-out.json");
    let mut ticket: Value = serde_json::from_slice(&std::fs::read(ticket).unwrap()).unwrap();
    // Handed in by hand, and not by a help desk that nobody set up here.
    ticket.as_object_mut().unwrap().remove("source");
    let ticket = gaby.file("ticket.json", ticket.to_string());
    let ran = with(&["investigate", &ticket, "--json"]);
    let result: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(result["verdict"], "resolved", "{result}");
    let action = result["actions"][0]["id"].as_str().unwrap().to_owned();
    let shown = with(&["approvals", "show", &action]).out;
    for part in [
        "reaches 1 record",
        "would change /status",
        "can be taken back",
        "what is changed",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let status = || -> String {
        let connection = rusqlite::Connection::open(&database).unwrap();
        let sql = "SELECT status FROM accounts WHERE id = 101";
        connection.query_row(sql, (), |row| row.get(0)).unwrap()
    };
    assert_eq!(status(), "active");
    let ran = with(&["undo", &action]);
    assert_eq!(ran.code, Some(2), "nobody is there to be asked: {ran:?}");
    let ran = with(&["undo", &action, "--yes", "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let undo: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&undo["state"], &undo["undoes"]),
        (&json!("done"), &json!(action))
    );
    assert_eq!(status(), "locked");
    let ran = with(&["undo", &action, "--yes"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("undone"), "{ran:?}");
}
