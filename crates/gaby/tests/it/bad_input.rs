//! Whatever is given to a command: a clear message, the right code, nothing half-written, no panic.

use crate::gaby::{Gaby, Ran};

/// Ended with this code and a message that names what it should, and did not panic.
fn refused(ran: &Ran, code: i32, names: &[&str]) {
    assert_eq!(ran.code, Some(code), "{}", short(&ran.err));
    assert!(!ran.err.contains("panicked"), "{}", short(&ran.err));
    assert!(!ran.err.trim().is_empty(), "no message");
    assert!(
        ran.err.len() < 4_000,
        "a message of {} bytes",
        ran.err.len()
    );
    for name in names {
        assert!(
            ran.err.contains(name),
            "`{name}` is not in: {}",
            short(&ran.err)
        );
    }
}

fn short(text: &str) -> String {
    text.chars().take(2_000).collect()
}

/// What no reader expects, by name.
fn rubbish() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("blank", b" \n\t\n".to_vec()),
        ("zeros", vec![0; 4096]),
        (
            "noise",
            (0..20_000u32)
                .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
                .collect(),
        ),
        ("latin-1", b"{\"body\": \"caf\xe9\"}".to_vec()),
        (
            "utf-16",
            "{\"body\": \"x\"}"
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        ),
        ("cut off", b"{\"subject\": \"a\", \"bo".to_vec()),
        (
            "nested",
            [b"[".repeat(200_000), b"]".repeat(200_000)].concat(),
        ),
        (
            "nested in body",
            [b"{\"body\": ".to_vec(), b"[".repeat(100_000)].concat(),
        ),
        ("a list", b"[1, 2, 3]".to_vec()),
        ("a number", b"42".to_vec()),
        ("null", b"null".to_vec()),
        ("wrong type", b"{\"body\": 42}".to_vec()),
        (
            "unknown field",
            b"{\"body\": \"x\", \"boby\": \"y\"}".to_vec(),
        ),
        (
            "wrong priority",
            b"{\"body\": \"x\", \"priority\": \"now!\"}".to_vec(),
        ),
        (
            "wrong deadline",
            b"{\"body\": \"x\", \"sla_deadline\": \"soon\"}".to_vec(),
        ),
        (
            "says nothing",
            b"{\"subject\": \" \", \"body\": \"\"}".to_vec(),
        ),
        ("lone surrogate", b"{\"body\": \"\\ud800\"}".to_vec()),
        ("huge number", b"{\"body\": 1e999999}".to_vec()),
        ("10 MB", vec![b'a'; 10_000_000]),
        (
            "10 MB body",
            [
                b"{\"body\": \"".to_vec(),
                vec![b'a'; 10_000_000],
                b"\"}".to_vec(),
            ]
            .concat(),
        ),
        (
            "300 KB body",
            [
                b"{\"body\": \"".to_vec(),
                vec![b'a'; 300_000],
                b"\"}".to_vec(),
            ]
            .concat(),
        ),
    ]
}

#[test]
fn a_ticket_that_is_none_is_refused_with_file_and_place_and_leaves_nothing() {
    let gaby = Gaby::new();
    gaby.ok(&["tickets", "list"]);
    for (name, bytes) in rubbish() {
        let file = gaby.file("ticket.json", &bytes);
        let ran = gaby.run(&["investigate", &file]);
        refused(&ran, 1, &["ticket.json"]);
        let ran = gaby.run_with(&["investigate", "-", "--json"], &bytes);
        refused(&ran, 1, &["standard input"]);
        assert_eq!(ran.out, "", "{name}");
    }
    refused(
        &gaby.run(&["investigate", "missing.json"]),
        1,
        &["missing.json"],
    );
    refused(&gaby.run(&["investigate", "/"]), 1, &["cannot read /"]);
    let id = "tkt_00000000000000000000000000000000";
    refused(&gaby.run(&["investigate", "--ticket", id]), 1, &[id]);
    assert_eq!(
        gaby.json(&["tickets", "list", "--json"]),
        serde_json::json!([])
    );
}

#[test]
fn rubbish_in_documents_is_skipped_with_a_reason_and_never_fatal() {
    let gaby = Gaby::new();
    for (name, mut bytes) in rubbish() {
        // As much of the same as makes no other point and takes less time to store.
        bytes.truncate(250_000);
        for kind in ["md", "html", "pdf", "txt"] {
            gaby.file(
                &format!("docs/{} {kind}.{kind}", name.replace(' ', "-")),
                &bytes,
            );
        }
    }
    gaby.file("docs/good.md", "# Good\n\nA refund takes five days.\n");
    let report = gaby.json(&["ingest", "docs", "--words-only", "--json"]);
    let skipped = report["skipped"].as_array().unwrap();
    assert!(skipped.len() > 30, "{report}");
    assert!(
        skipped
            .iter()
            .all(|one| one["reason"].as_str().is_some_and(|why| !why.is_empty()))
    );
    let hits = gaby.json(&["search", "refund", "--json"]).to_string();
    assert!(hits.contains("five days"), "{hits}");
    for (path, named) in [
        ("missing", "missing"),
        ("", "empty path"),
        ("https://localhost:1/x.git", "localhost"),
    ] {
        refused(&gaby.run(&["ingest", path]), 1, &[named]);
    }
}

