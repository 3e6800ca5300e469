//! The texts that people read first. A change of them is seen in the snapshots.

use crate::gaby::Gaby;

const COMMANDS: [&[&str]; 55] = [
    &[],
    &["serve"],
    &["ingest"],
    &["search"],
    &["ask"],
    &["investigate"],
    &["approvals"],
    &["approvals", "list"],
    &["approvals", "show"],
    &["approvals", "approve"],
    &["approvals", "reject"],
    &["approvals", "edit"],
    &["approvals", "allow"],
    &["approvals", "allowed"],
    &["approvals", "disallow"],
    &["approvals", "link"],
    &["undo"],
    &["tickets"],
    &["tickets", "list"],
    &["tickets", "show"],
    &["connect"],
    &["connect", "mcp"],
    &["connectors"],
    &["connector"],
    &["consents"],
    &["shadow-report"],
    &["mcp", "serve"],
    &["playbook"],
    &["playbook", "lint"],
    &["playbook", "list"],
    &["redact"],
    &["eval", "retrieval"],
    &["replay"],
    &["stub-llm"],
    &["audit"],
    &["audit", "verify"],
    &["audit", "list"],
    &["audit", "key"],
    &["audit", "checkpoint"],
    &["audit", "export"],
    &["workspace"],
    &["workspace", "list"],
    &["workspace", "create"],
    &["workspace", "delete"],
    &["token", "create"],
    &["token", "list"],
    &["token", "revoke"],
    &["policy", "check"],
    &["policy", "list"],
    &["user", "list"],
    &["user", "add"],
    &["user", "password"],
    &["user", "remove"],
    &["doctor"],
    &["completions"],
];

#[test]
fn every_command_explains_itself() {
    let gaby = Gaby::new();
    for command in COMMANDS {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let text = gaby.ok(&arguments);
        // What holds everywhere is shown once.
        let own = match text.split_once("Everywhere:") {
            Some((own, _)) if !command.is_empty() => own,
            _ => &text,
        };
        let name = format!("gaby {}", command.join(" "))
            .trim()
            .replace(' ', "-");
        insta::assert_snapshot!(name, own);
    }
}

#[test]
fn wrong_usage_names_what_is_wrong_and_ends_with_2() {
    let gaby = Gaby::new();
    let cases: [&[&str]; 13] = [
        &[],
        &["nonsense"],
        &["ingest"],
        &["search"],
        &["search", "x", "--top", "0"],
        &["investigate"],
        &["investigate", "--json"],
        &["investigate", "--ticket", "nonsense"],
        &["connect"],
        &["connect", "mcp", "files"],
        &["connector", "x", "--autonomy", "everything"],
        &["eval", "retrieval", "--corpus", "x"],
        &["serve", "--listen", "here"],
    ];
    let mut told = String::new();
    for arguments in cases {
        let ran = gaby.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert_eq!(ran.out, "", "{arguments:?}");
        let first = ran.err.lines().take(2).collect::<Vec<_>>().join("\n  ");
        told.push_str(&format!(
            "gaby {}\n  {}\n",
            arguments.join(" "),
            first.trim_end()
        ));
    }
    insta::assert_snapshot!("wrong-usage", told);
}

#[test]
fn the_version_is_told() {
    let told = Gaby::new().ok(&["--version"]);
    assert_eq!(told.trim(), concat!("gaby ", env!("CARGO_PKG_VERSION")));
}
