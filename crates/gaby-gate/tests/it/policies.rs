//! The operator's rules, as an operator writes them.

use gaby_gate::rules::{Rules, RulesError, files};
use gaby_gate::{Asker, Decision, Labelled, PolicyFile, decide_answer};
use gaby_model::{Access, Integrity, Label, ToolDefinition};
use serde_json::{Value, json};

use crate::fixtures;
use crate::scene::{Scene, compiled};

/// `k8s__restart_pod(namespace, pod)`, of a namespace, under rules and in a workspace.
fn restart(namespace: Value, rules: &str) -> Scene {
    let mut tool = fixtures::tool("k8s", "restart_pod", Access::Write);
    tool.role = Some("pod.restart".to_owned());
    tool.input_schema = json!({"type": "object", "required": ["namespace"], "properties": {
        "namespace": {"type": "string"},
        "pod": {"type": "string"},
        "grace": {"type": "number"},
        "labels": {"type": "array", "items": {"type": "string"}},
    }});
    let mut scene = Scene::allowed();
    scene.call.tool = tool.tool.clone();
    let system = Label::of(Integrity::System);
    scene.call.arguments =
        Labelled::object([("namespace".to_owned(), Labelled::whole(namespace, system))]);
    let rules = with_tools(rules, std::slice::from_ref(&tool)).unwrap();
    scene.policy.rules = rules.hash().to_owned();
    scene.rules = Some(rules.into());
    scene.tool = Some(tool);
    scene
}

fn with_tools(text: &str, tools: &[ToolDefinition]) -> Result<Rules, RulesError> {
    let own = PolicyFile {
        name: "own".to_owned(),
        text: text.to_owned(),
        origin: gaby_gate::rules::Origin::Operator,
    };
    Rules::compile(&files::layered([files::built_in(), vec![own]]), tools)
}

const NEVER_IN_PROD: &str = r#"
@id("not-in-prod")
@why("Production is restarted by the people on call.")
forbid(principal, action == Action::"k8s__restart_pod", resource)
unless { context.arguments.namespace == "staging" };
"#;

