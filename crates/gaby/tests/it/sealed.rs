//! What people wrote lies nowhere in the clear.

use crate::gaby::{Gaby, files_below, wait_for};

/// Words that occur nowhere else; the first is looked for also in pieces of an index.
const MARKERS: [&str; 4] = [
    "zorblattquux",
    "The vault code is 7719-KLM",
    "marker.person@secret.example",
    "hunter2-of-the-connector",
];

fn assert_nothing_in_the_clear(gaby: &Gaby, when: &str) {
    let mut looked_at = 0;
    for file in files_below(&gaby.data()) {
        let bytes = std::fs::read(&file).unwrap();
        looked_at += bytes.len();
        for marker in MARKERS {
            let wide: Vec<u8> = marker.encode_utf16().flat_map(u16::to_le_bytes).collect();
            for form in [marker.as_bytes(), &wide] {
                let found = bytes.windows(form.len()).any(|window| window == form);
                assert!(!found, "{when}: `{marker}` lies in {}", file.display());
            }
        }
    }
    assert!(
        looked_at > 100_000,
        "{when}: only {looked_at} bytes were looked at"
    );
}

#[test]
fn no_file_of_the_data_folder_holds_what_people_wrote() {
    let gaby = Gaby::new();
    let article = format!("# Vault\n\nzorblattquux. {}.\n", MARKERS[1]);
    gaby.file("docs/vault.md", &article);
    gaby.ok(&["ingest", "docs"]);
    assert_nothing_in_the_clear(&gaby, "after ingest");

    let ticket = format!(
        r#"{{"subject": "zorblattquux", "body": "What is the vault code? {}", "requester": "{}"}}"#,
        MARKERS[1], MARKERS[2]
    );
    assert_eq!(gaby.run_with(&["investigate", "-"], &ticket).code, Some(0));
    assert_nothing_in_the_clear(&gaby, "after investigate");

    let manifest = gaby.path("connectors/vault.yaml").display().to_string();
    gaby.file(&manifest, MANIFEST);
    let database = gaby.path("vault.db").display().to_string();
    rusqlite::Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE codes (code TEXT)")
        .unwrap();
    let path = format!("path={database}");
    let connect = [
        "connect",
        "vault",
        "--connectors",
        "connectors",
        "--set",
        &path,
        "--secret",
        "password=-",
    ];
    let ran = gaby.run_with(&connect, format!("{}\n", MARKERS[3]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_nothing_in_the_clear(&gaby, "after connect");

    let token = gaby.ticket_token();
    let serving = gaby.serve(&["--connectors", "connectors"]);
    serving
        .post_ticket(token["token"].as_str().unwrap(), &ticket)
        .unwrap();
    wait_for("the ticket to be worked on", || {
        gaby.json(&["tickets", "list", "--json"])
            .as_array()
            .unwrap()
            .iter()
            .all(|ticket| !matches!(ticket["state"].as_str(), Some("new" | "investigating")))
    });
    assert_nothing_in_the_clear(&gaby, "while serving");
    serving.kill();
    assert_nothing_in_the_clear(&gaby, "after a kill");
    let log = std::fs::read_to_string(gaby.path("serve.log")).unwrap();
    assert!(
        !log.contains("zorblattquux") && !log.contains(MARKERS[1]),
        "{log}"
    );
}

const MANIFEST: &str = r#"
name: vault
title: Vault
description: A database with a password.
driver: sqlite
settings:
  - { key: path, label: Database file }
  - { key: password, label: Password, secret: true }
connection:
  path: "{{ settings.path }}"
health: { query: SELECT 1 }
tools:
  - name: codes
    description: Lists the codes.
    access: read
    query: SELECT code FROM codes
    output: .rows
"#;
