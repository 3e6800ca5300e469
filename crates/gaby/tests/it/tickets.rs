//! Tickets, workspaces, tokens, the settings' file.

use crate::gaby::Gaby;

const TICKET: &str = r#"{"subject": "Locked out", "body": "How long does my account stay locked?",
    "requester": "ana@example.com", "external_id": "T-1"}"#;

fn with_article() -> Gaby {
    let gaby = Gaby::new();
    gaby.file(
        "docs/unlock.md",
        "# Unlock an account\n\nAfter five failed sign-ins the account stays locked for 30 minutes.\n",
    );
    gaby.ok(&["ingest", "docs"]);
    gaby
}

#[test]
fn an_investigation_from_stdin_gives_verdict_reply_citations_and_steps() {
    let gaby = with_article();
    let ran = gaby.run_with(&["investigate", "-", "--json"], TICKET);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let result: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(result["verdict"], "resolved", "{result}");
    assert!(
        result["reply"].as_str().unwrap().contains("30 minutes"),
        "{result}"
    );
    for field in ["confidence", "citations", "steps", "actions", "usage"] {
        assert!(!result[field].is_null(), "{field}: {result}");
    }
    let citation = &result["citations"][0];
    assert!(
        citation["sentence"]
            .as_str()
            .unwrap()
            .contains("30 minutes")
    );
    assert_eq!(citation["source"]["path"], "unlock.md");

    let id = result["ticket"].as_str().unwrap();
    let shown = gaby.ok(&["tickets", "show", id]);
    assert!(
        shown.contains("How long does my account") && shown.contains("30 minutes"),
        "{shown}"
    );
    let listed = gaby.json(&["tickets", "list", "--state", "resolved", "--json"]);
    assert_eq!(listed[0]["id"], id);
    let again = gaby.json(&["investigate", "--ticket", id, "--json"]);
    assert_eq!(again["ticket"], id);
}