#[test]
fn restart_in_staging_never_in_production() {
    let staging = restart(json!("staging"), NEVER_IN_PROD).decide();
    assert!(
        matches!(staging, Decision::NeedsApproval { .. }),
        "{staging:?}"
    );
    match restart(json!("prod"), NEVER_IN_PROD).decide() {
        Decision::Deny { reason } => {
            let text = reason.to_string();
            assert_eq!(reason.code(), "rule_forbids");
            assert!(text.contains("`not-in-prod` in `own`"), "{text}");
            assert!(text.contains("people on call"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rule_is_not_dodged_by_an_argument_of_another_shape() {
    for namespace in [
        json!(["prod"]),
        json!({"$eq": "prod"}),
        json!(null),
        json!(7),
    ] {
        let scene = restart(namespace.clone(), NEVER_IN_PROD);
        assert_eq!(scene.denied_because(), "policy", "{namespace}");
    }
}

#[test]
fn what_no_rule_permits_is_denied() {
    let scene = restart(json!("staging"), "");
    let only_reads = PolicyFile {
        name: "default".to_owned(),
        text: r#"permit(principal, action in Action::"read", resource);"#.to_owned(),
        origin: gaby_gate::rules::Origin::Operator,
    };
    let rules = Rules::compile(
        &files::layered([files::built_in(), vec![only_reads]]),
        std::slice::from_ref(scene.tool.as_ref().unwrap()),
    )
    .unwrap();
    let mut scene = scene;
    scene.policy.rules = rules.hash().to_owned();
    scene.rules = Some(rules.into());
    assert_eq!(scene.denied_because(), "no_rule_permits");
}

#[test]
fn rules_speak_of_connectors_roles_workspaces_and_numbers() {
    for (rule, denied) in [
        (
            r#"forbid(principal, action in Action::"connector:k8s", resource);"#,
            true,
        ),
        (
            r#"forbid(principal, action in Action::"role:pod.restart", resource);"#,
            true,
        ),
        (
            r#"forbid(principal, action, resource == Workspace::"acme");"#,
            true,
        ),
        (
            r#"forbid(principal, action, resource == Workspace::"other");"#,
            false,
        ),
        (
            r#"forbid(principal == Requester::"ada@example.com", action, resource);"#,
            true,
        ),
        (
            r#"forbid(principal, action, resource) when { context.risk > 90 };"#,
            false,
        ),
        (
            r#"forbid(principal, action, resource) when { context.environment == "" };"#,
            true,
        ),
        (
            r#"forbid(principal, action == Action::"k8s__restart_pod", resource)
               when { context.arguments has grace && context.arguments.grace.lessThan(decimal("5.0")) };"#,
            false,
        ),
    ] {
        let is_denied = matches!(
            restart(json!("staging"), rule).decide(),
            Decision::Deny { reason } if reason.code() == "rule_forbids"
        );
        assert_eq!(is_denied, denied, "{rule}");
    }
}

const ENTERPRISE_BILLING: &str = r#"
@id("enterprise-billing")
@escalate("Enterprise customers' billing is always for a human.")
forbid(principal, action in [Action::"write", Action::"answer"], resource)
when { context.category == "billing" && context.facts.contains("plan=enterprise") };
"#;

#[test]
fn enterprise_billing_is_always_for_a_human() {
    let mut scene = Scene::allowed().under(ENTERPRISE_BILLING);
    assert_eq!(scene.asks_because(), [""; 0]);
    assert!(decide_answer(&scene.context()).is_ok());
    scene.situation.category = "billing".to_owned();
    assert!(decide_answer(&scene.context()).is_ok());
    scene.situation.facts.insert("plan=enterprise".to_owned());
    assert_eq!(scene.asks_because(), ["rule_escalates"]);
    let why = decide_answer(&scene.context()).unwrap_err();
    assert!(why.to_string().contains("always for a human"), "{why}");
}

#[test]
fn a_rule_that_leaves_it_to_a_human_permits_nothing() {
    let mut scene = Scene::allowed();
    let escalates_only = PolicyFile {
        name: "default".to_owned(),
        text: r#"@escalate("x") forbid(principal, action, resource);"#.to_owned(),
        origin: gaby_gate::rules::Origin::Operator,
    };
    let rules = Rules::compile(&[escalates_only], &[fixtures::unlock()]).unwrap();
    scene.policy.rules = rules.hash().to_owned();
    scene.rules = Some(rules.into());
    assert_eq!(scene.denied_because(), "no_rule_permits");
}

#[test]
fn a_rule_that_cannot_be_evaluated_denies_although_cedar_would_leave_it_out() {
    let broken = "@id(\"broken\") forbid(principal, action, resource) \
                  when { context.risk + 9223372036854775807 > 0 };";
    // Cedar by itself: the broken `forbid` is skipped, and the permit stands.
    let policies: cedar_policy::PolicySet = format!(
        "permit(principal, action, resource); {}",
        broken.replace("context.risk", "1")
    )
    .parse()
    .unwrap();
    let request = cedar_policy::Request::new(
        r#"Requester::"a""#.parse().unwrap(),
        r#"Action::"b""#.parse().unwrap(),
        r#"Workspace::"c""#.parse().unwrap(),
        cedar_policy::Context::empty(),
        None,
    )
    .unwrap();
    let entities = cedar_policy::Entities::empty();
    let response = cedar_policy::Authorizer::new().is_authorized(&request, &policies, &entities);
    assert_eq!(response.decision(), cedar_policy::Decision::Allow);
    assert_eq!(response.diagnostics().errors().count(), 1);
    // Gaby reads the diagnostics.
    assert_eq!(Scene::allowed().under(broken).denied_because(), "policy");
    let escalates = broken.replace("@id", "@escalate(\"ask\") @id");
    assert_eq!(
        Scene::allowed().under(&escalates).denied_because(),
        "policy"
    );
}

#[test]
fn a_read_that_a_rule_leaves_to_a_human_is_not_made() {
    let mut scene = Scene::allowed().under(
        r#"@escalate("payroll") forbid(principal, action in Action::"connector:crm", resource);"#,
    );
    scene.tool.as_mut().unwrap().access = Access::Read;
    assert_eq!(scene.denied_because(), "rule_escalates");
}

#[test]
fn rules_are_checked_against_the_connected_tools() {
    for (rule, says) in [
        ("permit(principal, action", "cannot be read as policies"),
        (
            r#"forbid(principal, action == Action::"crm__unlock", resource) when { context.arguments.acount == 1 };"#,
            "does not fit the connected tools",
        ),
        (
            r#"forbid(principal, action, resource) when { context.risk == "high" };"#,
            "does not fit the connected tools",
        ),
        (
            r#"@escalate("x") permit(principal, action, resource);"#,
            "cannot escalate",
        ),
        (
            "forbid(principal == ?principal, action, resource);",
            "template",
        ),
        (
            r#"@id("a") forbid(principal, action, resource) when {false}; @id("a") forbid(principal, action, resource) when {false};"#,
            "two rules",
        ),
    ] {
        let error = compiled(rule).unwrap_err().to_string();
        assert!(error.contains(says), "{rule}: {error}");
    }
}

#[test]
fn a_rule_about_a_tool_that_nobody_offers_is_set_aside_and_named() {
    let rules = compiled(
        r#"@id("gone") forbid(principal, action == Action::"zendesk__reply", resource)
           when { context.arguments.public };
           @id("both") forbid(principal, action in [Action::"zendesk__reply", Action::"crm__unlock"], resource)
           when { context.verified };"#,
    )
    .unwrap();
    let unused: Vec<&str> = rules
        .unused()
        .iter()
        .map(|rule| rule.name.as_str())
        .collect();
    assert_eq!(unused, ["gone"]);
    assert!(rules.iter().any(|rule| rule.name == "both"));
}

#[test]
fn a_tool_that_the_rules_do_not_know_yet_is_denied() {
    let mut scene = restart(json!("staging"), "");
    let rules = compiled("").unwrap();
    scene.policy.rules = rules.hash().to_owned();
    scene.rules = Some(rules.into());
    assert_eq!(scene.denied_because(), "policy");
}

#[test]
fn rules_that_changed_after_the_policy_was_read_decide_nothing() {
    let mut scene = Scene::allowed();
    scene.policy.rules = "another".to_owned();
    assert_eq!(scene.denied_because(), "policy");
}

#[test]
fn an_unverified_address_is_no_principal() {
    let mut scene = Scene::allowed()
        .under(r#"forbid(principal, action, resource) unless { principal == Requester::"ada@example.com" };"#);
    assert_eq!(scene.asks_because(), [""; 0]);
    scene.asker = Asker::Unverified;
    assert_eq!(scene.denied_because(), "rule_forbids");
}

#[test]
fn the_order_in_which_rules_stand_does_not_matter() {
    let parts = [
        r#"@id("a") forbid(principal, action in Action::"write", resource) when { context.verified };"#,
        r#"@id("b") forbid(principal, action in Action::"write", resource) when { context.risk < 50 };"#,
        r#"@id("c") @escalate("ask") forbid(principal, action, resource) when { context.risk < 50 };"#,
    ];
    let there = Scene::allowed().under(&parts.join("\n")).decide();
    let mut reversed = parts;
    reversed.reverse();
    assert_eq!(there, Scene::allowed().under(&reversed.join("\n")).decide());
}

#[test]
fn a_later_file_of_the_same_name_replaces_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("default.cedar"),
        "// nothing is permitted",
    )
    .unwrap();
    std::fs::write(folder.path().join("notes.txt"), "not a policy").unwrap();
    let own = files::read_folder(folder.path()).unwrap();
    assert_eq!(own.len(), 1);
    let all = files::layered([files::built_in(), own]);
    assert_eq!(all.len(), files::built_in().len());
    assert!(
        all.iter()
            .any(|file| file.text.contains("nothing is permitted"))
    );
    assert_eq!(
        files::read_folder(&folder.path().join("absent")).unwrap(),
        []
    );
}

#[test]
fn a_check_says_which_rules_apply_and_what_they_were_told() {
    let call: gaby_gate::rules::check::CheckCall = serde_json::from_value(json!({
        "tool": "crm__unlock",
        "arguments": {"account": 7, "notify": "mail"},
        "requester": "Ada@example.com",
        "verified": true,
        "trusted": ["account"],
        "owned": true,
        "situation": {"workspace": "acme", "category": "billing", "facts": ["plan=enterprise"]},
    }))
    .unwrap();
    let policy = Scene::allowed().policy;
    let rules = compiled(ENTERPRISE_BILLING).unwrap();
    let explained = call.explain(&[fixtures::unlock()], &policy, &rules, None);
    assert!(
        matches!(&explained.decision, Decision::NeedsApproval { reasons, .. } if reasons.len() == 1)
    );
    let text = explained.to_string();
    for part in [
        "needs approval (risk 25)",
        "`enterprise-billing` in `own` leaves it to a human",
        "`write` in `default` permits",
        "steered by text that anybody could have written",
        "plan=enterprise",
        "Requester::\\\"ada@example.com\\\"",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    let json = serde_json::to_value(&explained).unwrap();
    assert_eq!(json["decision"], "needs_approval");
    assert_eq!(json["arguments"]["account"]["integrity"], "system");
}

#[test]
fn the_rules_that_come_with_gaby_and_the_examples_in_the_docs_hold() {
    let docs = include_str!("../../../../docs/policies.md");
    let mut examples = 0;
    for part in docs.split("```cedar\n").skip(1) {
        let text = part.split("```").next().unwrap();
        compiled(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        examples += 1;
    }
    assert!(examples >= 4);
}

/// Rules of the operator's, and a workspace's own beside them.
fn beside(operator: &str, workspace: &str, tools: &[ToolDefinition]) -> Rules {
    let operators = PolicyFile {
        name: "default".to_owned(),
        text: operator.to_owned(),
        origin: gaby_gate::rules::Origin::Operator,
    };
    let own = PolicyFile::of_workspace("default", workspace);
    let all = files::layered([files::built_in(), vec![operators], vec![own]]);
    Rules::compile(&all, tools).unwrap()
}

#[test]
fn a_workspaces_rules_narrow_and_never_widen() {
    let reads = r#"@id("r") permit(principal, action in Action::"read", resource);"#;
    let all = r#"@id("all") permit(principal, action, resource);"#;
    let none = r#"@id("none") forbid(principal, action, resource);"#;
    let ask = r#"@id("ask") @escalate("ask") forbid(principal, action, resource);"#;
    for (operator, workspace, because) in [
        (reads, all, Some("no_rule_permits")),
        (none, all, Some("rule_forbids")),
        ("", all, Some("no_rule_permits")),
        (all, none, Some("rule_forbids")),
        (all, "", None),
        (all, ask, None),
    ] {
        let mut scene = restart(json!("staging"), "");
        let tool = scene.tool.clone().unwrap();
        let rules = beside(operator, workspace, &[tool]);
        scene.policy.rules = rules.hash().to_owned();
        scene.rules = Some(rules.into());
        match because {
            Some(because) => assert_eq!(scene.denied_because(), because, "{operator} {workspace}"),
            None => assert!(
                !matches!(scene.decide(), Decision::Deny { .. }),
                "{operator} {workspace}"
            ),
        }
    }
}

#[test]
fn a_workspaces_permit_lifts_nothing_that_always_needs_a_human() {
    let mut tool = fixtures::unlock();
    tool.always_human = Some(gaby_model::tool::AlwaysHuman::Deletion);
    let all = r#"@id("all") permit(principal, action, resource);"#;
    let rules = beside(all, all, std::slice::from_ref(&tool));
    let mut scene = Scene::allowed();
    scene.tool = Some(tool);
    scene.policy.rules = rules.hash().to_owned();
    scene.rules = Some(rules.into());
    assert!(matches!(scene.decide(), Decision::NeedsApproval { .. }));
}

#[test]
fn a_fault_is_shown_by_its_line_and_column() {
    let tool = fixtures::unlock();
    for (text, says) in [
        (
            "\n\nforbid(principal, acton, resource);",
            "line 3, column 19: ",
        ),
        (
            "forbid(principal, action, resource)\nwhen { context.é == 1 };",
            "line 2, column",
        ),
        (
            "forbid(principal, action, resource)\n  when { context.hour == \"late\" };",
            "line 2, column",
        ),
    ] {
        let error = with_tools(text, std::slice::from_ref(&tool))
            .unwrap_err()
            .to_string();
        assert!(error.contains(says), "{error}");
        assert!(!error.contains("for policy"), "{error}");
    }
}

#[test]
fn rules_are_said_in_words() {
    let mut tool = fixtures::tool("k8s", "restart_pod", Access::Write);
    tool.input_schema = json!({"type": "object", "required": ["namespace"], "properties": {
        "namespace": {"type": "string"}, "pod": {"type": "string"}, "count": {"type": "integer"}}});
    for (rule, words) in [
        (
            r#"forbid(principal, action == Action::"k8s__restart_pod", resource) unless { context.arguments.namespace == "staging" };"#,
            "Forbids restart_pod of k8s unless the argument namespace is “staging”.",
        ),
        (
            r#"@escalate("x") forbid(principal, action in [Action::"write", Action::"answer"], resource) when { context.category == "billing" && context.facts.contains("plan=enterprise") };"#,
            "Leaves to a human all changes and replies when the category is “billing” and the facts about the requester hold “plan=enterprise”.",
        ),
        (
            r#"forbid(principal, action == Action::"k8s__restart_pod", resource) when { context.arguments has count && context.arguments.count > 3 };"#,
            "Forbids restart_pod of k8s when the argument count is more than 3.",
        ),
        (
            r#"forbid(principal == Requester::"a@b.c", action in Action::"connector:k8s", resource == Workspace::"acme") when { context.hour < 7 || context.hour >= 20 };"#,
            "Forbids everything of k8s for a@b.c in the workspace acme when (the hour is less than 7 or the hour is at least 20).",
        ),
        (
            r#"forbid(principal, action == Action::"k8s__restart_pod", resource) when { ["prod", "live"].contains(context.arguments.namespace) };"#,
            "Forbids restart_pod of k8s when the argument namespace is “prod” or “live”.",
        ),
        (
            r#"forbid(principal, action, resource) when { if context.verified then true else context.risk > 3 };"#,
            "Forbids everything when its condition holds.",
        ),
    ] {
        let rules = with_tools(rule, std::slice::from_ref(&tool)).unwrap();
        let said: Vec<_> = rules
            .iter()
            .filter(|rule| rule.file == "own")
            .map(gaby_gate::rules::Rule::in_words)
            .collect();
        assert_eq!(said, [words], "{rule}");
    }
}