#[test]
fn queries_may_be_anything() {
    let gaby = Gaby::new();
    gaby.file("docs/good.md", "# Good\n\nA refund takes five days.\n");
    gaby.ok(&["ingest", "docs"]);
    let long = "refund ".repeat(17_000);
    for query in [
        "",
        " ",
        "\"",
        "AND OR NOT",
        "((((",
        "title:*",
        "\u{202e}\u{0}x".trim_matches('\0'),
        "🙂",
        &long,
    ] {
        let query = query.replace('\0', "");
        let ran = gaby.run(&["search", &query, "--explain"]);
        assert_eq!(ran.code, Some(0), "{}: {ran:?}", short(&query));
        let ran = gaby.run(&["ask", &query]);
        assert!(
            matches!(ran.code, Some(0..=2)),
            "{}: {ran:?}",
            short(&query)
        );
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
    }
}

#[test]
fn playbooks_and_manifests_that_are_none_are_told_with_file_and_line() {
    let gaby = Gaby::new();
    for (name, bytes) in rubbish() {
        let file = gaby.file("own/thing.yaml", &bytes);
        let ran = gaby.run(&["playbook", "lint", &file]);
        assert_eq!(ran.code, Some(1), "{name}: {}", short(&ran.err));
        let told = format!("{}{}", ran.out, ran.err);
        assert!(
            told.contains("thing.yaml") && !told.contains("panicked"),
            "{name}: {}",
            short(&told)
        );
        assert!(told.len() < 4_000, "{name}: {} bytes", told.len());
        refused(
            &gaby.run(&["connectors", "--connectors", "own"]),
            1,
            &["thing.yaml"],
        );
        refused(
            &gaby.run(&["playbook", "list", "--playbooks", "own"]),
            1,
            &["thing.yaml"],
        );
    }
}

#[test]
fn collections_that_are_none_are_told_with_file_and_line_and_no_run_is_written() {
    let gaby = Gaby::new();
    gaby.file(
        "good.jsonl",
        "{\"_id\": \"a\", \"text\": \"A refund takes five days.\"}\n",
    );
    for (name, bytes) in rubbish() {
        let file = gaby.file("bad.jsonl", &bytes);
        for (corpus, queries) in [(file.as_str(), "good.jsonl"), ("good.jsonl", file.as_str())] {
            let ran = gaby.run(&[
                "eval",
                "retrieval",
                "--words-only",
                "--corpus",
                corpus,
                "--queries",
                queries,
                "--run",
                "run.trec",
            ]);
            refused(&ran, 1, &["bad.jsonl"]);
            assert!(!gaby.path("run.trec").exists(), "{name}");
        }
    }
}

#[test]
fn a_data_folder_that_cannot_be_one_is_refused() {
    let gaby = Gaby::new();
    let file = gaby.file("a-file", "x");
    refused(
        &gaby.run(&["tickets", "list", "--data", &file]),
        1,
        &["a-file"],
    );
    refused(
        &gaby.run(&["tickets", "list", "--database", "mysql://x"]),
        1,
        &["mysql://x"],
    );
    let nowhere = "postgres://gaby:s3cret@127.0.0.1:1/x";
    let ran = gaby.run(&["tickets", "list", "--database", nowhere]);
    refused(&ran, 1, &["127.0.0.1:1"]);
    assert!(!ran.err.contains("s3cret"), "{}", ran.err);
    gaby.file(
        "data2/gaby.db",
        "this is no database, and never was one".repeat(100),
    );
    let data = gaby.path("data2").display().to_string();
    refused(
        &gaby.run(&["tickets", "list", "--data", &data]),
        1,
        &["gaby.db"],
    );
}

#[test]
fn a_wrong_key_changes_nothing() {
    let gaby = Gaby::new();
    gaby.ok(&["workspace", "create", "acme"]);
    let before = std::fs::read(gaby.data().join("gaby.db")).unwrap();
    for key in ["", "nonsense", &"ab".repeat(32), &"ab".repeat(31)] {
        let mut command = gaby.command(&["workspace", "list"]);
        command.env("GABY_MASTER_KEY", key);
        refused(&Ran::of(command, b""), 1, &["GABY_MASTER_KEY"]);
    }
    assert_eq!(std::fs::read(gaby.data().join("gaby.db")).unwrap(), before);
    gaby.ok(&["workspace", "list"]);
}