#[test]
fn a_workspace_is_named_once_there_are_several_and_holds_only_its_own() {
    let gaby = with_article();
    gaby.ok(&["workspace", "create", "acme", "--name", "Acme Ltd"]);
    let ran = gaby.run(&["search", "account locked"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("--workspace") && ran.err.contains("acme"),
        "{ran:?}"
    );
    let found = gaby.json(&["search", "account locked", "--workspace", "acme", "--json"]);
    assert_eq!(found, serde_json::json!([]));
    let found = gaby.json(&[
        "--workspace",
        "default",
        "search",
        "account locked",
        "--json",
    ]);
    assert_eq!(found[0]["title"], "Unlock an account");
}

#[test]
fn deleting_a_workspace_needs_a_yes_and_leaves_nothing_of_it() {
    let gaby = with_article();
    gaby.ok(&["workspace", "create", "acme"]);
    let ran = gaby.run(&["workspace", "delete", "default"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("--yes"), "{ran:?}");
    gaby.ok(&["workspace", "delete", "default", "--yes"]);
    let left = gaby.json(&["workspace", "list", "--json"]);
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(
        gaby.json(&["search", "account locked", "--json"]),
        serde_json::json!([])
    );
}

#[test]
fn flags_overrule_the_environment_and_that_the_file() {
    let gaby = Gaby::new();
    for slug in ["in-file", "in-environment", "in-flag"] {
        gaby.ok(&["workspace", "create", slug]);
    }
    std::fs::write(gaby.data().join("gaby.toml"), "workspace = \"in-file\"\n").unwrap();
    let of = |environment: Option<&str>, flag: &[&str]| {
        let mut command = gaby.command(&["audit", "key"]);
        command.args(flag);
        if let Some(slug) = environment {
            command.env("GABY_WORKSPACE", slug);
        }
        crate::gaby::Ran::of(command, b"").out
    };
    let file = of(None, &[]);
    let environment = of(Some("in-environment"), &[]);
    let flag = of(Some("in-environment"), &["--workspace", "in-flag"]);
    assert!(file != environment && environment != flag && file != flag);
    assert_eq!(of(None, &["--workspace", "in-file"]), file);
    assert_eq!(of(None, &["--workspace", "in-environment"]), environment);
}

#[test]
fn a_wrong_setting_is_named_with_its_file() {
    let gaby = Gaby::new();
    for (text, expected) in [
        ("wrokspace = \"x\"\n", "wrokspace"),
        ("listen = 8080\n", "listen"),
        ("connectors = \"one\"\n", "connectors"),
        ("embedding = [1,\n", "TOML"),
    ] {
        let file = gaby.file("own.toml", text);
        let ran = gaby.run(&["workspace", "list", "--config", &file]);
        assert_eq!(ran.code, Some(1), "{text}");
        assert!(
            ran.err.contains(expected) && ran.err.contains("own.toml"),
            "{text}: {}",
            ran.err
        );
    }
}

#[test]
fn a_token_made_here_hands_tickets_to_the_server_until_it_is_revoked() {
    let gaby = with_article();
    let token = gaby.ticket_token();
    let serving = gaby.serve(&[]);
    let key = token["token"].as_str().unwrap();
    let taken = serving.post_ticket(
        key,
        r#"{"subject": "Hello", "body": "How long does an account stay locked?"}"#,
    );
    assert!(taken.is_some());
    assert!(serving.post_ticket("gaby_nonsense", "{}").is_none());
    crate::gaby::wait_for("the ticket to be resolved", || {
        let listed = gaby.json(&["tickets", "list", "--state", "resolved", "--json"]);
        listed.as_array().unwrap().len() == 1
    });
    gaby.ok(&["token", "revoke", token["id"].as_str().unwrap()]);
    assert!(serving.post_ticket(key, r#"{"body": "Again"}"#).is_none());
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn the_doctor_finds_nothing_wrong_with_a_fresh_folder_and_names_what_is() {
    let gaby = Gaby::new();
    gaby.ok(&["workspace", "create", "acme"]);
    let text = gaby.ok(&["doctor"]);
    assert!(!text.contains("WRONG"), "{text}");
    gaby.file("playbooks/bad.yaml", "name: bad\n");
    let ran = gaby.run(&["doctor", "--playbooks", "playbooks"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains("WRONG") && ran.out.contains("bad.yaml"),
        "{}",
        ran.out
    );
}

#[test]
fn people_are_added_get_another_password_and_are_removed() {
    let gaby = Gaby::new();
    let add = ["user", "add", "ana@example.com", "--role", "admin"];
    let ran = gaby.run(&add);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("--password-file"), "{ran:?}");
    let from_stdin = |command: &[&str], password: &str| {
        let arguments = [command, &["--password-file", "-"]].concat();
        gaby.run_with(&arguments, format!("{password}\n"))
    };
    let ran = from_stdin(&add, "short");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("12 characters"), "{ran:?}");
    assert_eq!(
        gaby.json(&["user", "list", "--json"]),
        serde_json::json!([])
    );

    assert_eq!(from_stdin(&add, "correct horse battery").code, Some(0));
    assert_eq!(
        from_stdin(&add, "correct horse battery").code,
        Some(1),
        "the address is taken"
    );
    let people = gaby.json(&["user", "list", "--json"]);
    assert_eq!(
        (&people[0]["email"], &people[0]["role"]),
        (&"ana@example.com".into(), &"admin".into())
    );
    assert!(!people.to_string().contains("argon"), "{people}");

    // Nobody needs a link once somebody can sign in.
    let serving = gaby.serve(&[]);
    assert!(
        !serving.greeting.contains("/setup#token="),
        "{}",
        serving.greeting
    );
    serving.end();
    let change = ["user", "password", "ana@example.com"];
    assert_eq!(from_stdin(&change, "another horse battery").code, Some(0));
    assert_eq!(
        from_stdin(
            &["user", "password", "bob@example.com"],
            "another horse battery"
        )
        .code,
        Some(1)
    );
    assert_eq!(
        gaby.run(&["user", "remove", "ana@example.com"]).code,
        Some(2)
    );
    gaby.ok(&["user", "remove", "ana@example.com", "--yes"]);
    assert_eq!(
        gaby.json(&["user", "list", "--json"]),
        serde_json::json!([])
    );
}
