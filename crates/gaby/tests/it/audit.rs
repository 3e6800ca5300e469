//! `gaby audit`: 0 for whole, 1 for tampered with, 2 for cannot tell.

use crate::gaby::Gaby;

fn with_entries() -> Gaby {
    let gaby = Gaby::new();
    gaby.file(
        "docs/a.md",
        "# A\n\nAn account stays locked for 30 minutes.\n",
    );
    gaby.ok(&["ingest", "docs"]);
    let ran = gaby.run_with(
        &["investigate", "-"],
        r#"{"body": "How long is it locked?"}"#,
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    gaby
}

fn change(gaby: &Gaby, statement: &str) {
    let database = rusqlite::Connection::open(gaby.data().join("gaby.db")).unwrap();
    assert!(
        database.execute(statement, []).unwrap() > 0,
        "{statement} changed nothing"
    );
}

#[test]
fn a_log_that_was_changed_is_told_with_the_first_entry_and_code_1() {
    for (statement, seq, kind) in [
        (
            r#"UPDATE audit_entries SET entry = replace(entry, '"v":1', '"v":2') WHERE seq = 2"#,
            2,
            "changed",
        ),
        ("DELETE FROM audit_entries WHERE seq = 3", 3, "missing"),
        (
            "DELETE FROM audit_entries WHERE seq = (SELECT max(seq) FROM audit_entries)",
            0,
            "truncated",
        ),
    ] {
        let gaby = with_entries();
        let whole = gaby.json(&["audit", "verify", "--json"]);
        assert_eq!(whole["ok"], true);
        let last = whole["entries"].as_u64().unwrap();
        change(&gaby, statement);
        let ran = gaby.run(&["audit", "verify", "--json"]);
        assert_eq!(ran.code, Some(1), "{statement}: {ran:?}");
        let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let seq = if seq == 0 { last } else { seq };
        assert_eq!(
            (&told["ok"], &told["seq"], &told["kind"]),
            (&false.into(), &seq.into(), &kind.into())
        );
        let ran = gaby.run(&["audit", "verify"]);
        assert!(ran.out.contains(&seq.to_string()), "{ran:?}");
    }
}

#[test]
fn an_exported_log_is_verified_elsewhere_with_the_key() {
    let gaby = with_entries();
    gaby.ok(&["audit", "export", "--output", "log.json"]);
    let key = gaby.ok(&["audit", "key"]);
    let key = key.trim();
    let elsewhere = Gaby::new();
    let text = std::fs::read_to_string(gaby.path("log.json")).unwrap();
    let good = elsewhere.file("good.json", &text);
    let verify = |file: &str, key: &str| {
        elsewhere.run(&["audit", "verify", "--export", file, "--public-key", key])
    };
    assert_eq!(verify(&good, key).code, Some(0));
    assert!(!elsewhere.data().exists(), "a store was made for it");
    let bad = elsewhere.file(
        "bad.json",
        text.replacen("ticket.taken_in", "ticket.token_in", 1),
    );
    assert_eq!(verify(&bad, key).code, Some(1));
    assert_eq!(verify(&good, "nonsense").code, Some(2));
    assert_eq!(verify("missing.json", key).code, Some(2));
    let garbage = elsewhere.file("garbage.json", "[1, 2");
    assert_eq!(verify(&garbage, key).code, Some(2));
}

#[test]
fn a_log_set_back_with_its_head_shows_beside_a_checkpoint_kept_elsewhere() {
    let gaby = with_entries();
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let copied = std::process::Command::new("cp")
            .arg("-a")
            .args([from, to])
            .status();
        assert!(copied.unwrap().success());
    };
    copy(&gaby.data(), &gaby.path("before"));
    let ran = gaby.run_with(
        &["investigate", "-"],
        r#"{"body": "And how is it unlocked?"}"#,
    );
    assert_eq!(ran.code, Some(0));
    let kept = gaby.file("kept.txt", gaby.ok(&["audit", "checkpoint"]));
    assert_eq!(
        gaby.run(&["audit", "verify", "--from", &kept]).code,
        Some(0)
    );
    std::fs::remove_dir_all(gaby.data()).unwrap();
    copy(&gaby.path("before"), &gaby.data());
    assert_eq!(
        gaby.run(&["audit", "verify"]).code,
        Some(0),
        "nothing on this machine can tell"
    );
    let ran = gaby.run(&["audit", "verify", "--from", &kept, "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("rolled_back"), "{ran:?}");
}

#[test]
fn a_store_that_does_not_open_cannot_be_told_about() {
    let gaby = with_entries();
    std::fs::write(gaby.data().join("master.key"), "00".repeat(32)).unwrap();
    let ran = gaby.run(&["audit", "verify"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("master key"), "{ran:?}");
}
